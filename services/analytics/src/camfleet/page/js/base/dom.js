// Make elements without markup in strings.

export const make = (tag, attributes, ...children) => dressed(document.createElement(tag), attributes, children);

export function dressed(element, attributes = {}, children = []) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

export const light = (level = "unknown") => make("span", { class: "light", "data-level": level });

export const hint = (text = "", attributes = {}) => make("p", { class: "hint", text, ...attributes });

export const viewHead = (title, ...parts) => make("header", { class: "view-head" }, make("h1", { text: title }), ...parts);

export const sectionHead = (title, ...parts) => make("header", { class: "section-head" }, make("h2", { text: title }), ...parts);

// What is wider than its place is moved in it, also with the keyboard.
export const scroll = (content, attributes = {}) => make("div", { class: "scroll", tabindex: "0", ...attributes }, content);

export const reasonLine = (reason) => make("p", { class: "reason", text: reason ?? "" });

// Writing only what changed keeps the layout still and screen readers quiet.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setLevel(element, level) {
  if (element.dataset.level !== level) element.dataset.level = level;
}
