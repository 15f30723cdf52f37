// Asks before something is lost: resolves true for yes, false for anything else.

import { button, buttons } from "./controls.js";
import { make } from "./dom.js";

export function confirmed(title, words, yes) {
  const close = (answer) => () => dialog.close(answer);
  const choices = buttons(button("Cancel", close("no")), button(yes, close("yes"), { kind: "danger" }));
  const dialog = make("dialog", { class: "dialog", "aria-labelledby": "dialog-title" }, make("h2", { id: "dialog-title", text: title }), ...[words].flat().map((text) => make("p", { text })), choices);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

export const losing = (yes) => confirmed("Not saved", "What you changed here is lost.", yes);
