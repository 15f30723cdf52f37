// All cameras of the file: add, try, edit, switch off, remove.

import { ask, change, pathOf } from "../base/api.js";
import { button } from "../base/controls.js";
import { confirmed } from "../base/dialog.js";
import { hint, light, make, reasonLine, scroll, setText, viewHead } from "../base/dom.js";
import { Message } from "../base/message.js";
import { replaceRows, tableOf } from "../base/table.js";
import { levelOfCamera } from "../base/words.js";
import { cameraLink, linkTo } from "../shell/router.js";
import { CameraForm } from "./camera-form.js";
import { tryOut } from "./source-trial.js";

const EMPTY = "No camera yet.";
const EMPTY_FOR_ADMINS = `${EMPTY} Add one; demo:street is there to try.`;

export class CamerasView {
  constructor(fleet) {
    this.fleet = fleet;
    this.add = button("Add a camera", () => (location.hash = linkTo("cameras", ["new"])), { kind: "primary", hidden: true });
    this.message = new Message();
    this.body = make("tbody");
    const table = tableOf("Cameras", ["Camera", "State", "Source", "Model", "Recorded", make("th", { scope: "col" }, make("span", { class: "visually-hidden", text: "Actions" }))], this.body);
    this.form = make("div", { class: "camera-form" });
    this.empty = hint(EMPTY, { hidden: true });
    this.element = make("div", { class: "cameras-view" }, viewHead("Cameras", this.add), this.message.element, this.form, scroll(table, { class: "card card-flush scroll" }), this.empty);
  }

  async enter({ rest: [name] }) {
    this.edited = null;
    this.form.replaceChildren();
    await this.load();
    if (!name || !this.fleet.isAdmin) return;
    this.edited = new CameraForm(this.fleet, name === "new" ? null : name, { done: (words) => this.finish(words) });
    this.form.replaceChildren(this.edited.element);
    this.edited.element.scrollIntoView({ block: "nearest" });
  }

  get isUnsaved() {
    return this.edited?.isTouched;
  }

  leave() {
    this.edited = null;
    this.message.say("");
  }

  finish(words) {
    this.edited = null;
    if (words) this.message.say(words, "ok");
    location.hash = linkTo("cameras");
    this.fleet.refresh();
  }

  async load() {
    try {
      const { body } = await ask("/v1/cameras");
      this.cameras = body.cameras;
      replaceRows(this.body, body.cameras.map((camera) => this.row(camera)));
      this.empty.hidden = body.cameras.length > 0;
      this.showStates(this.fleet.status?.cameras ?? []);
    } catch (fault) {
      this.message.fail(fault);
    }
  }

  row(camera) {
    const { name, source, pipeline, recording, enabled } = camera;
    const action = (words, act) => button(words, act, { kind: "quiet", label: `${words} ${name}` });
    const actions = make("div", { class: "buttons needs-admin" }, action("Test", () => tryOut(this.message, { camera: name })), action("Edit", () => (location.hash = linkTo("cameras", [name]))), action(enabled ? "Switch off" : "Switch on", () => this.enable(name, !enabled)), action("Remove", () => this.remove(name)));
    actions.hidden = !this.fleet.isAdmin;
    const cells = [make("td", { class: "number" }, ...stateOf(camera)), make("td", { class: "source", text: source }), make("td", { text: pipeline.model }), make("td", { text: recording ? "yes" : "no" }), make("td", {}, actions)];
    return make("tr", {}, make("th", { scope: "row" }, cameraLink(name)), ...cells);
  }

  enable(name, enabled) {
    return this.attempt(`${name} is switched ${enabled ? "on" : "off"}.`, () => change("PATCH", `/v1/cameras/${pathOf(name)}`, { enabled }, "*"));
  }

  async remove(name) {
    const yes = await confirmed(`Remove ${name}?`, ["Its lines, zones and settings are removed from cameras.yaml. Its events and recordings stay until they are the oldest."], "Remove");
    if (yes) await this.attempt(`${name} is removed.`, () => change("DELETE", `/v1/cameras/${pathOf(name)}`, undefined, "*"));
  }

  async attempt(done, work) {
    try {
      await work();
      this.message.say(done, "ok");
    } catch (fault) {
      this.message.fail(fault);
    }
    await this.load();
    this.fleet.refresh();
  }

  showStatus() {
    this.add.hidden = !this.fleet.isAdmin;
    for (const actions of this.body.querySelectorAll(".needs-admin")) actions.hidden = !this.fleet.isAdmin;
    // States move on without a new question; a list of other cameras is asked for.
    const { cameras: running, health } = this.fleet.status;
    setText(this.empty, health.reason ?? (this.fleet.isAdmin ? EMPTY_FOR_ADMINS : EMPTY)); // perhaps the file is refused
    this.showStates(running);
    const names = String(running.map(({ name }) => name));
    if (names !== this.running) this.load();
    this.running = names;
  }

  showStates(cameras) {
    const rows = Object.fromEntries([...this.body.children].map((row) => [row.children[0].textContent, row.children[1]]));
    for (const camera of cameras) rows[camera.name]?.replaceChildren(...stateOf(camera));
  }
}

const STATES = { STALLED: "no picture at the moment", FAILED: "does not work", DISABLED: "switched off" };
const stateOf = ({ state, reason }) => [light(levelOfCamera(state)), `\u00a0${STATES[state] ?? state.toLowerCase()}`, reasonLine(reason)];
