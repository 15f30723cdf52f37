// Each camera's condition and what it costs: picture, rest, frames, and time by stage.

import { light, make, reasonLine } from "../base/dom.js";
import { levelOfCamera, number } from "../base/words.js";
import { cameraLink } from "../shell/router.js";
import { DataTable } from "./data-table.js";

const HEADS = ["Camera", "Picture", "At rest", "Looked at", "of it repeated", "shared", "Lost", "Decode (ms)", "Scale (ms)", "Model (ms)", "of it waiting", "Follow (ms)"];

export function camerasTable() {
  const table = new DataTable("Cameras and what they cost, per picture", HEADS, "No camera runs.");
  return { element: table.element, show: (cameras) => table.show(cameras.map(row)) };
}

function row({ name, state, reason, picture, idle, frames = {}, cost = {} }) {
  const condition = [picture ?? (state === "LIVE" ? "clear" : state.toLowerCase()), reasonLine(reason)];
  const { analysed = 0, still = 0, shared = 0, dropped = 0, failed = 0 } = frames;
  const costs = ["decode_ms", "scale_ms", "request_ms", "queue_ms", "track_ms"].map((stage) => number(cost[stage]));
  return [[light(levelOfCamera(state)), " ", cameraLink(name)], condition, rest(idle), analysed, still, shared, dropped + failed, ...costs];
}

function rest(idle) {
  if (!idle) return "off";
  if (idle.reason) return [make("span", { text: "never" }), reasonLine(idle.reason)];
  return idle.resting ? "resting" : "awake";
}
