// Wires the page: status and stream come in, wall, events and top bar show them.

import { setLevel, setText, make } from "./base/dom.js";
import { EventList } from "./events/event-list.js";
import { EventStream } from "./events/event-stream.js";
import { Health } from "./health/fleet-light.js";
import { Panels } from "./panels/panels.js";
import { StatusPoll } from "./health/status-poll.js";
import { Wall } from "./wall/wall.js";
import { lostSince } from "./base/words.js";

const element = (id) => document.getElementById(id);
const wall = new Wall(element("wall"));
const events = new EventList(element("event-list"));
const health = new Health(element("health"));
const notice = element("notice");
const announced = new Map();

new Panels(element("panels"));
new StatusPoll({ news: showStatus, lost: showLost, locked: showLocked });
let stream = null;

function showStatus(status) {
  stream ??= new EventStream({ received: showEnvelope, state: showLink, newest: status.newest_event });
  notice.hidden = true;
  health.show(status);
  wall.show(status);
  announceChanges(status.cameras);
  setText(element("foot-device"), status.device_id ? `device ${status.device_id}` : "");
  setText(element("foot-version"), status.version ? `camfleet ${status.version}` : "");
}

function showEnvelope(envelope) {
  const tile = wall.tile(envelope.camera);
  if (envelope.results?.objects || envelope.results?.predictions) {
    tile?.addResult(envelope);
    return;
  }
  if (!envelope.results?.event_label) return;
  events.add(envelope);
  if (envelope.results.event_label === "line_crossed") tile?.addCrossing(envelope.results.data ?? {});
  if (envelope.results.event_label?.startsWith("zone_")) tile?.setOccupancy(envelope.results.data ?? {});
}

const linkWords = { connected: "connected", reconnecting: "reconnecting…", locked: "not logged in" };

function showLink(state) {
  const link = element("link-state");
  setLevel(link.querySelector(".light"), state === "connected" ? "ok" : "warning");
  setText(link.querySelector(".link-word"), linkWords[state]);
  if (state === "locked") showLocked();
}

function showLost(answeredAt) {
  health.showLost(lostSince(answeredAt));
  wall.showSilence();
  say(`The camfleet service does not answer; trying again every 2 seconds. Start it with `, make("code", { text: "camfleet up" }), ".");
}

function showLocked() {
  say("The session ended. ", make("a", { href: "/", text: "Log in again" }), ".");
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
