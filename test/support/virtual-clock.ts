/** Time that passes when everybody waits: a month in seconds. */
import { setImmediate as breathe } from "node:timers/promises";

export class VirtualClock {
  #now: number;
  readonly #waiting = new Set<{ at: number; wake: () => void }>();

  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  readonly now = (): Date => new Date(this.#now);

  readonly sleep = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const waiter = { at: this.#now + Math.max(1, milliseconds), wake: resolve };
      this.#waiting.add(waiter);
      signal?.addEventListener("abort", () => this.#waiting.delete(waiter) && resolve(), { once: true });
    });

  async runUntil(end: Date): Promise<void> {
    for (;;) {
      for (let turn = 0; turn < 3; turn++) await breathe();
      const next = Math.min(...[...this.#waiting].map(({ at }) => at));
      if (next > end.getTime()) {
        this.#now = end.getTime();
        return;
      }
      this.#now = Math.max(this.#now, next);
      for (const waiter of this.#waiting) {
        if (waiter.at > this.#now) continue;
        this.#waiting.delete(waiter);
        waiter.wake();
      }
    }
  }
}
