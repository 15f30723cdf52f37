// The changes of what is served, newest first; an admin may take them back.

import { ask, change, wordsOf } from "../base/api.js";
import { button } from "../base/controls.js";
import { confirmed } from "../base/dialog.js";
import { hint, make, setText } from "../base/dom.js";
import { Message } from "../base/message.js";
import { timeElement } from "../base/times.js";

const SETTLED_AFTER_MS = 3000;

export class ConfigHistory {
  constructor(fleet) {
    this.fleet = fleet;
    this.list = make("ol", { class: "history" });
    this.empty = hint();
    this.message = new Message();
    this.element = make("section", { class: "card" }, make("h2", { text: "Changes of what is served" }), this.message.element, this.empty, this.list);
  }

  async load() {
    try {
      const { body } = await ask("/v1/config/changes");
      this.show(body);
    } catch (fault) {
      setText(this.empty, wordsOf(fault));
    }
  }

  show({ changes, reason }) {
    this.newest = changes[0]?.number ?? 0;
    setText(this.empty, reason ?? (changes.length ? "" : "Nothing has changed yet. Publishing, adding and removing models is listed here, and can be undone."));
    this.list.replaceChildren(...changes.map((one) => this.row(one)));
    this.showRole();
  }

  row(one) {
    const back = button("Roll back", () => this.ask(one), { kind: "quiet needs-admin", label: `Roll back to before change ${one.number}` });
    return make("li", {}, timeElement(new Date(one.time)), make("span", { text: told(one) }), back);
  }

  showRole() {
    for (const one of this.list.querySelectorAll(".needs-admin")) one.hidden = !this.fleet.isAdmin;
  }

  async ask(one) {
    const later = this.newest - one.number;
    const words = [`The models are then served as they were before: ${told(one)}.`];
    if (later > 0) words.push(`The ${later} later ${later === 1 ? "change is" : "changes are"} taken back with it.`);
    words.push("What is served now keeps answering until the other version is ready. The roll-back is itself a change that can be undone.");
    if (await confirmed(`Roll back change ${one.number}?`, words, "Roll back")) await this.rollBack(one);
  }

  async rollBack({ number }) {
    this.message.say("Rolling back…");
    try {
      const { body } = await change("POST", "/v1/config/rollback", { number, newest: this.newest });
      if (!body.taken_back) return this.message.say("It is served that way already; nothing was changed.", "ok");
      this.since = Date.now();
      this.message.say("config.json is as before; the server is bringing the models in line…");
    } catch (refusal) {
      this.message.say(`Not rolled back: ${wordsOf(refusal)}`, "failed");
    }
    await this.load();
  }

  // Says when the server has done it: no version is on its way any more.
  follow(models) {
    if (!this.since || Date.now() - this.since < SETTLED_AFTER_MS) return;
    const versions = models.flatMap(({ name, versions: all }) => all.map((version) => ({ name, ...version })));
    if (versions.some(({ state }) => ["START", "LOADING", "UNLOADING"].includes(state))) return;
    this.since = null;
    const served = versions.filter(({ state }) => state === "AVAILABLE").map(({ name, version }) => `${name} v${version}`);
    this.message.say(`Rolled back. Served now: ${served.join(", ") || "nothing"}.`, "ok");
  }
}

function told({ readable, added, removed, changed, settings }) {
  if (!readable) return "from or to a text that is not a configuration";
  const parts = Object.entries({ added, removed, changed, "set": settings }).filter(([, names]) => names.length);
  return parts.map(([verb, names]) => `${verb} ${names.join(", ")}`).join("; ") || "the text's form only";
}
