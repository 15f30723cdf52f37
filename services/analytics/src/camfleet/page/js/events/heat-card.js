// Where objects have been, over a picture of now.

import { pathOf } from "../base/api.js";
import { button } from "../base/controls.js";
import { hint, make, sectionHead } from "../base/dom.js";

export class HeatCard {
  constructor(name) {
    this.path = `/v1/cameras/${pathOf(name)}`;
    this.ground = make("img", { alt: "" });
    this.heat = make("img", { class: "heat", alt: `Where objects of ${name} have been: red is often` });
    this.ground.addEventListener("error", () => this.ground.removeAttribute("src"));
    const picture = make("div", { class: "picture" }, this.ground, this.heat);
    this.heat.addEventListener("load", () => picture.style.setProperty("--shape", `${this.heat.naturalWidth} / ${this.heat.naturalHeight}`));
    const head = sectionHead("Where objects have been", button("Refresh", () => this.load()));
    this.element = make("section", { class: "heat-card" }, head, make("div", { class: "card card-flush" }, picture), hint("Since analytics was started. Red means often, blue now and then."));
    this.load();
  }

  load() {
    const now = Date.now();
    this.ground.src = `${this.path}/snapshot.jpg?_=${now}`;
    this.heat.src = `${this.path}/heatmap.png?at=${now}`;
  }
}
