// What the model server loaded, let go and refused, newest first, since it was started.

import { ask, wordsOf } from "../base/api.js";
import { hint, light, make, reasonLine, setText } from "../base/dom.js";
import { timeElement } from "../base/times.js";

const LEVELS = { loaded: "ok", reloaded: "ok", unloaded: "unknown", refused: "failed", broken: "warning" };
const WORDS = { loaded: "loaded", reloaded: "reloaded, its files or settings had changed", unloaded: "let go", refused: "refused", broken: "of no use after a request, is loaded anew" };
const SHOWN = 12;

export class LoadHistory {
  constructor() {
    this.list = make("ol", { class: "history" });
    this.rest = make("ol", { class: "history" });
    this.more = make("details", { hidden: true }, make("summary", { text: "Older ones" }), this.rest);
    this.empty = hint();
    this.element = make("section", { class: "card loads" }, make("h2", { text: "Last loads" }), this.empty, this.list, this.more);
  }

  async load() {
    try {
      this.show((await ask("/v1/config/loads")).body);
    } catch (fault) {
      setText(this.empty, wordsOf(fault));
    }
  }

  show({ loads, reason }) {
    setText(this.empty, reason ?? (loads.length ? "" : "The server has loaded nothing since it was started."));
    const newest = JSON.stringify(loads[0] ?? null);
    if (newest === this.newest) return;
    this.newest = newest;
    this.list.replaceChildren(...loads.slice(0, SHOWN).map(rowOf));
    this.rest.replaceChildren(...loads.slice(SHOWN).map(rowOf));
    this.more.hidden = loads.length <= SHOWN;
  }
}

function rowOf({ time, model, version, outcome, reason, took_s: took }) {
  const what = version === null ? model : `${model} v${version}`;
  const duration = took === null ? "" : ` (${took < 10 ? took.toFixed(2) : Math.round(took)} s)`;
  const words = make("span", {}, light(LEVELS[outcome]), `${what}: ${WORDS[outcome] ?? outcome}${duration}`, reasonLine(reason));
  return make("li", {}, timeElement(new Date(time)), words);
}
