// The event list: what happened, newest first.

import { colourOf } from "../base/colours.js";
import { make } from "../base/dom.js";
import { describe } from "./event-words.js";
import { clockTime } from "../base/words.js";

const MOST = 120;

export class EventList {
  constructor(list) {
    this.list = list;
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
  const { words, detail, level, isOfWhole } = describe(envelope);
  const light = make("span", { class: "light", "data-level": level, "aria-hidden": "true" });
  if (!level && envelope.results.object_label) light.style.background = colourOf(envelope.results.object_label);
  const when = new Date(envelope.captured_at ?? envelope.timestamp);
  const time = make("time", { datetime: when.toISOString(), title: `${when.toISOString()} (UTC)`, text: clockTime(when) });
  const where = make("span", { class: "event-where", text: [isOfWhole ? "" : envelope.camera, detail].filter(Boolean).join(" · ") });
  return make("li", { class: "event", "data-new": "true" }, light, make("span", { class: "event-words", text: words }), time, where);
}
