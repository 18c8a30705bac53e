/**
 * Domains looked at again, round after round, by `zonepost serve` as it is shipped: two nodes on one PostgreSQL, then one
 * of them, against Knot on loopback. Beside them the check alone, in one process, with neither store nor watch: the limit.
 *
 *     npm run bench -- watch [domains, 2000 where absent] [seconds for each figure at least, 40 where absent]
 *
 * Each figure is of whole rounds. With 100000 domains it takes an hour, a gigabyte for Knot, and nothing is calculated;
 * with fewer the round of a hundred thousand is, and the store holds a hundred thousand all the same, of which the others
 * are not due.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { USUAL_BLOCK_LISTS } from "../src/check/block-lists.ts";
import { checkDomain } from "../src/check/check.ts";
import type { World } from "../src/check/context.ts";
import { readPieces } from "../src/interface/http/described.ts";
import { newMasterKeyText } from "../src/keys/sealing.ts";
import { createDnsTransport } from "../src/net/dns-transport.ts";
import { createAuthoritativeViews } from "../src/net/zone-survey.ts";
import { derive } from "../src/records/derive.ts";
import { type DomainName, domainName, isWithin } from "../src/standards/dns/name.ts";
import { openStore } from "../src/store/open.ts";
import { openPostgres } from "../src/store/postgres.ts";
import { lookAtAll } from "../src/watch/look-again.ts";
import { buildProgram } from "../test/support/built-program.ts";
import { freePort } from "../test/support/free-port.ts";

import { startPostgres } from "../test/support/postgres.ts";
import { findProgram } from "../test/support/real-server.ts";
import { startServers } from "./check.ts";
import { fillDomains } from "./domain-rows.ts";
import { exampleDomains, ROOT_SERVER } from "./example-zones.ts";

const ALL = 100_000;
/** The most that the settings let a node do. */
const CHECKS_PER_SECOND = 1_000;
const CONCURRENCY = 24;
/** The most that the check alone has descriptions of at once. */
const MAX_ALONE = 10_000;
const SEEDED_AT_ONCE = 20;
const CLOCK_TICKS = 100;
const COMMON = { servers: [{ host: "mail.hoster.test", addresses: ["198.18.0.1"] }] };

const say = (text: string): void => void process.stdout.write(`${text}\n`);

export async function benchWatch([
  count = "2000",
  seconds = "40",
  profile,
]: readonly string[]): Promise<void> {
  if (findProgram("initdb") === undefined) return say("PostgreSQL is not installed");
  say("building what is shipped …");
  buildProgram();
  const domains = exampleDomains(Number(count));
  const port = await freePort();
  const servers = await startServers(domains.length, port);
  const directory = mkdtempSync(join(tmpdir(), "zonepost-bench-"));
  const database = await startPostgres();
  try {
    await sayHowBusy();
    const limit = await checkAlone(domains.slice(0, MAX_ALONE), port, Number(seconds));
    const url = await database.createDatabase("watch");
    await seed(url, domains);
    await measure(url, { directory, port, domains, seconds: Number(seconds), limit, profile });
  } finally {
    await database.stop();
    servers.disconnect();
    await once(servers, "exit");
    rmSync(directory, { recursive: true });
  }
}

interface Limit {
  /** Domains a second. */
  readonly rate: number;
  /** Of processor time, for a domain. */
  readonly milliseconds: number;
}

/** What others do on this machine makes figures of time worse, and those of processor time hardly. */
async function sayHowBusy(): Promise<void> {
  const read = () => cpus().map(({ times }) => times);
  const sum = (all: ReturnType<typeof read>, part: (one: (typeof all)[number]) => number) =>
    all.reduce((total, one) => total + part(one), 0);
  const before = read();
  await sleep(3_000);
  const after = read();
  const idle = sum(after, (one) => one.idle) - sum(before, (one) => one.idle);
  const whole = (one: (typeof after)[number]) => one.idle + one.user + one.sys + one.nice + one.irq;
  const all = sum(after, whole) - sum(before, whole);
  const busy = after.length * (1 - idle / all);
  say(`${after.length} processors, of which others keep ${busy.toFixed(1)} busy before it begins`);
}

