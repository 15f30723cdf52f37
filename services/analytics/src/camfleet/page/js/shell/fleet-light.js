// The light of the whole fleet, with its reason, and one row per service behind it.

import { light, make, setLevel, setText } from "../base/dom.js";
import { asPlural } from "../base/words.js";

const WORDS = { ok: "All well", warning: "Needs a look", failed: "Not working" };

export class FleetLight {
  constructor(element) {
    this.light = element.querySelector(".light");
    this.word = element.querySelector(".health-word");
    this.reason = element.querySelector(".health-reason");
    this.panel = element.querySelector(".health-panel");
    element.addEventListener("keydown", (event) => event.key === "Escape" && element.removeAttribute("open"));
    document.addEventListener("click", (event) => element.contains(event.target) || element.removeAttribute("open"));
  }

  show({ health, services, cameras }) {
    const { state, reason } = health.state === "ok" ? (faultOf(cameras) ?? health) : health;
    setLevel(this.light, state);
    setText(this.word, WORDS[state] ?? state);
    setText(this.reason, reason ?? asPlural(cameras.length, "camera"));
    this.panel.replaceChildren(...(services ?? []).map(row));
  }

  showLost(words) {
    setLevel(this.light, "failed");
    setText(this.word, "No answer");
    setText(this.reason, words);
    this.panel.replaceChildren(row({ name: "analytics", state: "failed", reason: words }));
  }
}

// The fleet is well only while every camera and its model are.
function faultOf(cameras) {
  const troubled = cameras.find(({ state, model }) => state !== "LIVE" || (model && model.state !== "ok"));
  if (!troubled) return null;
  const { name, state, reason, model } = troubled;
  return { state: "warning", reason: `${name}: ${reason ?? (state === "LIVE" ? model.reason : state)}` };
}

function row({ name, state, reason }) {
  return make("div", { class: "health-row" }, light(state), make("strong", { text: name }), make("p", { text: reason ?? "works" }));
}
