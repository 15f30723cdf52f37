// Buttons and fields that look and behave the same everywhere.

import { make } from "./dom.js";

let fields = 0;

export function button(words, pressed, { kind = "", label = null, ...attributes } = {}) {
  const element = make("button", { type: "button", class: `button ${kind}`.trim(), "aria-label": label, title: label, ...attributes }, ...[words].flat());
  element.addEventListener("click", pressed);
  return element;
}

export const buttons = (...children) => make("div", { class: "buttons" }, ...children);

export const textInput = (attributes) => make("input", { type: "text", spellcheck: "false", autocomplete: "off", ...attributes });

// A label above its input, and a hint that a screen reader hears with it.
export function field(words, input, hint = "") {
  fields += 1;
  input.id ||= `field-${fields}`;
  const parts = [make("label", { for: input.id, text: words }), input];
  if (hint) {
    const id = `${input.id}-hint`;
    input.setAttribute("aria-describedby", id);
    parts.push(make("p", { class: "hint", id, text: hint }));
  }
  return make("div", { class: "field" }, ...parts);
}

export function checkbox(words, isChecked, changed = () => {}) {
  const input = make("input", { type: "checkbox" });
  input.checked = isChecked;
  input.addEventListener("change", () => changed(input.checked));
  return Object.assign(make("label", { class: "check" }, input, make("span", { text: words })), { input });
}

export function choice(options, value, changed = () => {}) {
  const select = make("select", {}, ...options.map(([key, words]) => make("option", { value: key, text: words })));
  select.value = value;
  select.addEventListener("change", () => changed(select.value));
  return select;
}
