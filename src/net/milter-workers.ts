/**
 * Several processes that take connections at one socket. The first process takes none itself: it holds the socket,
 * starts again what died, adds up what is counted, and passes on what it is told.
 */
import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import type { MetricCounts } from "../milter/metrics.ts";

export interface Crew {
  readonly size: number;
  /** To all processes: take the settings anew. */
  reload(): void;
  /** Of all processes, those that have ended included. */
  counts(): readonly MetricCounts[];
  readonly alive: number;
  /** Resolves when all have ended; who has not after `milliseconds` is ended. */
  stop(milliseconds: number): Promise<void>;
}

export interface CrewOptions {
  readonly size: number;
  /** Where the socket file is to be made; undefined for TCP. */
  readonly madePath: string | undefined;
  /** A socket is made, and has to be put in its place: at the beginning, and after all processes have died. */
  readonly onSocket: () => Promise<void>;
  readonly onTrouble: (text: string) => void;
}

type ToWorker = { readonly kind: "reload" } | { readonly kind: "stop" };
type FromWorker =
  | { readonly kind: "counts"; readonly counts: MetricCounts }
  /** It could not begin. */
  | { readonly kind: "failed"; readonly problem: string };

/** By this the processes know each other. */
export const SOCKET_VARIABLE = "ZONEPOST_MILTER_SOCKET";

/**
 * Nearly all of a message is garbage soon after it: with room for that, hardly any of it is moved. What is left is
 * marked in place: to have other threads do it beside the mail took 40 % more CPU for a message of 1 MB.
 */
const MEMORY_FLAGS = ["--max-semi-space-size=32", "--no-concurrent-marking"];

const COUNT_MILLISECONDS = 1_000;
/** A process that dies again and again is started more and more seldom. */
const FIRST_DELAY_MILLISECONDS = 500;
const LAST_DELAY_MILLISECONDS = 30_000;
/** Who lived so long is not dying again and again. */
const SOUND_MILLISECONDS = 60_000;

export const isCrewMember = (): boolean => cluster.isWorker;

/** Resolves when the first process listens; rejects where it cannot. */
export async function startCrew(options: CrewOptions): Promise<Crew> {
  // Every process takes connections by itself: to hand them on costs more than some unevenness.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ execArgv: [...process.execArgv, ...MEMORY_FLAGS] });
  const latest = new Map<number, MetricCounts>();
  const ended: MetricCounts[] = [];
  const restarts = new Set<NodeJS.Timeout>();
  /** Those that do not listen yet hear nothing yet. */
  const beginning = new Set<Worker>();
  const toReload = new Set<Worker>();
  let hasBegun = false;
  let isStopping = false;
  let listening = 0;
  let failure: string | undefined;
  let delay = FIRST_DELAY_MILLISECONDS;

  const fork = (): Worker => {
    const worker = cluster.fork(
      options.madePath === undefined ? {} : { [SOCKET_VARIABLE]: options.madePath },
    );
    beginning.add(worker);
    const startedAt = performance.now();
    let isListening = false;
    let problem: string | undefined;
    worker.on("message", (message: FromWorker) => {
      if (message.kind === "counts") latest.set(worker.id, message.counts);
      else problem = message.problem;
    });
    worker.on("listening", () => {
      isListening = true;
      listening += 1;
      beginning.delete(worker);
      if (toReload.delete(worker)) say(worker, { kind: "reload" });
      if (listening === 1) options.onSocket().catch((error: Error) => options.onTrouble(error.message));
    });
    worker.on("exit", (code, signal) => {
      if (isListening) listening -= 1;
      beginning.delete(worker);
      toReload.delete(worker);
      const last = latest.get(worker.id);
      latest.delete(worker.id);
      if (last !== undefined) ended.push(counters(last));
      failure ??= problem;
      if (isStopping || !hasBegun) return;
      if (performance.now() - startedAt > SOUND_MILLISECONDS) delay = FIRST_DELAY_MILLISECONDS;
      options.onTrouble(
        `process ${worker.process.pid} ended (${problem ?? signal ?? `exit ${code}`}); another is started`,
      );
      // Where no process is left, nothing else keeps this one alive.
      const restart = setTimeout(() => {
        restarts.delete(restart);
        fork();
      }, delay);
      restarts.add(restart);
      delay = Math.min(2 * delay, LAST_DELAY_MILLISECONDS);
    });
    return worker;
  };

  const first = fork();
  const ready = await Promise.race([
    once(first, "listening").then(() => true),
    once(first, "exit").then(() => false),
  ]);
  if (!ready) {
    isStopping = true;
    throw new Error(failure ?? "the first process ended before it listened");
  }
  hasBegun = true;
  for (let count = 1; count < options.size; count += 1) fork();

  return {
    size: options.size,
    get alive() {
      return listening;
    },
    reload() {
      for (const worker of workersNow()) {
        if (beginning.has(worker)) toReload.add(worker);
        else say(worker, { kind: "reload" });
      }
    },
    counts: () => [...ended, ...latest.values()],
    async stop(milliseconds) {
      isStopping = true;
      for (const restart of restarts) clearTimeout(restart);
      const workers = workersNow();
      const exits = workers.map((worker) => once(worker, "exit"));
      for (const worker of workers) {
        say(worker, { kind: "stop" });
        // Who hears no word yet has no mail either, and dies of the signal; the others do not mind it.
        if (beginning.has(worker)) worker.process.kill("SIGTERM");
      }
      const patience = setTimeout(() => {
        for (const worker of workers) worker.process.kill("SIGKILL");
      }, milliseconds);
      await Promise.all(exits);
      clearTimeout(patience);
    },
  };
}

/** What goes up and down went down with its process. */
const counters = (counts: MetricCounts): MetricCounts =>
  Object.fromEntries(
    Object.entries(counts).filter(([key]) => /_(?:total|bucket|sum|count)(?:\{|$)/.test(key)),
  );

const workersNow = (): Worker[] =>
  Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);

function say(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message);
}

export interface Duty {
  readonly reload: () => void;
  /** Ends when it is told to, or when the first process is gone. */
  readonly stop: () => Promise<void>;
  readonly counts: () => MetricCounts;
}

/**
 * In a process that `startCrew` has started: opens, and does what it is told, until the end. What it is told before
 * it is open is done once it is. Rejects with what `open` rejects with.
 */
export async function serveInCrew(open: () => Promise<Duty>): Promise<void> {
  const begun = Promise.withResolvers<Duty>();
  const reload = () => void begun.promise.then((duty) => duty.reload());
  const told = new Promise<void>((resolve) => {
    process.on("message", (message: ToWorker) => {
      if (message.kind === "reload") reload();
      else resolve();
    });
    process.once("disconnect", () => resolve());
    // Whoever ends a whole group of processes ends the first one too, and that one says when.
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});
    process.on("SIGHUP", reload);
  });
  const duty = await open();
  begun.resolve(duty);
  const report = () => {
    if (process.connected) process.send?.({ kind: "counts", counts: duty.counts() } satisfies FromWorker);
  };
  const reporting = setInterval(report, COUNT_MILLISECONDS);
  await told;
  clearInterval(reporting);
  await duty.stop();
  report();
  if (process.connected) process.disconnect();
}

export async function reportFailure(problem: string): Promise<void> {
  await new Promise<void>((resolve) => {
    if (!process.connected) return resolve();
    process.send?.({ kind: "failed", problem } satisfies FromWorker, () => resolve());
  });
  // Nothing else is to be heard; to listen on would keep the process.
  if (process.connected) process.disconnect();
}
