// The counts of one camera's lines, beside the truth where the demo scene knows it.

import { make, setText } from "../base/dom.js";
import { tableOf } from "../base/table.js";

export class Counts {
  constructor(cameraName) {
    this.body = make("tbody");
    this.truthHead = make("th", { scope: "col", text: "Truth" });
    this.element = tableOf(`Counts of ${cameraName}`, ["Line", "In", "Out", this.truthHead], this.body, "counts");
    this.rows = new Map();
  }

  show(lines) {
    this.element.hidden = lines.length === 0;
    this.truthHead.hidden = !lines.some((line) => line.truth);
    for (const name of [...this.rows.keys()]) if (!lines.some((line) => line.name === name)) this.drop(name);
    for (const line of lines) this.showLine(line);
  }

  showLine(line) {
    if (!this.rows.has(line.name)) this.addRow(line.name);
    const row = this.rows.get(line.name);
    setText(row.in, String(line.in ?? 0));
    setText(row.out, String(line.out ?? 0));
    setText(row.truth, line.truth ? `${line.truth.in} in, ${line.truth.out} out` : "");
    row.truth.hidden = this.truthHead.hidden;
  }

  addRow(name) {
    const row = { in: make("td"), out: make("td"), truth: make("td", { class: "truth" }) };
    row.element = make("tr", {}, make("th", { scope: "row", text: name }), row.in, row.out, row.truth);
    this.rows.set(name, row);
    this.body.append(row.element);
  }

  drop(name) {
    this.rows.get(name).element.remove();
    this.rows.delete(name);
  }
}
