/** The queue of jobs, in this process or on PostgreSQL. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { JobKind } from "../watch/job-kind.ts";
import { createStoredJobQueue, type JobHandlers, type JobQueue, MAX_ATTEMPTS } from "../watch/job-queue.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * What publishes waits for caches, for hours perhaps; what looks, for servers that do not answer; and after an outage the
 * keys of all domains are due at once. So each has turns of its own, and so have alerts, which wait for nothing else. On
 * PostgreSQL nodes share the jobs; otherwise they are this process's own.
 */
export function openJobQueue(around: QueueAround, onTrouble: (trouble: string) => void): JobQueue {
  const open = () => openLane(around, onTrouble);
  const others = open();
  const lanes = LANES.map((lane) => ({ ...lane, queue: open() }));
  const queues = [others, ...lanes.map(({ queue }) => queue)];
  const laneOf = (kind: JobKind) => lanes.find(({ kinds }) => kinds.includes(kind))?.queue ?? others;
  const handlersIn = (handlers: JobHandlers, queue: JobQueue): JobHandlers =>
    Object.fromEntries(Object.entries(handlers).filter(([kind]) => laneOf(kind as JobKind) === queue));
  return {
    add: (kind, ...rest) => laneOf(kind).add(kind, ...rest),
    async work(handlers, { concurrency }) {
      for (const { queue, atOnce } of [...lanes, { queue: others, atOnce: concurrency }]) {
        const some = handlersIn(handlers, queue);
        if (Object.keys(some).length > 0) await queue.work(some, { concurrency: atOnce });
      }
    },
    givenUp: (limit) => others.givenUp(limit),
    async stop() {
      await Promise.all(queues.map((queue) => queue.stop()));
    },
  };
}

export interface QueueAround {
  readonly state: Pick<Surroundings["state"], "jobs">;
  readonly databaseUrl: Surroundings["databaseUrl"];
}

const LANES: readonly { readonly kinds: readonly JobKind[]; readonly atOnce: number }[] = [
  // Servers that do not answer hold these up.
  { kinds: ["task"], atOnce: 16 },
  // Most of them sleep, for as long as caches hold what goes.
  { kinds: ["publish-task"], atOnce: 64 },
  // A receiver that is silent holds one for some seconds.
  { kinds: ["alert-round", "alert-delivery", "weekly-digest"], atOnce: 4 },
];

function openLane(
  { state: { jobs }, databaseUrl: url }: QueueAround,
  onTrouble: (trouble: string) => void,
): JobQueue {
  if (url === undefined)
    return createStoredJobQueue({
      store: jobs,
      now: () => new Date(),
      sleep: sleepUnless,
      newId: randomUUID,
      onTrouble,
    });
  return openAtFirstUse(async () => {
    const [{ openGraphileJobQueue }, { endWhereSilent }] = await Promise.all([
      import("../net/graphile-job-queue.ts"),
      import("../store/silent-line.ts"),
    ]);
    return openGraphileJobQueue({
      url,
      onTrouble,
      onConnection: endWhereSilent,
      maxAttempts: MAX_ATTEMPTS,
    });
  });
}

/** Its library takes long to load: the server listens first. */
function openAtFirstUse(open: () => Promise<JobQueue>): JobQueue {
  let opening: Promise<JobQueue> | undefined;
  const opened = (): Promise<JobQueue> => {
    opening ??= open().catch((error) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    add: async (...words) => (await opened()).add(...words),
    work: async (...words) => (await opened()).work(...words),
    givenUp: async (...words) => (await opened()).givenUp(...words),
    stop: async () => (await opening)?.stop(),
  };
}

/** Resolves earlier where the signal says so. */
export const sleepUnless = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal }).catch(() => undefined);
