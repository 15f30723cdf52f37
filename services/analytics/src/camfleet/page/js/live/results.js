// The latest results of one camera, and the boxes that belong to a shown frame.

const STALE_S = 0.6;
const KEPT = 60;

export class Results {
  constructor() {
    this.kept = [];
  }

  add(envelope) {
    const pts = envelope.pts_s;
    if (!Number.isFinite(pts)) return;
    const last = this.kept.at(-1);
    if (last && pts < last.pts) this.kept = [];
    this.kept.push({ pts, boxes: boxesOf(envelope) });
    if (this.kept.length > KEPT) this.kept.shift();
  }

  // Boxes in step with the frame at `pts`: between two results a track moves from one to the other.
  at(pts) {
    const next = this.kept.findIndex((result) => result.pts > pts);
    const after = next < 0 ? null : this.kept[next];
    const before = next < 0 ? this.kept.at(-1) : this.kept[next - 1];
    const near = [before, after].filter((result) => result && Math.abs(result.pts - pts) <= STALE_S);
    if (near.length < 2) return near[0]?.boxes ?? [];
    return between(before, after, (pts - before.pts) / (after.pts - before.pts));
  }
}

function between(before, after, part) {
  const later = new Map(after.boxes.filter((box) => box.id !== null).map((box) => [box.id, box]));
  const moving = before.boxes.filter((box) => later.has(box.id)).map((box) => blend(box, later.get(box.id), part));
  const moved = new Set(moving.map((box) => box.id));
  const nearest = part < 0.5 ? before : after;
  return [...moving, ...nearest.boxes.filter((box) => !moved.has(box.id))];
}

// Its mask and points go with the box.
function blend(from, to, part) {
  const corners = from.corners.map((edge, index) => edge + (to.corners[index] - edge) * part);
  const moved = movedFrom(to.corners, corners);
  return { ...to, corners, points: to.points.map(moved), outlines: to.outlines.map((outline) => outline.map(moved)) };
}

function movedFrom(own, shown) {
  const place = (value, axis) => shown[axis] + ((value - own[axis]) * (shown[axis + 2] - shown[axis])) / (own[axis + 2] - own[axis] || 1);
  return ([x, y, ...rest]) => [place(x, 0), place(y, 1), ...rest];
}

function boxesOf({ results, width, height }) {
  const tracked = (results.objects ?? []).map((item) => [item.ObjectDetectionPrediction, item.id, item.attributes]);
  const plain = (results.predictions ?? []).map((prediction) => [prediction, null, null]);
  return [...tracked, ...plain].map(([{ box, label, ...shape }, id, attributes]) => ({
    id,
    label,
    corners: cornersOf(box, width, height),
    ...drawnOf(shape, Object.values(attributes ?? {}), width, height),
  }));
}

const cornersOf = (box, width, height) => [box.start_x / width, box.start_y / height, box.end_x / width, box.end_y / height];

// Beside the box: the mask and points of a body; what second models tell, as words, points and boxes inside it.
function drawnOf({ outlines = [], key_points: own = [] }, told, width, height) {
  const points = [own, ...told.map(({ key_points: points }) => points ?? [])].flat();
  return {
    outlines: outlines.map((flat) => pairsOf(flat).map(([x, y]) => [x / width, y / height])),
    words: told.map(({ label }) => label).filter(Boolean),
    points: points.map(([x, y, sure]) => [x / width, y / height, sure]),
    parts: told.flatMap(({ predictions }) => predictions ?? []).map(({ box, label }) => ({ label, corners: cornersOf(box, width, height) })),
  };
}

const pairsOf = (flat) => Array.from({ length: flat.length / 2 }, (_, index) => flat.slice(2 * index, 2 * index + 2));
