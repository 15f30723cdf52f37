// The counts of one camera's lines, beside the truth where the demo scene knows it.

import { make, setText } from "../base/dom.js";
import { keepRows, tableOf } from "../base/table.js";

export class Counts {
  constructor(cameraName) {
    this.body = make("tbody");
    this.truthHead = make("th", { scope: "col", text: "Truth" });
    this.element = tableOf(`Counts of ${cameraName}`, ["Line", "In", "Out", this.truthHead], this.body, "counts");
  }

  show(lines) {
    this.element.hidden = lines.length === 0;
    this.truthHead.hidden = !lines.some(({ truth }) => truth);
    keepRows(this.body, lines.length, newRow);
    lines.forEach((line, place) => this.fill(this.body.rows[place], line));
  }

  fill({ cells }, { name, in: came = 0, out: went = 0, truth }) {
    [name, came, went, truth ? `${truth.in} in, ${truth.out} out` : ""].forEach((value, column) => setText(cells[column], String(value)));
    cells[3].hidden = this.truthHead.hidden;
  }
}

const newRow = () => make("tr", {}, make("th", { scope: "row" }), make("td"), make("td"), make("td", { class: "truth" }));
