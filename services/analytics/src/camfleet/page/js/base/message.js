// A line that tells what came of something somebody did.

import { wordsOf } from "./api.js";
import { make, setText } from "./dom.js";

export class Message {
  constructor() {
    this.element = make("p", { class: "message", role: "status" });
  }

  get level() {
    return this.element.dataset.level;
  }

  say(text, level = "unknown") {
    setText(this.element, text);
    this.element.dataset.level = level;
  }

  fail(fault) {
    this.say(wordsOf(fault), "failed");
  }
}
