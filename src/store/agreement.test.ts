import { Kysely, sql } from "kysely";
import { expect, it } from "vitest";
import { type DomainName, domainName } from "../standards/dns/name.ts";
import { createDescriptionStore } from "./description-table.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { openSqliteMemory } from "./sqlite-file.ts";
import type { Tables } from "./tables.ts";
import { createWatchStore } from "./watch-table.ts";

const NOW = new Date("2026-11-21T12:00:00Z");

it.each([1, 2, 3, 5, 6, 7, 100])("finds every difference, looking at %i names at once", async (piece) => {
  const query = new Kysely<Tables>({ dialect: sqliteDialect(await openSqliteMemory()) });
  const database = { query, differences: { locksRows: false, hasPartIndexes: false }, ownSeal: {} };
  const descriptions = createDescriptionStore(database);
  const watch = createWatchStore(database);
  const names = Array.from({ length: 6 }, (_, at) => domainName(`d${at}.example`));
  const ghosts = Array.from({ length: 6 }, (_, at) => domainName(`g${at}.example`));
  for (const [at, domain] of names.entries()) {
    await descriptions.putDomain({ domain, content: { domain }, ownerId: "ann" }, 0, NOW);
    if (at % 3 > 0) await watch.schedule(domain, at % 3 === 1 ? "ann" : "bob", NOW);
  }
  for (const domain of ghosts) await watch.schedule(domain, "ann", NOW);
  const agree = () => watch.agreeWithDescriptions(NOW, undefined, piece);
  expect(await agree()).toBe(2 + 2 + 6);
  const states = await watch.states({ ownerId: "ann" }, { limit: 100 });
  expect(states.map(({ domain }) => domain).sort()).toEqual(names);
  expect(await agree()).toBe(0);
  await query.destroy();
});

it("leaves alone what somebody handed over since it was read", async () => {
  const query = new Kysely<Tables>({ dialect: sqliteDialect(await openSqliteMemory()) });
  const database = { query, differences: { locksRows: false, hasPartIndexes: false }, ownSeal: {} };
  const descriptions = createDescriptionStore(database);
  const watch = createWatchStore(database);
  const [first, second] = ["d0.example", "d1.example"].map(domainName) as [DomainName, DomainName];
  for (const domain of [first, second]) {
    await descriptions.putDomain({ domain, content: { domain }, ownerId: "ann" }, 0, NOW);
    await watch.schedule(domain, "carol", NOW);
    const event = { at: NOW.getTime(), kind: "appeared", code: "x", owner: domain } as const;
    await query
      .insertInto("finding_event")
      .values({ ...event, domain, owner_id: "carol", severity: "error", observed: "" })
      .execute();
  }
  await sql`CREATE TRIGGER meanwhile AFTER DELETE ON domain_state WHEN OLD.domain = 'd0.example' BEGIN
    UPDATE described_domain SET owner_id = 'bob' WHERE domain = 'd1.example';
    UPDATE domain_state SET owner_id = 'bob' WHERE domain = 'd1.example';
    UPDATE finding_event SET owner_id = 'bob' WHERE domain = 'd1.example';
  END`.execute(query);
  expect(await watch.agreeWithDescriptions(NOW)).toBe(1);
  expect(await watch.state(first)).toMatchObject({ ownerId: "ann" });
  expect(await watch.state(second)).toMatchObject({ ownerId: "bob" });
  const history = await watch.history({}, { limit: 10 });
  expect(history.map(({ domain }) => domain)).toEqual([second]);
  await query.destroy();
});

it.each([0, 1, 3, 5])(
  "ends when it is told to, and what is left is found later (%i)",
  async (looksBefore) => {
    const query = new Kysely<Tables>({ dialect: sqliteDialect(await openSqliteMemory()) });
    const database = { query, differences: { locksRows: false, hasPartIndexes: false }, ownSeal: {} };
    const descriptions = createDescriptionStore(database);
    const watch = createWatchStore(database);
    const names = Array.from({ length: 6 }, (_, at) => domainName(`d${at}.example`));
    for (const [at, domain] of names.entries())
      if (at < 3) await descriptions.putDomain({ domain, content: {}, ownerId: "ann" }, 0, NOW);
      else await watch.schedule(domain, "ann", NOW);
    let looks = 0;
    const signal = {
      get aborted() {
        looks += 1;
        return looks > looksBefore;
      },
    } as AbortSignal;
    const done = await watch.agreeWithDescriptions(NOW, signal);
    expect(looks).toBeLessThanOrEqual(looksBefore + 2);
    expect(done).toBeLessThan(6);
    expect(await watch.agreeWithDescriptions(NOW)).toBe(6 - done);
    await query.destroy();
  },
);
