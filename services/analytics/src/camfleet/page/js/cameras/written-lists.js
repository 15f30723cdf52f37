// Lists as people write them: words with commas; masks as lines of four numbers, or of pairs for corners.

export const listOf = (text) => text.split(",").map((word) => word.trim()).filter(Boolean);

export const maskLines = (masks) => masks.map((mask) => mask.flat().join(" ")).join("\n");

// Undefined where a line is not a mask.
export function masksOf(text) {
  const masks = text.split("\n").map(numbersOf).filter(({ length }) => length).map(maskOf);
  return masks.includes(undefined) ? undefined : masks;
}

const numbersOf = (line) => line.split(/[\s,;[\]]+/).filter(Boolean).map(Number);

function maskOf(numbers) {
  if (numbers.length < 4 || numbers.length % 2 || !numbers.every((share) => share >= 0 && share <= 1)) return undefined;
  return numbers.length === 4 ? numbers : Array.from({ length: numbers.length / 2 }, (_, place) => numbers.slice(2 * place, 2 * place + 2));
}
