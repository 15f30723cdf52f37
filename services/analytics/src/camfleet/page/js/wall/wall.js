// All tiles, in the order of the cameras file.

import { make, setText } from "../base/dom.js";
import { icon } from "../base/icons.js";
import { Tile } from "./tile.js";

export class Wall {
  constructor(element, fleet) {
    Object.assign(this, { element, fleet });
    this.tiles = new Map();
  }

  show(status) {
    this.element.setAttribute("aria-busy", "false");
    const { cameras } = status;
    this.element.dataset.count = String(cameras.length);
    for (const [name, tile] of this.tiles) {
      if (cameras.some((camera) => camera.name === name)) continue;
      tile.remove();
      this.tiles.delete(name);
    }
    cameras.forEach((camera, place) => this.showCamera(camera, place));
    this.showEmpty(cameras.length === 0, status);
  }

  showSilence() {
    for (const tile of this.tiles.values()) tile.showSilence();
  }

  tile(name) {
    return this.tiles.get(name);
  }

  showCamera(camera, place) {
    if (!this.tiles.has(camera.name)) this.tiles.set(camera.name, new Tile(camera.name));
    const tile = this.tiles.get(camera.name);
    if (this.element.children[place] !== tile.element) this.element.insertBefore(tile.element, this.element.children[place] ?? null);
    tile.show(camera);
  }

  showEmpty(isEmpty, { cameras_file: file, health }) {
    this.empty ??= emptyWall(file);
    setText(this.empty.querySelector(".message"), health.reason ?? ""); // perhaps why there is none: the file is refused
    for (const words of this.empty.querySelectorAll("[data-for]")) words.hidden = words.dataset.for !== this.fleet.session?.role;
    if (isEmpty) this.element.append(this.empty);
    else this.empty.remove();
  }
}

function emptyWall(file) {
  const where = make("p", { "data-for": "admin" }, make("a", { href: "#/cameras/new", text: "Add a camera" }), " here, or to ", make("code", { text: file ?? "cameras.yaml" }), "; it appears as soon as the file is saved. ");
  where.append("Or run ", make("code", { text: "camfleet camera add" }), ".");
  const whose = make("p", { "data-for": "viewer", text: "Somebody who may change this fleet can add one; it appears here by itself." });
  return make("section", { class: "empty" }, icon("camera", 44), make("h2", { text: "No camera configured" }), make("p", { class: "message", "data-level": "warning" }), where, whose);
}
