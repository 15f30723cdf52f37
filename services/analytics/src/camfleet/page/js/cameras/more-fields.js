// Settings of a camera that most leave alone: what is analysed how, where events go, how it is read.

import { choice, field, textInput } from "../base/controls.js";
import { make } from "../base/dom.js";
import { CascadeRows } from "./cascade-rows.js";
import { listOf, maskLines, masksOf } from "./written-lists.js";

const TRACKERS = [["bytetrack", "ByteTrack (usual)"], ["sort", "SORT"], ["ocsort", "OC-SORT"], ["botsort", "BoT-SORT"]];
const TURNS = [["0", "as it is"], ["90", "90° clockwise"], ["180", "upside down"], ["270", "90° counterclockwise"]];
const USUAL = { detect_source: null, pipeline: { labels: [], tracker: { kind: "bytetrack" }, cascade: [], sinks: null }, capture: { size: null, frame_rate: null, rotation: 0, masks: [] } };

export class MoreFields {
  constructor() {
    this.detect = textInput({ name: "detect_source" });
    this.labels = textInput({ name: "pipeline.labels", placeholder: "all" });
    this.tracker = named(choice(TRACKERS, "bytetrack"), "pipeline.tracker");
    this.sinks = textInput({ name: "pipeline.sinks", placeholder: "all" });
    this.cascades = new CascadeRows();
    this.size = textInput({ name: "capture.size", placeholder: "1280x720" });
    this.rate = make("input", { type: "number", name: "capture.frame_rate", min: 1, max: 240, step: "any" });
    this.turn = named(choice(TURNS, "0"), "capture.rotation");
    this.masks = make("textarea", { name: "capture.masks", rows: 2, spellcheck: "false", placeholder: "0 0 0.3 0.2" });
    this.element = make("details", { class: "card-details more" }, make("summary", { text: "More settings" }), ...this.groups());
  }

  groups() {
    const analysis = [field("Stream to analyse", this.detect, "a second, smaller stream of the camera; empty: the source"), field("Only these objects", this.labels, "labels of the model, with commas"), field("Tracker", this.tracker), field("Events go to", this.sinks, "names of sinks, with commas; empty: to all; websocket: to none")];
    const reading = [field("Size to ask for", this.size, "USB, Pi and Jetson cameras"), field("Pictures a second to ask for", this.rate), field("Turn the picture", this.turn), field("Black out", this.masks, "one a line: left top right bottom as shares of the picture, or the corners x y x y x y …")];
    return [group("What is looked for", analysis), group("Second models", [this.cascades.element]), group("How the camera is read", reading)];
  }

  fill({ detect_source: detect, pipeline, capture }) {
    this.detect.value = detect ?? "";
    this.labels.value = pipeline.labels.join(", ");
    this.tracker.value = pipeline.tracker.kind;
    this.sinks.value = (pipeline.sinks ?? []).join(", ");
    this.cascades.fill(pipeline.cascade);
    this.size.value = capture.size ?? "";
    this.rate.value = capture.frame_rate ?? "";
    this.turn.value = String(capture.rotation);
    this.masks.value = maskLines(capture.masks);
  }

  faults() {
    const faults = {};
    if (!/^([1-9]\d{1,3}x[1-9]\d{1,3})?$/.test(this.size.value.trim())) faults["capture.size"] = "Write width and height as 1280x720.";
    if (!masksOf(this.masks.value)) faults["capture.masks"] = "Each line needs four numbers, or at least three corners (x y), all between 0 and 1.";
    return faults;
  }

  // Only what differs from what is there, so that defaults of the file stay in force.
  changesOf(before) {
    const { pipeline, capture, detect_source: detect } = before ?? USUAL;
    const sinks = listOf(this.sinks.value);
    const now = { labels: listOf(this.labels.value), cascade: this.cascades.value, sinks: sinks.length ? sinks : null };
    const read = { size: this.size.value.trim() || null, frame_rate: Number(this.rate.value) || null, rotation: Number(this.turn.value), masks: masksOf(this.masks.value) };
    const changes = { pipeline: { ...differing(now, pipeline), ...this.otherTracker(pipeline.tracker) }, capture: differing(read, capture), ...differing({ detect_source: this.detect.value.trim() || null }, { detect_source: detect }) };
    if (!Object.keys(changes.capture).length) delete changes.capture;
    return changes;
  }

  // Parameters belong to the tracker they were given for.
  otherTracker(before) {
    const kind = this.tracker.value;
    if (kind === before.kind) return {};
    return { tracker: { ...Object.fromEntries(Object.keys(before).map((key) => [key, null])), kind } };
  }
}

const named = (input, name) => Object.assign(input, { name });
const group = (title, parts) => make("fieldset", { class: "group" }, make("legend", { text: title }), make("div", { class: parts.length > 1 ? "fields" : "" }, ...parts));
const differing = (now, before) => Object.fromEntries(Object.entries(now).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key] ?? null)));
