// A card with the newest events, and the way to all of them.

import { make } from "../base/dom.js";
import { clockTime, timeElement } from "../base/times.js";
import { describe, lightOf, placeOf, timeOf } from "./event-words.js";

const MOST = 120;

export class EventList {
  // `of`: whose events they are; `more`: where all of them are listed.
  constructor(of, more, nothing) {
    this.list = make("ol", { class: "event-list", id: "event-list", tabindex: "0", "aria-label": `Newest events${of}` });
    const head = make("header", { class: "events-head" }, make("h2", { text: "Events" }), make("a", { class: "events-more", ...more }));
    this.element = make("section", { class: "events", "aria-label": "Events" }, head, this.list, make("p", { class: "events-empty", text: nothing }));
    this.seen = new Set();
  }

  add(envelope) {
    if (this.seen.has(envelope.event_id)) return;
    this.seen.add(envelope.event_id);
    this.list.prepend(row(envelope));
    while (this.list.children.length > MOST) this.list.lastElementChild.remove();
    if (this.seen.size > 10 * MOST) this.seen = new Set([...this.seen].slice(-MOST));
  }
}

function row(envelope) {
  const event = describe(envelope);
  const when = timeOf(envelope);
  const time = timeElement(when, clockTime(when));
  const where = make("span", { class: "event-where", text: placeOf(envelope, event) });
  return make("li", { class: "event", "data-new": "true" }, lightOf(envelope, event.level), make("span", { class: "event-words", text: event.words }), time, where);
}
