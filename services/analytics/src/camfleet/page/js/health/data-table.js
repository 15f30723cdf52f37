// A titled table that is filled anew, and words for when it is empty.

import { hint, make, scroll } from "../base/dom.js";
import { replaceRows, tableOf } from "../base/table.js";

export class DataTable {
  constructor(title, heads, nothing) {
    this.body = make("tbody");
    this.shown = null;
    this.empty = hint(nothing);
    this.table = scroll(tableOf("", heads, this.body), { role: "region", "aria-label": title });
    this.element = make("section", { class: "card card-table" }, make("h2", { text: title }), this.empty, this.table);
  }

  // Rows of texts, numbers, elements, or lists of them; what did not change is left alone.
  show(rows) {
    this.empty.hidden = rows.length > 0;
    this.table.hidden = rows.length === 0;
    const drawn = rows.map((cells) => make("tr", {}, ...cells.map((content, place) => make(place ? "td" : "th", place ? {} : { scope: "row" }, ...[content].flat().map((part) => part ?? "–")))));
    const markup = drawn.map((row) => row.outerHTML).join();
    if (markup === this.shown) return;
    this.shown = markup;
    replaceRows(this.body, drawn);
  }
}
