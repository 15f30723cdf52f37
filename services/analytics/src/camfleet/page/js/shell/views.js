// Shows one view at a time; all but the wall are fetched when they are first wanted.

import { losing } from "../base/dialog.js";
import { WallView } from "../wall/wall-view.js";
import { readRoute } from "./router.js";

const LOADERS = {
  wall: async () => WallView,
  camera: async () => (await import("../camera/camera-view.js")).CameraView,
  events: async () => (await import("../events/events-view.js")).EventsView,
  models: async () => (await import("../models/models-view.js")).ModelsView,
  cameras: async () => (await import("../cameras/cameras-view.js")).CamerasView,
  health: async () => (await import("../health/health-view.js")).HealthView,
};
const titleOf = (name) => name[0].toUpperCase() + name.slice(1);

// A view has `element`, enter(route) and showStatus(status), and may have isUnsaved, leave(), showEnvelope(envelope) and showSilence().
export class Views {
  constructor(place, navigation, fleet) {
    Object.assign(this, { place, navigation, fleet });
    this.made = new Map();
    this.current = null;
    addEventListener("hashchange", ({ oldURL }) => this.leaveTo(oldURL));
    addEventListener("beforeunload", (event) => this.current?.isUnsaved && event.preventDefault());
    this.go();
  }

  // What was not saved is not lost by a wrong click.
  async leaveTo(before) {
    const after = location.href;
    if (this.current.isUnsaved) {
      history.replaceState(null, "", before);
      if (!(await losing("Leave without saving"))) return;
      history.replaceState(null, "", after);
    }
    this.go();
  }

  async go() {
    this.missed = false;
    const route = readRoute();
    const isPlace = Object.hasOwn(LOADERS, route.name) && (route.name !== "camera" || route.rest.length);
    const name = isPlace ? route.name : "wall";
    this.wanted = name;
    try {
      if (!this.made.has(name)) this.made.set(name, await this.make(name));
    } catch {
      this.missed = true; // nobody answers; whoever hears of it that somebody does goes again
      return;
    }
    if (this.wanted !== name) return; // left again while it was fetched
    this.show(this.made.get(name), name, route);
  }

  async make(name) {
    const View = await LOADERS[name]();
    return new View(this.fleet);
  }

  show(view, name, route) {
    if (view !== this.current) {
      this.current?.leave?.();
      this.place.replaceChildren(view.element);
      this.current = view;
    }
    this.place.dataset.view = name;
    this.place.setAttribute("aria-label", titleOf(name));
    document.title = `${route.rest[0] ?? titleOf(name)} · camfleet`;
    for (const link of this.navigation.querySelectorAll("a")) this.mark(link, name);
    if (this.fleet.status) view.showStatus(this.fleet.status);
    view.enter(route);
  }

  mark(link, name) {
    const isHere = readRoute(link.getAttribute("href")).name === name;
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}
