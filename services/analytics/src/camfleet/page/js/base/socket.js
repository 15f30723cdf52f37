// A WebSocket that comes back by itself until it is closed; state() hears "connected", "reconnecting" or "locked".

const KEY_NEEDED = 4401;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;

export class Socket {
  // address() gives path and query anew for each try.
  constructor(address, { message, state = () => {} }) {
    Object.assign(this, { address, message, state, wait: FIRST_WAIT_MS, closed: false });
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.address()}`);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.state("connected");
    socket.onmessage = (event) => {
      this.wait = FIRST_WAIT_MS;
      if (!this.closed) this.message(event.data);
    };
    socket.onclose = ({ code }) => this.retry(code === KEY_NEEDED ? "locked" : "reconnecting");
  }

  retry(why) {
    if (this.closed) return;
    this.state(why);
    this.timer = setTimeout(() => this.open(), this.wait);
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT_MS);
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
