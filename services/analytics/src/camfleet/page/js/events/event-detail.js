// One event looked at: its clip from the recording, or why there is none, and all that it says.

import { Refusal, pathOf } from "../base/api.js";
import { hint, make, setText } from "../base/dom.js";
import { moment, withUtc } from "../base/times.js";
import { cameraLink, linkTo } from "../shell/router.js";
import { describe, timeOf } from "./event-words.js";

const BEFORE_MS = 5000;
const AFTER_MS = 5000;

export class EventDetail {
  constructor() {
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

  async showClip(place, name, when, camera) {
    if (camera && !camera.recording) return place.replaceChildren(notRecorded(name));
    const query = new URLSearchParams({ from: new Date(when - BEFORE_MS).toISOString(), to: new Date(Number(when) + AFTER_MS).toISOString() });
    const path = `/v1/cameras/${pathOf(name)}/clip?${query}`;
    const message = hint("Fetching the clip…");
    place.replaceChildren(message);
    try {
      const answer = await fetch(path);
      if (!answer.ok) throw new Refusal(answer.status, await answer.json());
      const clip = await answer.blob();
      if (!place.isConnected) return; // another event was chosen meanwhile
      const video = make("video", { controls: true, playsinline: true, autoplay: true, src: URL.createObjectURL(clip), "aria-label": `Clip of ${name}` });
      video.muted = true;
      place.replaceChildren(video, make("a", { href: path, download: `${name}.mp4`, text: "Save the clip" }));
    } catch (fault) {
      setText(message, fault instanceof Refusal ? `No clip: ${fault.message}.` : "No clip: the service does not answer.");
    }
  }
}

function notRecorded(name) {
  return make("p", { class: "hint" }, `${name} is not recorded, so there is no clip. Switch recording on in `, make("a", { href: linkTo("cameras", [name]), text: "Cameras" }), " to have one of the next event.");
}
