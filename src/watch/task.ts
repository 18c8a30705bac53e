/**
 * Work that somebody waits for and that takes longer than an answer may. It is kept and done by a job, so that it
 * outlives the process that it was begun in; whoever follows it may ask another node.
 */
import type { JobHandlers, JobQueue } from "./job-queue.ts";

export type TaskState = "waiting" | "running" | "done" | "failed";

export interface Task {
  readonly id: string;
  readonly kind: string;
  readonly domain: string | undefined;
  /** Whose domain it is about; for work that is about none, who began it. */
  readonly ownerId: string | undefined;
  /** Plain JSON, as `progress` and `result`. */
  readonly input: unknown;
  readonly startedAt: Date;
  readonly state: TaskState;
  /** How often it was begun; who began it last may change it. */
  readonly attempt: number;
  /** The last that was said of it; null before that. */
  readonly progress: unknown;
  readonly result: unknown;
}

/** How many there are that have not ended. */
export interface TaskCount {
  readonly kind: string;
  readonly ownerId: string | undefined;
  readonly state: "waiting" | "running";
  readonly count: number;
}

export type NewTask = Pick<Task, "id" | "kind" | "domain" | "ownerId" | "input" | "startedAt">;

/** Every method is durable when it resolves, and has changed all or nothing. */
export interface TaskStore {
  /** The one of this kind for this domain that is under way already, or this one. */
  begin(task: NewTask): Promise<Task>;
  underWay(kind: string, domain: string): Promise<Task | undefined>;
  get(id: string): Promise<Task | undefined>;
  /** Undefined where it has ended, or a later attempt has it. */
  claim(id: string, attempt: number): Promise<Task | undefined>;
  /** False where the task is another attempt's, or has ended; so below. */
  note(id: string, attempt: number, progress: unknown): Promise<boolean>;
  end(id: string, attempt: number, state: "done" | "failed", result: unknown, at: Date): Promise<boolean>;
  /** Ends what was begun before, and has not ended by itself. */
  abandon(begunBefore: Date, at: Date): Promise<void>;
  unfinished(): Promise<readonly TaskCount[]>;
  /** What ended before goes. */
  sweep(endedBefore: Date): Promise<void>;
}

/** What a task says to who began it, instead of "something went wrong". */
export class TaskRefusal extends Error {}

/** The process ends, and another goes on with the task. */
export class Interruption extends Error {
  constructor() {
    super("the server stops, and goes on with it after the next start");
  }
}

export interface TaskCall {
  /** From 1: more than 1 where a node died at it, which may have done any part of it. */
  readonly attempt: number;
  /** What is said often is kept now and then. */
  readonly progress: (data: unknown) => void;
}

export interface TaskTools {
  readonly store: TaskStore;
  readonly queue: Pick<JobQueue, "add">;
  readonly now: () => Date;
  readonly newId: () => string;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly onTrouble: (trouble: string, error: unknown) => void;
}

type About = Pick<Task, "kind" | "domain" | "ownerId">;
type Work = (input: never, call: TaskCall) => Promise<unknown>;

/** `busy`: everybody together has begun too much; `enough`: this owner has. */
export type NotBegun = "busy" | "enough";

interface Lane {
  readonly job: "task" | "publish-task";
  /** Of all together. */
  readonly maxWaiting: number;
  /** Of one owner: waiting or under way, so that one never has all the turns (src/main/jobs.ts). */
  readonly maxOfOwner: number;
}

const LOOKS: Lane = { job: "task", maxWaiting: 80, maxOfOwner: 8 };
/** Whoever only looks, and at whatever does not answer, takes no turn of these. */
const PUBLISHES: Lane = { job: "publish-task", maxWaiting: 40, maxOfOwner: 12 };
/** A task is tried again where a node died or was stopped, and not where it failed. */
const MAX_ATTEMPTS = 10;
const KEEP_MILLISECONDS = 3_600_000;
/** An apply waits for caches: a day, or two. */
const LONGEST_MILLISECONDS = 60 * 3_600_000;
const NOTE_MILLISECONDS = 300;
/** Of what happens here, followers hear at once; of other nodes they have to ask. */
const ASK_MILLISECONDS = 700;

const sum = (counts: readonly TaskCount[]): number => counts.reduce((all, { count }) => all + count, 0);

export class Tasks {
  readonly #tools: TaskTools;
  readonly #works = new Map<string, { readonly work: Work; readonly lane: Lane }>();
  #begun: Promise<unknown> = Promise.resolve();
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(tools: TaskTools) {
    this.#tools = tools;
  }

  /** Says what a kind of task does; what it gives back begins one, or says that there is too much to do already. */
  define<Input>(
    kind: string,
    work: (input: Input, call: TaskCall) => Promise<unknown>,
    { publishes = false }: { readonly publishes?: boolean } = {},
  ): (about: Omit<About, "kind">, input: Input) => Promise<Task | NotBegun> {
    const lane = publishes ? PUBLISHES : LOOKS;
    this.#works.set(kind, { work: work as Work, lane });
    return (about, input) => {
      // One after the other: of many at once, each counts those before it.
      const begun = this.#begun.then(() => this.#start({ ...about, kind }, input, lane));
      this.#begun = begun.catch(() => undefined);
      return begun;
    };
  }

