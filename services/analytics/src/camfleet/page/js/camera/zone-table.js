// Who is in the zones of one camera now, and who has been.

import { make, setText } from "../base/dom.js";

const insideOf = (occupancy) => Object.values(occupancy ?? {}).reduce((sum, count) => sum + count, 0);

export class ZoneTable {
  constructor(name) {
    this.body = make("tbody");
    const head = make("tr", {}, ...["Zone", "Inside", "Came", "Left", "Longest stay"].map((text) => make("th", { scope: "col", text })));
    const table = make("table", { class: "counts" }, make("caption", { class: "visually-hidden", text: `Zones of ${name}` }), make("thead", {}, head), this.body);
    this.element = make("section", { class: "card card-flush", hidden: true }, table);
  }

  show(zones) {
    this.element.hidden = zones.length === 0;
    while (this.body.children.length > zones.length) this.body.lastElementChild.remove();
    while (this.body.children.length < zones.length) this.body.append(make("tr", {}, make("th", { scope: "row" }), make("td"), make("td"), make("td"), make("td")));
    zones.forEach((zone, place) => {
      const values = [zone.name, insideOf(zone.occupancy), zone.entered ?? 0, zone.left ?? 0, `${Math.round(zone.longest_s ?? 0)} s`];
      [...this.body.children[place].children].forEach((cell, column) => setText(cell, String(values[column])));
    });
  }
}
