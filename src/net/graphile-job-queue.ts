/**
 * Jobs on PostgreSQL, shared by any number of nodes, kept by graphile-worker. What it leaves open is added: a node that
 * died holds its jobs for four hours there. So each node holds a lock on a connection of its own, and who finds the lock
 * of another free gives that one's jobs back.
 */
import { EventEmitter } from "node:events";
import {
  Logger,
  makeWorkerUtils,
  type Runner,
  run,
  type TaskList,
  type WorkerEvents,
  type WorkerUtils,
} from "graphile-worker";
import pg from "pg";
import type { JobKind, JobPayloads } from "../watch/job-kind.ts";
import type { GivenUp, JobCall, JobHandlers, JobOptions, JobQueue } from "../watch/job-queue.ts";

export interface GraphileJobQueueOptions {
  readonly url: string;
  /** One line for the log. */
  readonly onTrouble: (trouble: string) => void;
  /** How often it is looked for jobs that are due, where nobody has told; 2 s where absent. */
  readonly pollMilliseconds?: number;
  /** How often it is looked for dead nodes; one is dead that was found so twice. 15 s where absent. */
  readonly rescueMilliseconds?: number;
  /** So long the database may be silent where a job is added; 10 s where absent. */
  readonly silenceMilliseconds?: number;
  /** Sees to it that no connection is used again whose server was silent. */
  readonly onConnection: (client: pg.PoolClient) => void;
  readonly maxAttempts: number;
}

const POLL_MILLISECONDS = 2_000;
const RESCUE_MILLISECONDS = 15_000;
/** In a row, at asking for a job: the workers cling to connections that broke, and are begun anew. */
const MAX_FAILURES = 5;
/**
 * A database has a hundred for everybody, and there are four queues in each node: five connections each, with the one
 * that holds the lock. Jobs are added, and dead nodes looked for, one after the other.
 */
const MAX_CONNECTIONS = 1;
/** To take a job and to end it takes a moment each: the workers take turns. */
const WORKERS_CONNECTIONS = 1;
/** Beside these: what fetches jobs, and what hears of new ones. */
const SPARE_CONNECTIONS = 2;
const CONNECT_MILLISECONDS = 5_000;
/** Where the server is gone without a word, such as behind a cut line; and how long such a connection is used again. */
const SILENCE_MILLISECONDS = 45_000;
/** Somebody waits for what is added. */
const ADD_SILENCE_MILLISECONDS = 10_000;
const LIFETIME_SECONDS = 60;
/** The system's own is two hours; what stands in between forgets an idle connection sooner. */
const KEEP_ALIVE_MILLISECONDS = 30_000;
/** The table of the library that says who holds what. */
const HELD = "SELECT DISTINCT locked_by FROM graphile_worker._private_jobs WHERE locked_by IS NOT NULL";
const GIVEN_UP = `SELECT task.identifier AS kind, job.payload, job.run_at AS at, job.attempts, job.last_error AS error
  FROM graphile_worker._private_jobs AS job JOIN graphile_worker._private_tasks AS task ON task.id = job.task_id
  WHERE job.attempts >= job.max_attempts AND job.locked_at IS NULL ORDER BY job.run_at DESC LIMIT $1`;
const SWEEP = {
  text: `DELETE FROM graphile_worker._private_jobs
  WHERE attempts >= max_attempts AND locked_at IS NULL AND run_at < now() - interval '30 days'`,
  query_timeout: SILENCE_MILLISECONDS,
};
const SWEEP_MILLISECONDS = 3_600_000;
const WAITING = `SELECT 1 FROM graphile_worker._private_jobs
  WHERE key = $1 AND locked_at IS NULL AND attempts < max_attempts`;
const LOCK = "hashtextextended('zonepost node ' || $1, 0)";
const HOLD = `SELECT pg_advisory_lock_shared(${LOCK})`;
/** Held by the statement's own transaction alone. */
const TRY = `SELECT pg_try_advisory_xact_lock(${LOCK}) AS free`;

