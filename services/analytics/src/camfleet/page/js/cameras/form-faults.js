// Faults of a form, each at the field it is about; a field's name is the path of its value in the camera's entry.

import { make } from "../base/dom.js";

// Marks what has a place in the form and returns the words of what has none.
export function markFaults(form, faults) {
  for (const input of form.querySelectorAll("[aria-invalid]")) clearFault(input);
  const left = [];
  for (const [path, words] of Object.entries(faults)) {
    const input = fieldOf(form, path);
    if (input) mark(input, words);
    else left.push(`${path}: ${words}`);
  }
  form.querySelector("[aria-invalid]")?.focus();
  return left;
}

// What was wrong of a field is not said of another text.
export function clearFault(input) {
  document.getElementById(`${input.id}-fault`)?.remove();
  input.removeAttribute("aria-invalid");
  describe(input, (ids) => ids.filter((id) => !id.endsWith("-fault")));
}

// The field of this path, else of what holds it, else the first one inside it.
function fieldOf(form, path) {
  const named = [...form.elements].filter(({ name }) => name);
  const holder = named.filter(({ name }) => path === name || path.startsWith(`${name}.`)).sort((a, b) => b.name.length - a.name.length)[0];
  return holder ?? (path.includes(".") ? named.find(({ name }) => name.startsWith(`${path}.`)) : undefined);
}

function mark(input, words) {
  const fault = make("p", { class: "fault", id: `${input.id}-fault`, text: words });
  input.setAttribute("aria-invalid", "true");
  describe(input, (ids) => [fault.id, ...ids]);
  (input.closest(".check") ?? input).after(fault);
  const folded = input.closest("details");
  if (folded) folded.open = true;
}

function describe(input, changed) {
  const ids = changed((input.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
  if (ids.length) input.setAttribute("aria-describedby", ids.join(" "));
  else input.removeAttribute("aria-describedby");
}
