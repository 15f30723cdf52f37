// Small filled labels that keep inside the picture and off each other.

export class Labels {
  constructor(pen, unit, place) {
    Object.assign(this, { pen, unit, place, taken: [] });
    pen.font = `600 ${10.5 * unit}px Inter, ui-sans-serif, system-ui, sans-serif`;
    pen.textBaseline = "middle";
  }

  // Writes only where no other label is; tells whether it did.
  writeIfFree(text, corner, style) {
    const frame = this.frame(text, corner);
    if (this.taken.some((other) => overlaps(frame, other))) return false;
    this.fill(text, frame, style);
    return true;
  }

  // `corner` is the lower left one; moves down where another label is.
  write(text, corner, style) {
    const frame = this.frame(text, corner);
    for (const other of this.taken) if (overlaps(frame, other)) frame.y = other.y + other.high + this.unit;
    this.fill(text, frame, style);
  }

  frame(text, [left, bottom]) {
    const { pen, unit, place } = this;
    const [wide, high] = [pen.measureText(text).width + 7 * unit, 14 * unit];
    const x = Math.min(Math.max(left - unit, place.left), place.left + place.wide - wide);
    return { x, y: Math.max(bottom - high - unit, place.top), wide, high };
  }

  fill(text, frame, { fill, ink }) {
    const { pen, unit } = this;
    pen.fillStyle = fill;
    pen.beginPath();
    pen.roundRect(frame.x, frame.y, frame.wide, frame.high, 3 * unit);
    pen.fill();
    pen.fillStyle = ink;
    pen.fillText(text, frame.x + 3.5 * unit, frame.y + frame.high / 2 + 0.5 * unit);
    this.taken.push(frame);
  }
}

const overlaps = (one, other) =>
  one.x < other.x + other.wide && other.x < one.x + one.wide && one.y < other.y + other.high && other.y < one.y + one.high;