/** Makes the library's tables, or brings them up to date. Rejects where the database cannot be had. */
export async function openGraphileJobQueue(options: GraphileJobQueueOptions): Promise<JobQueue> {
  const { onTrouble, silenceMilliseconds = ADD_SILENCE_MILLISECONDS } = options;
  const logger = new Logger(() => (level, message) => {
    // That there are fewer connections than workers is meant so.
    const isMeant = level === "warning" && message.includes("maxPoolSize");
    if ((level === "error" || level === "warning") && !isMeant) onTrouble(message);
  });
  await layOut(options, logger);
  const pool = openPool(options, MAX_CONNECTIONS, silenceMilliseconds);
  try {
    const tools = await makeWorkerUtils({ pgPool: pool, logger });
    return new GraphileJobQueue(options, pool, logger, tools);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/** It may take longer than anybody who adds a job should wait. */
async function layOut(options: GraphileJobQueueOptions, logger: Logger): Promise<void> {
  const pool = openPool(options, 1, SILENCE_MILLISECONDS);
  try {
    const tools = await makeWorkerUtils({ pgPool: pool, logger });
    await tools.migrate();
    await tools.release();
  } finally {
    await pool.end();
  }
}

function openPool(
  { url, onTrouble, onConnection }: GraphileJobQueueOptions,
  max: number,
  silence: number,
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: CONNECT_MILLISECONDS,
    query_timeout: silence,
    maxLifetimeSeconds: LIFETIME_SECONDS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MILLISECONDS,
    application_name: "zonepost jobs",
  });
  const hear = (error: Error) => onTrouble(`a connection of jobs broke: ${error.message}`);
  pool.on("error", hear);
  pool.on("connect", (client) => {
    client.on("error", hear);
    onConnection(client);
  });
  return pool;
}

class GraphileJobQueue implements JobQueue {
  readonly #options: GraphileJobQueueOptions;
  readonly #pool: pg.Pool;
  readonly #logger: Logger;
  readonly #tools: WorkerUtils;
  /** What the library calls this node: who takes a job signs with it. */
  #node: string | undefined;
  #start: (() => Promise<void>) | undefined;
  #runner: Runner | undefined;
  #lock: pg.Client | undefined;
  #rescue: NodeJS.Timeout | undefined;
  #rescuing: Promise<void> = Promise.resolve();
  #ending: Promise<void> = Promise.resolve();
  /** Of each worker, in a row. */
  #failures: ReadonlyMap<string, number> = new Map();
  #suspects = new Set<string>();
  #isStopping = false;
  /** When work that was given up long ago went. */
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(options: GraphileJobQueueOptions, pool: pg.Pool, logger: Logger, tools: WorkerUtils) {
    this.#options = options;
    this.#pool = pool;
    this.#logger = logger;
    this.#tools = tools;
  }

  async add<Kind extends JobKind>(
    kind: Kind,
    payload: JobPayloads[Kind],
    { key, runAt, maxAttempts = this.#options.maxAttempts, keepsOlder = false }: JobOptions = {},
  ): Promise<void> {
    // The library has no mode in which the payload of the older one stays as well.
    if (keepsOlder && key !== undefined && (await this.#pool.query(WAITING, [key])).rows.length > 0) return;
    await this.#tools.addJob<string>(kind, payload, {
      maxAttempts,
      ...(key !== undefined && { jobKey: key, jobKeyMode: keepsOlder ? "preserve_run_at" : "replace" }),
      ...(runAt !== undefined && { runAt }),
    });
  }

  async work(handlers: JobHandlers, { concurrency }: { readonly concurrency: number }): Promise<void> {
    if (this.#start !== undefined) throw new TypeError("this queue is at work already");
    const taskList: TaskList = Object.fromEntries(
      Object.entries(handlers).map(([kind, handler]) => [
        kind,
        async (
          payload: unknown,
          { job }: { job: { id: string; attempts: number; max_attempts: number } },
        ) => {
          const call = {
            id: job.id,
            attempt: job.attempts,
            isLast: job.attempts >= job.max_attempts,
          };
          await (handler as (payload: unknown, call: JobCall) => Promise<void>)(payload, call);
        },
      ]),
    );
    const { rescueMilliseconds = RESCUE_MILLISECONDS } = this.#options;
    this.#start = () => this.#begin(taskList, concurrency);
    await this.#start();
    this.#rescue = setInterval(() => {
      this.#rescuing = this.#rescuing.then(() => this.#look());
    }, rescueMilliseconds);
  }

