// The area an object covers, tinted in the colour of its label.

import { colourOf } from "../base/colours.js";

const TINT = 0.38;

export function drawMask(overlay, { label, outlines }) {
  if (!outlines.length) return;
  const { pen } = overlay;
  pen.beginPath();
  for (const outline of outlines) {
    outline.forEach((corner, index) => pen[index ? "lineTo" : "moveTo"](...overlay.point(corner)));
    pen.closePath();
  }
  pen.globalAlpha = TINT;
  pen.fillStyle = colourOf(label);
  pen.fill("evenodd"); // an outline inside another is a hole
  pen.globalAlpha = 1;
}
