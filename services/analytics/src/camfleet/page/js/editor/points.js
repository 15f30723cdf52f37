// Points of shapes: relative to the picture, within it.

export const rounded = (point) => point.map((share) => Math.round(Math.min(Math.max(share, 0), 1) * 10_000) / 10_000);

// All points by the same way, stopping where the first would leave the picture.
export function shifted(points, right, down) {
  const within = (values, way) => Math.min(Math.max(way, -Math.min(...values)), 1 - Math.max(...values));
  const x = within(points.map((point) => point[0]), right);
  const y = within(points.map((point) => point[1]), down);
  return points.map((point) => rounded([point[0] + x, point[1] + y]));
}
