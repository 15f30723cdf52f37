// One line or zone as SVG: its body, its name, the side that counts as in, and a handle for each point.

import { placer } from "../base/placer.js";
import { draw } from "../base/svg.js";

const percent = (share) => `${Math.round(share * 100)} %`;

export function drawShape(shape, size, isSelected) {
  const points = shape.points.map(([x, y]) => [x * size.width, y * size.height]);
  const body = shape.kind === "line" ? lineBody(points) : zoneBody(points);
  const words = `${shape.kind === "line" ? "Line" : "Zone"} ${shape.name}. Arrow keys move it, Delete removes it.`;
  const group = draw("g", { class: `shape shape-${shape.kind}`, "data-key": shape.key, "data-selected": isSelected });
  const grip = draw("g", { class: "grip", tabindex: 0, role: "button", "aria-label": words }, ...body);
  group.append(grip, nameOf(shape, points, size));
  if (isSelected && shape.kind === "zone") group.append(...edges(points));
  points.forEach((point, place) => group.append(handle(shape, point, place)));
  return group;
}

function lineBody([from, to]) {
  const ends = { x1: from[0], y1: from[1], x2: to[0], y2: to[1] };
  return [draw("line", { class: "hit", ...ends }), draw("line", { class: "edge-shade", ...ends }), draw("line", { class: "edge", ...ends }), arrow(from, to)];
}

function zoneBody(points) {
  return [draw("polygon", { class: "area", points: points.map((point) => point.join(",")).join(" ") })];
}

// To the right of the way from start to end a crossing counts as in.
function arrow(from, to) {
  const at = placer(from, to);
  const [x, y] = at(0, 30);
  const word = draw("text", { class: "in-word", x, y, text: "in" });
  return draw("g", {}, draw("polygon", { class: "in-side", points: [at(-9, 0), at(0, 18), at(9, 0)].join(" ") }), word);
}

function nameOf(shape, points, size) {
  const first = points.reduce((best, point) => (point[1] < best[1] ? point : best));
  const [x, y] = [Math.min(first[0] + 10, size.width - 60), Math.max(first[1] - 12, 14)];
  return draw("text", { class: "shape-name", x, y, text: shape.name });
}

function handle(shape, [x, y], place) {
  const [across, down] = shape.points[place];
  const which = shape.kind === "line" ? ["start", "end"][place] : `corner ${place + 1}`;
  const words = `${shape.name}, ${which}: ${percent(across)} from the left, ${percent(down)} from the top`;
  return draw("circle", { class: "handle", cx: x, cy: y, r: 8, tabindex: 0, role: "button", "aria-label": words, "data-place": place });
}

// The middle of each edge: pulling it makes a corner.
function edges(points) {
  return points.map(([x, y], place) => {
    const [nextX, nextY] = points[(place + 1) % points.length];
    return draw("circle", { class: "edge-middle", cx: (x + nextX) / 2, cy: (y + nextY) / 2, r: 5, "data-after": place });
  });
}
