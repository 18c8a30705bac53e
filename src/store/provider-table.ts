/** Who holds zones; the secrets come sealed, and stay so. */
import type { Selectable } from "kysely";
import type { KnownProvider, ProviderStore } from "../publish/provider-store.ts";
import { optionalDate, storable, timeOf } from "./column.ts";
import { holdOwnSeal } from "./own-seal.ts";
import type { Database, Tables } from "./tables.ts";

type Row = Selectable<Tables["provider"]>;

export function createProviderStore({ query, ...database }: Database): ProviderStore {
  return {
    async list() {
      const rows = await query
        .selectFrom("provider")
        .selectAll()
        .orderBy("entered_at")
        .orderBy("id")
        .execute();
      return rows.map(providerOf);
    },
    async add(provider) {
      await query.transaction().execute(async (tx) => {
        await holdOwnSeal(tx, database);
        await tx.insertInto("provider").values(rowOf(provider)).execute();
      });
    },
    async change(before, after) {
      return query.transaction().execute(async (tx) => {
        if (after.sealed !== before.sealed) await holdOwnSeal(tx, database);
        const { numUpdatedRows } = await tx
          .updateTable("provider")
          .set(rowOf(after))
          .where("id", "=", before.id)
          .where("revision", "=", before.revision)
          .executeTakeFirst();
        return numUpdatedRows === 1n ? "changed" : "stale";
      });
    },
    async sweep(removedBefore) {
      await query.deleteFrom("provider").where("removed_at", "<", removedBefore.getTime()).execute();
    },
  };
}

const providerOf = (row: Row): KnownProvider => ({
  id: row.id,
  settings: JSON.parse(row.settings) as KnownProvider["settings"],
  sealed: row.sealed,
  enteredAt: new Date(row.entered_at),
  enteredBy: row.entered_by,
  revision: row.revision,
  removedAt: optionalDate(row.removed_at),
});

const rowOf = (provider: KnownProvider): Row => ({
  id: provider.id,
  settings: storable(JSON.stringify(provider.settings)),
  sealed: provider.sealed,
  entered_at: provider.enteredAt.getTime(),
  entered_by: storable(provider.enteredBy),
  revision: provider.revision,
  removed_at: timeOf(provider.removedAt),
});
