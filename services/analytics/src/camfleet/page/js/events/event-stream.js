// Results and events from /v1/stream; after a break it goes on where it was.

import { Socket } from "../base/socket.js";

const SHOWN_AT_FIRST = 40;

export class EventStream {
  // `newest`: seq and epoch of the latest event, where known; a page that opens shows a few before it.
  constructor({ received, state, newest }) {
    this.received = received;
    this.seq = newest ? Math.max(0, newest.seq - SHOWN_AT_FIRST) : null;
    this.epoch = newest?.epoch ?? null;
    this.socket = new Socket(() => this.address(), { message: (text) => this.read(text), state });
  }

  address() {
    if (this.seq === null) return "/v1/stream";
    return `/v1/stream?since=${this.seq}&epoch=${encodeURIComponent(this.epoch ?? "")}`;
  }

  read(text) {
    const envelope = JSON.parse(text);
    if (Number.isInteger(envelope.seq)) {
      this.seq = envelope.seq;
      this.epoch = envelope.epoch;
    }
    this.received(envelope);
  }
}
