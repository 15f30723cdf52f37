// Bars by interval of time, what went the other way on top; with the error of the sum where it is known.

import { make, scroll } from "../base/dom.js";
import { draw } from "../base/svg.js";
import { tableOf } from "../base/table.js";
import { clockMinutes, withUtc } from "../base/times.js";
import { roundStep } from "./scale.js";

const HEIGHT = 190;
const MARGIN = { left: 34, right: 8, top: 10, bottom: 24 };

// `series`: [{ name, tone }]; `bars`: [{ start, end, values: [..], error }], all intervals in order.
export class BarPlot {
  constructor(title, series) {
    Object.assign(this, { title, series, bars: [] });
    this.svg = draw("svg", { class: "plot", role: "img" });
    this.table = make("tbody");
    this.total = make("span", { class: "plot-total" });
    const legend = make("span", { class: "legend" }, ...series.map(({ name, tone }) => make("span", { class: `key tone-${tone}`, text: name })));
    const rows = tableOf("", ["From", ...series.map(({ name }) => name)], this.table);
    const table = make("details", { class: "plot-table" }, make("summary", { text: "As a table" }), scroll(rows));
    this.element = make("figure", { class: "card" }, make("figcaption", {}, make("strong", { text: title }), this.total, legend), this.svg, table);
    this.observer = new ResizeObserver(() => this.render());
    this.observer.observe(this.element);
  }

  show(bars, total) {
    this.bars = bars;
    this.total.textContent = total;
    this.svg.setAttribute("aria-label", `${this.title}: ${total || "nothing yet"}`);
    const rows = bars.filter(({ values }) => values.some(Boolean)).reverse();
    this.table.replaceChildren(...rows.map(row));
    this.render();
  }

  render() {
    const width = Math.max(this.element.clientWidth - 32, 200);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const inner = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: HEIGHT - MARGIN.bottom };
    const highest = highestOf(this.bars);
    const step = roundStep(highest, 4);
    const top = Math.ceil(highest / step) * step;
    const y = (value) => inner.bottom - (value / top) * (inner.bottom - inner.top);
    this.svg.replaceChildren(...grid(inner, top, step, y), ...this.drawBars(inner, y), ...times(this.bars, inner));
  }

  drawBars(inner, y) {
    const slot = (inner.right - inner.left) / Math.max(this.bars.length, 1);
    const wide = Math.max(1.5, slot * 0.72);
    return this.bars.flatMap((bar, place) => {
      const left = inner.left + place * slot + (slot - wide) / 2;
      const parts = bar.values.map((value, which) => {
        const below = sumOf(bar.values.slice(0, which));
        return value > 0 && draw("rect", { class: `bar tone-${this.series[which].tone}`, x: left, y: y(below + value), width: wide, height: y(below) - y(below + value) });
      });
      const whole = draw("rect", { class: "bar-hit", x: inner.left + place * slot, y: inner.top, width: slot, height: inner.bottom - inner.top }, draw("title", { text: this.words(bar) }));
      return [...parts.filter(Boolean), ...whisker(bar, left + wide / 2, y), whole];
    });
  }

  words(bar) {
    const values = this.series.map(({ name }, which) => `${name} ${bar.values[which]}`).join(", ");
    return `${clockMinutes(bar.start)}–${clockMinutes(bar.end)}: ${values}${bar.error ? ` (± ${bar.error.toFixed(1)})` : ""}\n${withUtc(bar.start)}`;
  }

  remove() {
    this.observer.disconnect();
    this.element.remove();
  }
}

// An error far above the counts leaves these readable; its mark then goes on beyond the plot.
function highestOf(bars) {
  const most = Math.max(1, ...bars.map(({ values }) => sumOf(values)));
  return Math.min(2 * most, Math.max(most, ...bars.map(({ values, error }) => sumOf(values) + (error ?? 0))));
}

const sumOf = (values) => values.reduce((sum, value) => sum + value, 0);

// How far the sum of a bar may be off, nine times in ten.
function whisker({ values, error }, x, y) {
  if (!error) return [];
  const sum = sumOf(values);
  const [high, low] = [y(sum + error), y(Math.max(0, sum - error))];
  const top = high < MARGIN.top ? `M${x} ${MARGIN.top}` : `M${x - 3} ${high}h6M${x} ${high}`;
  return [draw("path", { class: "whisker", d: `${top}V${low}M${x - 3} ${low}h6` })];
}

function grid(inner, top, step, y) {
  const lines = [];
  for (let value = 0; value <= top; value += step) {
    lines.push(draw("line", { class: "grid-line", x1: inner.left, x2: inner.right, y1: y(value), y2: y(value) }), draw("text", { class: "axis", x: inner.left - 6, y: y(value) + 4, "text-anchor": "end", text: value }));
  }
  return lines;
}

function times(bars, inner) {
  const every = Math.ceil(bars.length / Math.max(2, Math.floor((inner.right - inner.left) / 90)));
  const slot = (inner.right - inner.left) / Math.max(bars.length, 1);
  return bars.flatMap(({ start }, place) => (place % every ? [] : [draw("text", { class: "axis", x: inner.left + place * slot, y: inner.bottom + 17, text: clockMinutes(start) })]));
}

function row({ start, values, error }) {
  const when = make("th", { scope: "row", text: clockMinutes(start), title: withUtc(start) });
  return make("tr", {}, when, ...values.map((value, which) => make("td", { text: which === values.length - 1 && error ? `${value} (± ${error.toFixed(1)})` : String(value) })));
}
