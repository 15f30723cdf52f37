// All events: newest first, chosen, looked at, exported; what comes now is added on top.

import { ask, wordsOf } from "../base/api.js";
import { button, buttons } from "../base/controls.js";
import { hint, make, setText, viewHead } from "../base/dom.js";
import { CountPlots } from "../camera/count-plots.js";
import { rewrite } from "../shell/router.js";
import { EventDetail } from "./event-detail.js";
import { eventRow } from "./event-row.js";
import { Filter } from "./filter.js";
import { HeatCard } from "./heat-card.js";

const PAGE = 60;
const MOST = 1000; // rows before those that came are let go

export class EventsView {
  constructor(fleet) {
    this.fleet = fleet;
    this.filter = new Filter(fleet, () => this.chosen());
    this.list = make("ol", { class: "long-list", "aria-label": "Events, newest first" });
    this.state = hint("", { role: "status" });
    this.more = button("Show older ones", () => this.load(this.following), { hidden: true });
    this.detail = new EventDetail(fleet);
    this.insights = make("div", { class: "insights" });
    const head = viewHead("Events", buttons(this.exportLink("csv", "Export as CSV"), this.exportLink("json", "Export as JSON")));
    const left = make("div", { class: "events-left" }, this.state, make("div", { class: "card card-flush" }, this.list), this.more);
    this.element = make("div", {}, head, this.filter.element, make("div", { class: "split" }, left, make("div", { class: "split-side" }, this.detail.element, this.insights)));
    this.seen = new Set();
  }

  exportLink(format, words) {
    const link = make("a", { class: "button", href: "#", text: words });
    link.addEventListener("click", () => (link.href = `/v1/events?${this.filter.query({ format, export: "1" })}`));
    return link;
  }

  enter({ query }) {
    this.filter.set(query);
    this.restart();
  }

  leave() {
    this.plots?.stop();
  }

  chosen() {
    rewrite("events", [], this.filter.values);
    this.restart();
  }

  restart() {
    this.detail.clear();
    this.showInsights();
    setText(this.state, "Loading…");
    return this.load(null);
  }

  // Plots and heat are of one camera: the chosen one, else the first.
  showInsights() {
    const name = this.filter.values.camera || this.fleet.status?.cameras[0]?.name;
    if (!name || name === this.shownCamera) return this.plots?.start();
    this.plots?.stop();
    this.shownCamera = name;
    this.plots = new CountPlots(this.fleet, name);
    this.insights.replaceChildren(make("h2", { class: "of-camera", text: name }), this.plots.element, new HeatCard(name).element);
    this.plots.start();
  }

  async load(before) {
    const question = (this.question = {});
    try {
      const { body } = await ask(`/v1/events?${this.filter.query({ limit: PAGE, before })}`);
      if (this.question !== question) return; // the choice changed meanwhile
      if (!before) this.clear();
      for (const envelope of body.events) this.append(envelope);
      this.following = body.next;
      this.more.hidden = !body.next;
      if (body.next && !body.events.length) return this.load(body.next); // what is wanted is rare, and older
      setText(this.state, this.list.children.length ? "" : "No event matches this filter. Events are kept until 100,000 newer ones have come.");
    } catch (fault) {
      if (this.question === question) setText(this.state, wordsOf(fault));
    }
  }

  clear() {
    this.seen.clear();
    this.list.replaceChildren();
  }

  append(envelope) {
    if (!this.isNew(envelope)) return;
    this.list.append(this.row(envelope));
  }

  isNew({ event_id: id }) {
    if (this.seen.has(id)) return false;
    this.seen.add(id);
    return true;
  }

  row(envelope) {
    const row = eventRow(envelope, (one, element) => this.open(one, element));
    row.picture(this.fleet);
    return row;
  }

  open(envelope, element) {
    this.list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    element.setAttribute("aria-current", "true");
    this.detail.show(envelope, this.fleet.camera(envelope.camera));
  }

  showStatus(status) {
    this.filter.nameCameras(status.cameras.map(({ name }) => name));
    this.list.classList.toggle("is-plain", !status.cameras.some(({ recording }) => recording));
    if (!this.shownCamera) this.showInsights();
    if (this.list.children.length > MOST && !scrollY) this.load(null);
    for (const row of this.list.children) row.picture(this.fleet);
  }

  showEnvelope(envelope) {
    if (!envelope.results?.event_label || !this.filter.takes(envelope) || !this.isNew(envelope)) return;
    setText(this.state, "");
    this.list.prepend(this.row(envelope));
  }
}
