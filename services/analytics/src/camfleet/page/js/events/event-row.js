// One event of the long list: when, what, where, and a picture of that moment where there is a recording.

import { pathOf } from "../base/api.js";
import { make } from "../base/dom.js";
import { timeElement } from "../base/times.js";
import { describe, lightOf, placeOf, timeOf } from "./event-words.js";

export function eventRow(envelope, { recording, opened }) {
  const event = describe(envelope);
  const when = timeOf(envelope);
  const time = timeElement(when);
  const text = make("span", { class: "row-text" }, make("span", { class: "row-words" }, lightOf(envelope, event.level), event.words), make("span", { class: "row-where", text: placeOf(envelope, event) }));
  const button = make("button", { type: "button", class: "event-row", "data-event": envelope.event_id }, thumbnail(envelope, when, recording), text, time);
  button.addEventListener("click", () => opened(envelope, button));
  return make("li", {}, button);
}

// An event that just came is in the recording some seconds later.
const isIn = (recording, when) => Boolean(recording?.from) && when >= new Date(recording.from) && when <= new Date(recording.to);

function thumbnail({ camera }, when, recording) {
  const place = make("span", { class: "thumbnail" });
  if (!isIn(recording, when)) return place;
  const image = make("img", { loading: "lazy", alt: "", src: `/v1/cameras/${pathOf(camera)}/snapshot.jpg?at=${encodeURIComponent(when.toISOString())}` });
  image.addEventListener("error", () => image.remove());
  place.append(image);
  return place;
}
