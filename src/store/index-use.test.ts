import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { type CompiledQuery, Kysely } from "kysely";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AccessStore } from "../access/access-store.ts";
import type { JobStore } from "../watch/job-store.ts";
import { createAccessStore } from "./access-table.ts";
import { createJobStore } from "./job-table.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { openSqliteMemory } from "./sqlite-file.ts";
import type { Tables } from "./tables.ts";

const NOW = new Date("2026-11-21T12:00:00Z");

let file: DatabaseSync;
let asked: CompiledQuery[];
let access: AccessStore;
let jobs: JobStore;
beforeAll(async () => {
  file = await openSqliteMemory();
  const query = new Kysely<Tables>({
    dialect: sqliteDialect(file),
    log: (event) => void asked.push(event.query),
  });
  const database = { query, differences: { locksRows: false, hasPartIndexes: false }, ownSeal: {} };
  access = createAccessStore(database);
  jobs = createJobStore(database);
});
afterAll(() => file.close());

it.each<[what: string, index: RegExp, isSorted: boolean, ask: () => Promise<unknown>]>([
  [
    "what was told",
    /audit_entry_action \(action=\?\)/,
    true,
    () => access.auditLog({ action: "alert.told", limit: 50 }),
  ],
  [
    "the next page of it",
    /audit_entry_action \(action=\? AND id<\?\)/,
    true,
    () => access.auditLog({ action: "alert.told", limit: 50, before: "2" }),
  ],
  [
    "what was done with keys",
    /audit_entry_action \(action>\? AND action<\?\)/,
    false,
    () => access.auditLog({ action: "key", limit: 50 }),
  ],
  [
    "what somebody did",
    /audit_entry_actor \(actor=\?\)/,
    true,
    () => access.auditLog({ actor: "ann", limit: 50 }),
  ],
  ["the log's old entries", /audit_entry_at \(at<\?\)/, true, () => access.sweepAudit(NOW)],
  ["work that is due", /job_due \(run_at<\?\)/, true, () => jobs.lease(["task"], NOW, 10, NOW)],
  ["work that was given up", /job_given_up$/, true, () => jobs.failed(50, NOW)],
  ["old work that was given up", /job_given_up \(run_at<\?\)/, true, () => jobs.sweep(NOW)],
])("%s is found in an index", async (_what, index, isSorted, ask) => {
  asked = [];
  await ask();
  const details = asked
    .filter(({ sql }) => /^(?:select|delete)/.test(sql))
    .flatMap(({ sql, parameters }) =>
      file
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...(parameters as readonly SQLInputValue[]))
        .map(({ detail }) => String(detail)),
    );
  expect(details).toContainEqual(expect.stringMatching(index));
  // Sorted by hand, all there is would be read for one page.
  if (isSorted) expect(details.join("; ")).not.toContain("TEMP B-TREE");
});
