// The address names the view: #/camera/street?edit=1 is { name: "camera", rest: ["street"], query }.

import { make } from "../base/dom.js";

export function readRoute(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").filter(Boolean).map(decoded);
  return { name: name ?? "wall", rest, query: new URLSearchParams(query) };
}

// As it is written where it is no encoding.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function linkTo(name, rest = [], query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value);
  const path = [name === "wall" ? "" : name, ...rest].map(encodeURIComponent).join("/");
  return `#/${path}${kept.length ? `?${new URLSearchParams(kept)}` : ""}`;
}

export const cameraLink = (name, words = name) => make("a", { href: linkTo("camera", [name]), text: words });

// Changes the query without another step in the browser's history.
export const rewrite = (name, rest, query) => history.replaceState(null, "", linkTo(name, rest, query));
