/** One coarse timer for very many short waits: starting and ending a wait costs no timer of its own. */

/** Something that waits; `dueTick` belongs to the wheel. */
export interface Waiting {
  dueTick: number;
  /** The wait is over. */
  expire(): void;
}

const TICK_MILLISECONDS = 20;
const NOT_WAITING = -1;

export class TimerWheel {
  readonly #slots = new Map<number, Set<Waiting>>();
  #timer: NodeJS.Timeout | undefined;
  #lastTick = 0;

  /** Starts the wait anew. It ends up to two ticks (40 ms) late, never early. */
  wait(waiting: Waiting, milliseconds: number): void {
    if (this.#timer === undefined) {
      this.#lastTick = currentTick();
      this.#timer = setInterval(this.#turn, TICK_MILLISECONDS);
    }
    const tick = Math.max(
      this.#lastTick + 1,
      Math.ceil((performance.now() + milliseconds) / TICK_MILLISECONDS),
    );
    this.stop(waiting);
    waiting.dueTick = tick;
    const slot = this.#slots.get(tick);
    if (slot === undefined) this.#slots.set(tick, new Set([waiting]));
    else slot.add(waiting);
  }

  /** Lets go of it at once: answers held until their timeout would live long enough to burden the collector. */
  stop(waiting: Waiting): void {
    if (waiting.dueTick === NOT_WAITING) return;
    this.#slots.get(waiting.dueTick)?.delete(waiting);
    waiting.dueTick = NOT_WAITING;
  }

  /** Packets that wait in the kernel are read first: a busy process must not take its own delay for the server's. */
  readonly #turn = (): void => {
    setImmediate(this.#expireDue, currentTick());
  };

  readonly #expireDue = (now: number): void => {
    for (; this.#lastTick < now; ) {
      const tick = ++this.#lastTick;
      const slot = this.#slots.get(tick);
      if (slot === undefined) continue;
      this.#slots.delete(tick);
      for (const waiting of slot) {
        if (waiting.dueTick !== tick) continue; // stopped by one that expired before it
        waiting.dueTick = NOT_WAITING;
        waiting.expire();
      }
    }
    if (this.#slots.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  };
}

function currentTick(): number {
  return Math.floor(performance.now() / TICK_MILLISECONDS);
}
