/** How many queries one server gets at a time; the others wait in the order they came. */
export class InFlightLimit<Job> {
  readonly #max: number;
  readonly #start: (job: Job) => void;
  readonly #servers = new Map<string, { inFlight: number; waiting: Set<Job> }>();

  constructor(max: number, start: (job: Job) => void) {
    this.#max = max;
    this.#start = start;
  }

  /** Starts the job now, or when it is its turn. */
  enter(server: string, job: Job): void {
    let state = this.#servers.get(server);
    if (state === undefined) {
      state = { inFlight: 0, waiting: new Set() };
      this.#servers.set(server, state);
    }
    if (state.inFlight >= this.#max) {
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
    const [next] = state.waiting;
    if (next !== undefined) {
      state.waiting.delete(next);
      this.#start(next);
    } else if (--state.inFlight === 0) {
      this.#servers.delete(server);
    }
  }
}
