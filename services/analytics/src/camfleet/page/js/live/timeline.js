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
    for (let index = this.spans.length - 1; index >= 0; index -= 1) {
      if (mediaTime >= this.spans[index].from - 0.001) return mediaTime + this.spans[index].shift;
    }
    return null;
  }
}
