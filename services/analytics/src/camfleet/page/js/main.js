// Wires the page: status and stream come in; the shown view and the top bar show them.

import { ask } from "./base/api.js";
import { button } from "./base/controls.js";
import { make, setLevel, setText } from "./base/dom.js";
import { lostSince } from "./base/words.js";
import { EventStream } from "./events/event-stream.js";
import { Panels } from "./panels/panels.js";
import { ClockCheck } from "./shell/clock-check.js";
import { Fleet } from "./shell/fleet.js";
import { FleetLight } from "./shell/fleet-light.js";
import { StatusPoll } from "./shell/status-poll.js";
import { Views } from "./shell/views.js";

const element = (id) => document.getElementById(id);
const fleet = new Fleet();
const light = new FleetLight(element("health"));
const clock = new ClockCheck(element("clock-note"));
const notice = element("notice");
const announced = new Map();

element("skip").addEventListener("click", (event) => {
  event.preventDefault();
  element("view").focus();
});
new Panels(element("panels"));
const views = new Views(element("view"), element("navigation"), fleet);
const poll = new StatusPoll({ news: showStatus, lost: showLost, locked: showLocked });
fleet.refresh = () => poll.ask();
let stream = null;
learnWhoLooks();

async function learnWhoLooks() {
  try {
    fleet.session = (await ask("/v1/session")).body;
  } catch {
    return; // the status says already that nobody answers, or that the session ended
  }
  setText(element("who"), `${fleet.session.name} (${fleet.session.role})`);
  document.body.dataset.role = fleet.session.role;
  if (fleet.status) views.current?.showStatus(fleet.status);
}

function showStatus(status) {
  stream ??= new EventStream({ received: showEnvelope, state: showLink, newest: status.newest_event });
  if (!fleet.session) learnWhoLooks();
  if (fleet.status && fleet.status.version !== status.version && !views.current?.isUnsaved) return location.reload(); // this page is that of another release
  fleet.status = status;
  fleet.aheadMs = new Date(status.time) - Date.now();
  notice.hidden = true;
  if (views.missed) views.go();
  light.show(status);
  clock.show(fleet.aheadMs / 1000);
  views.current?.showStatus(status);
  announceChanges(status.cameras);
  setText(element("foot-device"), status.device_id ? `device ${status.device_id}` : "");
  setText(element("foot-version"), status.version ? `camfleet ${status.version}` : "");
}

function showEnvelope(envelope) {
  if (envelope.results?.event_label) fleet.remember(envelope);
  views.current?.showEnvelope?.(envelope);
}

const linkWords = { connected: "connected", reconnecting: "reconnecting…", locked: "not logged in" };

function showLink(state) {
  const link = element("link-state");
  setLevel(link.querySelector(".light"), state === "connected" ? "ok" : "warning");
  setText(link.querySelector(".link-word"), linkWords[state]);
  if (state === "locked") showLocked();
}

function showLost(answeredAt) {
  light.showLost(lostSince(answeredAt));
  views.current?.showSilence?.();
  say(`The camfleet service does not answer; trying again every 2 seconds. Start it with `, make("code", { text: "camfleet up" }), ".");
}

function showLocked() {
  if (views.current?.isUnsaved) say("The session ended. ", make("a", { href: "/login", target: "_blank", text: "Log in in another tab" }), "; what you changed here stays, and can be saved then.");
  else say("The session ended. ", button("Log in again", () => location.reload()));
}

function say(...words) {
  if (!notice.hidden) return;
  notice.replaceChildren(...words);
  notice.hidden = false;
}

// Screen readers hear of a camera only when its state changes.
function announceChanges(cameras) {
  const changed = cameras.filter(({ name, state }) => announced.has(name) && announced.get(name) !== state);
  for (const { name, state } of cameras) announced.set(name, state);
  if (changed.length) setText(element("announcer"), changed.map(({ name, state }) => `${name} is ${state}`).join(", "));
}
