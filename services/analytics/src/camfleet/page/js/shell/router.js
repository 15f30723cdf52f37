// The address names the view: #/camera/street?edit=1 is { name: "camera", rest: ["street"], query }.

export function readRoute(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").filter(Boolean).map(decodeURIComponent);
  return { name: name ?? "wall", rest, query: new URLSearchParams(query) };
}

export function linkTo(name, rest = [], query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value);
  const path = [name === "wall" ? "" : name, ...rest].map(encodeURIComponent).join("/");
  return `#/${path}${kept.length ? `?${new URLSearchParams(kept)}` : ""}`;
}

// Changes the query without another step in the browser's history.
export const rewrite = (name, rest, query) => history.replaceState(null, "", linkTo(name, rest, query));
