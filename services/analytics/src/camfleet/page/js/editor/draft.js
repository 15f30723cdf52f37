// The lines and zones of one camera while they are edited, with every step to take back.

export class Draft {
  // changed(): something is different now.
  constructor(pipeline, changed) {
    this.changed = changed;
    this.nextKey = 1;
    this.shapes = [...pipeline.lines.map((line) => this.fromLine(line)), ...pipeline.zones.map((zone) => this.fromZone(zone))];
    this.saved = JSON.stringify(this.toPipeline());
    this.before = [];
    this.after = [];
  }

  fromLine({ name, from, to, labels = [] }) {
    return { key: this.nextKey++, kind: "line", name, points: [from, to], labels, loiter: null };
  }

  fromZone({ name, polygon, labels = [], loiter_after_s: loiter = null }) {
    return { key: this.nextKey++, kind: "zone", name, points: polygon, labels, loiter };
  }

  get isChanged() {
    return JSON.stringify(this.toPipeline()) !== this.saved;
  }

  find(key) {
    return this.shapes.find((shape) => shape.key === key) ?? null;
  }

  add(kind, points) {
    const shape = { key: this.nextKey++, kind, name: this.freeName(kind), points, labels: [], loiter: null };
    this.become([...this.shapes, shape]);
    return shape.key;
  }

  remove(key) {
    this.become(this.shapes.filter((shape) => shape.key !== key));
  }

  // `goesOn`: one movement of a hand is one step to take back, not hundreds.
  update(key, values, goesOn = false) {
    const shapes = this.shapes.map((shape) => (shape.key === key ? { ...shape, ...values } : shape));
    if (goesOn) {
      this.shapes = shapes;
      this.changed();
    } else {
      this.become(shapes);
    }
  }

  // Remembers how it is now, before a movement that goes on.
  mark() {
    this.before.push(this.shapes);
    this.after = [];
  }

  become(shapes) {
    this.mark();
    this.shapes = shapes;
    this.changed();
  }

  undo() {
    this.step(this.before, this.after);
  }

  redo() {
    this.step(this.after, this.before);
  }

  step(from, to) {
    if (!from.length) return;
    to.push(this.shapes);
    this.shapes = from.pop();
    this.changed();
  }

  freeName(kind) {
    const taken = new Set(this.shapes.map((shape) => shape.name));
    let number = 1;
    while (taken.has(`${kind}-${number}`)) number += 1;
    return `${kind}-${number}`;
  }

  // Why it cannot be saved; empty when it can.
  fault() {
    const names = this.shapes.map((shape) => `${shape.kind} ${shape.name.trim()}`);
    if (this.shapes.some((shape) => !shape.name.trim())) return "Every line and zone needs a name.";
    const twice = names.find((name, place) => names.indexOf(name) !== place);
    return twice ? `Two have the name "${twice}".` : "";
  }

  toPipeline() {
    return {
      lines: this.shapes.filter(({ kind }) => kind === "line").map(({ name, points, labels }) => ({ name: name.trim(), from: points[0], to: points[1], labels })),
      zones: this.shapes.filter(({ kind }) => kind === "zone").map(({ name, points, labels, loiter }) => ({ name: name.trim(), polygon: points, labels, loiter_after_s: loiter })),
    };
  }
}
