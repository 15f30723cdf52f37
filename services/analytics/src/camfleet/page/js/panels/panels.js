// What scripts show with camfleet.Streamer: one tile per script, with its picture, text and a stop button.

import { make, setText } from "../base/dom.js";
import { showJpeg } from "../base/jpeg.js";
import { Socket } from "../base/socket.js";

export class Panels {
  constructor(element) {
    this.element = element;
    this.panels = new Map();
    new Socket(() => "/v1/panels", { message: (text) => this.show(JSON.parse(text).panels) });
  }

  show(names) {
    for (const [name, panel] of this.panels) {
      if (names.includes(name)) continue;
      panel.remove();
      this.panels.delete(name);
    }
    for (const name of names) {
      if (this.panels.has(name)) continue;
      const panel = new Panel(name);
      this.panels.set(name, panel);
      this.element.append(panel.element);
    }
  }
}

class Panel {
  constructor(name) {
    this.image = make("img", { alt: `What the script ${name} shows` });
    this.image.addEventListener("load", () => this.picture.style.setProperty("--shape", `${this.image.naturalWidth} / ${this.image.naturalHeight}`));
    this.text = make("pre", { class: "panel-text" });
    this.stop = make("button", { class: "button quiet panel-stop", type: "button", "aria-label": `Stop the script ${name}`, text: "Stop" });
    this.stop.addEventListener("click", () => this.askToStop());
    const title = make("h2", { class: "tile-name", id: `panel-${name}`, text: name });
    this.picture = make("div", { class: "picture" }, this.image);
    this.element = make("article", { class: "tile", "aria-labelledby": title.id }, make("header", { class: "tile-head" }, title, this.stop), this.picture, this.text);
    this.socket = new Socket(() => `/v1/panels/${encodeURIComponent(name)}`, { message: (data) => this.receive(data) });
  }

  receive(data) {
    if (typeof data === "string") setText(this.text, JSON.parse(data).text);
    else showJpeg(this.image, data);
  }

  askToStop() {
    this.socket.socket.send(JSON.stringify({ stop: true }));
    this.stop.disabled = true;
    setText(this.stop, "Stopping…");
  }

  remove() {
    this.socket.close();
    this.element.remove();
  }
}
