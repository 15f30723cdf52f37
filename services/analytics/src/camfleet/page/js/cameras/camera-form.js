// The form of one camera: where its picture comes from and what is looked for in it.

import { ask, change, pathOf, wordsOf } from "../base/api.js";
import { button, checkbox, field } from "../base/controls.js";
import { make, setText } from "../base/dom.js";
import { LoginFields } from "./login-fields.js";

const SOURCES = "rtsp://10.0.0.20/stream1, http://… (Motion JPEG), /dev/video0, a video file, auto (all USB cameras), demo:street";

export class CameraForm {
  constructor(fleet, name, { done }) {
    Object.assign(this, { fleet, editedName: name, done });
    this.name = make("input", { type: "text", required: true, pattern: "[a-z0-9\\-]{1,32}", spellcheck: "false", autocomplete: "off" });
    this.source = make("input", { type: "text", required: true, spellcheck: "false", autocomplete: "off" });
    this.model = make("input", { type: "text", list: "known-models", spellcheck: "false", required: true, value: "demo-street" });
    this.models = make("datalist", { id: "known-models" });
    this.fps = make("input", { type: "number", min: 0.1, max: 120, step: 0.1, value: 5 });
    this.confidence = make("input", { type: "number", min: 0, max: 1, step: 0.05, value: 0.5 });
    this.motion = checkbox("Rest while nothing moves (motion gate)", false);
    this.recording = checkbox("Record, for clips and pictures of events (oldest go at 2 GB)", false);
    this.login = new LoginFields();
    this.message = make("p", { class: "message", role: "status" });
    this.preview = make("img", { class: "preview", alt: "First picture of the source", hidden: true });
    this.save = make("button", { class: "button primary", type: "submit", text: "Save" });
    const buttons = make("div", { class: "buttons" }, this.save, button("Test the source", () => this.test()), button("Cancel", () => done("")));
    const title = name ? `Edit ${name}` : "Add a camera";
    this.element = make("form", { class: "card form", "aria-label": title, novalidate: true }, make("h2", { text: title }), this.fields(), this.login.element, this.message, this.preview, buttons, this.models);
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
      this.login.forExisting();
    } catch (fault) {
      this.setMessage(wordsOf(fault), "failed");
    }
  }

  entry(credentials) {
    const { before } = this;
    const pipeline = { model: this.model.value.trim(), fps: Number(this.fps.value), confidence: Number(this.confidence.value), motion: this.motion.input.checked };
    const entry = { name: this.name.value.trim(), source: this.source.value.trim(), pipeline };
    if (Boolean(before?.recording) !== this.recording.input.checked) entry.recording = this.recording.input.checked ? {} : null;
    if (!before && !entry.recording) delete entry.recording;
    if (before && entry.source === before.source) delete entry.source; // it may hide a password that must stay
    if (credentials !== undefined) entry.credentials = credentials;
    return entry;
  }

  async submit(event) {
    event.preventDefault();
    const fault = this.fault();
    if (fault) return this.setMessage(fault, "failed");
    this.save.disabled = true;
    try {
      const credentials = await this.login.write(this.name.value.trim());
      const entry = this.entry(credentials);
      if (this.editedName) await change("PATCH", `/v1/cameras/${pathOf(this.editedName)}`, entry, this.tag);
      else await change("POST", "/v1/cameras", entry);
      this.done(`${entry.name} is saved; it is in effect within a second.`);
    } catch (refusal) {
      const again = refusal.status === 412 ? " Close this form and open it again to see how it is now." : "";
      this.setMessage(wordsOf(refusal) + again, "failed");
    }
    this.save.disabled = false;
  }

  fault() {
    if (!this.name.validity.valid) return "Name: use 1 to 32 of a-z, 0-9 and -.";
    if (!this.source.value.trim()) return "Source: say where the picture comes from.";
    if (!this.model.value.trim()) return "Model: choose one.";
    return this.login.fault();
  }

  async test() {
    this.setMessage("Looking…");
    this.preview.hidden = true;
    const asked = this.isSaved ? { camera: this.editedName } : { source: this.source.value.trim(), credentials: this.login.reference() };
    try {
      const { body } = await change("POST", "/v1/source-trials", asked);
      this.setMessage(`It works: ${body.codec.toUpperCase()} ${body.width} × ${body.height}, ${body.fps.toFixed(1)} pictures a second, first one after ${body.first_picture_s.toFixed(1)} s.`, "ok");
      this.preview.src = body.picture;
      this.preview.hidden = false;
    } catch (fault) {
      this.setMessage(wordsOf(fault), "failed");
    }
  }

  get isSaved() {
    return this.before?.source === this.source.value.trim();
  }

  setMessage(text, level = "unknown") {
    setText(this.message, text);
    this.message.dataset.level = level;
  }
}
