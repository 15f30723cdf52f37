// Small drawings, built as elements because the page allows no markup in scripts.

const PATHS = {
  enlarge: "M4 9V5.500A1.500 1.500 0 0 1 5.500 4H9M15 4h3.500A1.500 1.500 0 0 1 20 5.500V9M20 15v3.500a1.500 1.500 0 0 1-1.500 1.500H15M9 20H5.500A1.500 1.500 0 0 1 4 18.500V15",
  heat: "M12 3c1 3 5 5.500 5 10a5 5 0 0 1-10 0c0-2 1-3.500 2-4.500.500 1.500 1 2 2 2.500.500-3 0-5 1-8",
  camera: "M3 8a2 2 0 0 1 2-2h9a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2zM16 10.500l5-3v9l-5-3",
};

export function icon(name, size = 18) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  const line = document.createElementNS(space, "path");
  const attributes = { viewBox: "0 0 24 24", width: size, height: size, fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(attributes)) drawing.setAttribute(key, value);
  line.setAttribute("d", PATHS[name]);
  drawing.append(line);
  return drawing;
}
