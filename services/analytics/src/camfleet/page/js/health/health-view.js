// Whether everything works, and what it costs: services, cameras, sinks, and who changed what.

import { askQuietly } from "../base/api.js";
import { light, make, reasonLine, setText, viewHead } from "../base/dom.js";
import { keepRows } from "../base/table.js";
import { timeElement } from "../base/times.js";
import { cameraLink } from "../shell/router.js";
import { Advice } from "./advice.js";
import { DataTable } from "./data-table.js";
import { camerasTable } from "./camera-costs.js";

const EVERY_MS = 5000;
const SERVICES = { capture: "reads the cameras", "model-server": "answers what is in a picture" };

export class HealthView {
  constructor(fleet) {
    this.advice = new Advice(fleet);
    this.services = make("div", { class: "lights" });
    this.cameras = camerasTable();
    this.sinks = new DataTable("Where events go", ["Sink", "State", "Delivered", "Waiting", "Refused", "Dropped"], "Events are shown here and kept on the box; no other place is configured. Add sinks (MQTT, webhook, file …) in cameras.yaml.");
    this.audit = new DataTable("Changes made through this page and the REST interface", ["When", "Who", "What", "Answer"], "Nothing was changed since analytics was started. The log keeps a line for every change.");
    this.element = make("div", { class: "health-view" }, viewHead("Health"), this.services, this.cameras.element, this.advice.element, this.sinks.element, this.audit.element);
  }

  enter() {
    this.load();
    this.timer ??= setInterval(() => document.hidden || this.load(), EVERY_MS);
  }

  leave() {
    clearInterval(this.timer);
    this.timer = null;
  }

  async load() {
    const body = await askQuietly("/v1/audit");
    if (body) this.audit.show(body.changes.map(auditRow));
  }

  showStatus({ services, sinks = [], cameras }) {
    const all = [{ name: "analytics", state: "ok", reason: null }, ...services.filter(({ name }) => !name.startsWith("sink "))];
    this.showServices(all);
    this.cameras.show(cameras);
    this.advice.showRole();
    this.sinks.show(sinks.map(sinkRow));
  }

  showServices(services) {
    keepRows(this.services, services.length, serviceCard);
    services.forEach(({ name, state, reason }, place) => {
      const [lamp, title, word] = this.services.children[place].children;
      lamp.dataset.level = state;
      setText(title, name);
      setText(word, reason ?? SERVICES[name] ?? "finds, follows and counts; serves this page");
    });
  }

  showSilence() {
    this.showServices([{ name: "analytics", state: "failed", reason: "does not answer" }]);
  }
}

const serviceCard = () => make("div", { class: "card service" }, light(), make("strong"), make("p"));

const SINK_LEVELS = { connected: "ok", connecting: "warning", waiting: "warning", unusable: "failed" };

function sinkRow({ name, kind, state, reason, delivered, queued, refused, dropped }) {
  const lamp = light(reason ? "warning" : SINK_LEVELS[state]);
  return [`${name} (${kind})`, [lamp, `\u00a0${state}`, reasonLine(reason)], delivered, queued, refused, dropped];
}

function auditRow({ time, who, role, action, subject, status, reason }) {
  const camera = subject.split(":")[0];
  const what = action.endsWith("cameras") ? [`${action}: `, cameraLink(camera, subject)] : `${action}: ${subject}`;
  return [timeElement(new Date(time)), `${who} (${role})`, what, reason ? `refused: ${reason}` : status < 300 ? "done" : String(status)];
}
