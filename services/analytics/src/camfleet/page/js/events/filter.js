// Which events are shown; kept in the address, so that a choice can be sent to somebody.

import { choice, field, textInput } from "../base/controls.js";
import { make } from "../base/dom.js";

const KINDS = [
  ["", "everything"],
  ["line_crossed", "line crossed"],
  ["zone_entered", "zone entered"],
  ["zone_left", "zone left"],
  ["zone_dwelt", "stayed in a zone"],
  ["camera_state", "camera came or went"],
  ["camera_picture", "picture condition"],
  ["model_changed", "model changed"],
  ["model_state", "model came or went"],
];
const SPANS = [["", "any time"], ["3600", "last hour"], ["86400", "last day"], ["604800", "last week"], ["own", "from … to …"]];

export class Filter {
  constructor(fleet, changed) {
    this.fleet = fleet;
    this.values = {};
    this.inputs = { camera: choice([["", "all cameras"]], ""), event: choice(KINDS, ""), place: textInput({ placeholder: "all" }), label: textInput({ placeholder: "all" }), span: choice(SPANS, ""), from: moment(), to: moment() };
    this.own = make("div", { class: "filter-times", hidden: true }, field("From", this.inputs.from), field("To", this.inputs.to));
    const { camera, event, place, label, span } = this.inputs;
    this.element = make("form", { class: "filter", role: "search", "aria-label": "Choose events" }, field("Camera", camera), field("What", event), field("Line or zone", place), field("Object", label), field("When", span), this.own);
    this.element.addEventListener("change", () => {
      this.read();
      changed();
    });
    this.element.addEventListener("submit", (event_) => event_.preventDefault());
  }

  read() {
    this.values = Object.fromEntries(Object.entries(this.inputs).map(([name, input]) => [name, input.value.trim()]));
    this.own.hidden = this.values.span !== "own";
  }

  set(query) {
    for (const [name, input] of Object.entries(this.inputs)) {
      const value = query.get(name) ?? "";
      if (value && ["camera", "event"].includes(name)) offer(input, value); // an application's own kind, too
      input.value = value;
    }
    this.read();
  }

  nameCameras(names) {
    for (const name of names) offer(this.inputs.camera, name);
  }

  // The question to /v1/events.
  query(more = {}) {
    const { span, from, to, ...rest } = this.values;
    const query = { ...rest, ...more };
    if (span === "own") Object.assign(query, { from: utc(from), to: utc(to) });
    else if (span) query.from = new Date(this.fleet.now - Number(span) * 1000).toISOString();
    return new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  }

  // Whether an event that just came belongs to what is shown.
  takes({ camera, results }) {
    const { camera: wanted, event, place, label, span, to } = this.values;
    const pairs = [[wanted, camera], [event, results.event_label], [place, results.zone_label], [label, results.object_label]];
    return pairs.every(([chosen, found]) => !chosen || chosen === found) && !(span === "own" && to);
  }
}

function offer(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.append(make("option", { value, text: value }));
}

const moment = () => make("input", { type: "datetime-local", step: 1 });
const utc = (local) => (local ? new Date(local).toISOString() : "");
