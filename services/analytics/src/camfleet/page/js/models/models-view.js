// What the model server serves and how fast; what changed that, and the way back.

import { askQuietly } from "../base/api.js";
import { make, setText, viewHead } from "../base/dom.js";
import { ConfigFault } from "./config-fault.js";
import { ConfigHistory } from "./config-history.js";
import { LoadHistory } from "./load-history.js";
import { ModelRow } from "./model-row.js";

const EVERY_MS = 2000;

export class ModelsView {
  constructor(fleet) {
    this.fleet = fleet;
    this.rows = new Map();
    this.state = make("p", { class: "message", role: "status", hidden: true });
    this.fault = new ConfigFault();
    this.list = make("div", { class: "model-list" });
    this.loads = new LoadHistory();
    this.history = new ConfigHistory(fleet);
    this.element = make("div", {}, viewHead("Models"), this.state, this.fault.element, this.list, this.loads.element, this.history.element);
  }

  enter({ rest: [name] }) {
    this.opened = name;
    this.history.load();
    this.load();
    this.timer ??= setInterval(() => document.hidden || this.load(), EVERY_MS);
  }

  leave() {
    clearInterval(this.timer);
    this.timer = null;
  }

  async load() {
    this.loads.load();
    const body = await askQuietly("/v1/models");
    if (body) this.show(body);
  }

  show({ models, reason, server, config_fault: fault }) {
    this.fault.show(fault);
    const nothing = models.length || fault ? "" : `${server} serves no model. Fetch one with: camfleet model pull NAME`;
    setText(this.state, reason ?? nothing);
    this.state.hidden = !(reason ?? nothing);
    this.state.dataset.level = reason ? "failed" : "unknown";
    for (const name of [...this.rows.keys()]) if (!models.some((model) => model.name === name)) this.drop(name);
    for (const model of models) this.showModel(model);
    this.history.follow(models);
  }

  showModel(model) {
    if (!this.rows.has(model.name)) {
      const row = new ModelRow(model.name);
      this.rows.set(model.name, row);
      this.list.append(row.element);
      if (model.name === this.opened) row.open();
    }
    this.rows.get(model.name).show(model, this.usersOf(model.name));
  }

  usersOf(name) {
    return (this.fleet.status?.cameras ?? []).filter(({ model }) => model?.name === name).map((camera) => camera.name);
  }

  drop(name) {
    this.rows.get(name).element.remove();
    this.rows.delete(name);
  }

  showStatus() {
    this.history.showRole();
  }

  showSilence() {
    setText(this.state, "The service does not answer; what is below may be old.");
    this.state.hidden = false;
  }
}