  async #start(about: About, input: unknown, lane: Lane): Promise<Task | NotBegun> {
    const { store, queue, now, newId } = this.#tools;
    const at = now();
    await store.abandon(new Date(at.getTime() - LONGEST_MILLISECONDS), at);
    if (about.domain === undefined || (await store.underWay(about.kind, about.domain)) === undefined) {
      const full = await this.#fullFor(about, lane);
      if (full !== undefined) return full;
    }
    const task = await store.begin({ ...about, id: newId(), input, startedAt: at });
    // Also for one that is there already: who began it may have died before this.
    if (task.state === "waiting") {
      const { id } = task;
      await queue.add(lane.job, { id }, { key: `task ${id}`, maxAttempts: MAX_ATTEMPTS });
    }
    return task;
  }

  async #fullFor({ ownerId }: About, lane: Lane): Promise<NotBegun | undefined> {
    const all = (await this.#tools.store.unfinished()).filter(
      ({ kind }) => this.#works.get(kind)?.lane === lane,
    );
    if (ownerId !== undefined && sum(all.filter((one) => one.ownerId === ownerId)) >= lane.maxOfOwner)
      return "enough";
    if (sum(all.filter(({ state }) => state === "waiting")) >= lane.maxWaiting) return "busy";
    return undefined;
  }

  get(id: string): Promise<Task | undefined> {
    return this.#tools.store.get(id);
  }

  async counts(): Promise<{ readonly waiting: number; readonly running: number }> {
    const all = await this.#tools.store.unfinished();
    const of = (state: TaskCount["state"]) => sum(all.filter((one) => one.state === state));
    return { waiting: of("waiting"), running: of("running") };
  }

  async sweep(): Promise<void> {
    const { store, now } = this.#tools;
    await store.sweep(new Date(now().getTime() - KEEP_MILLISECONDS));
  }

  /** The task each time that it has changed, until it has ended, is gone, or nobody listens any more. */
  async *follow(id: string, signal: AbortSignal): AsyncGenerator<Task> {
    let before: string | undefined;
    while (!signal.aborted) {
      const changed = this.#changeOf(id, signal);
      const task = await this.get(id);
      if (task === undefined) return changed.cancel();
      const text = JSON.stringify([task.state, task.attempt, task.progress]);
      if (text !== before) yield task;
      before = text;
      if (task.state === "done" || task.state === "failed") return changed.cancel();
      await Promise.race([changed.promise, this.#tools.sleep(ASK_MILLISECONDS)]);
      changed.cancel();
    }
  }

  readonly handlers: Required<Pick<JobHandlers, Lane["job"]>> = {
    task: ({ id }, { attempt, isLast }) => this.#run(id, attempt, isLast),
    "publish-task": ({ id }, { attempt, isLast }) => this.#run(id, attempt, isLast),
  };

  async #run(id: string, attempt: number, isLast: boolean): Promise<void> {
    const { store, now, onTrouble } = this.#tools;
    const task = await store.claim(id, attempt);
    if (task === undefined) return;
    this.#tell(id);
    const end = async (state: "done" | "failed", result: unknown) => {
      await store.end(id, attempt, state, result, now());
      this.#tell(id);
    };
    const work = this.#works.get(task.kind)?.work;
    if (work === undefined) return end("failed", { what: "this version of the server cannot do that" });
    const notes = this.#notes(id, attempt);
    try {
      const result = await work(task.input as never, { attempt, progress: notes.add });
      await notes.settle();
      await end("done", result);
    } catch (error) {
      await notes.settle();
      if (error instanceof Interruption && !isLast) throw error;
      if (error instanceof TaskRefusal) return end("failed", { what: error.message });
      onTrouble(
        `${task.kind} of ${task.domain ?? "no domain"}${isLast ? " (for the last time)" : ""}`,
        error,
      );
      await end("failed", { what: "it failed for a reason that is in the server's log" });
    }
  }

  /** Writes the latest word, and no more often than people can read. */
  #notes(id: string, attempt: number) {
    const { store, sleep, onTrouble } = this.#tools;
    let latest: { readonly data: unknown } | undefined;
    let writing: Promise<void> | undefined;
    let isOver = false;
    const write = async () => {
      while (latest !== undefined && !isOver) {
        const { data } = latest;
        latest = undefined;
        await store.note(id, attempt, data);
        this.#tell(id);
        await sleep(NOTE_MILLISECONDS);
      }
    };
    return {
      add: (data: unknown) => {
        latest = { data };
        writing ??= write()
          .catch((error) => onTrouble("progress cannot be noted", error))
          .finally(() => {
            writing = undefined;
          });
      },
      settle: async () => {
        isOver = true;
        await writing;
      },
    };
  }

  #tell(id: string): void {
    for (const listener of this.#listeners.get(id) ?? []) listener();
  }

  #changeOf(
    id: string,
    signal: AbortSignal,
  ): { readonly promise: Promise<void>; readonly cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(resolve));
    signal.addEventListener("abort", () => resolve(), { once: true });
    const cancel = () => {
      listeners.delete(resolve);
      if (listeners.size === 0) this.#listeners.delete(id);
      resolve();
    };
    return { promise, cancel };
  }
}
