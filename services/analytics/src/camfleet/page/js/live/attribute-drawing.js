// What second models say of an object: points of its body, and what was found inside it.

import { colourOf } from "../base/colours.js";

const LEAST_SURE = 0.3;

export function drawPoints(overlay, points, colour) {
  const { pen, unit } = overlay;
  pen.fillStyle = colour;
  pen.strokeStyle = "rgb(8 12 16 / 75%)";
  pen.lineWidth = unit;
  for (const [x, y, sure] of points) {
    if (sure < LEAST_SURE) continue;
    const [left, top] = overlay.point([x, y]);
    pen.beginPath();
    pen.arc(left, top, 3 * unit, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();
  }
}

export function drawParts(overlay, parts) {
  const { pen, unit } = overlay;
  pen.lineWidth = unit;
  for (const { label, corners } of parts) {
    pen.strokeStyle = colourOf(label);
    pen.strokeRect(...overlay.frame(corners));
  }
}
