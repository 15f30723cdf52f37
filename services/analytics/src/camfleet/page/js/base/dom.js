// Make elements without markup in strings.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

// Writing only what changed keeps the layout still and screen readers quiet.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setLevel(element, level) {
  if (element.dataset.level !== level) element.dataset.level = level;
}
