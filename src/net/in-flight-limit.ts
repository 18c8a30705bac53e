interface ServerQueue<Job> {
  inFlight: number;
  readonly waiting: Set<Job>;
  /** Walks through `waiting` once: the first of a set is slow to find where many before it were deleted. */
  order: Iterator<Job>;
}

/** How many queries one server gets at a time; the others wait in the order they came. */
export class InFlightLimit<Job> {
  readonly #max: number;
  readonly #start: (job: Job) => void;
  readonly #servers = new Map<string, ServerQueue<Job>>();

  constructor(max: number, start: (job: Job) => void) {
    this.#max = max;
    this.#start = start;
  }

  /** Starts the job now, or when it is its turn. */
  enter(server: string, job: Job): void {
    let state = this.#servers.get(server);
    if (state === undefined) {
      state = { inFlight: 0, waiting: new Set(), order: [].values() };
      this.#servers.set(server, state);
    }
    if (state.inFlight >= this.#max) {
      if (state.waiting.size === 0) state.order = state.waiting.values();
      state.waiting.add(job);
      return;
    }
    state.inFlight++;
    this.#start(job);
  }

  /** The job is over, whether it was started or still waited. */
  leave(server: string, job: Job): void {
    const state = this.#servers.get(server);
    if (state === undefined || state.waiting.delete(job)) return;
    const next = state.waiting.size === 0 ? undefined : state.order.next();
    if (next !== undefined && !next.done) {
      state.waiting.delete(next.value);
      this.#start(next.value);
    } else if (--state.inFlight === 0) {
      this.#servers.delete(server);
    }
  }
}
