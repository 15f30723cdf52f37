// Numbers by name: a row for each line or zone; columns that nobody fills are left out.

import { make, setText } from "./dom.js";
import { keepRows, tableOf } from "./table.js";

export class NumberTable {
  constructor(caption, heads) {
    this.heads = heads.map((text) => make("th", { scope: "col", text }));
    this.body = make("tbody");
    this.element = tableOf(caption, this.heads, this.body, "counts");
  }

  // `rows`: a name and its numbers or words each; undefined where there is none.
  show(rows) {
    this.element.hidden = rows.length === 0;
    this.heads.forEach((head, column) => (head.hidden = rows.every((row) => row[column] === undefined)));
    keepRows(this.body, rows.length, () => make("tr", {}, ...this.heads.map((_, column) => (column ? make("td") : make("th", { scope: "row" })))));
    rows.forEach((row, place) => this.heads.forEach((head, column) => fill(this.body.rows[place].cells[column], row[column], head.hidden)));
  }
}

function fill(cell, value = "", hidden) {
  setText(cell, String(value));
  cell.hidden = hidden;
  cell.classList.toggle("words", typeof value === "string");
}
