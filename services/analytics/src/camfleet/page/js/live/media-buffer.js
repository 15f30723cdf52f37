// Feeds a video element from the WebSocket: one source buffer, one thing at a time, trimmed behind.

const KEEP_BEHIND_S = 4;
const TRIM_WHEN_S = 12;
const MOST_WAITING = 400;

const Source = globalThis.ManagedMediaSource ?? globalThis.MediaSource;

const mimeOf = (codec) => `video/mp4; codecs="${codec}"`;

export const canPlay = (codec) => Boolean(Source?.isTypeSupported(mimeOf(codec)));

// All that waits is given at once: each append is a wait for the next, and sixteen tiles would fall behind.
function joined(parts) {
  if (parts.length === 1) return parts[0].bytes;
  const whole = new Uint8Array(parts.reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
  let place = 0;
  for (const { bytes } of parts) {
    whole.set(new Uint8Array(bytes), place);
    place += bytes.byteLength;
  }
  return whole;
}

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
    const streams = this.waiting.findIndex(({ codec }) => codec);
    const count = streams < 0 ? this.waiting.length : Math.max(streams, 1);
    if (streams === 0) this.startStream(this.waiting[0]);
    else this.buffer.appendBuffer(joined(this.waiting.slice(0, count)));
    this.waiting.splice(0, count);
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
