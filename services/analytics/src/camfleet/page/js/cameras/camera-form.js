// The form of one camera: where its picture comes from and what is looked for in it.

import { ask, change, pathOf, wordsOf } from "../base/api.js";
import { button, checkbox, textInput } from "../base/controls.js";
import { make } from "../base/dom.js";
import { Message } from "../base/message.js";
import { markFaults } from "./form-faults.js";
import { LoginFields } from "./login-fields.js";
import { MoreSettings } from "./more-settings.js";
import { Setting, numeric, put } from "./setting.js";
import { tryOut } from "./source-trial.js";

const SOURCES = "rtsp://10.0.0.20/stream1, http://… (Motion JPEG), /dev/video0, a video file, auto (all USB cameras), demo:street";

export class CameraForm {
  constructor(fleet, name, { done }) {
    Object.assign(this, { fleet, editedName: name, done });
    this.name = new Setting("name", "Name", textInput({ required: true, pattern: "[a-z0-9\\-]{1,32}" }), { hint: "1 to 32 of a-z, 0-9 and -", wrong: "Use 1 to 32 of a-z, 0-9 and -." });
    this.source = new Setting("source", "Source", textInput({ required: true }), { hint: SOURCES, wrong: "Say where the picture comes from." });
    this.models = make("datalist", { id: "known-models" });
    this.main = [
      this.name,
      this.source,
      new Setting("pipeline.model", "Model", textInput({ list: "known-models", required: true, value: "demo-street" }), { wrong: "Choose one." }),
      new Setting("pipeline.fps", "Pictures looked at, per second", numeric({ required: true, min: 0.1, max: 120, step: 0.1, value: 5 }), { read: Number }),
      new Setting("pipeline.confidence", "Least confidence", numeric({ required: true, min: 0, max: 1, step: 0.01, value: 0.5 }), { read: Number }),
    ];
    for (const one of this.main) one.before = null; // of a new camera all of these are written
    this.motion = checkbox("Ask the model only when something moves (motion gate)", false);
    this.recording = checkbox("Record, for clips and pictures of events (oldest go at 2 GB)", false);
    Object.assign(this.recording.input, { name: "recording", id: "recording" });
    this.login = new LoginFields();
    this.more = new MoreSettings();
    this.settings = [...this.main, ...this.more.all];
    this.message = new Message();
    this.preview = make("img", { class: "preview", alt: "First picture of the source", hidden: true });
    this.save = make("button", { class: "button primary", type: "submit", text: "Save" });
    const buttons = make("div", { class: "buttons" }, this.save, button("Test the source", () => this.test()), button("Cancel", () => done("")));
    const title = name ? `Edit ${name}` : "Add a camera";
    this.element = make("form", { class: "card form", "aria-label": title, novalidate: true }, make("h2", { text: title }), this.fields(), this.login.element, this.more.element, this.message.element, this.preview, buttons, this.models);
    this.element.addEventListener("submit", (event) => this.submit(event));
    this.loadModels();
    if (name) this.load();
  }

  fields() {
    return make("div", { class: "fields" }, ...this.main.map(({ element }) => element), make("div", { class: "checks" }, this.motion, this.recording));
  }

  async loadModels() {
    try {
      const { body } = await ask("/v1/models");
      this.models.replaceChildren(...body.models.map(({ name }) => make("option", { value: name })));
    } catch {
      return; // names can still be typed
    }
  }

  async load() {
    this.name.input.readOnly = true;
    try {
      const { body, tag } = await ask(`/v1/cameras/${pathOf(this.editedName)}`);
      this.tag = tag;
      this.before = body;
      for (const one of this.settings) one.fill(body);
      this.motion.input.checked = body.pipeline.motion;
      this.recording.input.checked = Boolean(body.recording);
      this.login.forExisting();
    } catch (fault) {
      this.message.say(wordsOf(fault), "failed");
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
      const entry = this.entry(await this.login.write(name));
      if (this.editedName) await change("PATCH", `/v1/cameras/${pathOf(this.editedName)}`, entry, this.tag);
      else await change("POST", "/v1/cameras", entry);
      this.done(`${name} is saved; it is in effect within a second.`);
    } catch (refusal) {
      const again = refusal.status === 412 ? " Close this form and open it again to see how it is now." : "";
      const isOurs = refusal.facts?.camera === this.name.text;
      if (!(isOurs && this.refuse(refusal.facts.fields))) this.message.say(wordsOf(refusal) + again, "failed");
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
    this.message.say("Looking…");
    this.preview.hidden = true;
    const asked = this.isSaved ? { camera: this.editedName } : { source: this.source.text, credentials: this.login.reference() };
    try {
      const { words, picture } = await tryOut(asked);
      this.message.say(`It ${words}`, "ok");
      this.preview.src = picture;
      this.preview.hidden = false;
    } catch (fault) {
      this.message.say(wordsOf(fault), "failed");
    }
  }

  get isSaved() {
    return this.before?.source === this.source.text;
  }
}
