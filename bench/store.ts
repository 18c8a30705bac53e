/**
 * What the lists of a hundred thousand domains cost, on SQLite and on PostgreSQL where that is installed.
 *
 *     npm run bench -- store [domains, 100000 where absent]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { domainName } from "../src/standards/dns/name.ts";
import { type OpenedStore, openStore } from "../src/store/open.ts";
import type { DomainState, FindingEvent, KnownFinding } from "../src/watch/watch-store.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { findProgram } from "../test/support/real-server.ts";

const WORST = ["ok", "ok", "ok", "notice", "warning", "error", "unknown"] as const;
const OWNERS = 500;
const AT = Date.UTC(2026, 10, 21);
const FILLERS = 8;
const RUNS = 300;

export async function benchStore([domains = "100000"]: readonly string[]): Promise<void> {
  const count = Number(domains);
  const directory = mkdtempSync(join(tmpdir(), "zonepost-bench-"));
  try {
    const store = await openStore({ kind: "sqlite", path: join(directory, "zonepost.db") });
    await measure("SQLite", store, count);
    await store.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
  if (findProgram("initdb") === undefined) return say("PostgreSQL is not installed");
  const server = await startPostgres();
  try {
    const store = await openStore({ kind: "postgres", url: await server.createDatabase("bench") });
    await measure("PostgreSQL", store, count);
    await store.close();
  } finally {
    await server.stop();
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const nameOf = (index: number) =>
  domainName(`${(Math.imul(index, 2654435761) >>> 0).toString(36)}.customer${index}.example`);

async function measure(title: string, { watch, descriptions }: OpenedStore, count: number): Promise<void> {
  const startedAt = performance.now();
  let next = 0;
  const fill = async () => {
    for (let index = next++; index < count; index = next++) await fillOne(index);
  };
  const fillOne = async (index: number) => {
    const domain = nameOf(index);
    const ownerId = `owner-${index % OWNERS}`;
    const worst = WORST[index % WORST.length]!;
    await descriptions.putDomain(
      { domain, content: { domain, dmarc: { policy: "reject" } }, ownerId },
      0,
      new Date(AT),
    );
    await watch.schedule(domain, ownerId, new Date(AT));
    const state: DomainState = {
      domain,
      ownerId,
      checkedAt: new Date(AT),
      nextCheckAt: new Date(AT + index * 100),
      worst,
      counts: { [worst]: 3 },
      revision: 0,
    };
    const event: FindingEvent = {
      domain,
      at: new Date(AT + index),
      kind: "appeared",
      code: "spf-missing",
      owner: domain,
      severity: worst,
      observed: "none",
    };
    await watch.record({ state, findings: findingsOf(domain), events: [event] });
  };
  await Promise.all(Array.from({ length: FILLERS }, fill));
  const seconds = (performance.now() - startedAt) / 1000;
  say(`${title}: ${count} domains written in ${seconds.toFixed(0)} s, each in three transactions`);

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

const findingsOf = (domain: ReturnType<typeof domainName>): KnownFinding[] =>
  ["spf-missing", "dmarc-missing", "mx-missing"].map((code) => ({
    key: `${code} ${domain}`,
    finding: {
      code: code as KnownFinding["finding"]["code"],
      severity: "warning",
      owner: domain,
      expected: "one record",
      observed: "none",
      why: "a reason as long as most of them are, which is a sentence or two",
      reference: "RFC 7208 §4.5",
      fix: null,
      verify: `dig +short TXT ${domain}`,
    },
    since: new Date(AT),
    confirmed: true,
  }));
