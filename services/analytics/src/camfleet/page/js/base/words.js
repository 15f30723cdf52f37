// Numbers, times and states in words.

import { clockTime } from "./times.js";

const CAMERA_LEVELS = { LIVE: "ok", CONNECTING: "warning", STALLED: "warning", FAILED: "failed" };

export const levelOfCamera = (state) => CAMERA_LEVELS[state] ?? "unknown";

export const stateHeadline = {
  CONNECTING: "Connecting…",
  STALLED: "No picture at the moment",
  FAILED: "This camera does not work",
  "NO NEWS": "No news of this camera",
};

export const rate = (fps) => (Number.isFinite(fps) ? `${fps.toFixed(1)} fps` : "–");

export const delay = (milliseconds) => (Number.isFinite(milliseconds) ? `${Math.round(milliseconds)} ms` : "–");

export const number = (value) => (Number.isFinite(value) ? (value < 10 ? value.toFixed(1) : String(Math.round(value))) : "–");

export const milliseconds = (value) => (Number.isFinite(value) ? `${number(value)} ms` : "–");

export const insideOf = (occupancy) => Object.values(occupancy ?? {}).reduce((sum, count) => sum + count, 0);

export function modelName(model) {
  if (!model?.name) return "none";
  return model.version ? `${model.name} v${model.version}` : model.name;
}

// Without the address in front, or the folders of a path: where there is little room.
export const shortReason = (reason) => reason.replace(/^\w+:\/\/\S+: /, "").replace(/^\/\S*\/(?=\S+: )/, "");

export const asPlural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

const REFUSED = "the service does not answer";

export const lostSince = (date) => (date ? `${REFUSED} since ${clockTime(date)}` : REFUSED);
