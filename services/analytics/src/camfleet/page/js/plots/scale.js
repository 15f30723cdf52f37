// Round steps for the axis of a plot.

// The smallest of 1, 2, 5, 10 ... that needs at most `most` steps up to `value`.
export function roundStep(value, most) {
  const rough = Math.max(value, 1) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  return Math.max(1, power * [1, 2, 5, 10].find((factor) => factor * power >= rough));
}
