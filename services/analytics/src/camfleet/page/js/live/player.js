// One camera's live picture: its H.264 through a media source, else Motion JPEG, and says which.

import { LiveEdge } from "./live-edge.js";
import { MediaBuffer, canPlay } from "./media-buffer.js";
import { showJpeg } from "../base/jpeg.js";
import { Socket } from "../base/socket.js";
import { Timeline } from "./timeline.js";

const TRIES_BEFORE_JPEG = 3;
const FAULTS_COUNT_MS = 300_000; // a wall that is open for weeks has a bad moment now and then

export class Player {
  // note(text): how the picture comes, in words; empty when it is the camera's own stream. emptied(): no picture is there any more.
  constructor({ name, video, image, note, emptied }) {
    Object.assign(this, { video, image, note, emptied, faults: [], timeline: new Timeline(), path: `/live/${encodeURIComponent(name)}` });
  }

  start() {
    if (this.socket) return;
    this.edge = new LiveEdge(this.video);
    this.socket = new Socket(() => this.path, {
      message: (content) => (typeof content === "string" ? this.head(JSON.parse(content)) : this.media?.append(content)),
    });
  }

  stop() {
    clearTimeout(this.later);
    this.socket?.close();
    this.edge?.stop();
    this.closeMedia();
    this.hideJpeg();
    this.note("");
    this.socket = null;
  }

  get showsJpeg() {
    return !this.image.hidden;
  }

  // The time stamp of the frame at a media time of the video; null when unknown.
  ptsAt(mediaTime) {
    return this.timeline.ptsAt(mediaTime);
  }

  // How far the newest received frame is ahead of this time stamp, in seconds.
  aheadOf(pts) {
    const newest = this.media && this.ptsAt(this.media.end());
    return newest === null || newest === undefined ? null : newest - pts;
  }

  head(head) {
    if (head.fallback) this.showJpeg(head.reason);
    else if (!canPlay(head.codec)) this.giveUpOnCopy(`this browser does not play ${head.codec} from a live stream`);
    else this.begin(head);
  }

  begin({ codec, start_s: startS, t0, note }) {
    this.hideJpeg();
    this.note(note ? `Shown as ${note}.` : "");
    this.media ??= new MediaBuffer(this.video, {
      begun: (from, shift) => this.timeline.begin(from, shift),
      broken: (reason) => this.restart(reason),
    });
    this.media.begin(codec, startS, t0);
    this.video.play().catch(() => {});
  }

  restart(reason) {
    const now = performance.now();
    this.faults = [...this.faults.filter((at) => now - at < FAULTS_COUNT_MS), now];
    this.closeMedia();
    if (this.faults.length <= TRIES_BEFORE_JPEG) return this.socket?.restart();
    this.giveUpOnCopy(reason);
    this.later = setTimeout(() => this.tryAgain(), FAULTS_COUNT_MS);
  }

  tryAgain() {
    this.stop();
    this.start();
  }

  giveUpOnCopy(reason) {
    this.socket?.close();
    this.showJpeg(reason);
  }

  closeMedia() {
    if (!this.media) return;
    this.media.close();
    this.media = null;
    this.emptied();
    this.timeline.clear();
  }

  showJpeg(reason) {
    this.closeMedia();
    this.video.hidden = true;
    this.image.hidden = false;
    // A WebSocket: six multipart answers would be all connections that browsers open to one address.
    this.pictures ??= new Socket(() => `${this.path}.mjpg`, { message: (bytes) => showJpeg(this.image, bytes) });
    this.note(`Shown as Motion JPEG: ${reason}.`);
  }

  hideJpeg() {
    this.pictures?.close();
    this.pictures = null;
    URL.revokeObjectURL(this.image.src);
    this.image.removeAttribute("src");
    this.image.hidden = true;
    this.video.hidden = false;
  }
}
