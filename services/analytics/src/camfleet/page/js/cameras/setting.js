// One setting of a camera: where it is in the camera's entry, its control, and how its value is shown and read.

import { field } from "../base/controls.js";

export class Setting {
  // `wrong` is said of a text that is not a value: read() gives undefined for it, or the control refuses it.
  constructor(path, words, input, { hint = "", wrong = null, show = (value) => value ?? "", read = (text) => text || null } = {}) {
    Object.assign(this, { path, input, wrong, show, read });
    input.name = path;
    this.before = input.value;
    this.element = field(words, input, hint);
  }

  fill(entry) {
    const [section, key] = this.path.split(".");
    this.value = key ? entry[section][key] : entry[section];
    this.input.value = this.show(this.value);
    this.before = this.text;
  }

  get text() {
    return this.input.value.trim();
  }

  get isChanged() {
    return this.text !== this.before || this.input.validity.badInput;
  }

  get fault() {
    if (!this.isChanged) return null;
    const isValue = this.input.validity.valid && this.read(this.text) !== undefined;
    return isValue ? null : (this.wrong ?? this.input.validationMessage);
  }

  // Only what was changed, so that defaults of the file stay in force.
  write(entry) {
    if (this.isChanged) put(entry, this.path, this.read(this.text, this.value));
  }
}

export const numeric = (attributes) => Object.assign(document.createElement("input"), { type: "number", ...attributes });

export function put(entry, path, value) {
  const [section, key] = path.split(".");
  if (key) (entry[section] ??= {})[key] = value;
  else entry[section] = value;
}
