/** Under which key all is sealed, and all of it under another. */
import { sql } from "kysely";
import type { SealStore } from "../keys/seal-store.ts";
import { changeKeys } from "./key-table.ts";
import type { Database } from "./tables.ts";
import { allOrNothing } from "./transaction.ts";

export function createSealStore({ query }: Database): SealStore {
  const known = async () => (await query.selectFrom("seal_key").select("id").executeTakeFirst())?.id;
  return {
    known,
    async remember(id) {
      await query
        .insertInto("seal_key")
        .values({ one: 1, id })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return (await known()) ?? id;
    },
    async reseal(to, keys, secrets) {
      const isDone = await allOrNothing(query, async (tx) => {
        if (!(await changeKeys(tx, keys))) return false;
        for (const { of, id, before, after } of secrets) {
          const [table, column] =
            of === "user" ? (["account", "sealed_totp_secret"] as const) : (["provider", "sealed"] as const);
          const { numAffectedRows } = await sql`
            UPDATE ${sql.table(table)} SET ${sql.ref(column)} = ${after}, revision = revision + 1
            WHERE id = ${id} AND ${sql.ref(column)} = ${before}`.execute(tx);
          if (numAffectedRows !== 1n) return false;
        }
        await tx
          .insertInto("seal_key")
          .values({ one: 1, id: to })
          .onConflict((conflict) => conflict.column("one").doUpdateSet({ id: to }))
          .execute();
        return true;
      });
      return isDone ? "changed" : "stale";
    },
  };
}
