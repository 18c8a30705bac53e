/** Work that somebody follows. */
import type { ExpressionBuilder, Selectable } from "kysely";
import type { Task, TaskCount, TaskState, TaskStore } from "../watch/task.ts";
import { storable } from "./column.ts";
import type { Database, Tables } from "./tables.ts";

type Row = Selectable<Tables["task"]>;

export function createTaskStore({ query }: Database): TaskStore {
  const ended = {
    state: "failed",
    result: JSON.stringify({ what: "it was begun, and never came to an end" }),
  };
  return {
    async begin({ id, kind, domain, ownerId, input, startedAt }) {
      const values = {
        id,
        kind,
        domain: domain ?? null,
        owner_id: ownerId ?? null,
        input: storable(JSON.stringify(input)),
        started_at: startedAt.getTime(),
        state: "waiting",
        attempt: 0,
        progress: "null",
        result: null,
        ended_at: null,
      };
      // The one in the way may end between the two statements.
      for (;;) {
        const { numInsertedOrUpdatedRows } = await query
          .insertInto("task")
          .values(values)
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        const rows = query.selectFrom("task").selectAll();
        const row =
          (numInsertedOrUpdatedRows ?? 0n) > 0n
            ? await rows.where("id", "=", id).executeTakeFirst()
            : await rows.where(isUnderWay(kind, domain ?? "")).executeTakeFirst();
        if (row !== undefined) return taskOf(row);
      }
    },
    async underWay(kind, domain) {
      const row = await query
        .selectFrom("task")
        .selectAll()
        .where(isUnderWay(kind, domain))
        .executeTakeFirst();
      return row && taskOf(row);
    },
    async get(id) {
      const row = await query.selectFrom("task").selectAll().where("id", "=", id).executeTakeFirst();
      return row && taskOf(row);
    },
    async claim(id, attempt) {
      const row = await query
        .updateTable("task")
        .set({ state: "running", attempt })
        .where("id", "=", id)
        .where("attempt", "<", attempt)
        .where("ended_at", "is", null)
        .returningAll()
        .executeTakeFirst();
      return row && taskOf(row);
    },
    async note(id, attempt, progress) {
      const { numUpdatedRows } = await query
        .updateTable("task")
        .set({ progress: storable(JSON.stringify(progress ?? null)) })
        .where("id", "=", id)
        .where("attempt", "=", attempt)
        .where("ended_at", "is", null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async end(id, attempt, state, result, at) {
      const { numUpdatedRows } = await query
        .updateTable("task")
        .set({ state, result: storable(JSON.stringify(result ?? null)), ended_at: at.getTime() })
        .where("id", "=", id)
        .where("attempt", "=", attempt)
        .where("ended_at", "is", null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async abandon(begunBefore, at) {
      await query
        .updateTable("task")
        .set({ ...ended, ended_at: at.getTime() })
        .where("ended_at", "is", null)
        .where("started_at", "<", begunBefore.getTime())
        .execute();
    },
    async unfinished() {
      const rows = await query
        .selectFrom("task")
        .select(({ fn }) => ["kind", "owner_id", "state", fn.countAll<number>().as("count")])
        .where("ended_at", "is", null)
        .groupBy(["kind", "owner_id", "state"])
        .execute();
      return rows.map(({ kind, owner_id: ownerId, state, count }) => ({
        kind,
        ownerId: ownerId ?? undefined,
        state: state as TaskCount["state"],
        count,
      }));
    },
    async sweep(endedBefore) {
      await query.deleteFrom("task").where("ended_at", "<", endedBefore.getTime()).execute();
    },
  };
}

const isUnderWay =
  (kind: string, domain: string) =>
  ({ eb, and }: ExpressionBuilder<Tables, "task">) =>
    and([eb("kind", "=", kind), eb("domain", "=", domain), eb("ended_at", "is", null)]);

const taskOf = (row: Row): Task => ({
  id: row.id,
  kind: row.kind,
  domain: row.domain ?? undefined,
  ownerId: row.owner_id ?? undefined,
  input: JSON.parse(row.input),
  startedAt: new Date(row.started_at),
  state: row.state as TaskState,
  attempt: row.attempt,
  progress: JSON.parse(row.progress),
  result: row.result === null ? null : JSON.parse(row.result),
});
