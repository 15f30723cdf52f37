// One model: its versions with state, reason and figures, who uses it, and its card on demand.

import { ask, pathOf } from "../base/api.js";
import { hint, light, make, reasonLine, scroll, sectionHead, setLevel, setText } from "../base/dom.js";
import { keepRows, tableOf } from "../base/table.js";
import { milliseconds } from "../base/words.js";
import { cameraLink } from "../shell/router.js";
import { cardOf } from "./model-card.js";

const LEVELS = { AVAILABLE: "ok", LOADING: "warning", START: "warning", UNLOADING: "warning", END: "failed" };
const WORDS = { AVAILABLE: "serving", LOADING: "loading", START: "waiting", UNLOADING: "being unloaded", END: "not served" };

export class ModelRow {
  constructor(name) {
    this.name = name;
    this.users = hint();
    this.body = make("tbody");
    const heads = ["Version", "State", "Requests", "Latency", "of it in the model", "Waiting"];
    this.table = scroll(tableOf(`Versions of ${name}`, heads, this.body));
    this.fault = make("p", { class: "message", "data-level": "failed" });
    this.card = make("div", { class: "model-card" });
    this.details = make("details", {}, make("summary", { text: "Model card" }), this.card);
    this.details.addEventListener("toggle", () => this.details.open && this.loadCard());
    this.element = make("section", { class: "card model", "aria-label": `Model ${name}` }, sectionHead(name, this.users), this.fault, this.table, this.details);
  }

  open() {
    this.details.open = true;
  }

  show({ versions, fault }, users) {
    this.versions = versions;
    setText(this.fault, fault ?? "");
    this.table.hidden = this.details.hidden = versions.length === 0;
    const links = users.flatMap((name, place) => [place ? ", " : "used by ", cameraLink(name)]);
    const parts = links.length ? links : ["used by no camera"];
    if (this.users.textContent !== parts.map((part) => part.textContent ?? part).join("")) this.users.replaceChildren(...parts);
    keepRows(this.body, versions.length, emptyRow);
    versions.forEach((version, place) => fill(this.body.children[place], version));
  }

  async loadCard() {
    const newest = this.versions?.filter(({ state }) => state === "AVAILABLE").at(-1)?.version;
    try {
      const { body } = await ask(`/v1/models/${pathOf(this.name)}/manifest${newest ? `?version=${newest}` : ""}`);
      this.card.replaceChildren(cardOf(body));
    } catch (fault) {
      this.card.replaceChildren(hint(fault.message));
    }
  }
}

function emptyRow() {
  const state = make("td", { class: "number" }, light(), make("span"), reasonLine());
  return make("tr", {}, make("th", { scope: "row" }), state, ...Array.from({ length: 4 }, () => make("td", { class: "number" })));
}

function fill(row, { version, state, reason, requests_s: rate, failures_s: failures, latency_ms: latency, inference_ms: inner, waiting }) {
  const [head, told, ...figures] = row.children;
  const [lamp, word, why] = told.children;
  setText(head, version);
  setLevel(lamp, LEVELS[state] ?? "unknown");
  setText(word, WORDS[state] ?? state);
  setText(why, reason ?? "");
  const requests = Number.isFinite(rate) ? `${rate.toFixed(1)}/s${failures ? `, ${failures.toFixed(1)}/s fail` : ""}` : "–";
  [requests, milliseconds(latency), milliseconds(inner), String(waiting ?? "–")].forEach((text, place) => setText(figures[place], text));
}
