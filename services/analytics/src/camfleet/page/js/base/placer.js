// Places beside the middle of a line: so far along its way, so far to the right of it.

export function placer(from, to) {
  const [across, down] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(across, down) || 1;
  const [alongX, alongY] = [across / length, down / length];
  const middle = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  return (along, side) => [middle[0] + alongX * along - alongY * side, middle[1] + alongY * along + alongX * side];
}
