// One colour per label, always the same; camfleet.service.live.colours computes the same ones.

const PALETTE = ["#38bdf8", "#fb923c", "#4ade80", "#f472b6", "#facc15", "#a78bfa", "#2dd4bf", "#f87171"];
const known = new Map();

export function colourOf(label) {
  if (!known.has(label)) known.set(label, PALETTE[fnv1a(label) % PALETTE.length]);
  return known.get(label);
}

function fnv1a(text) {
  let digest = 2166136261;
  for (const byte of new TextEncoder().encode(text)) digest = Math.imul(digest ^ byte, 16777619) >>> 0;
  return digest;
}
