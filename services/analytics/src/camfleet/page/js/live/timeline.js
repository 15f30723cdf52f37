// Which time stamp of the camera the shown frame has: media time of the player <-> pts of the stream.

export class Timeline {
  constructor() {
    this.spans = [];
  }

  // From media time `from` on, pts = media time + shift.
  begin(from, shift) {
    this.spans = this.spans.filter((span) => span.from < from).slice(-4);
    this.spans.push({ from, shift });
  }

  clear() {
    this.spans = [];
  }

  ptsAt(mediaTime) {
    const span = this.spans.findLast(({ from }) => mediaTime >= from - 0.001);
    return span ? mediaTime + span.shift : null;
  }
}
