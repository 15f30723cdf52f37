// An event as a person would say it.

import { colourOf } from "../base/colours.js";
import { light } from "../base/dom.js";
import { levelOfCamera, modelName } from "../base/words.js";

const sentences = {
  line_crossed: ({ who, data }) => ({
    words: `${who} went ${data.direction} at ${data.line}`,
    detail: `in ${data.count_in}, out ${data.count_out}`,
  }),
  zone_entered: ({ who, data }) => ({
    words: `${who} entered ${data.zone}`,
    detail: `${data.occupancy} inside`,
  }),
  zone_left: ({ who, data }) => ({
    words: `${who} left ${data.zone}`,
    detail: `after ${Math.round(data.dwell_s)} s, ${data.occupancy} inside`,
  }),
  zone_dwelt: ({ who, data }) => ({
    words: `${who} stays in ${data.zone}`,
    detail: `for ${Math.round(data.dwell_s)} s`,
    level: "warning",
  }),
  camera_state: ({ data, camera }) => ({
    words: `${camera} is ${data.state}`,
    isOfWhole: true,
    level: levelOfCamera(data.state),
  }),
  camera_picture: ({ data, camera }) => ({
    words: `${camera}'s picture is ${data.picture}`,
    isOfWhole: true,
    level: data.picture === "clear" ? "ok" : "warning",
  }),
  model_changed: ({ data }) => ({
    words: `now uses ${modelName({ name: data.model ?? "another model", version: data.version })}`,
    level: "unknown",
  }),
  model_state: ({ data }) => ({
    words: data.state === "ok" ? `${data.model} answers again` : `${data.model} does not answer`,
    level: data.state,
  }),
};

// { words, detail, level, isOfWhole }: the last when the words already name the camera.
export function describe({ type, results, camera }) {
  const sentence = sentences[results.event_label];
  const who = [results.object_label, results.object_id].join(" ").trim();
  const data = results.data ?? {};
  if (sentence) return { detail: data.reason ?? "", ...sentence({ who, camera, data }) };
  const label = String(results.event_label ?? type).replaceAll("_", " ");
  return { words: [results.object_label ?? [], label, results.value ?? []].flat().join(" "), detail: results.zone_label ?? "", level: "unknown" };
}

export const timeOf = (envelope) => new Date(envelope.captured_at ?? envelope.timestamp);

export const placeOf = ({ camera }, { detail, isOfWhole }) => [isOfWhole ? "" : camera, detail].filter(Boolean).join(" · ");

// The colour of the object, or how good it is what happened.
export function lightOf({ results }, level) {
  const lamp = light(level);
  lamp.ariaHidden = "true";
  if (!level && results.object_label) lamp.style.background = colourOf(results.object_label);
  return lamp;
}
