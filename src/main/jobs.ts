/** The queue of jobs, in this process or on PostgreSQL. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { JobKind } from "../watch/job-kind.ts";
import { createStoredJobQueue, type JobQueue, MAX_ATTEMPTS } from "../watch/job-queue.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * Tasks wait for caches, for hours perhaps: they have turns of their own, so that nothing else waits for them. On
 * PostgreSQL nodes share the jobs; otherwise they are this process's own.
 */
export function openJobQueue(around: Surroundings, onTrouble: (trouble: string) => void): JobQueue {
  const open = () => openLane(around, onTrouble);
  const [looks, publishes, others] = [open(), open(), open()];
  const laneOf = (kind: JobKind) => (kind === "task" ? looks : kind === "publish-task" ? publishes : others);
  return {
    add: (kind, ...rest) => laneOf(kind).add(kind, ...rest),
    async work({ task, "publish-task": publishTask, ...rest }, { concurrency }) {
      if (task !== undefined) await looks.work({ task }, { concurrency: LOOKS_AT_ONCE });
      if (publishTask !== undefined)
        await publishes.work({ "publish-task": publishTask }, { concurrency: PUBLISHES_AT_ONCE });
      await others.work(rest, { concurrency });
    },
    givenUp: (limit) => others.givenUp(limit),
    async stop() {
      await Promise.all([looks.stop(), publishes.stop(), others.stop()]);
    },
  };
}

/** Servers that do not answer hold these up, and nothing that publishes. */
const LOOKS_AT_ONCE = 16;
/** Most of them sleep. */
const PUBLISHES_AT_ONCE = 24;

function openLane(
  { state: { jobs }, databaseUrl: url }: Surroundings,
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
    const { openGraphileJobQueue } = await import("../net/graphile-job-queue.ts");
    return openGraphileJobQueue({ url, onTrouble, maxAttempts: MAX_ATTEMPTS });
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
