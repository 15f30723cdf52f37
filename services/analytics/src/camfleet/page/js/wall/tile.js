// One camera on the wall.

import { light, make, setLevel, setText } from "../base/dom.js";
import { Figures } from "./figures.js";
import { icon } from "../base/icons.js";
import { NumberTable } from "../base/number-table.js";
import { Picture } from "../live/picture.js";
import { cameraLink } from "../shell/router.js";
import { levelOfCamera } from "../base/words.js";

// What a demo scene knows: its own crossings, on top of what was counted before they were.
function truthOf({ in: came, out: went, total, truth }) {
  return truth && total && `${total.in - came + truth.in} in, ${total.out - went + truth.out} out`;
}

export class Tile {
  constructor(name) {
    this.name = name;
    this.stateWord = make("span");
    this.stateLight = light();
    this.state = make("p", { class: "state" }, this.stateLight, this.stateWord);
    this.picture = new Picture(name);
    this.figures = new Figures();
    this.counts = new NumberTable(`Counts of ${name}`, ["Line", "In", "Out", "Truth"]);
    const title = make("h2", { class: "tile-name", id: `camera-${name}` }, cameraLink(name));
    const head = make("header", { class: "tile-head" }, title, this.state, this.heatButton(), this.enlargeButton());
    this.element = make("article", { class: "tile", "aria-labelledby": title.id }, head, this.picture.element, this.figures.element, this.figures.fault, this.counts.element);
  }

  show(camera) {
    this.camera = camera;
    setText(this.stateWord, camera.state);
    setLevel(this.state, levelOfCamera(camera.state));
    setLevel(this.stateLight, levelOfCamera(camera.state));
    this.picture.show(camera);
    this.figures.show(camera);
    this.showCounts(camera.lines);
  }

  // Totals, as events have them.
  showCounts(lines = []) {
    this.counts.show(lines.map((line) => [line.name, line.total?.in ?? 0, line.total?.out ?? 0, truthOf(line)]));
  }

  // The service is silent: what was last known is not true any more.
  showSilence() {
    if (this.camera) this.show({ ...this.camera, state: "NO NEWS", reason: "The service does not answer." });
  }

  // A result is drawn; an event changes what is counted.
  take(envelope) {
    const { event_label: event, data, objects, predictions } = envelope.results ?? {};
    if (objects || predictions) this.picture.add(envelope);
    else if (event === "line_crossed") this.addCrossing(data ?? {});
    else if (event?.startsWith("zone_")) this.setOccupancy(data ?? {});
  }

  // A crossing counts at once; the next status confirms it.
  addCrossing({ line: name, count_in: totalIn, count_out: totalOut }) {
    const line = this.camera?.lines?.find((candidate) => candidate.name === name);
    if (!line?.total || !Number.isFinite(totalIn) || !Number.isFinite(totalOut)) return;
    line.in += totalIn - line.total.in;
    line.out += totalOut - line.total.out;
    line.total = { in: totalIn, out: totalOut };
    this.showCounts(this.camera.lines);
  }

  // So does who is inside a zone.
  setOccupancy({ zone: name, occupancy }) {
    const zone = this.camera?.zones?.find((candidate) => candidate.name === name);
    if (zone && Number.isFinite(occupancy)) zone.occupancy = { all: occupancy };
  }

  remove() {
    this.picture.remove();
    this.element.remove();
  }

  heatButton() {
    const words = `Show where objects of ${this.name} have been`;
    const button = make("button", { class: "enlarge", type: "button", "aria-pressed": "false", "aria-label": words, title: words }, icon("heat"));
    button.addEventListener("click", () => button.setAttribute("aria-pressed", String(this.picture.heat.toggle())));
    return button;
  }

  enlargeButton() {
    const words = `Show ${this.name} on the whole screen`;
    const button = make("button", { class: "enlarge", type: "button", "aria-label": words, title: words }, icon("enlarge"));
    button.addEventListener("click", () => this.picture.element.requestFullscreen?.());
    return button;
  }
}
