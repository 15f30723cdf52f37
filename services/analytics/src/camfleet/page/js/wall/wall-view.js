// The wall with the newest events beside it.

import { make } from "../base/dom.js";
import { EventList } from "../events/event-list.js";
import { Wall } from "./wall.js";

export class WallView {
  constructor(fleet) {
    this.fleet = fleet;
    const grid = make("div", { class: "wall", "aria-busy": "true", id: "wall" });
    this.events = new EventList("", { href: "#/events", text: "All events" }, "Line crossings and camera changes appear here as they happen.");
    this.element = make("div", { class: "page" }, make("h1", { class: "visually-hidden", text: "Cameras" }), grid, this.events.element);
    this.wall = new Wall(grid, fleet);
  }

  // Events that came while another view was shown.
  enter() {
    for (const envelope of this.fleet.events) this.events.add(envelope);
  }

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
