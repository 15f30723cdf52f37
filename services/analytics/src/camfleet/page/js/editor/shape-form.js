// Name, objects and direction of one line or zone, beside the picture.

import { button, buttons, checkbox, field } from "../base/controls.js";
import { make } from "../base/dom.js";

export class ShapeForm {
  constructor(shape, draft, { labels, selected }) {
    Object.assign(this, { key: shape.key, draft, labels });
    this.name = make("input", { type: "text", value: shape.name, maxlength: 64, spellcheck: "false" });
    this.name.addEventListener("change", () => draft.update(shape.key, { name: this.name.value }));
    const remove = button("Delete", () => draft.remove(shape.key), { kind: "quiet", label: `Delete ${shape.name}` });
    const own = shape.kind === "line" ? [buttons(this.swap(shape), remove)] : [this.longStay(shape), remove];
    const parts = [field(shape.kind === "line" ? "Line" : "Zone", this.name), this.objects(shape), ...own];
    this.element = make("fieldset", { class: "shape-form", "data-key": shape.key }, make("legend", { class: "visually-hidden", text: `${shape.kind} ${shape.name}` }), ...parts);
    this.element.addEventListener("focusin", () => selected(shape.key));
    this.element.addEventListener("pointerdown", () => selected(shape.key));
  }

  get shape() {
    return this.draft.find(this.key);
  }

  // Which objects count; none chosen means all.
  objects(shape) {
    const known = [...new Set([...this.labels, ...shape.labels])];
    const boxes = known.map((label) => checkbox(label, shape.labels.includes(label), (isOn) => this.chooseLabel(label, isOn)));
    const words = shape.labels.length ? `Only ${shape.labels.join(", ")}` : "All objects";
    return make("details", { class: "objects" }, make("summary", { text: words }), make("div", { class: "checks" }, ...boxes));
  }

  chooseLabel(label, isOn) {
    const others = this.shape.labels.filter((one) => one !== label);
    this.draft.update(this.key, { labels: isOn ? [...others, label] : others });
  }

  swap(shape) {
    return button("Swap in and out", () => this.draft.update(this.key, { points: [...this.shape.points].reverse() }), { kind: "quiet", label: `Swap in and out of ${shape.name}` });
  }

  longStay(shape) {
    const seconds = make("input", { type: "number", min: 0, step: 1, value: shape.loiter ?? "", placeholder: "never", inputmode: "numeric" });
    seconds.addEventListener("change", () => this.draft.update(this.key, { loiter: Number(seconds.value) > 0 ? Number(seconds.value) : null }));
    return field("Report when somebody stays longer than (seconds)", seconds);
  }
}
