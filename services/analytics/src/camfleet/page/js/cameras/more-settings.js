// Settings of a camera that most leave alone: what is analysed how, where it goes, how it is read.

import { choice, textInput } from "../base/controls.js";
import { make } from "../base/dom.js";
import { CascadeRows } from "./cascade-rows.js";
import { Setting, numeric } from "./setting.js";
import { listOf, maskLines, masksOf } from "./written-lists.js";

const TRACKERS = [["bytetrack", "ByteTrack (usual)"], ["sort", "SORT"], ["ocsort", "OC-SORT"], ["botsort", "BoT-SORT"]];
const TURNS = [["0", "as it is"], ["90", "90° clockwise"], ["180", "upside down"], ["270", "90° counterclockwise"]];
const STREAMS = [["auto", "as the camera sends it (usual)"], ["never", "only as the camera sends it"], ["always", "H.264 for all readers"]];
const PACES = [["true", "in real time"], ["false", "as fast as they can be analysed"]];
const ENDS = [["true", "start again"], ["false", "stop"]];
const asList = { show: (words) => (words ?? []).join(", "), read: listOf };
const asTruth = { show: String, read: (text) => text === "true" };
const asNumber = { read: (text) => Number(text) || null };

// Groups of settings by their titles.
const groupsOf = () => ({
  "Detection": [
    new Setting("detect_source", "Stream to analyse", textInput(), { hint: "a second, smaller stream of the camera; empty: the source" }),
    new Setting("pipeline.labels", "Only these objects", textInput({ placeholder: "all" }), { ...asList, hint: "labels of the model, separated by commas" }),
    new Setting("pipeline.tracker", "Tracker", choice(TRACKERS, "bytetrack"), { show: ({ kind }) => kind, read: otherTracker }),
    new Setting("pipeline.tiles", "Tiles (columns x rows)", textInput({ placeholder: "none", pattern: "(?!1x1$)[1-4]x[1-4]" }), { hint: "for objects that are small in the picture; each tile is one more inference", wrong: "Enter columns and rows, 1 to 4 of each, like 2x2.", show: (tiles) => tiles?.grid.join("x") ?? "", read: (text) => (text ? { grid: text.split("x").map(Number) } : null) }),
    new Setting("pipeline.idle", "Rest on key frames after (seconds)", numeric({ placeholder: "never", min: 1, max: 86400, step: "any" }), { hint: "while nothing moves; saves decoding, needs the motion gate; 30 is usual", show: (idle) => idle?.after_s ?? "", read: (text) => (text ? { after_s: Number(text) } : null) }),
  ],
  "Second models": [new CascadeRows()],
  "Output": [
    new Setting("pipeline.sinks", "Events go to", textInput({ placeholder: "all" }), { show: asList.show, read: (text) => (text ? listOf(text) : null), hint: "names of sinks, separated by commas; empty: all; websocket: none" }),
    new Setting("publish_to", "Push the stream to", textInput({ placeholder: "rtsp://host:8554/door" }), { hint: "another RTSP server; a login only as ${env:NAME}@ before the host" }),
    new Setting("transcode", "Stream for readers", choice(STREAMS, "auto"), { hint: "usual: H.264 as well, at NAME-h264, while somebody reads it" }),
  ],
  "Capture": [
    new Setting("capture.size", "Size to ask for", textInput({ placeholder: "1280x720", pattern: "[1-9]\\d{1,3}x[1-9]\\d{1,3}" }), { hint: "USB, Pi and Jetson cameras", wrong: "Enter width and height, like 1280x720." }),
    new Setting("capture.frame_rate", "Frames per second to ask for", numeric({ min: 1, max: 240, step: "any" }), asNumber),
    new Setting("capture.rotation", "Turn the picture", choice(TURNS, "0"), { show: String, read: Number }),
    new Setting("capture.masks", "Black out", make("textarea", { rows: 2, spellcheck: "false", placeholder: "0 0 0.3 0.2" }), { show: maskLines, read: masksOf, hint: "one per line: left top right bottom as fractions of the picture, or corners x y x y x y …", wrong: "Each line needs four numbers, or at least three corners (x y), all between 0 and 1." }),
    new Setting("capture.real_time", "Play files and folders", choice(PACES, "true"), asTruth),
    new Setting("capture.loop", "At their end", choice(ENDS, "true"), asTruth),
  ],
});

export class MoreSettings {
  constructor() {
    const groups = groupsOf();
    this.all = Object.values(groups).flat();
    this.element = make("details", {}, make("summary", { text: "More settings" }), ...Object.entries(groups).map(group));
  }
}

const group = ([title, parts]) => make("fieldset", { class: "group" }, make("legend", { text: title }), make("div", { class: parts.length > 1 ? "fields" : "" }, ...parts.map(({ element }) => element)));

// Parameters belong to the tracker they were given for.
const otherTracker = (kind, before = {}) => ({ ...Object.fromEntries(Object.keys(before).map((key) => [key, null])), kind });
