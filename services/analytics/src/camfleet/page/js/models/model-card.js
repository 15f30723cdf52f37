// What a model's manifest says, in the order somebody asks for it.

import { make } from "../base/dom.js";

const MOST_LABELS = 24;
const shapes = (tensors) => (tensors ?? []).map(({ name, datatype, shape }) => `${name}: ${datatype} ${shape.join(" × ")}`).join("\n");

export function cardOf(card) {
  const labels = card.labels ?? [];
  const shown = labels.slice(0, MOST_LABELS).join(", ") + (labels.length > MOST_LABELS ? ` … (${labels.length} in all)` : "");
  const rows = {
    "What it is for": [card.purpose, card.description].filter(Boolean).join(" · "),
    "Licence": card.license,
    "Runs on": [card.served_by?.platform, card.served_by?.device].filter(Boolean).join(" on "),
    "Finds": shown,
    "Precision": card.precision,
    "Input": shapes(card.inputs),
    "Preparation": preparation(card.preprocess),
    "Output": shapes(card.outputs),
    "Decoder": card.postprocess?.decoder,
    "Made from": card.provenance ?? card.website_url,
    "Accuracy": card.accuracy ?? card.mean_average_precision_top_1,
  };
  const told = Object.entries(rows).filter(([, value]) => typeof value === "string" && value);
  return make("dl", { class: "facts" }, ...told.map(([name, value]) => make("div", {}, make("dt", { text: name }), make("dd", { text: value }))));
}

function preparation(way) {
  if (!way) return "none: requests carry the model's own tensors";
  return [way.resize, way.size?.join(" × "), way.colour, way.layout].filter(Boolean).join(", ");
}
