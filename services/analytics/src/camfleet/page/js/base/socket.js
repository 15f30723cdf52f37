// A WebSocket that comes back by itself until it is closed; state() hears "connected", "reconnecting" or "locked".

import { Backoff } from "./backoff.js";

const KEY_NEEDED = 4401;

export class Socket {
  // address() gives path and query anew for each try.
  constructor(address, { message, state = () => {} }) {
    this.address = address;
    this.message = message;
    this.state = state;
    this.backoff = new Backoff();
    this.closed = false;
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.address()}`);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.state("connected");
    socket.onmessage = (event) => {
      this.backoff.reset();
      if (!this.closed) this.message(event.data);
    };
    socket.onclose = ({ code }) => this.retry(code === KEY_NEEDED ? "locked" : "reconnecting");
  }

  retry(why) {
    if (this.closed) return;
    this.state(why);
    this.timer = setTimeout(() => this.open(), this.backoff.next());
  }

  // Drops the connection and opens a new one at once.
  restart() {
    this.socket.onclose = null;
    this.socket.onmessage = null;
    this.socket.close();
    if (!this.closed) this.open();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket.close();
  }
}
