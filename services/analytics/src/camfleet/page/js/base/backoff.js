// How long to wait before the next try: soon at first, never longer than `longest`.

export class Backoff {
  constructor(first = 500, longest = 5000) {
    this.first = first;
    this.longest = longest;
    this.wait = first;
  }

  next() {
    const wait = this.wait;
    this.wait = Math.min(wait * 2, this.longest);
    return wait;
  }

  reset() {
    this.wait = this.first;
  }
}
