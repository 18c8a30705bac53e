/**
 * What the lists of a hundred thousand domains cost, on SQLite and on PostgreSQL where that is installed.
 *
 *     npm run bench -- store [domains, 100000 where absent]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kysely } from "kysely";
import { type OpenedStore, openStore } from "../src/store/open.ts";
import { openPostgres } from "../src/store/postgres.ts";
import { sqliteDialect } from "../src/store/sqlite-dialect.ts";
import { openSqliteFile } from "../src/store/sqlite-file.ts";
import type { Tables } from "../src/store/tables.ts";
import { run, startPostgres } from "../test/support/postgres.ts";
import { findProgram } from "../test/support/real-server.ts";
import { AT, fillDomains, nameOf, OWNERS, WORST } from "./domain-rows.ts";

const RUNS = 100;

export async function benchStore([domains = "100000"]: readonly string[]): Promise<void> {
  const count = Number(domains);
  const directory = mkdtempSync(join(tmpdir(), "zonepost-bench-"));
  try {
    const path = join(directory, "zonepost.db");
    const store = await openStore({ kind: "sqlite", path });
    const query = new Kysely<Tables>({ dialect: sqliteDialect(await openSqliteFile(path)) });
    await fillDomains(query, count, AT);
    await query.destroy();
    await measure("SQLite", store, count);
    await store.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
  if (findProgram("initdb") === undefined) return say("PostgreSQL is not installed");
  const server = await startPostgres();
  try {
    const url = await server.createDatabase("bench");
    const store = await openStore({ kind: "postgres", url });
    const { query } = await openPostgres(url);
    await fillDomains(query, count, AT);
    await query.destroy();
    // As autovacuum does it soon after.
    await run(url, "VACUUM ANALYZE");
    await measure("PostgreSQL", store, count);
    await store.close();
  } finally {
    await server.stop();
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
async function measure(title: string, store: OpenedStore, count: number): Promise<void> {
  say(`${title}, ${count} domains:`);
  const { watch, descriptions } = store;
  const some = (run: number) => nameOf((run * 7919) % count);
  const owner = (run: number) => ({ ownerId: `owner-${run % OWNERS}` });
  const page = { limit: 50 };
  const after = (run: number) => ({ domain: some(run), worst: WORST[run % WORST.length]! });
  const rows: [what: string, ask: (run: number) => Promise<unknown>][] = [
    ["overview", () => watch.overview({})],
    ["overview of an owner", (run) => watch.overview(owner(run))],
    ["states, first page", () => watch.states({}, page)],
    ["states, a later page", (run) => watch.states({}, { ...page, after: after(run) })],
    ["states of an owner", (run) => watch.states(owner(run), page)],
    ["states with errors", () => watch.states({ worst: "error" }, page)],
    ["states, part of a name", (run) => watch.states({ search: `customer${run * 37}.` }, page)],
    ["states, a name not there", () => watch.states({ search: "nothing-like-it" }, page)],
    ["domains, part of a name", (run) => descriptions.domains({ search: `customer${run * 37}.` }, page)],
    ["count of domains", () => descriptions.countDomains({})],
    ["findings", (run) => watch.findings(some(run))],
    ["history", () => watch.history({}, page)],
    ["history of a domain", (run) => watch.history({ domain: some(run) }, page)],
    ["history of an owner", (run) => watch.history(owner(run), page)],
    ["takeDue, 20", (run) => watch.takeDue(new Date(AT + run * 2_000), 20, new Date(AT + 1e9))],
  ];
  for (const [what, ask] of rows) {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const from = performance.now();
      await ask(run);
      times.push(performance.now() - from);
    }
    times.sort((one, other) => one - other);
    const at = (share: number) => times[Math.floor(RUNS * share)]!.toFixed(2).padStart(8);
    say(`  ${what.padEnd(26)} median ${at(0.5)} ms   p99 ${at(0.99)} ms`);
  }
}
