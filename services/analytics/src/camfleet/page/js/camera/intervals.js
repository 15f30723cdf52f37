// Intervals as the service tells them, made into the bars of a plot for each line and zone.

const LINE = [{ name: "in", tone: "one" }, { name: "out", tone: "two" }];
const ZONE = [{ name: "most inside at once", tone: "three" }];

// A map of { title, series, bars, total } by place; intervals in which nothing happened are zeros.
export function barsOf(intervals, count, seconds, now) {
  const last = Math.floor(now / 1000 / seconds) * seconds;
  const starts = Array.from({ length: count }, (_, place) => last - (count - 1 - place) * seconds);
  const found = new Map(intervals.map((interval) => [new Date(interval.from) / 1000, interval]));
  const plots = new Map();
  for (const name of namesIn(intervals, "lines", starts[0])) plots.set(`line ${name}`, lineOf(name, starts, seconds, found));
  for (const name of namesIn(intervals, "zones", starts[0])) plots.set(`zone ${name}`, zoneOf(name, starts, seconds, found));
  return plots;
}

const namesIn = (intervals, kind, first) => [...new Set(intervals.filter(({ to }) => new Date(to) / 1000 > first).flatMap((interval) => Object.keys(interval[kind])))].sort();

function lineOf(name, starts, seconds, found) {
  const bars = starts.map((start) => barAt(start, seconds, found.get(start)?.lines[name], ({ in: came, out: went, error }) => ({ values: [came, went], error: error || null }), [0, 0]));
  const sums = [0, 1].map((which) => bars.reduce((sum, { values }) => sum + values[which], 0));
  const error = Math.hypot(...bars.map((bar) => bar.error ?? 0));
  return { title: `Line ${name}`, series: LINE, bars, total: `${sums[0]} in, ${sums[1]} out${error ? ` (± ${error.toFixed(1)})` : ""}` };
}

function zoneOf(name, starts, seconds, found) {
  const bars = starts.map((start) => barAt(start, seconds, found.get(start)?.zones[name], ({ peak }) => ({ values: [peak], error: null }), [0]));
  const came = starts.reduce((sum, start) => sum + (found.get(start)?.zones[name]?.entered ?? 0), 0);
  return { title: `Zone ${name}`, series: ZONE, bars, total: `${came} came in` };
}

function barAt(start, seconds, figures, read, nothing) {
  const times = { start: new Date(start * 1000), end: new Date((start + seconds) * 1000) };
  return { ...times, ...(figures ? read(figures) : { values: nothing, error: null }) };
}
