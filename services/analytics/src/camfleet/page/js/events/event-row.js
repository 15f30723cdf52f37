// One event of the long list: when, what, where, and a picture of that moment where there is a recording.

import { pathOf } from "../base/api.js";
import { make } from "../base/dom.js";
import { timeElement } from "../base/times.js";
import { describe, lightOf, placeOf, timeOf } from "./event-words.js";

// `picture(fleet)` puts the picture in as soon as the camera's recording has it.
export function eventRow(envelope, opened) {
  const event = describe(envelope);
  const when = timeOf(envelope);
  const time = timeElement(when);
  const text = make("span", { class: "row-text" }, make("span", { class: "row-words" }, lightOf(envelope, event.level), event.words), make("span", { class: "row-where", text: placeOf(envelope, event) }));
  const place = make("span", { class: "thumbnail" });
  const button = make("button", { type: "button", class: "event-row", "data-event": envelope.event_id }, place, text, time);
  button.addEventListener("click", () => opened(envelope, button));
  return Object.assign(make("li", {}, button), { picture: (fleet) => fill(place, envelope.camera, when, fleet) });
}

const isIn = (recording, when) => Boolean(recording?.from) && when >= new Date(recording.from) && when <= new Date(recording.to);

function fill(place, camera, when, fleet) {
  if (place.dataset.asked || !isIn(fleet.camera(camera)?.recording, when)) return;
  place.dataset.asked = "1";
  const image = make("img", { loading: "lazy", alt: "", src: `/v1/cameras/${pathOf(camera)}/snapshot.jpg?at=${encodeURIComponent(when.toISOString())}` });
  image.addEventListener("error", () => image.remove());
  place.append(image);
}
