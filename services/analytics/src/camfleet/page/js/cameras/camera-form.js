// The form of one camera: where its picture comes from and what is looked for in it.

import { ask, askQuietly, change, pathOf } from "../base/api.js";
import { button, buttons, checkbox, textInput } from "../base/controls.js";
import { make } from "../base/dom.js";
import { Message } from "../base/message.js";
import { clearFault, markFaults } from "./form-faults.js";
import { LoginFields } from "./login-fields.js";
import { MoreSettings } from "./more-settings.js";
import { Setting, numeric, put } from "./setting.js";
import { tryOut } from "./source-trial.js";

const SOURCES = "rtsp://10.0.0.20/stream1, http://… (Motion JPEG), /dev/video0, a video file, auto (all USB cameras), demo:street";

export class CameraForm {
  constructor(fleet, name, { done }) {
    Object.assign(this, { fleet, editedName: name, done });
    this.name = new Setting("name", "Name", textInput({ required: true, pattern: "[a-z0-9\\-]{1,32}" }), { hint: "1 to 32 of a-z, 0-9 and -", wrong: "Use 1 to 32 of a-z, 0-9 and -." });
    this.source = new Setting("source", "Source", textInput({ required: true }), { hint: SOURCES, wrong: "Enter where the picture comes from." });
    this.name.before = this.source.before = null; // a new camera needs them
    this.models = make("datalist", { id: "known-models" });
    this.main = [
      this.name,
      this.source,
      new Setting("pipeline.model", "Model", textInput({ list: "known-models", required: true }), { wrong: "Choose one." }),
      new Setting("pipeline.fps", "Pictures looked at, per second", numeric({ required: true, min: 0.1, max: 120, step: 0.1 }), { read: Number }),
      new Setting("pipeline.confidence", "Minimum confidence", numeric({ required: true, min: 0, max: 1, step: 0.01 }), { read: Number }),
    ];
    this.motion = checkbox("Run the model only when something moves (motion gate)", false);
    this.recording = checkbox("Record, for clips and pictures of events (oldest go at 2 GB)", false);
    Object.assign(this.recording.input, { name: "recording", id: "recording" });
    this.login = new LoginFields();
    this.more = new MoreSettings();
    this.settings = [...this.main, ...this.more.all];
    this.message = new Message();
    this.preview = make("img", { class: "preview", alt: "First picture of the source", hidden: true });
    this.save = make("button", { class: "button primary", type: "submit", text: "Save" });
    const end = buttons(this.save, button("Test the source", () => this.test()), button("Cancel", () => done("")));
    const title = name ? `Edit ${name}` : "Add a camera";
    this.element = make("form", { class: "card form", "aria-label": title, novalidate: true }, make("h2", { text: title }), this.fields(), this.login.element, this.more.element, this.message.element, this.preview, end, this.models);
    this.element.addEventListener("submit", (event) => this.submit(event));
    this.element.addEventListener("input", ({ target }) => {
      this.isTouched = true;
      clearFault(target);
    });
    this.loadModels();
    this.fill(name);
  }

  fields() {
    return make("div", { class: "fields" }, ...this.main.map(({ element }) => element), make("div", { class: "checks" }, this.motion, this.recording));
  }

  async loadModels() {
    const body = await askQuietly("/v1/models");
    if (body) this.models.replaceChildren(...body.models.map(({ name }) => make("option", { value: name }))); // else names can still be typed
  }

  // With the camera as it is, or what a new one does that says nothing else.
  async fill(name) {
    this.name.input.readOnly = Boolean(name);
    try {
      const { body, tag } = await ask(name ? `/v1/cameras/${pathOf(name)}` : "/v1/cameras");
      this.tag = tag;
      this.before = name ? body : body.defaults;
      for (const one of name ? this.settings : this.settings.slice(2)) one.fill(this.before);
      this.motion.input.checked = this.before.pipeline.motion;
      this.recording.input.checked = Boolean(this.before.recording);
      if (name) this.login.forExisting();
    } catch (fault) {
      this.message.fail(fault);
    }
  }

  entry(credentials) {
    const entry = {};
    for (const one of this.settings) one.write(entry);
    const { before, motion, recording } = this;
    if (before?.pipeline.motion !== motion.input.checked) put(entry, "pipeline.motion", motion.input.checked);
    if (Boolean(before?.recording) !== recording.input.checked) entry.recording = recording.input.checked ? {} : null;
    if (credentials !== undefined) entry.credentials = credentials;
    return entry;
  }

  async submit(event) {
    event.preventDefault();
    if (this.refuse(this.faults())) return;
    this.save.disabled = true;
    try {
      const name = this.name.text;
      const entry = this.entry(await this.login.write(name, !this.editedName));
      if (this.editedName) await change("PATCH", `/v1/cameras/${pathOf(this.editedName)}`, entry, this.tag);
      else await change("POST", "/v1/cameras", entry);
      this.done(`${name} is saved; it is in effect within a second.`);
    } catch (refusal) {
      const isOurs = refusal.facts?.camera === this.name.text;
      if (refusal.status === 412) this.message.say("Nothing was saved: somebody else changed this camera in the meantime. Cancel, and edit it again.", "failed");
      else if (!(isOurs && this.refuse(refusal.facts.fields))) this.message.fail(refusal);
    }
    this.save.disabled = false;
  }

  // Marks what is wrong at its field; false when nothing is.
  refuse(faults) {
    const left = markFaults(this.element, faults);
    if (Object.keys(faults).length) this.message.say(["Nothing was saved.", ...(left.length ? left : ["See the marked fields."])].join(" "), "failed");
    return Object.keys(faults).length > 0;
  }

  faults() {
    const faults = this.settings.map(({ path, fault }) => [path, fault]).filter(([, words]) => words);
    return { ...Object.fromEntries(faults), ...this.login.faults() };
  }

  async test() {
    this.preview.hidden = true;
    const { tried } = this.login;
    const isSaved = !tried && this.before?.source === this.source.text;
    const asked = isSaved ? {} : { source: this.source.text, ...tried };
    const picture = await tryOut(this.message, { camera: this.editedName, ...asked });
    if (!picture) return;
    this.preview.src = picture;
    this.preview.hidden = false;
  }
}
