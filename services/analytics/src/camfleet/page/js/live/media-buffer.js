// Feeds a video element from the WebSocket: one source buffer, one thing at a time, trimmed behind.

const KEEP_BEHIND_S = 4;
const TRIM_WHEN_S = 12;
const MOST_WAITING = 400;

const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;

const mimeOf = (codec) => `video/mp4; codecs="${codec}"`;

export const canPlay = (codec) => Boolean(Source?.isTypeSupported(mimeOf(codec)));

export class MediaBuffer {
  // begun(from, shift): from media time `from` on, the stream's own pts is media time + shift.
  constructor(video, { begun, broken }) {
    Object.assign(this, { video, begun, broken, waiting: [], source: new Source() });
    this.url = URL.createObjectURL(this.source);
    this.source.addEventListener("sourceopen", () => this.drain(), { once: true });
    video.disableRemotePlayback = true;
    video.src = this.url;
  }

  // A new stream: its init segment follows; `startS` is the media time of the first fragment, `t0` the pts of media time 0.
  begin(codec, startS, t0) {
    this.waiting.push({ codec, startS, t0 });
    this.drain();
  }

  append(bytes) {
    this.waiting.push({ bytes });
    if (this.waiting.length > MOST_WAITING) this.broken("the browser cannot keep up");
    else this.drain();
  }

  close() {
    this.closed = true;
    this.waiting = [];
    this.video.removeAttribute("src");
    this.video.load();
    URL.revokeObjectURL(this.url);
  }

  drain() {
    if (this.closed || this.source.readyState !== "open") return;
    try {
      while (this.waiting.length && !this.buffer?.updating) this.step();
    } catch (fault) {
      this.recover(fault);
    }
  }

  step() {
    if (this.trim()) return;
    const next = this.waiting[0];
    if (next.codec) this.startStream(next);
    else this.buffer.appendBuffer(next.bytes);
    this.waiting.shift();
  }

  startStream({ codec, startS, t0 }) {
    const mime = mimeOf(codec);
    if (!this.buffer) {
      this.buffer = this.source.addSourceBuffer(mime);
      this.buffer.addEventListener("updateend", () => this.drain());
      this.buffer.addEventListener("error", () => this.broken("the browser cannot decode this stream"));
    } else {
      this.buffer.abort();
      this.buffer.changeType(mime);
    }
    const from = this.end();
    this.buffer.timestampOffset = from - startS;
    this.begun(from, t0 - this.buffer.timestampOffset);
  }

  trim() {
    const { buffered } = this.buffer ?? {};
    if (!buffered?.length) return false;
    const keepFrom = this.video.currentTime - KEEP_BEHIND_S;
    if (keepFrom - buffered.start(0) < TRIM_WHEN_S) return false;
    this.buffer.remove(0, keepFrom);
    return true;
  }

  end() {
    const ranges = this.buffer?.buffered;
    return ranges?.length ? ranges.end(ranges.length - 1) : 0;
  }

  recover(fault) {
    if (fault.name !== "QuotaExceededError") {
      this.broken(fault.message);
    } else if (!this.buffer.updating) {
      this.buffer.remove(0, Math.max(this.video.currentTime - 1, 0.001));
    }
  }
}
