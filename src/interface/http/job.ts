/** Work that takes longer than an answer may: begun, followed, and asked for later. Bounded in every direction. */
import { newId } from "../../access/audit.ts";
import type { RandomOctets } from "../../access/password.ts";
import { Refusal } from "./problem.ts";

export interface JobEvent {
  readonly name: "progress" | "done" | "failed";
  readonly data: unknown;
}

export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly domain: string | undefined;
  /** Whose domain it is about; for work that is about none, who began it. */
  readonly ownerId: string | undefined;
  readonly startedAt: Date;
  readonly state: "waiting" | "running" | "done" | "failed";
  readonly events: readonly JobEvent[];
  readonly result: unknown;
}

const MAX_RUNNING = 4;
const MAX_WAITING = 100;
const MAX_KEPT = 500;
const KEEP_MILLISECONDS = 3_600_000;
const MAX_EVENTS = 200;

type Listener = (event: JobEvent) => void;

interface Kept extends Job {
  state: Job["state"];
  events: JobEvent[];
  result: unknown;
  endedAt: Date | undefined;
  listeners: Set<Listener>;
}

export class Jobs {
  readonly #jobs = new Map<string, Kept>();
  readonly #waiting: (() => void)[] = [];
  readonly #work = new Set<Promise<void>>();
  #running = 0;
  readonly #random: RandomOctets;
  readonly #now: () => Date;
  readonly #onTrouble: (kind: string, error: unknown) => void;

  constructor(random: RandomOctets, now: () => Date, onTrouble: (kind: string, error: unknown) => void) {
    this.#random = random;
    this.#now = now;
    this.#onTrouble = onTrouble;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** The one of this kind for this domain that is under way already, or a new one. */
  start(
    about: Pick<Job, "kind" | "domain" | "ownerId">,
    work: (progress: (data: unknown) => void) => Promise<unknown>,
  ): Job {
    this.#forgetOld();
    const same = [...this.#jobs.values()].find(
      ({ kind, domain, state }) =>
        domain !== undefined &&
        kind === about.kind &&
        domain === about.domain &&
        (state === "waiting" || state === "running"),
    );
    if (same !== undefined) return same;
    if (this.#waiting.length >= MAX_WAITING || this.#jobs.size >= MAX_KEPT)
      throw new Refusal("busy", "there is too much to do already", "try again in a minute", {
        retryAfterSeconds: 60,
      });
    const job: Kept = {
      ...about,
      id: newId(this.#random),
      startedAt: this.#now(),
      state: "waiting",
      events: [],
      result: undefined,
      endedAt: undefined,
      listeners: new Set(),
    };
    this.#jobs.set(job.id, job);
    const done = this.#run(job, work).finally(() => this.#work.delete(done));
    this.#work.add(done);
    return job;
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** What has happened so far, then what happens. The end is an event too. */
  follow(id: string, listener: Listener): () => void {
    const job = this.#jobs.get(id);
    if (job === undefined) return () => {};
    for (const event of job.events) listener(event);
    job.listeners.add(listener);
    return () => job.listeners.delete(listener);
  }

  /** Resolves when all that was begun has ended. */
  async settle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  async #run(job: Kept, work: (progress: (data: unknown) => void) => Promise<unknown>): Promise<void> {
    if (this.#running >= MAX_RUNNING) await new Promise<void>((go) => this.#waiting.push(go));
    this.#running += 1;
    job.state = "running";
    try {
      job.result = await work((data) => this.#tell(job, { name: "progress", data }));
      job.state = "done";
      this.#tell(job, { name: "done", data: job.result });
    } catch (error) {
      job.state = "failed";
      const what =
        error instanceof Refusal ? error.message : "it failed for a reason that is in the server's log";
      job.result = { what };
      if (!(error instanceof Refusal)) this.#onTrouble(job.kind, error);
      this.#tell(job, { name: "failed", data: job.result });
    } finally {
      job.endedAt = this.#now();
      job.listeners.clear();
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  #tell(job: Kept, event: JobEvent): void {
    if (job.events.length >= MAX_EVENTS) job.events.splice(0, 1);
    job.events.push(event);
    for (const listener of job.listeners) listener(event);
  }

  #forgetOld(): void {
    const now = this.#now().getTime();
    const ended = [...this.#jobs.values()].filter(({ endedAt }) => endedAt !== undefined);
    for (const { id, endedAt } of ended)
      if (now - endedAt!.getTime() > KEEP_MILLISECONDS) this.#jobs.delete(id);
    for (const { id } of ended.slice(0, Math.max(0, this.#jobs.size - MAX_KEPT / 2))) this.#jobs.delete(id);
  }
}
