// What every view may know: the newest status and events, who looks, and how to ask for news at once.

const REMEMBERED = 300;

export class Fleet {
  constructor() {
    this.events = []; // of the live stream, oldest first
    this.status = null;
    this.session = null;
    this.aheadMs = 0; // its clock, of this device's
    this.refresh = () => {};
  }

  // By the fleet's clock, which all times are of.
  get now() {
    return new Date(Date.now() + this.aheadMs);
  }

  get isAdmin() {
    return this.session?.role === "admin";
  }

  remember(event) {
    this.events.push(event);
    if (this.events.length > REMEMBERED) this.events.shift();
  }

  camera(name) {
    return this.status?.cameras.find((camera) => camera.name === name) ?? null;
  }
}
