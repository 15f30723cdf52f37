// The light of the whole fleet, with its reason, and one row per service behind it.

import { light, make, setLevel, setText } from "../base/dom.js";
import { asPlural, levelOfCamera, shortReason } from "../base/words.js";
import { cameraLink } from "./router.js";

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
    const troubled = cameras.filter(isTroubled).map(faultOf);
    const { state, reason } = health.state === "ok" && troubled.length ? { state: "warning", reason: inShort(troubled) } : health;
    setLevel(this.light, state);
    setText(this.word, WORDS[state] ?? state);
    setText(this.reason, reason ? shortReason(reason) : asPlural(cameras.length, "camera"));
    this.list([...(services ?? []), ...troubled]);
  }

  showLost(words) {
    setLevel(this.light, "failed");
    setText(this.word, "No answer");
    setText(this.reason, words);
    this.list([{ name: "analytics", state: "failed", reason: words }]);
  }

  // What did not change is left alone: somebody may be on a link of it.
  list(rows) {
    const told = JSON.stringify(rows);
    if (told !== this.told) this.panel.replaceChildren(...rows.map(row));
    this.told = told;
  }
}

// The fleet is well only while every camera and its model are.
const isTroubled = ({ state, model }) => state !== "LIVE" || Boolean(model && model.state !== "ok");

function faultOf({ name, state, reason, model }) {
  const isLive = state === "LIVE";
  return { camera: name, state: isLive ? model.state : levelOfCamera(state), reason: reason ?? (isLive ? model.reason : state) };
}

const inShort = ([{ camera, reason }, ...others]) => `${camera}${others.length ? ` and ${others.length} more` : ""}: ${shortReason(reason)}`;

function row({ name, camera, state, reason }) {
  return make("div", { class: "health-row" }, light(state), camera ? cameraLink(camera) : make("strong", { text: name }), make("p", { text: reason ?? "works" }));
}
