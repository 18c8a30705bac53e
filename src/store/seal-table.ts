/** Under which key all is sealed, and all of it under another. */
import { sql, type Transaction } from "kysely";
import type { SealStore } from "../keys/seal-store.ts";
import { changeKeys } from "./key-table.ts";
import type { Database, Tables } from "./tables.ts";
import { allOrNothing } from "./transaction.ts";

export function createSealStore({ query, ownSeal }: Database): SealStore {
  const known = async () => (await query.selectFrom("seal_key").select("id").executeTakeFirst())?.id;
  return {
    known,
    async remember(id) {
      let first = await known();
      if (first === undefined) {
        await query
          .insertInto("seal_key")
          .values({ one: 1, id })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        first = (await known()) ?? id;
      }
      if (first === id) ownSeal.id = id;
      return first;
    },
    async reseal(to, keys, secrets) {
      const isDone = await allOrNothing(query, async (tx) => {
        // Before all else: whoever writes what is sealed is waited for, and whoever comes later is refused.
        await tx
          .insertInto("seal_key")
          .values({ one: 1, id: to })
          .onConflict((conflict) => conflict.column("one").doUpdateSet({ id: to }))
          .execute();
        if (!(await changeKeys(tx, keys))) return false;
        for (const { of, id, before, after } of secrets) {
          const [table, column] =
            of === "user" ? (["account", "sealed_totp_secret"] as const) : (["provider", "sealed"] as const);
          const { numAffectedRows } = await sql`
            UPDATE ${sql.table(table)} SET ${sql.ref(column)} = ${after}, revision = revision + 1
            WHERE id = ${id} AND ${sql.ref(column)} = ${before}`.execute(tx);
          if (numAffectedRows !== 1n) return false;
        }
        return (await countSealed(tx)) === keys.length + secrets.length;
      });
      return isDone ? "changed" : "stale";
    },
  };
}

async function countSealed(tx: Transaction<Tables>): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT (SELECT count(*) FROM dkim_key) + (SELECT count(*) FROM provider)
      + (SELECT count(*) FROM account WHERE sealed_totp_secret IS NOT NULL) AS count`.execute(tx);
  return rows[0]!.count;
}
