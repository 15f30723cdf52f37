// Second models of a camera: one row each; what the form does not show of one is kept.

import { button, field, textInput } from "../base/controls.js";
import { hint, make } from "../base/dom.js";
import { put } from "./setting.js";
import { listOf } from "./written-lists.js";

const MOST = 4;

export class CascadeRows {
  constructor() {
    this.rows = make("div", { class: "cascade-rows" });
    this.add = button("Add a second model", () => this.append({ name: "", model: "", labels: [] }).querySelector("input").focus());
    this.before = "[]";
    this.element = make("div", { class: "cascades" }, hint("A second model runs on each object, e.g. ultraface-rfb320 on people."), this.rows, this.add);
  }

  fill({ pipeline: { cascade } }) {
    this.before = JSON.stringify(cascade);
    this.rows.replaceChildren();
    for (const one of cascade) this.append(one);
  }

  write(entry) {
    if (JSON.stringify(this.value) !== this.before) put(entry, "pipeline.cascade", this.value);
  }

  append(cascade) {
    const row = make("fieldset", { class: "fields" });
    row.before = cascade;
    row.append(
      make("legend", { class: "visually-hidden", text: "Second model" }),
      field("Name of the attribute", textInput({ value: cascade.name })),
      field("Second model", textInput({ value: cascade.model, list: "known-models" })),
      field("Runs on (labels; empty: all)", textInput({ value: cascade.labels.join(", ") })),
      button("Remove", () => this.remove(row), { label: "Remove this second model" }),
    );
    this.rows.append(row);
    this.number();
    return row;
  }

  remove(row) {
    row.remove();
    this.number();
    this.add.focus();
  }

  number() {
    [...this.rows.children].forEach((row, index) => ["name", "model", "labels"].forEach((key, place) => (inputsOf(row)[place].name = `pipeline.cascade.${index}.${key}`)));
    this.add.hidden = this.rows.children.length >= MOST;
  }

  get value() {
    return [...this.rows.children].map((row) => {
      const [name, model, labels] = inputsOf(row).map((input) => input.value.trim());
      return { ...row.before, name, model, labels: listOf(labels) };
    });
  }
}

const inputsOf = (row) => [...row.querySelectorAll("input")];
