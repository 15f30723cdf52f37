// Draws boxes, ids, masks, counting lines and zones over one picture.

import { colourOf } from "../base/colours.js";
import { placer } from "../base/placer.js";
import { insideOf } from "../base/words.js";
import { drawParts, drawPoints } from "./attribute-drawing.js";
import { Labels } from "./labels.js";
import { drawMask } from "./mask-drawing.js";

const LINE_INK = "#f8fafc";
const LABEL_INK = "#0b1116";
const SHADE = "rgb(8 12 16 / 62%)";
const ZONE_FREE = "rgb(248 250 252 / 8%)";
const ZONE_TAKEN = "rgb(250 204 21 / 22%)";

export class Overlay {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  resize() {
    const density = Math.min(globalThis.devicePixelRatio || 1, 2);
    this.canvas.width = Math.round(this.canvas.clientWidth * density);
    this.canvas.height = Math.round(this.canvas.clientHeight * density);
    this.density = density;
  }

  // The picture keeps its shape inside the canvas, as object-fit: contain does.
  draw({ boxes, lines, zones, shape }) {
    const { canvas, pen } = this;
    const scale = Math.min(canvas.width / shape.width, canvas.height / shape.height);
    const [wide, high] = [shape.width * scale, shape.height * scale];
    this.place = { left: (canvas.width - wide) / 2, top: (canvas.height - high) / 2, wide, high };
    this.unit = this.density * Math.min(Math.max(canvas.clientWidth / 640, 0.85), 1.15);
    this.labels = new Labels(pen, this.unit, this.place);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    for (const zone of zones) this.drawZone(zone);
    for (const line of lines) this.drawLine(line);
    for (const box of boxes) drawMask(this, box);
    for (const box of boxes) this.drawBox(box);
    for (const { label, points, parts } of boxes) {
      drawParts(this, parts);
      drawPoints(this, points, colourOf(label));
    }
    for (const line of lines) this.nameLine(line);
    for (const zone of zones) this.nameZone(zone);
    for (const box of [...boxes].sort((a, b) => area(b) - area(a))) this.nameBox(box);
  }

  clear() {
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  point([x, y]) {
    return [this.place.left + x * this.place.wide, this.place.top + y * this.place.high];
  }

  // Left, top, width and height, as a pen wants them.
  frame(corners) {
    const [left, top] = this.point(corners.slice(0, 2));
    const [right, bottom] = this.point(corners.slice(2));
    return [left, top, right - left, bottom - top];
  }

  drawBox({ corners, label }) {
    const { pen, unit } = this;
    pen.lineWidth = 1.75 * unit;
    pen.strokeStyle = colourOf(label);
    pen.beginPath();
    pen.roundRect(...this.frame(corners), 4 * unit);
    pen.stroke();
  }

  // In a crowd the number alone, or nothing: a name must not hide what it names.
  nameBox({ corners, label, id, words }) {
    const at = this.point(corners.slice(0, 2));
    const style = { fill: colourOf(label), ink: LABEL_INK };
    const whole = id === null ? label : `${label} ${id}`;
    const texts = [[whole, ...words].join(" · "), whole, ...(id === null ? [] : [String(id)])];
    texts.some((text) => this.labels.writeIfFree(text, at, style));
  }

  drawZone({ polygon, occupancy }) {
    const { pen, unit } = this;
    pen.beginPath();
    for (const corner of polygon) pen.lineTo(...this.point(corner));
    pen.closePath();
    pen.fillStyle = insideOf(occupancy) > 0 ? ZONE_TAKEN : ZONE_FREE;
    pen.fill();
    pen.strokeStyle = LINE_INK;
    pen.lineWidth = 1.5 * unit;
    pen.stroke();
  }

  nameZone({ name, polygon, occupancy }) {
    const corners = polygon.map((corner) => this.point(corner));
    const top = corners.reduce((best, corner) => (corner[1] < best[1] ? corner : best));
    this.labels.write(`${name}  ${insideOf(occupancy)} inside`, [top[0] + 8 * this.unit, top[1] + 22 * this.unit], { fill: SHADE, ink: LINE_INK });
  }

  drawLine(line) {
    const { pen, unit } = this;
    const [from, to] = [this.point(line.from), this.point(line.to)];
    for (const [width, ink, dashes] of [[5 * unit, SHADE, []], [2 * unit, LINE_INK, [8 * unit, 6 * unit]]]) {
      pen.lineWidth = width;
      pen.strokeStyle = ink;
      pen.setLineDash(dashes);
      pen.beginPath();
      pen.moveTo(...from);
      pen.lineTo(...to);
      pen.stroke();
    }
    pen.setLineDash([]);
    this.arrow(from, to);
  }

  nameLine(line) {
    const [from, to] = [this.point(line.from), this.point(line.to)];
    const start = from[0] <= to[0] ? from : to;
    const words = `${line.name}  in ${line.total?.in ?? 0}  out ${line.total?.out ?? 0}`;
    this.labels.write(words, [start[0] + 8 * this.unit, start[1] - 5 * this.unit], { fill: SHADE, ink: LINE_INK });
  }

  // Points to the side where a crossing counts as "in": to the right of the way from start to end.
  arrow(from, to) {
    const { pen, unit } = this;
    const at = placer(from, to);
    pen.beginPath();
    for (const [along, side] of [[-7, 0], [0, 13], [7, 0]]) pen.lineTo(...at(along * unit, side * unit));
    pen.closePath();
    pen.fillStyle = LINE_INK;
    pen.strokeStyle = SHADE;
    pen.lineWidth = unit;
    pen.fill();
    pen.stroke();
  }
}

const area = ({ corners: [left, top, right, bottom] }) => (right - left) * (bottom - top);
