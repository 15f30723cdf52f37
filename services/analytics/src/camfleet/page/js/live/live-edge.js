// Keeps a playing video close behind what the camera sends, without visible jumps where it can.

const LEAST_LAG_S = 0.3;
const MOST_LAG_S = 1.5;
const JUMP_WHEN_BEHIND_S = 1.5;
const TOLERATED_S = 0.12;
const EVERY_MS = 250;

export class LiveEdge {
  constructor(video) {
    this.video = video;
    this.wantedLag = LEAST_LAG_S;
    this.timer = setInterval(() => this.correct(), EVERY_MS);
  }

  stop() {
    clearInterval(this.timer);
  }

  // Results that come late are waited for, so that boxes stay on what they mark.
  allowFor(resultDelayS) {
    const wanted = Math.min(Math.max(resultDelayS + 0.15, LEAST_LAG_S), MOST_LAG_S);
    this.wantedLag += (wanted - this.wantedLag) * (wanted > this.wantedLag ? 0.3 : 0.02);
  }

  correct() {
    const { video } = this;
    const { buffered } = video;
    if (!buffered.length) return;
    const end = buffered.end(buffered.length - 1);
    const start = buffered.start(buffered.length - 1);
    const lag = end - video.currentTime;
    if (lag > this.wantedLag + JUMP_WHEN_BEHIND_S || video.currentTime < start) {
      video.currentTime = Math.max(start, end - this.wantedLag);
    } else {
      this.steer(lag);
    }
    if (video.paused) video.play().catch(() => {});
  }

  // The further off, the faster or slower; near enough it plays as it was filmed.
  steer(lag) {
    const off = lag - this.wantedLag;
    const speed = Math.abs(off) < TOLERATED_S ? 1 : 1 + Math.min(Math.max(off * 0.25, -0.2), 0.12);
    if (Math.abs(speed - this.video.playbackRate) > 0.01) this.video.playbackRate = speed;
  }
}
