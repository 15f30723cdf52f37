// Rate, delay and model of one camera, and why its picture is not analysed.

import { make, setText } from "../base/dom.js";
import { delay, modelName, rate } from "../base/words.js";

export class Figures {
  constructor() {
    this.rate = make("dd");
    this.delay = make("dd");
    this.model = make("dd");
    this.element = make(
      "dl",
      { class: "figures" },
      make("div", { class: "figure-rate" }, make("dt", { text: "Inference" }), this.rate),
      make("div", { class: "figure-delay" }, make("dt", { text: "Latency" }), this.delay),
      make("div", { class: "figure-model" }, make("dt", { text: "Model" }), this.model),
    );
    this.fault = make("p", { class: "model-fault", hidden: true });
  }

  show({ fps, latency_ms: latency, model, state, reason }) {
    setText(this.rate, rate(fps));
    setText(this.delay, delay(latency));
    setText(this.model, modelName(model));
    const fault = model && model.state !== "ok" ? model.reason : state === "LIVE" ? reason : null; // else the picture says it
    this.fault.hidden = !fault;
    setText(this.fault, fault ?? "");
  }
}
