// A source that is opened once; what came of it, in words.

import { change } from "../base/api.js";

export async function tryOut(asked) {
  const { body } = await change("POST", "/v1/source-trials", asked);
  const { codec, width, height, fps, first_picture_s: first, remark } = body;
  return { picture: body.picture, words: `works: ${codec.toUpperCase()} ${width} × ${height}, ${fps.toFixed(1)} pictures a second, first picture after ${first.toFixed(1)} s.${remark ? ` But: ${remark}` : ""}` };
}
