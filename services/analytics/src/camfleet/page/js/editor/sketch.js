// A line or zone that is being drawn, point by point.

import { draw } from "../base/svg.js";

const NEAR_PX = 14;
const LEAST = { line: 2, zone: 3 };

export class Sketch {
  constructor(kind) {
    Object.assign(this, { kind, points: [], pointer: null });
  }

  // True when this point finished it: the second of a line, the first one again of a zone.
  add(point, size) {
    if (this.kind === "zone" && this.isWhole && isNear(this.points[0], point, size)) return true;
    this.points.push(point);
    return this.kind === "line" && this.isWhole;
  }

  // A finger draws a line, or a first edge, in one go: its end is where it is let go.
  isPulled(point, size) {
    return this.points.length === 1 && !isNear(this.points[0], point, size);
  }

  get isWhole() {
    return this.points.length >= LEAST[this.kind];
  }

  elements(size) {
    const all = [...this.points, ...(this.pointer ? [this.pointer] : [])].map(([x, y]) => [x * size.width, y * size.height]);
    const dots = all.slice(0, this.points.length).map(([x, y], place) => draw("circle", { class: "handle", cx: x, cy: y, r: place ? 6 : 9 }));
    return [draw("polyline", { class: "preview", points: all.map((point) => point.join(",")).join(" ") }), ...dots];
  }
}

const isNear = ([x, y], [otherX, otherY], { width, height }) => Math.hypot((x - otherX) * width, (y - otherY) * height) < NEAR_PX;
