// One event looked at: its clip from the recording, or why there is none, and all that it says.

import { Refusal, pathOf, refuse } from "../base/api.js";
import { hint, make, setText } from "../base/dom.js";
import { moment, withUtc } from "../base/times.js";
import { cameraLink, linkTo } from "../shell/router.js";
import { describe, timeOf } from "./event-words.js";

const BEFORE_MS = 5000;
const AFTER_MS = 5000;
const EVERY_MS = 3000; // a clip of what just happened is asked for
const MOST_TRIES = 10;
const SOON = "The recording has this moment in a few seconds…";

export class EventDetail {
  constructor(fleet) {
    this.fleet = fleet;
    this.element = make("section", { class: "card event-detail", "aria-label": "The chosen event", tabindex: "-1" });
    this.clear();
  }

  // The clip that was seen before keeps no memory.
  fill(...parts) {
    URL.revokeObjectURL(this.element.querySelector("video")?.src);
    this.element.replaceChildren(...parts);
  }

  clear() {
    this.element.classList.remove("is-chosen");
    this.fill(hint("Choose an event to see its clip and its details."));
  }

  show(envelope, camera) {
    const { words, detail } = describe(envelope);
    const when = timeOf(envelope);
    const time = make("p", { class: "hint" }, `${moment(when)} · `, withUtc(when), detail ? ` · ${detail}` : "");
    const place = make("div", { class: "clip" });
    const link = envelope.camera ? cameraLink(envelope.camera, `Open ${envelope.camera}`) : "";
    const all = make("details", {}, make("summary", { text: "As it was sent" }), make("pre", { tabindex: "0" }, make("code", { text: JSON.stringify(envelope, null, 2) })));
    this.fill(make("h2", { text: words }), time, place, make("p", {}, link), all);
    if (envelope.camera) this.showClip(place, envelope.camera, when, camera);
    this.element.classList.add("is-chosen");
    this.element.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: "nearest" });
  }

  async showClip(place, name, when, camera, tries = MOST_TRIES) {
    if (camera && !camera.recording) return place.replaceChildren(notRecorded(name, this.fleet.isAdmin));
    const query = new URLSearchParams({ from: new Date(when - BEFORE_MS).toISOString(), to: new Date(Number(when) + AFTER_MS).toISOString() });
    const path = `/v1/cameras/${pathOf(name)}/clip?${query}`;
    const message = hint(tries === MOST_TRIES ? "Fetching the clip…" : SOON);
    place.replaceChildren(message);
    try {
      const answer = await fetch(path);
      await refuse(answer);
      const clip = await answer.blob();
      if (!place.isConnected) return; // another event was chosen meanwhile
      const video = make("video", { controls: true, playsinline: true, autoplay: true, src: URL.createObjectURL(clip), "aria-label": `Clip of ${name}` });
      video.muted = true;
      place.replaceChildren(video, make("a", { href: path, download: `${name}.mp4`, text: "Save the clip" }));
    } catch (fault) {
      if (fault.status === 404 && tries > 1 && when > new Date(camera?.recording?.to) - AFTER_MS) {
        setText(message, SOON);
        setTimeout(() => place.isConnected && this.showClip(place, name, when, camera, tries - 1), EVERY_MS);
      } else setText(message, fault instanceof Refusal ? `No clip: ${fault.message}.` : "No clip: the service does not answer.");
    }
  }
}

function notRecorded(name, mayChange) {
  const words = `${name} is not recorded, so there is no clip.`;
  if (!mayChange) return hint(words);
  return make("p", { class: "hint" }, `${words} Switch recording on in `, make("a", { href: linkTo("cameras", [name]), text: "Cameras" }), " to have one of the next event.");
}
