// Who is in the zones of one camera now, and who has been.

import { make, setText } from "../base/dom.js";
import { keepRows, tableOf } from "../base/table.js";
import { insideOf } from "../base/words.js";

export class ZoneTable {
  constructor(name) {
    this.body = make("tbody");
    const table = tableOf(`Zones of ${name}`, ["Zone", "Inside", "Came", "Left", "Longest stay"], this.body, "counts");
    this.element = make("section", { class: "card card-flush", hidden: true }, table);
  }

  show(zones) {
    this.element.hidden = zones.length === 0;
    keepRows(this.body, zones.length, () => make("tr", {}, make("th", { scope: "row" }), make("td"), make("td"), make("td"), make("td")));
    zones.forEach((zone, place) => {
      const values = [zone.name, insideOf(zone.occupancy), zone.entered ?? 0, zone.left ?? 0, `${Math.round(zone.longest_s ?? 0)} s`];
      [...this.body.children[place].children].forEach((cell, column) => setText(cell, String(values[column])));
    });
  }
}
