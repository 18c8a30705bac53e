/**
 * The server as it is shipped, with a hundred thousand domains in its store: how soon it is ready, what it answers
 * while 50 requests a second come, and how much memory it takes. On SQLite, and on PostgreSQL where that is installed.
 *
 *     npm run bench -- serve [domains, 100000 where absent] [seconds, 20 where absent]
 */

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Kysely } from "kysely";
import { makeUser } from "../src/access/account.ts";
import { openStore, type StoreSettings } from "../src/store/open.ts";
import { openPostgres } from "../src/store/postgres.ts";
import { sqliteDialect } from "../src/store/sqlite-dialect.ts";
import { openSqliteFile } from "../src/store/sqlite-file.ts";
import type { Tables } from "../src/store/tables.ts";
import { buildProgram } from "../test/support/built-program.ts";
import { freePort } from "../test/support/free-port.ts";
import { run, startPostgres } from "../test/support/postgres.ts";
import { findProgram } from "../test/support/real-server.ts";
import { logIn } from "../test/support/served.ts";
import { fillDomains, nameOf, WORST } from "./domain-rows.ts";

/** As `npm start` has it. */
const SMALL_HEAP = "--max-semi-space-size=16";
const PER_SECOND = 50;
const STARTS = 5;
const LIMIT_MILLISECONDS = 50;
const LIMIT_START_MILLISECONDS = 1000;
const LIMIT_MEBIBYTES = 200;
export const USER = { name: "bench", password: "a password for the bench", role: "administrator" } as const;

export async function benchServe([domains = "100000", seconds = "20"]: readonly string[]): Promise<void> {
  const count = Number(domains);
  say("building what is shipped …");
  buildProgram();
  const directory = mkdtempSync(join(tmpdir(), "zonepost-bench-"));
  try {
    const path = join(directory, "zonepost.db");
    await seed({ kind: "sqlite", path }, async () => sqliteDialectOf(path), count);
    say(`SQLite, ${count} domains:`);
    await measure(directory, {}, count, Number(seconds));
    if (findProgram("initdb") === undefined) return say("PostgreSQL is not installed");
    const server = await startPostgres();
    try {
      const url = await server.createDatabase("bench");
      await seed({ kind: "postgres", url }, async () => (await openPostgres(url)).query, count);
      // As autovacuum does it soon after.
      await run(url, "VACUUM ANALYZE");
      say(`PostgreSQL, ${count} domains:`);
      await measure(directory, { ZONEPOST_DATABASE: url }, count, Number(seconds));
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

export const sqliteDialectOf = async (path: string) =>
  new Kysely<Tables>({ dialect: sqliteDialect(await openSqliteFile(path)) });

export async function seed(
  settings: StoreSettings,
  open: () => Promise<Kysely<Tables>>,
  count: number,
): Promise<void> {
  const store = await openStore(settings);
  const user = await makeUser({ ...USER, oidcSubject: undefined }, new Date(), randomBytes);
  if (!user.ok) throw new Error(user.problem);
  await store.access.addUser(user.value);
  await store.descriptions.putCommon(
    { servers: [{ host: "mail.example.org", addresses: ["192.0.2.25"] }] },
    0,
    new Date(),
  );
  const query = await open();
  // Nothing is due while it is measured.
  await fillDomains(query, count, Date.now() + 86_400_000);
  await query.destroy();
  await store.close();
}

export interface Running {
  readonly url: string;
  readonly child: ChildProcess;
  readonly milliseconds: number;
}

export async function start(
  directory: string,
  environment: Readonly<Record<string, string>>,
  words: readonly string[] = [],
): Promise<Running> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [SMALL_HEAP, "dist/program/main.js", "serve", "--state", directory, ...words],
    {
      env: {
        PATH: process.env["PATH"],
        ZONEPOST_LISTEN: `127.0.0.1:${port}`,
        ZONEPOST_LOG: "error",
        ...environment,
      },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  while (!(await isReady(url))) {
    if (child.exitCode !== null) throw new Error("the server has ended");
    await sleep(5);
  }
  return { url, child, milliseconds: performance.now() - began };
}

const isReady = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    get(`${url}/readyz`, { agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    }).once("error", () => resolve(false));
  });

export async function stop({ child }: Running): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}