  async #begin(taskList: TaskList, concurrency: number): Promise<void> {
    const events = new EventEmitter() as WorkerEvents;
    // Its own: where it is given up, so are its connections.
    const connections = Math.min(concurrency, WORKERS_CONNECTIONS) + SPARE_CONNECTIONS;
    const pool = openPool(this.#options, connections, SILENCE_MILLISECONDS);
    const failures = new Map<string, number>();
    this.#failures = failures;
    events.on("worker:getJob:error", ({ worker: { workerId } }) => {
      failures.set(workerId, (failures.get(workerId) ?? 0) + 1);
    });
    events.on("worker:getJob:empty", ({ worker: { workerId } }) => void failures.delete(workerId));
    events.on("job:start", ({ worker: { workerId } }) => void failures.delete(workerId));
    events.on("pool:create", ({ workerPool }) => {
      this.#node = workerPool.id;
    });
    const runner = await run({
      pgPool: pool,
      taskList,
      concurrency,
      events,
      logger: this.#logger,
      noHandleSignals: true,
      pollInterval: this.#options.pollMilliseconds ?? POLL_MILLISECONDS,
      // Nobody hears of a job that could not be told done otherwise: with these the pool gives up, and is begun anew.
      preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    }).catch(async (error) => {
      await pool.end();
      throw error;
    });
    this.#runner = runner;
    // It gives up where the database is away; then it is begun anew at the next look.
    const over = () => {
      if (this.#runner === runner) this.#runner = undefined;
      return pool.end();
    };
    this.#ending = runner.promise.then(over, over).catch(() => undefined);
    await this.#holdLock();
  }

  async givenUp(limit: number): Promise<readonly GivenUp[]> {
    const { rows } = await this.#pool.query<{
      kind: string;
      payload: unknown;
      at: Date;
      attempts: number;
      error: string | null;
    }>(GIVEN_UP, [limit]);
    return rows.map((row) => ({ ...row, error: row.error ?? "" }));
  }

  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    clearInterval(this.#rescue);
    await this.#rescuing;
    await this.#runner?.stop();
    await this.#ending;
    await this.#lock?.end();
    await this.#tools.release();
    await this.#pool.end();
  }

  /** On a connection of its own, which ends with the process, however that ends. */
  async #holdLock(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
      query_timeout: CONNECT_MILLISECONDS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MILLISECONDS,
      application_name: "zonepost node",
    });
    // Held anew at the next look.
    client.on("error", () => {
      if (this.#lock === client) this.#lock = undefined;
    });
    await this.#lock?.end().catch(() => undefined);
    this.#lock = undefined;
    try {
      await client.connect();
      await client.query(HOLD, [this.#node]);
    } catch (error) {
      client.end().catch(() => undefined);
      throw error;
    }
    this.#lock = client;
  }

  /** Whoever finds the lock of this node free works at its jobs: a line that was cut is to be met first. */
  async #isLockHeld(): Promise<boolean> {
    try {
      await this.#lock?.query("SELECT 1");
      return this.#lock !== undefined;
    } catch {
      return false;
    }
  }

  async #look(): Promise<void> {
    if (this.#isStopping) return;
    try {
      if ([...this.#failures.values()].some((count) => count >= MAX_FAILURES)) this.#giveUp();
      if (this.#runner === undefined) await this.#start?.();
      if (!(await this.#isLockHeld())) await this.#holdLock();
      const { rows } = await this.#pool.query<{ locked_by: string }>(HELD);
      const dead = new Set<string>();
      for (const { locked_by: node } of rows) {
        if (node !== this.#node && (await this.#isDead(node))) dead.add(node);
      }
      const certain = [...dead].filter((node) => this.#suspects.has(node));
      if (certain.length > 0) await this.#tools.forceUnlockWorkers(certain);
      this.#suspects = dead;
      if (performance.now() - this.#sweptAt > SWEEP_MILLISECONDS) {
        await this.#pool.query(SWEEP);
        this.#sweptAt = performance.now();
      }
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      this.#options.onTrouble(`the database of jobs cannot be asked: ${words}`);
    }
  }

  /** What it has under way comes to its end, and is given back by the rescue if it cannot say so. */
  #giveUp(): void {
    this.#runner?.stop().catch(() => undefined);
    this.#runner = undefined;
    this.#failures = new Map();
  }

  async #isDead(node: string): Promise<boolean> {
    const { rows } = await this.#pool.query<{ free: boolean }>(TRY, [node]);
    return rows[0]?.free === true;
  }
}
