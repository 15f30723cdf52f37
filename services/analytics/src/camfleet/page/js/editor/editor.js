// Lines and zones of one camera, edited in its picture and saved through REST.

import { ask, change, pathOf } from "../base/api.js";
import { button, buttons } from "../base/controls.js";
import { losing } from "../base/dialog.js";
import { hint, make, setText } from "../base/dom.js";
import { Message } from "../base/message.js";
import { conflictPanel } from "./conflict.js";
import { Draft } from "./draft.js";
import { DrawingArea } from "./drawing-area.js";
import { labelsOf } from "./labels.js";
import { ShapeForm } from "./shape-form.js";

const CHANGED_MEANWHILE = 412;
const FIRST = { line: [[0.2, 0.5], [0.8, 0.5]], zone: [[0.3, 0.4], [0.7, 0.4], [0.7, 0.8], [0.3, 0.8]] };
const HINTS = { line: "Click where the line starts, then where it ends.", zone: "Click the corners; click the first one again, or press Enter, to close it." };

export class Editor {
  // closed(): the editor is done; saved(): the service has something new.
  constructor(name, picture, { closed, saved }) {
    Object.assign(this, { name, picture, closed, saved });
    this.path = `/v1/cameras/${pathOf(name)}`;
    this.tools = make("div", { class: "buttons", role: "toolbar", "aria-label": "Draw" });
    this.hint = hint("", { role: "status" });
    this.forms = make("div", { class: "shape-forms" });
    this.undo = button("Undo", () => this.draft.undo(), { kind: "quiet" });
    this.redo = button("Redo", () => this.draft.redo(), { kind: "quiet" });
    this.save = button("Save", () => this.store(), { kind: "primary" });
    this.message = new Message();
    this.conflict = make("div");
    this.tools.append(this.tool("line", "Draw a line"), this.tool("zone", "Draw a zone"), this.undo, this.redo);
    const end = buttons(this.save, button("Close", () => this.end()));
    this.element = make("section", { class: "card editor", "aria-label": `Lines and zones of ${name}` }, this.tools, this.hint, this.forms, this.message.element, this.conflict, end);
    this.element.addEventListener("keydown", (event) => this.shortcut(event));
    this.open();
  }

  async open() {
    this.message.say("Loading…");
    try {
      const { body, tag } = await ask(this.path);
      this.labels = await labelsOf(body.pipeline);
      this.message.say("");
      this.start(body.pipeline, tag);
    } catch (fault) {
      this.message.fail(fault);
    }
  }

  start(pipeline, tag) {
    this.tag = tag;
    this.area?.remove();
    this.draft = new Draft(pipeline, () => this.show());
    this.area = new DrawingArea(this.draft, { selected: (key) => this.select(key), drawn: (kind, points) => this.addShape(kind, points) });
    this.area.element.addEventListener("keydown", (event) => this.shortcut(event));
    this.picture.hidesShapes = true;
    this.picture.overlay.clear();
    this.picture.element.append(this.area.element);
    this.show();
  }

  // With a mouse the shape is drawn; the keyboard gets one in the middle to move.
  tool(kind, words) {
    return button(words, (event) => {
      if (!this.draft) return;
      if (event.detail === 0) this.addShape(kind, FIRST[kind]);
      else this.beginDrawing(kind);
    }, { kind: "quiet" });
  }

  beginDrawing(kind) {
    this.area.begin(kind);
    setText(this.hint, HINTS[kind]);
  }

  addShape(kind, points) {
    setText(this.hint, "");
    const key = this.draft.add(kind, points);
    this.select(key);
    this.area.focus(key, 0);
  }

  select(key) {
    this.area.select(key);
    for (const form of this.forms.children) form.classList.toggle("is-selected", Number(form.dataset.key) === key);
  }

  show() {
    this.area.show();
    const shown = JSON.stringify(this.draft.shapes.map(({ points, ...rest }) => rest));
    if (shown !== this.shownForms) this.showForms();
    this.shownForms = shown;
    this.undo.disabled = !this.draft.before.length;
    this.redo.disabled = !this.draft.after.length;
    this.save.disabled = !this.draft.isChanged;
    if (this.draft.isChanged && this.message.level !== "failed") this.message.say("Not saved yet.");
  }

  showForms() {
    const hadFocus = this.forms.contains(document.activeElement);
    const handlers = { labels: this.labels, selected: (key) => this.select(key) };
    const forms = this.draft.shapes.map((shape) => new ShapeForm(shape, this.draft, handlers).element);
    const empty = hint("A line counts what crosses it, in and out. A zone shows who is inside and for how long.");
    this.forms.replaceChildren(...(forms.length ? forms : [empty]));
    if (this.area.key !== null) this.select(this.area.key);
    if (hadFocus) this.forms.querySelector(".is-selected input")?.focus();
  }

  shortcut(event) {
    if (!this.draft) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      if (event.shiftKey) this.draft.redo();
      else this.draft.undo();
    } else if (this.area.drawing && event.key === "Enter") this.area.finish();
    else if (this.area.drawing && event.key === "Escape") this.area.endDrawing();
  }

  async store() {
    const fault = this.draft.fault();
    if (fault) return this.message.say(fault, "failed");
    this.save.disabled = true;
    const pipeline = this.draft.toPipeline();
    try {
      const { tag } = await change("PATCH", this.path, { pipeline }, this.tag);
      this.tag = tag;
      this.draft.saved = JSON.stringify(pipeline);
      this.message.say("Saved. Counting uses this from now on.", "ok");
      this.saved();
    } catch (refusal) {
      if (refusal.status === CHANGED_MEANWHILE) await this.showConflict(pipeline);
      else this.message.fail(refusal);
      this.save.disabled = false;
    }
  }

  async showConflict(mine) {
    const { body, tag } = await ask(this.path);
    const decide = (work) => () => {
      this.conflict.replaceChildren();
      this.tag = tag;
      work();
    };
    const panel = conflictPanel(mine, body.pipeline, { shape: this.area.size, keepMine: decide(() => this.store()), takeTheirs: decide(() => this.start(body.pipeline, tag)) });
    this.conflict.replaceChildren(panel);
    this.message.say("");
    panel.focus();
  }

  async end() {
    if (!this.draft?.isChanged || (await losing("Close without saving"))) this.close();
  }

  close() {
    this.area?.remove();
    this.picture.hidesShapes = false;
    this.element.remove();
    this.closed();
  }
}
