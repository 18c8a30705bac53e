/**
 * Work that has to be done for certain, and not at once: kept, tried again, shared by nodes. Each job may run more than
 * once, where a node dies with the work done and not yet noted; so what a job does has to bear that.
 */
import type { JobKind, JobPayloads } from "./job-kind.ts";
import type { JobStore, StoredJob } from "./job-store.ts";

export interface JobOptions {
  /** A job that waits under the same key gives way to this one; one that is under way does not. */
  readonly key?: string;
  /** At once where absent. */
  readonly runAt?: Date;
  readonly maxAttempts?: number;
  /** Where one of the same key waits already, that one stays as it is, and this one is not needed. */
  readonly keepsOlder?: boolean;
}

/** The job that a handler is called for. `id` is the same at each attempt. */
export interface JobCall {
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
  readonly isLast: boolean;
}

/** Resolves when the work is done; where it rejects, the job comes again. */
export type JobHandlers = {
  readonly [Kind in JobKind]?: (payload: JobPayloads[Kind], call: JobCall) => Promise<void>;
};

/** Work that was given up. */
export interface GivenUp {
  readonly kind: string;
  readonly payload: unknown;
  /** When it was tried last, or would have been tried next. */
  readonly at: Date;
  readonly attempts: number;
  readonly error: string;
}

export interface JobQueue {
  /** Durable when it resolves. */
  add<Kind extends JobKind>(kind: Kind, payload: JobPayloads[Kind], options?: JobOptions): Promise<void>;
  /** Begins to work; once. Jobs of kinds without a handler are left to others. */
  work(handlers: JobHandlers, options: { readonly concurrency: number }): Promise<void>;
  /** The newest first. */
  givenUp(limit: number): Promise<readonly GivenUp[]>;
  /** Takes no more, and resolves when what is under way has come to its end. */
  stop(): Promise<void>;
}

/** The fifteenth attempt comes more than a day after the first. */
export const MAX_ATTEMPTS = 15;

/** 3 s, 7 s, 20 s, and so on up to six hours: as graphile-worker has it. */
export const retrySeconds = (attempt: number): number => Math.exp(Math.min(10, attempt));

export interface StoredQueueTools {
  readonly store: JobStore;
  readonly now: () => Date;
  /** Resolves earlier where the signal says so. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  readonly newId: () => string;
  /** One line for the log. */
  readonly onTrouble: (trouble: string) => void;
  /** How long a job belongs to a process that says nothing; 60 s where absent. */
  readonly leaseSeconds?: number;
  /** How often it is looked for work that others have put there; 5 s where absent. */
  readonly pollSeconds?: number;
}

const LEASE_SECONDS = 60;
const POLL_SECONDS = 5;
const MAX_ERROR_CHARACTERS = 1000;

/** Works in this process; several processes may share the store. */
export function createStoredJobQueue(tools: StoredQueueTools): JobQueue {
  return new StoredJobQueue(tools);
}

class StoredJobQueue implements JobQueue {
  readonly #tools: StoredQueueTools;
  readonly #running = new Set<Promise<void>>();
  #wake = new AbortController();
  #worker: Promise<void> | undefined;
  #isStopping = false;

  constructor(tools: StoredQueueTools) {
    this.#tools = tools;
  }

  async add<Kind extends JobKind>(
    kind: Kind,
    payload: JobPayloads[Kind],
    { key, runAt, maxAttempts = MAX_ATTEMPTS, keepsOlder = false }: JobOptions = {},
  ): Promise<void> {
    const { store, now, newId } = this.#tools;
    await store.add({ id: newId(), kind, key, payload, runAt: runAt ?? now(), maxAttempts, keepsOlder });
    this.#wake.abort();
  }

  async work(handlers: JobHandlers, { concurrency }: { readonly concurrency: number }): Promise<void> {
    if (this.#worker !== undefined) throw new TypeError("this queue is at work already");
    this.#worker = this.#takeTurns(handlers, concurrency);
  }

  async givenUp(limit: number): Promise<readonly GivenUp[]> {
    const { store, now } = this.#tools;
    const jobs = await store.failed(limit, now());
    return jobs.map(({ kind, payload, runAt, attempt, error, isCutOff }) => ({
      kind,
      payload,
      at: runAt,
      attempts: attempt,
      error: isCutOff ? cutOff(error) : error,
    }));
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake.abort();
    await this.#worker;
    await Promise.all(this.#running);
  }

  async #takeTurns(handlers: JobHandlers, concurrency: number): Promise<void> {
    const { store, now, sleep, onTrouble, pollSeconds = POLL_SECONDS } = this.#tools;
    const kinds = Object.keys(handlers) as JobKind[];
    while (!this.#isStopping) {
      this.#wake = new AbortController();
      const free = concurrency - this.#running.size;
      let jobs: readonly StoredJob[] = [];
      if (free > 0) {
        try {
          jobs = await store.lease(kinds, now(), free, this.#leaseEnd());
        } catch (error) {
          onTrouble(`jobs cannot be taken: ${textOf(error)}`);
        }
      }
      for (const job of jobs) this.#start(job, handlers);
      const isMore = free > 0 && jobs.length === free;
      if (!isMore || this.#running.size >= concurrency) await sleep(1000 * pollSeconds, this.#wake.signal);
    }
  }

  #start(job: StoredJob, handlers: JobHandlers): void {
    const done = this.#run(job, handlers).finally(() => {
      this.#running.delete(done);
      this.#wake.abort();
    });
    this.#running.add(done);
  }

  async #run(job: StoredJob, handlers: JobHandlers): Promise<void> {
    const { store, now, onTrouble } = this.#tools;
    const { id, kind, attempt, maxAttempts } = job;
    const over = new AbortController();
    const holding = this.#hold(job, over.signal);
    try {
      const handler = handlers[kind] as (payload: unknown, call: JobCall) => Promise<void>;
      await handler(job.payload, { id, attempt, isLast: attempt >= maxAttempts });
      over.abort();
      await holding;
      await store.complete(id, attempt);
    } catch (error) {
      over.abort();
      await holding;
      const isLast = attempt >= maxAttempts;
      onTrouble(
        `${kind} failed (attempt ${attempt} of ${maxAttempts}${isLast ? ", the last" : ""}): ${textOf(error)}`,
      );
      const retryAt = new Date(now().getTime() + 1000 * retrySeconds(attempt));
      await store
        .fail(id, attempt, retryAt, textOf(error))
        .catch((fault) => onTrouble(`${kind} cannot be noted as failed: ${textOf(fault)}`));
    }
  }

  /** A job stays ours for as long as it takes. */
  async #hold(job: StoredJob, over: AbortSignal): Promise<void> {
    const { store, sleep, onTrouble } = this.#tools;
    while (!over.aborted) {
      await sleep((1000 * this.#leaseSeconds) / 3, over);
      if (over.aborted) return;
      try {
        await store.extend(job.id, job.attempt, this.#leaseEnd());
      } catch (error) {
        onTrouble(`${job.kind} cannot be held: ${textOf(error)}`);
      }
    }
  }

  get #leaseSeconds(): number {
    return this.#tools.leaseSeconds ?? LEASE_SECONDS;
  }

  #leaseEnd(): Date {
    return new Date(this.#tools.now().getTime() + 1000 * this.#leaseSeconds);
  }
}

const cutOff = (before: string): string =>
  `the process ended in the midst of the last attempt${before === "" ? "" : `; before that: ${before}`}`;

const textOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, MAX_ERROR_CHARACTERS);
