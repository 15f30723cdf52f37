// What one camera counted over time: a plot for each line and each zone.

import { askQuietly, pathOf } from "../base/api.js";
import { choice } from "../base/controls.js";
import { hint, make, sectionHead, setText } from "../base/dom.js";
import { BarPlot } from "../plots/bar-plot.js";
import { barsOf } from "./intervals.js";

const EVERY_MS = 15_000;
const NOTHING = "Nothing was counted in this time.";
const BEGIN = "Draw a line or a zone in the picture, and what crosses it appears here.";
const SPANS = { hour: { bars: 60, seconds: 60, words: "last hour, by minute" }, quarter: { bars: 36, seconds: 600, words: "last 6 hours, by 10 minutes" }, day: { bars: 24, seconds: 3600, words: "last day, by hour" } };

export class CountPlots {
  constructor(fleet, name) {
    Object.assign(this, { fleet, name });
    this.path = `/v1/cameras/${pathOf(name)}/counts`;
    this.plots = new Map();
    this.span = "hour";
    const select = choice(Object.entries(SPANS).map(([key, { words }]) => [key, words]), this.span, (span) => this.choose(span));
    select.setAttribute("aria-label", "Time shown");
    this.grid = make("div", { class: "plot-grid" });
    this.empty = hint(NOTHING);
    this.element = make("section", { class: "plots" }, sectionHead("Counts over time", select), this.empty, this.grid);
  }

  start() {
    this.stop();
    this.load();
    this.timer = setInterval(() => document.hidden || this.load(), EVERY_MS);
  }

  stop() {
    clearInterval(this.timer);
  }

  choose(span) {
    this.span = span;
    this.load();
  }

  // Whether who looks may draw what is missing.
  get canBegin() {
    const { lines, zones } = this.fleet.camera(this.name) ?? {};
    return this.fleet.isAdmin && !lines?.length && !zones?.length;
  }

  async load() {
    const { bars, seconds } = SPANS[this.span];
    const body = await askQuietly(`${this.path}?interval=${seconds}`);
    if (body?.interval === SPANS[this.span].seconds) this.show(body.intervals, bars, seconds); // else another one was chosen
  }

  show(intervals, count, seconds) {
    const wanted = barsOf(intervals, count, seconds, this.fleet.now);
    for (const [key, plot] of this.plots) {
      if (wanted.has(key)) continue;
      plot.remove();
      this.plots.delete(key);
    }
    for (const [key, { title, series, bars, total }] of wanted) {
      if (!this.plots.has(key)) {
        this.plots.set(key, new BarPlot(title, series));
        this.grid.append(this.plots.get(key).element);
      }
      this.plots.get(key).show(bars, total);
    }
    this.empty.hidden = wanted.size > 0;
    setText(this.empty, this.canBegin ? `${NOTHING} ${BEGIN}` : NOTHING);
  }
}
