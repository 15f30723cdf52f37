// Two people changed one camera: both versions side by side, and the choice.

import { button } from "../base/controls.js";
import { make } from "../base/dom.js";
import { draw } from "../base/svg.js";
import { Draft } from "./draft.js";
import { drawShape } from "./shape-drawing.js";

const WIDTH = 320;

export function conflictPanel(mine, theirs, { keepMine, takeTheirs, shape }) {
  const size = { width: WIDTH, height: Math.round((WIDTH * shape.height) / shape.width) };
  return make(
    "section",
    { class: "conflict", role: "alertdialog", "aria-labelledby": "conflict-title", tabindex: "-1" },
    make("h3", { id: "conflict-title", text: "Somebody else changed this camera in the meantime" }),
    make("p", { text: "Neither version is lost yet. Choose which lines and zones to keep." }),
    make("div", { class: "versions" }, version("Yours", mine, size, button("Keep mine", keepMine, { kind: "primary" })), version("The other one, in effect now", theirs, size, button("Take the other one", takeTheirs))),
  );
}

function version(title, pipeline, size, choose) {
  const shapes = new Draft(pipeline, () => {}).shapes;
  const picture = draw("svg", { class: "version-picture", viewBox: `0 0 ${size.width} ${size.height}`, "aria-hidden": "true" }, ...shapes.map((shape) => drawShape(shape, size, false)));
  for (const one of picture.querySelectorAll("[tabindex]")) one.removeAttribute("tabindex");
  const names = shapes.length ? shapes.map((shape) => make("li", { text: describe(shape) })) : [make("li", { text: "no lines or zones" })];
  return make("div", { class: "version" }, make("h4", { text: title }), picture, make("ul", {}, ...names), choose);
}

function describe({ kind, name, points, labels }) {
  const place = points.map(([x, y]) => `${Math.round(x * 100)},${Math.round(y * 100)}`).join(" → ");
  return `${kind} ${name}: ${place}${labels.length ? ` (${labels.join(", ")})` : ""}`;
}
