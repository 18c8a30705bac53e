/** Jobs, for a database that has no queue of its own. */
import type { Selectable } from "kysely";
import type { JobKind } from "../watch/job-kind.ts";
import type { FailedJob, JobStore } from "../watch/job-store.ts";
import { pageLimit, storable } from "./column.ts";
import type { Database, Tables } from "./tables.ts";

type Row = Selectable<Tables["job"]>;

const MAX_ERROR_CHARACTERS = 1_000;

export function createJobStore({ query, differences }: Database): JobStore {
  return {
    add: ({ id, kind, key, payload, runAt, maxAttempts, keepsOlder }) =>
      query.transaction().execute(async (tx) => {
        if (key !== undefined) {
          const waiting = await tx
            .selectFrom("job")
            .select("id")
            .where("key", "=", key)
            .where("leased_until", "is", null)
            .whereRef("attempt", "<", "max_attempts")
            .executeTakeFirst();
          if (keepsOlder && waiting !== undefined) return;
          await tx.deleteFrom("job").where("key", "=", key).where("leased_until", "is", null).execute();
          await tx.updateTable("job").set({ key: null }).where("key", "=", key).execute();
        }
        await tx
          .insertInto("job")
          .values({
            id,
            kind,
            key: key ?? null,
            payload: storable(JSON.stringify(payload)),
            run_at: runAt.getTime(),
            leased_until: null,
            attempt: 0,
            max_attempts: maxAttempts,
            error: "",
          })
          .execute();
      }),
    async lease(kinds, now, limit, leasedUntil) {
      if (kinds.length === 0 || limit < 1) return [];
      const at = now.getTime();
      return query.transaction().execute(async (tx) => {
        const due = await tx
          .selectFrom("job")
          .select("id")
          .where("run_at", "<=", at)
          .where("kind", "in", [...kinds])
          .whereRef("attempt", "<", "max_attempts")
          .where(({ eb, or }) => or([eb("leased_until", "is", null), eb("leased_until", "<=", at)]))
          .orderBy("run_at")
          .orderBy("id")
          .limit(pageLimit(limit))
          .$if(differences.locksRows, (rows) => rows.forUpdate().skipLocked())
          .execute();
        if (due.length === 0) return [];
        const ids = due.map(({ id }) => id);
        const rows = await tx
          .updateTable("job")
          .set(({ eb }) => ({ leased_until: leasedUntil.getTime(), attempt: eb("attempt", "+", 1) }))
          .where("id", "in", ids)
          .returningAll()
          .execute();
        return rows.toSorted((one, other) => ids.indexOf(one.id) - ids.indexOf(other.id)).map(jobOf);
      });
    },
    async extend(id, attempt, leasedUntil) {
      const { numUpdatedRows } = await query
        .updateTable("job")
        .set({ leased_until: leasedUntil.getTime() })
        .where("id", "=", id)
        .where("attempt", "=", attempt)
        .where("leased_until", "is not", null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async complete(id, attempt) {
      const { numDeletedRows } = await query
        .deleteFrom("job")
        .where("id", "=", id)
        .where("attempt", "=", attempt)
        .where("leased_until", "is not", null)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
    async fail(id, attempt, retryAt, error) {
      const { numUpdatedRows } = await query
        .updateTable("job")
        .set({
          leased_until: null,
          run_at: retryAt.getTime(),
          error: storable(error.slice(0, MAX_ERROR_CHARACTERS)),
        })
        .where("id", "=", id)
        .where("attempt", "=", attempt)
        .where("leased_until", "is not", null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async failed(limit, now) {
      const rows = await query
        .selectFrom("job")
        .selectAll()
        .whereRef("attempt", ">=", "max_attempts")
        .where(({ eb, or }) => or([eb("leased_until", "is", null), eb("leased_until", "<=", now.getTime())]))
        .orderBy("run_at", "desc")
        .orderBy("id", "desc")
        .limit(pageLimit(limit))
        .execute();
      return rows.map((row) => ({ ...jobOf(row), isCutOff: row.leased_until !== null }));
    },
    async sweep(before) {
      const time = before.getTime();
      await query
        .deleteFrom("job")
        .whereRef("attempt", ">=", "max_attempts")
        .where("run_at", "<", time)
        .where(({ eb, or }) => or([eb("leased_until", "is", null), eb("leased_until", "<", time)]))
        .execute();
    },
  };
}

const jobOf = (row: Row): Omit<FailedJob, "isCutOff"> => ({
  id: row.id,
  kind: row.kind as JobKind,
  key: row.key ?? undefined,
  payload: JSON.parse(row.payload),
  runAt: new Date(row.run_at),
  attempt: row.attempt,
  maxAttempts: row.max_attempts,
  error: row.error,
});
