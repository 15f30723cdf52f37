// Asks /v1/status every two seconds, as long as the page is seen.

const EVERY_MS = 2000;
const MISSES_ALLOWED = 1;

export class StatusPoll {
  constructor({ news, lost, locked }) {
    Object.assign(this, { news, lost, locked, answeredAt: null, missed: 0, running: false });
    document.addEventListener("visibilitychange", () => document.hidden || this.ask());
    this.ask();
  }

  async ask() {
    if (this.running) return;
    this.running = true;
    clearTimeout(this.timer);
    await this.tryOnce();
    this.running = false;
    this.timer = setTimeout(() => this.ask(), document.hidden ? 10 * EVERY_MS : EVERY_MS);
  }

  async tryOnce() {
    try {
      const answer = await fetch("/v1/status", { cache: "no-store", signal: AbortSignal.timeout(2 * EVERY_MS) });
      if (answer.status === 401 || answer.status === 403) return this.locked();
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const status = await answer.json();
      this.answeredAt = new Date();
      this.missed = 0;
      this.news(status);
    } catch {
      this.missed += 1;
      if (this.missed > MISSES_ALLOWED || !this.answeredAt) this.lost(this.answeredAt);
    }
  }
}
