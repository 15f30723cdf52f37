// Where objects have been, laid over the picture while it is wanted.

import { make } from "../base/dom.js";

const FRESH_MS = 10_000;

export class Heat {
  constructor(name) {
    this.address = `/v1/cameras/${encodeURIComponent(name)}/heatmap.png`;
    this.element = make("img", { class: "heat", hidden: true, alt: "" });
  }

  // True when it is shown now.
  toggle() {
    if (this.timer) this.hide();
    else this.show();
    return !this.element.hidden;
  }

  show() {
    const load = () => (this.element.src = `${this.address}?at=${Date.now()}`);
    load();
    this.timer = setInterval(load, FRESH_MS);
    this.element.hidden = false;
  }

  hide() {
    clearInterval(this.timer);
    this.timer = null;
    this.element.hidden = true;
  }
}
