// The form of one camera: where its picture comes from and what is looked for in it.

import { ask, change, pathOf, wordsOf } from "../base/api.js";
import { button, checkbox, field, textInput } from "../base/controls.js";
import { make } from "../base/dom.js";
import { Message } from "../base/message.js";
import { markFaults } from "./form-faults.js";
import { LoginFields } from "./login-fields.js";
import { MoreFields } from "./more-fields.js";
import { tryOut } from "./source-trial.js";

const SOURCES = "rtsp://10.0.0.20/stream1, http://… (Motion JPEG), /dev/video0, a video file, auto (all USB cameras), demo:street";

export class CameraForm {
  constructor(fleet, name, { done }) {
    Object.assign(this, { fleet, editedName: name, done });
    this.name = textInput({ name: "name", required: true, pattern: "[a-z0-9\\-]{1,32}" });
    this.source = textInput({ name: "source", required: true });
    this.model = textInput({ name: "pipeline.model", list: "known-models", required: true, value: "demo-street" });
    this.models = make("datalist", { id: "known-models" });
    this.fps = make("input", { type: "number", name: "pipeline.fps", min: 0.1, max: 120, step: 0.1, value: 5 });
    this.confidence = make("input", { type: "number", name: "pipeline.confidence", min: 0, max: 1, step: 0.05, value: 0.5 });
    this.motion = checkbox("Rest while nothing moves (motion gate)", false);
    this.recording = checkbox("Record, for clips and pictures of events (oldest go at 2 GB)", false);
    this.login = new LoginFields();
    this.more = new MoreFields();
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
    const parts = [field("Name", this.name, "1 to 32 of a-z, 0-9 and -"), field("Source", this.source, SOURCES), field("Model", this.model), field("Pictures looked at, per second", this.fps), field("Least confidence", this.confidence)];
    return make("div", { class: "fields" }, ...parts, make("div", { class: "checks" }, this.motion, this.recording));
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
    this.name.value = this.editedName;
    this.name.readOnly = true;
    try {
      const { body, tag } = await ask(`/v1/cameras/${pathOf(this.editedName)}`);
      this.tag = tag;
      this.before = body;
      this.source.value = body.source;
      this.model.value = body.pipeline.model;
      this.fps.value = body.pipeline.fps;
      this.confidence.value = body.pipeline.confidence;
      this.motion.input.checked = body.pipeline.motion;
      this.recording.input.checked = Boolean(body.recording);
      this.more.fill(body);
      this.login.forExisting();
    } catch (fault) {
      this.message.say(wordsOf(fault), "failed");
    }
  }

  entry(credentials) {
    const { before } = this;
    const { pipeline: others, ...more } = this.more.changesOf(before);
    const pipeline = { ...others, model: this.model.value.trim(), fps: Number(this.fps.value), confidence: Number(this.confidence.value), motion: this.motion.input.checked };
    const entry = { name: this.name.value.trim(), source: this.source.value.trim(), ...more, pipeline };
    if (Boolean(before?.recording) !== this.recording.input.checked) entry.recording = this.recording.input.checked ? {} : null;
    if (!before && !entry.recording) delete entry.recording;
    if (before && entry.source === before.source) delete entry.source; // it may hide a password that must stay
    if (credentials !== undefined) entry.credentials = credentials;
    return entry;
  }

  async submit(event) {
    event.preventDefault();
    if (this.refuse(this.faults())) return;
    this.save.disabled = true;
    try {
      const credentials = await this.login.write(this.name.value.trim());
      const entry = this.entry(credentials);
      if (this.editedName) await change("PATCH", `/v1/cameras/${pathOf(this.editedName)}`, entry, this.tag);
      else await change("POST", "/v1/cameras", entry);
      this.done(`${entry.name} is saved; it is in effect within a second.`);
    } catch (refusal) {
      const again = refusal.status === 412 ? " Close this form and open it again to see how it is now." : "";
      const isOurs = refusal.facts?.camera === this.name.value.trim();
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
    const faults = this.more.faults();
    if (!this.name.validity.valid) faults.name = "Use 1 to 32 of a-z, 0-9 and -.";
    if (!this.source.value.trim()) faults.source = "Say where the picture comes from.";
    if (!this.model.value.trim()) faults["pipeline.model"] = "Choose one.";
    return { ...faults, ...this.login.faults() };
  }

  async test() {
    this.message.say("Looking…");
    this.preview.hidden = true;
    const asked = this.isSaved ? { camera: this.editedName } : { source: this.source.value.trim(), credentials: this.login.reference() };
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
    return this.before?.source === this.source.value.trim();
  }
}
