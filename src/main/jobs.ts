/** The queue of jobs, in this process or on PostgreSQL. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { JobKind } from "../watch/job-kind.ts";
import { createStoredJobQueue, type JobQueue, MAX_ATTEMPTS } from "../watch/job-queue.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * Tasks wait for caches, for hours perhaps, and after an outage the keys of all domains are due at once: each has turns
 * of its own, and so have alerts, which wait for nothing else. On PostgreSQL nodes share the jobs; otherwise they are
 * this process's own.
 */
export function openJobQueue(around: QueueAround, onTrouble: (trouble: string) => void): JobQueue {
  const [tasks, alerts, others] = [
    openLane(around, onTrouble),
    openLane(around, onTrouble),
    openLane(around, onTrouble),
  ];
  const laneOf = (kind: JobKind) => (kind === "task" ? tasks : isAlert(kind) ? alerts : others);
  return {
    add: (kind, ...rest) => laneOf(kind).add(kind, ...rest),
    async work({ task, ...handlers }, { concurrency }) {
      const { "alert-round": round, "alert-delivery": delivery, "weekly-digest": digest, ...rest } = handlers;
      const telling = {
        ...(round && { "alert-round": round }),
        ...(delivery && { "alert-delivery": delivery }),
        ...(digest && { "weekly-digest": digest }),
      };
      if (task !== undefined) await tasks.work({ task }, { concurrency: TASKS_AT_ONCE });
      if (Object.keys(telling).length > 0) await alerts.work(telling, { concurrency: ALERTS_AT_ONCE });
      await others.work(rest, { concurrency });
    },
    givenUp: (limit) => others.givenUp(limit),
    async stop() {
      await Promise.all([tasks.stop(), alerts.stop(), others.stop()]);
    },
  };
}

export interface QueueAround {
  readonly state: Pick<Surroundings["state"], "jobs">;
  readonly databaseUrl: Surroundings["databaseUrl"];
}

/** Most of them sleep. */
const TASKS_AT_ONCE = 24;
/** A receiver that is silent holds one for some seconds. */
const ALERTS_AT_ONCE = 4;

const isAlert = (kind: JobKind): boolean =>
  kind === "alert-round" || kind === "alert-delivery" || kind === "weekly-digest";

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
