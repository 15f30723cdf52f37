// A source that is opened once: what came of it, in words; its first picture, where there is one.

import { change } from "../base/api.js";

export async function tryOut(message, asked) {
  message.say("Looking…");
  try {
    const { body } = await change("POST", "/v1/source-trials", asked);
    const { codec, width, height, fps, first_picture_s: first, remark } = body;
    message.say(`${asked.camera ?? "It"} works: ${codec.toUpperCase()} ${width} × ${height}, ${fps.toFixed(1)} pictures a second, first picture after ${first.toFixed(1)} s.${remark ? ` But: ${remark}` : ""}`, "ok");
    return body.picture;
  } catch (fault) {
    message.fail(fault);
  }
}
