// Asks before something is done: resolves true for yes, false for anything else.

import { button } from "./controls.js";
import { make } from "./dom.js";

export function confirmed(title, words, yes, { isDanger = false } = {}) {
  const { promise, resolve } = Promise.withResolvers?.() ?? deferred();
  const finish = (answer) => {
    resolve(answer);
    dialog.close();
  };
  const buttons = make("div", { class: "buttons" }, button("Cancel", () => finish(false)), button(yes, () => finish(true), { kind: isDanger ? "danger" : "primary" }));
  const dialog = make("dialog", { class: "dialog", "aria-labelledby": "dialog-title" }, make("h2", { id: "dialog-title", text: title }), ...[words].flat().map((text) => make("p", { text })), buttons);
  dialog.addEventListener("close", () => {
    resolve(false);
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}

function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve) => (parts.resolve = resolve));
  return parts;
}
