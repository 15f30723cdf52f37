// A clock that is wrong makes times wrong: says so when viewer and fleet differ by more than a minute.

import { setText } from "../base/dom.js";

const TOLERATED_S = 60;

export class ClockCheck {
  constructor(element) {
    this.element = element;
  }

  // How many seconds the fleet's clock is ahead.
  show(ahead) {
    const isWrong = Math.abs(ahead) > TOLERATED_S;
    this.element.hidden = !isWrong;
    if (isWrong) setText(this.element, `The fleet's clock is ${span(ahead)} ${ahead > 0 ? "ahead of" : "behind"} this device's. Times are the fleet's.`);
  }
}

function span(seconds) {
  const minutes = Math.round(Math.abs(seconds) / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
