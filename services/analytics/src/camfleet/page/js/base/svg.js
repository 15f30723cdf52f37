// Make SVG elements without markup in strings.

import { dressed } from "./dom.js";

export const draw = (tag, attributes, ...children) => dressed(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
