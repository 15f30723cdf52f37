// What is wrong with config.json as a whole, and the way out.

import { hint, make, setText } from "../base/dom.js";

export class ConfigFault {
  constructor() {
    this.words = make("p", { class: "message", "data-level": "failed" });
    const way = hint("Mend the file, or take its last change back below (admins). What was served before still is; no other change is followed meanwhile.");
    this.element = make("section", { class: "card config-fault", role: "alert", hidden: true }, make("h2", { text: "config.json cannot be used" }), this.words, way);
  }

  show(fault) {
    this.element.hidden = !fault;
    setText(this.words, fault ?? "");
  }
}
