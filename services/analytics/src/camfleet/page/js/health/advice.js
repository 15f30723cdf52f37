// What would save how much, worked out from what the cameras cost on this box now.

import { change, wordsOf } from "../base/api.js";
import { button } from "../base/controls.js";
import { hint, setText } from "../base/dom.js";
import { DataTable } from "./data-table.js";

const HEADS = ["Camera", "Change", "Saves", "Why"];

export class Advice {
  constructor(fleet) {
    this.fleet = fleet;
    this.ask = button("Look for savings", () => this.look());
    this.message = hint("Watches every camera for a few seconds, and works out what other settings would save.", { role: "status" });
    this.table = new DataTable("What would save processor time", HEADS, "");
    this.table.element.querySelector("h2").after(this.message, this.ask);
    this.element = this.table.element;
    this.table.show([]);
  }

  showRole() {
    this.element.hidden = !this.fleet.isAdmin;
  }

  async look() {
    this.ask.disabled = true;
    setText(this.message, "Looking for 8 seconds…");
    try {
      const { body } = await change("POST", "/v1/advice");
      this.show(body.cameras);
    } catch (fault) {
      setText(this.message, wordsOf(fault));
    }
    this.ask.disabled = false;
  }

  show(cameras) {
    const rows = cameras.flatMap(({ name, costs, advice }) => advice.map((one) => [name, one.change, savingOf(one, costs), one.because]));
    setText(this.message, rows.length ? "Settings of cameras.yaml, what saves most first. Nothing was changed." : "Nothing worth changing was found.");
    this.table.show(rows);
  }
}

function savingOf({ saves_ms_per_s: saves }, { reader, pipeline, model_server: server }) {
  if (!Number.isFinite(saves)) return "not known";
  const whole = reader + pipeline + (server ?? 0);
  return `${Math.round((100 * saves) / Math.max(whole, 1))} % of this camera`;
}
