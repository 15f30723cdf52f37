// Numbers, times and states in words.

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

export function modelName(model) {
  if (!model?.name) return "none";
  return model.version ? `${model.name} v${model.version}` : model.name;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

export const clockTime = (date) => clock.format(date);

export const asPlural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

const REFUSED = "the service does not answer";

export const lostSince = (date) => (date ? `${REFUSED} since ${clockTime(date)}` : REFUSED);
