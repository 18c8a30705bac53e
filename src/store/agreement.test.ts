import { Kysely } from "kysely";
import { expect, it } from "vitest";
import { domainName } from "../standards/dns/name.ts";
import { agreeWithDescriptions } from "./agreement.ts";
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
  expect(await agreeWithDescriptions(query, watch, NOW, piece)).toBe(2 + 2 + 6);
  const states = await watch.states({ ownerId: "ann" }, { limit: 100 });
  expect(states.map(({ domain }) => domain).sort()).toEqual(names);
  expect(await agreeWithDescriptions(query, watch, NOW, piece)).toBe(0);
  await query.destroy();
});
