// A table with a name for screen readers, and rows that are kept while their number is.

import { make } from "./dom.js";

// `heads`: words, or elements that are heads.
export function tableOf(caption, heads, body, kind = "table") {
  const cells = heads.map((head) => (head instanceof Element ? head : make("th", { scope: "col", text: head })));
  const name = caption ? [make("caption", { class: "visually-hidden", text: caption })] : [];
  return make("table", { class: kind }, ...name, make("thead", {}, make("tr", {}, ...cells)), body);
}

// New rows in place of the old ones; the keyboard stays on the link or button that it was on.
export function replaceRows(body, rows) {
  const held = body.contains(document.activeElement) ? document.activeElement : null;
  const row = held?.closest("tr").sectionRowIndex;
  const place = held && controlsOf(held.closest("tr")).indexOf(held);
  body.replaceChildren(...rows);
  if (held) controlsOf(body.rows[row])[place]?.focus({ preventScroll: true });
}

const controlsOf = (row) => [...(row?.querySelectorAll("a, button") ?? [])];

export function keepRows(body, count, newRow) {
  while (body.children.length > count) body.lastElementChild.remove();
  while (body.children.length < count) body.append(newRow());
}