/** As the watcher sees the world, without a description from a store and without anything to remember. */
async function checkAlone(domains: readonly DomainName[], port: number, seconds: number): Promise<Limit> {
  const transport = createDnsTransport();
  const views = createAuthoritativeViews({
    rootHints: [{ name: domainName("ns.root"), addresses: [ROOT_SERVER] }],
    port,
    transport,
    now: Date.now,
    maxCacheEntries: 10_000,
  });
  const worldOf = (domain: DomainName): World => {
    const now = Date.now();
    return {
      authoritative: views((name) => (isWithin(name, domain) ? now : 0)),
      recursive: [],
      now: new Date(),
      organizationalDomain: (name) => domainName(name.split(".").slice(-2).join(".")),
      randomLabel: () => `zonepost-${Math.random().toString(36).slice(2)}`,
    };
  };
  const described = domains.map((domain) => {
    const read = readPieces(COMMON, [{ domain }]);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    return { domain, description: read.description, derived: derive(read.description) };
  });
  let done = 0;
  let findings = 0;
  const rounds = function* () {
    for (;;) yield* described;
  };
  const queue = rounds();
  const warmUntil = performance.now() + 5_000;
  let start = 0;
  let cpu = process.cpuUsage();
  const work = async () => {
    for (const { domain, ...options } of queue) {
      const now = performance.now();
      if (start === 0 && now > warmUntil) {
        start = now;
        cpu = process.cpuUsage();
        done = 0;
        findings = 0;
      }
      if (start > 0 && now > start + 1000 * seconds) return;
      const report = await checkDomain(domain, worldOf(domain), {
        ...options,
        dkimSelectors: [],
        assumePublic: [],
        blockLists: USUAL_BLOCK_LISTS,
      });
      done += 1;
      findings += report.findings.length;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  transport.close();
  const rate = done / ((performance.now() - start) / 1000);
  const { user, system } = process.cpuUsage(cpu);
  const milliseconds = (user + system) / 1000 / done;
  say(
    `the check alone, in one process, ${CONCURRENCY} at a time, ${domains.length} domains again and again:`,
  );
  say(
    `  ${rate.toFixed(0)} domains/s, ${milliseconds.toFixed(2)} ms of processor time and ${(findings / done).toFixed(0)} findings a domain`,
  );
  return { rate, milliseconds };
}

/** The domains that are looked at, among a hundred thousand that are not due. */
async function seed(url: string, domains: readonly DomainName[]): Promise<void> {
  const store = await openStore({ kind: "postgres", url });
  await store.descriptions.putCommon(COMMON, 0, new Date());
  const { query } = await openPostgres(url);
  const far = Date.now() + 365 * 86_400_000;
  await fillDomains(query, ALL - domains.length, far);
  const queue = domains.values();
  const put = async () => {
    for (const domain of queue) {
      await store.descriptions.putDomain({ domain, content: { domain }, ownerId: undefined }, 0, new Date());
      await store.watch.schedule(domain, undefined, new Date(far));
    }
  };
  await Promise.all(Array.from({ length: SEEDED_AT_ONCE }, put));
  await query.destroy();
  await ask(url, "VACUUM ANALYZE");
  const start = performance.now();
  const all = await lookAtAll(store.watch, new Date(far - 86_400_000), 20);
  const seconds = (performance.now() - start) / 1000;
  say(`what all share has changed: ${all} domains have another time after ${seconds.toFixed(1)} s`);
  await store.close();
}

interface Course {
  readonly directory: string;
  readonly port: number;
  readonly domains: readonly DomainName[];
  readonly seconds: number;
  readonly limit: Limit;
  /** A folder for processor profiles of the nodes. */
  readonly profile: string | undefined;
}

async function measure(url: string, course: Course): Promise<void> {
  const { domains, seconds, limit } = course;
  const nodes: ChildProcess[] = [];
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  /** Those of the bench are the ones in the zone that it serves. */
  const OURS = "domain LIKE '%.test'";
  const number = async (question: string, ...values: unknown[]): Promise<number> => {
    const { rows } = await client.query<{ number: string }>(question, values);
    return Number(rows[0]!.number);
  };
  const checks = () => number(`SELECT sum(revision) AS number FROM domain_state WHERE ${OURS}`);
  /** All of them are due, and then all have been looked at. */
  const round = async () => {
    const since = Date.now();
    await client.query(`UPDATE domain_state SET next_check_at = 0, due_at = 0 WHERE ${OURS}`);
    const left = `SELECT count(*) AS number FROM domain_state
      WHERE ${OURS} AND (checked_at IS NULL OR checked_at < $1)`;
    while ((await number(left, since)) > 0) await sleep(Math.max(100, domains.length / 50));
  };
  const figure = async (name: string): Promise<number> => {
    const before = { checks: await checks(), commits: await commits(client), cpu: nodes.map(cpuOf) };
    const start = performance.now();
    let rounds = 0;
    do {
      await round();
      rounds += 1;
    } while (performance.now() < start + 1000 * seconds);
    const took = (performance.now() - start) / 1000;
    const done = (await checks()) - before.checks;
    const rate = done / took;
    const cpu = nodes.map((node, at) => cpuOf(node) - before.cpu[at]!).reduce((sum, one) => sum + one, 0);
    const statements = (await commits(client)) - before.commits;
    say(`${name}, ${rounds} rounds of ${domains.length} domains in ${took.toFixed(0)} s, ${done} checks:`);
    say(
      `  ${rate.toFixed(0)} domains/s, ${(rate / limit.rate).toFixed(2)} of the check alone; ${(cpu / done).toFixed(2)} ms of the nodes' processor time (${(cpu / done / limit.milliseconds).toFixed(2)} of the check alone) and ${(statements / done).toFixed(1)} transactions a domain`,
    );
    const isWhole = domains.length === ALL;
    const minutes = isWhole ? took / rounds / 60 : ALL / rate / 60;
    say(
      `  ${minutes.toFixed(0)} minutes for ${ALL} domains, ${isWhole ? "measured" : "calculated"}; ${(1_440 / minutes).toFixed(0)} such rounds in a day`,
    );
    return rate;
  };
  try {
    for (const at of [1, 2]) nodes.push(await startNode(url, course, at));
    await figure("two nodes, the first look at each domain");
    // What is new is looked at twice, and written down.
    const second = await figure("two nodes, the second look");
    // With all of them another round would take another quarter of an hour.
    const two = domains.length === ALL ? second : await figure("two nodes, when all is known");
    await end(nodes.pop()!);
    const one = await figure("one node, when all is known");
    say(
      `  two are ${(two / one).toFixed(2)} times one, where nodes, PostgreSQL and Knot share this machine's processors`,
    );
  } finally {
    await client.end();
    for (const node of nodes) await end(node);
  }
}

async function end(node: ChildProcess): Promise<void> {
  const exited = once(node, "exit");
  node.kill("SIGTERM");
  await exited;
}

async function startNode(
  url: string,
  { directory, port, profile }: Course,
  at: number,
): Promise<ChildProcess> {
  const hints = join(directory, "root.hints");
  writeFileSync(hints, `. 3600000 NS ns.root.\nns.root. 3600000 A ${ROOT_SERVER}\n`);
  const settings = join(directory, "zonepost-server.yaml");
  const sealKey = join(directory, "seal.key");
  if (!existsSync(sealKey))
    writeFileSync(
      sealKey,
      newMasterKeyText((count) => randomBytes(count)),
    );
  const watch = `{ checksPerSecond: ${CHECKS_PER_SECOND}, concurrency: ${CONCURRENCY} }`;
  writeFileSync(
    settings,
    `dns: { rootHints: ${hints}, port: ${port} }\nwatch: ${watch}\nsealKey: { file: ${sealKey} }\nlog: warn\n`,
  );
  const listen = `127.0.0.1:${await freePort()}`;
  if (profile !== undefined) mkdirSync(profile, { recursive: true });
  const words = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
  const state = join(directory, `state-${at}`);
  const node = spawn(
    process.execPath,
    [...words, "dist/program/main.js", "serve", "--settings", settings, "--state", state],
    {
      env: { PATH: process.env["PATH"], ZONEPOST_LISTEN: listen, ZONEPOST_DATABASE: url },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  while (!(await isReady(`http://${listen}`))) {
    if (node.exitCode !== null) throw new Error("the server has ended");
    await sleep(20);
  }
  return node;
}

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );

/** In milliseconds. */
function cpuOf({ pid }: ChildProcess): number {
  const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const fields = rest.split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / CLOCK_TICKS;
}

async function commits(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    "SELECT xact_commit AS count FROM pg_stat_database WHERE datname = current_database()",
  );
  return Number(rows[0]!.count);
}

async function ask(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}