async function measure(
  directory: string,
  environment: Readonly<Record<string, string>>,
  count: number,
  seconds: number,
): Promise<void> {
  const starts: number[] = [];
  for (let at = 1; at < STARTS; at++) {
    const started = await start(directory, environment);
    starts.push(started.milliseconds);
    await stop(started);
  }
  const server = await start(directory, environment);
  starts.push(server.milliseconds);
  try {
    const { cookie } = await logIn(server.url, USER.name, USER.password);
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const rows = questions(count);
    const times = rows.map((): number[] => []);
    const waiting: Promise<void>[] = [];
    const began = performance.now();
    for (let at = 0; at < PER_SECOND * seconds; at++) {
      // What comes late because the one before was slow counts as slow.
      const due = began + (at * 1000) / PER_SECOND;
      await sleep(Math.max(0, due - performance.now()));
      const [, path] = rows[at % rows.length]!;
      waiting.push(
        ask(`${server.url}${path(at)}`, cookie, agent).then(() => {
          times[at % rows.length]!.push(performance.now() - due);
        }),
      );
    }
    await Promise.all(waiting);
    agent.destroy();
    for (const [at, [what]] of rows.entries()) say(line(what, times[at]!));
    say(line("all", times.flat()));
  } finally {
    const { VmRSS: rss, VmHWM: peak } = memoryOf(server.child.pid!);
    say(
      `  memory: ${rss!.toFixed(0)} MiB, at most ${peak!.toFixed(0)}${ratio(peak!, LIMIT_MEBIBYTES, "MiB")}`,
    );
    await stop(server);
  }
  starts.sort((one, other) => one - other);
  const median = starts[Math.floor(STARTS / 2)]!;
  say(
    `  ready after ${median.toFixed(0)} ms (median of ${STARTS}, at most ${starts.at(-1)!.toFixed(0)})${ratio(median, LIMIT_START_MILLISECONDS, "ms")}`,
  );
}

const ratio = (value: number, limit: number, unit: string) =>
  `   ${(value / limit).toFixed(2)} of the limit of ${limit} ${unit}`;

function line(what: string, times: readonly number[]): string {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1]!;
  const shown = (value: number) => value.toFixed(1).padStart(7);
  return `  ${what.padEnd(28)} p50 ${shown(at(0.5))} ms   p99 ${shown(at(0.99))} ms${ratio(at(0.99), LIMIT_MILLISECONDS, "ms")}`;
}

type Question = readonly [what: string, path: (run: number) => string];

function questions(count: number): readonly Question[] {
  const some = (run: number) => nameOf((run * 7919) % count);
  const after = (run: number) =>
    Buffer.from(`${some(run)} ${WORST[run % WORST.length]}`).toString("base64url");
  return [
    ["overview", () => "/api/overview"],
    ["domains, first page", () => "/api/domains"],
    ["domains, a later page", (at) => `/api/domains?after=${after(at)}`],
    ["domains, part of a name", (at) => `/api/domains?search=customer${(at * 37) % count}.`],
    ["domains, a name not there", () => "/api/domains?search=nothing-like-it"],
    ["domains with errors", () => "/api/domains?worst=error"],
    ["one domain", (at) => `/api/domains/${some(at)}`],
    ["its findings", (at) => `/api/domains/${some(at)}/findings`],
    ["its history", (at) => `/api/domains/${some(at)}/history`],
    ["history of all", () => "/api/history"],
  ];
}

function ask(url: string, cookie: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers: { cookie } }, (answer) => {
      answer.resume();
      answer.once("end", () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${url}: ${answer.statusCode}`)),
      );
    }).once("error", reject);
  });
}

/** In MiB. */
function memoryOf(pid: number): Readonly<Record<string, number>> {
  const lines = readFileSync(`/proc/${pid}/status`, "utf8").matchAll(/^(Vm\w+):\s+(\d+) kB$/gm);
  return Object.fromEntries([...lines].map(([, name = "", kibibytes]) => [name, Number(kibibytes) / 1024]));
}
