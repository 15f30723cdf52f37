// The picture as a drawing board: shapes are pulled, moved with the keyboard, and drawn point by point.

import { draw } from "../base/svg.js";
import { rounded, shifted } from "./points.js";
import { drawShape } from "./shape-drawing.js";
import { Sketch } from "./sketch.js";

const STEP = 0.005;
const FAR_STEP = 0.05;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class DrawingArea {
  constructor(draft, { selected, drawn }) {
    Object.assign(this, { draft, selected, drawn, key: null, drawing: null, size: { width: 1, height: 1 } });
    this.element = draw("svg", { class: "drawing-area", role: "application", "aria-label": "Lines and zones in the picture" });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.element);
    const handlers = { pointerdown: "press", pointermove: "move", pointerup: "release", pointercancel: "release", keydown: "type" };
    for (const [name, verb] of Object.entries(handlers)) this.element.addEventListener(name, (event) => this[verb](event));
    this.element.addEventListener("focusin", ({ target }) => this.focusCame(target));
  }

  resize() {
    this.size = { width: this.element.clientWidth || 1, height: this.element.clientHeight || 1 };
    this.element.setAttribute("viewBox", `0 0 ${this.size.width} ${this.size.height}`);
    this.show();
  }

  // Drawn anew, with the focus where it was.
  show() {
    const focused = this.element.contains(document.activeElement) ? document.activeElement : null;
    const [key, place] = [keyOf(focused), focused?.dataset.place];
    const shapes = this.draft.shapes.map((shape) => drawShape(shape, this.size, shape.key === this.key));
    this.element.replaceChildren(...shapes, ...(this.drawing?.elements(this.size) ?? []));
    if (focused) this.focus(key, place);
  }

  focus(key, place) {
    const group = this.element.querySelector(`[data-key="${key}"]`);
    (group?.querySelector(place === undefined ? ".grip" : `[data-place="${place}"]`) ?? group?.querySelector(".grip"))?.focus();
  }

  select(key) {
    if (this.key === key) return;
    this.key = key;
    this.show();
  }

  focusCame(target) {
    const key = keyOf(target);
    if (key !== null && key !== this.key) this.selected(key);
  }

  begin(kind) {
    this.drawing = new Sketch(kind);
    this.element.classList.add("is-drawing");
    this.show();
  }

  endDrawing(points = null) {
    const { kind } = this.drawing ?? {};
    this.drawing = null;
    this.element.classList.remove("is-drawing");
    if (points) this.drawn(kind, points);
    else this.show();
  }

  pointOf({ clientX, clientY }) {
    const place = this.element.getBoundingClientRect();
    return rounded([(clientX - place.left) / place.width, (clientY - place.top) / place.height]);
  }

  press(event) {
    if (event.button !== 0) return;
    if (this.drawing) return this.addPoint(this.pointOf(event));
    const [key, { place, after }] = [keyOf(event.target), event.target.dataset];
    if (key === null) return this.selected(null);
    event.preventDefault();
    this.element.setPointerCapture(event.pointerId);
    this.selected(key);
    this.draft.mark();
    this.pulled = { key, place: place === undefined ? null : Number(place), from: this.pointOf(event), points: this.draft.find(key).points };
    if (after !== undefined) this.addCorner(key, Number(after));
    this.focus(key, this.pulled.place ?? undefined);
  }

  addCorner(key, after) {
    const { points, from } = this.pulled;
    const grown = points.toSpliced(after + 1, 0, from);
    Object.assign(this.pulled, { place: after + 1, points: grown });
    this.draft.update(key, { points: grown }, true);
  }

  move(event) {
    const point = this.pointOf(event);
    if (this.drawing) {
      this.drawing.pointer = point;
      return this.show();
    }
    if (!this.pulled) return;
    const { key, place, from, points } = this.pulled;
    const moved = place === null ? shifted(points, point[0] - from[0], point[1] - from[1]) : points.with(place, point);
    this.draft.update(key, { points: moved }, true);
  }

  release(event) {
    this.pulled = null;
    if (event.type === "pointerup" && this.drawing?.isPulled(this.pointOf(event), this.size)) this.addPoint(this.pointOf(event));
  }

  addPoint(point) {
    if (this.drawing.add(point, this.size)) this.endDrawing(this.drawing.points);
    else this.show();
  }

  finish() {
    this.endDrawing(this.drawing.isWhole ? this.drawing.points : null);
  }

  type(event) {
    const key = keyOf(event.target);
    const arrow = ARROWS[event.key];
    if (key === null) return;
    if (arrow) this.nudge(event, key, arrow);
    else if (event.key === "Delete" || event.key === "Backspace") this.drop(event, key);
  }

  nudge(event, key, [right, down]) {
    event.preventDefault();
    const step = event.shiftKey ? FAR_STEP : STEP;
    const { points } = this.draft.find(key);
    const { place } = event.target.dataset;
    const [x, y] = [right * step, down * step];
    const moved = place === undefined ? shifted(points, x, y) : points.with(place, rounded([points[place][0] + x, points[place][1] + y]));
    this.draft.update(key, { points: moved });
  }

  // A corner of a zone that has more than three, else the whole shape.
  drop(event, key) {
    event.preventDefault();
    const { points, kind } = this.draft.find(key);
    const { place } = event.target.dataset;
    if (kind === "zone" && place !== undefined && points.length > 3) this.draft.update(key, { points: points.toSpliced(place, 1) });
    else this.draft.remove(key);
  }

  remove() {
    this.observer.disconnect();
    this.element.remove();
  }
}

const keyOf = (element) => {
  const key = element?.closest?.("[data-key]")?.dataset.key;
  return key === undefined ? null : Number(key);
};
