// The picture of a tile: video or Motion JPEG, drawings on top, words where there is no picture.

import { make, setLevel, setText } from "../base/dom.js";
import { onEachFrame } from "./frame-clock.js";
import { Heat } from "./heat.js";
import { Overlay } from "./overlay.js";
import { Player } from "./player.js";
import { Results } from "./results.js";
import { whenWatched } from "./watching.js";
import { levelOfCamera, stateHeadline } from "../base/words.js";

export class Picture {
  constructor(name) {
    this.video = make("video", { muted: true, playsinline: true, autoplay: true, "aria-label": `Live picture of ${name}` });
    this.video.muted = true;
    this.image = make("img", { hidden: true, alt: `Live picture of ${name}` });
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.heat = new Heat(name);
    this.headline = make("strong");
    this.reason = make("span");
    this.words = make("div", { class: "picture-words" }, this.headline, this.reason);
    this.note = make("p", { class: "picture-note", hidden: true });
    this.element = make("div", { class: "picture" }, this.video, this.image, this.heat.element, this.canvas, this.words, this.note);
    this.overlay = new Overlay(this.canvas);
    this.results = new Results();
    this.camera = { state: "CONNECTING", lines: [] };
    this.hidesShapes = false; // while an editor shows its own
    this.player = new Player({ name, video: this.video, image: this.image, note: (text) => this.setNote(text), emptied: () => this.forgetPicture() });
    onEachFrame(this.video, (mediaTime) => this.drawFrame(mediaTime));
    this.image.addEventListener("load", () => this.pictureCame());
    this.unwatch = whenWatched(this.element, { watched: () => this.player.start(), left: () => this.rest() });
  }

  show(camera) {
    this.camera = camera;
    if (camera.width && camera.height) this.element.style.setProperty("--shape", `${camera.width} / ${camera.height}`);
    if (camera.state !== "LIVE") this.overlay.clear();
    this.setWords();
    if (this.player.showsJpeg) this.draw([]);
  }

  add(envelope) {
    this.results.add(envelope);
    const ahead = this.player.aheadOf(envelope.pts_s);
    if (ahead !== null) this.player.edge.allowFor(ahead);
  }

  // Nobody looks: nothing is received; coming back begins with words until the picture is there.
  rest() {
    this.player.stop();
    this.forgetPicture();
  }

  forgetPicture() {
    this.overlay.clear();
    this.hasPicture = false;
    this.setWords();
  }

  remove() {
    this.unwatch();
    this.heat.hide();
    this.player.stop();
  }

  drawFrame(mediaTime) {
    this.pictureCame();
    if (this.camera.state !== "LIVE") return;
    const pts = this.player.ptsAt(mediaTime);
    this.draw(pts === null ? [] : this.results.at(pts));
  }

  draw(boxes) {
    const { width, height, lines, zones } = this.camera;
    const { videoWidth, videoHeight } = this.player.showsJpeg ? {} : this.video; // a sub-stream may be of another shape
    const shape = { width: videoWidth || width || 16, height: videoHeight || height || 9 };
    const shapes = this.hidesShapes ? [[], []] : [lines ?? [], zones ?? []];
    this.overlay.draw({ boxes, lines: shapes[0], zones: shapes[1], shape });
  }

  pictureCame() {
    if (this.hasPicture) return;
    this.hasPicture = true;
    this.setWords();
  }

  setWords() {
    const { state, reason } = this.camera;
    const isLive = state === "LIVE";
    const waits = isLive && !this.hasPicture;
    this.words.hidden = isLive && !waits;
    this.element.dataset.dimmed = String(!isLive);
    setLevel(this.words, waits ? "ok" : levelOfCamera(state));
    setText(this.headline, waits ? "Waiting for the picture…" : stateHeadline[state] ?? "");
    setText(this.reason, isLive ? "" : reason ?? "");
  }

  setNote(text) {
    this.note.hidden = !text;
    setText(this.note, text);
  }
}
