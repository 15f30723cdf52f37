// The page of one camera: its picture, what it counts, its newest events, and the editor for admins.

import { button } from "../base/controls.js";
import { make, setText, viewHead } from "../base/dom.js";
import { NumberTable } from "../base/number-table.js";
import { insideOf } from "../base/words.js";
import { Editor } from "../editor/editor.js";
import { EventList } from "../events/event-list.js";
import { linkTo } from "../shell/router.js";
import { Tile } from "../wall/tile.js";
import { CountPlots } from "./count-plots.js";

export class CameraView {
  constructor(fleet) {
    this.fleet = fleet;
    this.element = make("div", { class: "camera-view" });
    this.name = null;
  }

  enter({ rest: [name], query }) {
    if (name !== this.name) this.open(name);
    else this.plots?.start();
    if (query.get("edit") && this.fleet.isAdmin) this.edit();
  }

  get isUnsaved() {
    return this.editor?.draft?.isChanged;
  }

  leave() {
    this.editor?.close();
    this.plots?.stop();
  }

  open(name) {
    this.editor?.close();
    this.tile?.remove();
    this.plots?.stop();
    this.name = name;
    this.tile = new Tile(name);
    this.zones = new NumberTable(`Zones of ${name}`, ["Zone", "Inside", "Came", "Left", "Longest stay"]);
    this.zoneCard = make("section", { class: "card card-flush" }, this.zones.element);
    const all = { href: linkTo("events", [], { camera: name }), text: "All its events" };
    this.events = new EventList(` of ${name}`, all, "Nothing has happened here since this page was opened.");
    this.events.element.classList.add("events-low");
    this.plots = new CountPlots(this.fleet, name);
    this.editButton = button("Edit lines and zones", () => this.edit(), { kind: "primary", hidden: true });
    this.gone = make("p", { class: "message", "data-level": "failed", hidden: true });
    this.side = make("div", { class: "camera-side" }, this.zoneCard, this.events.element);
    const head = viewHead(name, this.editButton);
    head.prepend(make("a", { class: "back", href: "#/", text: "All cameras" }));
    this.element.replaceChildren(head, this.gone, make("div", { class: "camera-grid" }, this.tile.element, this.side), this.plots.element);
    for (const envelope of this.fleet.events) this.showEvent(envelope);
    if (this.fleet.status) this.showStatus(this.fleet.status);
    this.plots.start();
  }

  edit() {
    if (this.editor) return;
    const closed = () => {
      this.editor = null;
      this.editButton.disabled = false;
    };
    this.editor = new Editor(this.name, this.tile.picture, { closed, saved: () => this.fleet.refresh() });
    this.editButton.disabled = true;
    this.side.prepend(this.editor.element);
  }

  showStatus(status) {
    if (!this.tile) return;
    const camera = status.cameras.find(({ name }) => name === this.name);
    this.editButton.hidden = !this.fleet.isAdmin || !camera;
    this.gone.hidden = Boolean(camera);
    setText(this.gone, camera ? "" : `There is no camera "${this.name}" now: it was removed or switched off.`);
    if (!camera) return this.tile.showSilence();
    this.tile.show(camera);
    this.showZones(camera.zones);
  }

  showZones(zones = []) {
    this.zoneCard.hidden = !zones.length;
    this.zones.show(zones.map(({ name, occupancy, entered = 0, left = 0, longest_s: longest = 0 }) => [name, insideOf(occupancy), entered, left, `${Math.round(longest)} s`]));
  }

  showSilence() {
    this.tile?.showSilence();
  }

  showEnvelope(envelope) {
    if (envelope.camera !== this.name) return;
    this.tile.take(envelope);
    this.showEvent(envelope);
  }

  showEvent(envelope) {
    if (envelope.camera === this.name && envelope.results?.event_label) this.events.add(envelope);
  }
}
