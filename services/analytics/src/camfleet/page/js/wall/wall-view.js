// The wall with the newest events beside it.

import { make } from "../base/dom.js";
import { EventList } from "../events/event-list.js";
import { Wall } from "./wall.js";

export class WallView {
  constructor(fleet) {
    this.fleet = fleet;
    const grid = make("div", { class: "wall", "aria-busy": "true", id: "wall" });
    const list = make("ol", { class: "event-list", id: "event-list", tabindex: "0", "aria-label": "Latest events, newest first" });
    const empty = make("p", { class: "events-empty", text: "Line crossings and camera changes appear here as they happen." });
    const more = make("a", { class: "events-more", href: "#/events", text: "All events" });
    const head = make("header", { class: "events-head" }, make("h2", { id: "events-title", text: "Events" }), more);
    const aside = make("section", { class: "events", "aria-labelledby": "events-title" }, head, list, empty);
    this.element = make("div", { class: "page" }, make("h1", { class: "visually-hidden", text: "Cameras" }), grid, aside);
    this.wall = new Wall(grid);
    this.events = new EventList(list);
  }

  // Events that came while another view was shown.
  enter() {
    for (const envelope of this.fleet.events) this.events.add(envelope);
  }

  leave() {}

  showStatus(status) {
    this.wall.show(status);
  }

  showSilence() {
    this.wall.showSilence();
  }

  showEnvelope(envelope) {
    this.wall.tile(envelope.camera)?.take(envelope);
    if (envelope.results?.event_label) this.events.add(envelope);
  }
}
