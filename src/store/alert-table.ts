/** News that is still to be told, a copy for each channel. */
import type { Expression, ExpressionBuilder, SqlBool, Transaction } from "kysely";
import type { News } from "../watch/alert.ts";
import type { AlertStore } from "../watch/alert-store.ts";
import { storable } from "./column.ts";
import type { Database, Tables } from "./tables.ts";

export function createAlertStore({ query, differences }: Database): AlertStore {
  return {
    async put(channel, key, news, at) {
      const text = storable(JSON.stringify(news));
      if (news.length === 0) {
        await query
          .deleteFrom("alert_news")
          .where("channel", "=", channel)
          .where("key", "=", key)
          .where("batch", "is", null)
          .execute();
        return;
      }
      await query
        .insertInto("alert_news")
        .values({ channel, key, news: text, at: at.getTime(), batch: null })
        .onConflict((conflict) =>
          conflict
            .columns(["channel", "key"])
            .where("batch", "is", null)
            .doUpdateSet({ news: text, at: at.getTime() }),
        )
        .execute();
    },
    collect: (channel, batch, { limit, putBefore, givenUpBefore, forgottenBefore }) =>
      query.transaction().execute(async (tx) => {
        const taken = tx
          .selectFrom("alert_news")
          .select("news")
          .where("channel", "=", channel)
          .where("batch", "=", batch)
          .orderBy("id");
        const before = await taken.execute();
        if (before.length > 0) return newsIn(before);
        await free(tx, channel, ({ and, eb }) =>
          and([eb("batch", "is not", null), eb("at", "<", givenUpBefore.getTime())]),
        );
        await tx
          .deleteFrom("alert_news")
          .where("channel", "=", channel)
          .where("batch", "is", null)
          .where("at", "<", forgottenBefore.getTime())
          .execute();
        const waiting = tx
          .selectFrom("alert_news")
          .select("id")
          .where("channel", "=", channel)
          .where("batch", "is", null)
          .where("at", "<", putBefore.getTime())
          .orderBy("id")
          .limit(limit)
          .$if(differences.locksRows, (rows) => rows.forUpdate());
        await tx.updateTable("alert_news").set({ batch }).where("id", "in", waiting).execute();
        return newsIn(await taken.execute());
      }),
    async finish(channel, batch) {
      await query
        .deleteFrom("alert_news")
        .where("channel", "=", channel)
        .where("batch", "=", batch)
        .execute();
      const more = await query
        .selectFrom("alert_news")
        .select("id")
        .where("channel", "=", channel)
        .where("batch", "is", null)
        .limit(1)
        .executeTakeFirst();
      return more !== undefined;
    },
    release: (channel, batch) =>
      query.transaction().execute((tx) => free(tx, channel, ({ eb }) => eb("batch", "=", batch))),
  };
}

type Which = (among: ExpressionBuilder<Tables, "alert_news">) => Expression<SqlBool>;

/** Out of their batches; of one key the newest alone. */
async function free(tx: Transaction<Tables>, channel: string, isFreed: Which): Promise<void> {
  const among = tx
    .selectFrom("alert_news")
    .where("channel", "=", channel)
    .where((row) => row.or([row.eb("batch", "is", null), isFreed(row)]));
  await tx
    .deleteFrom("alert_news")
    .where("channel", "=", channel)
    .where(isFreed)
    .where("id", "not in", among.select(({ fn }) => fn.max("id").as("id")).groupBy("key"))
    .execute();
  await tx
    .updateTable("alert_news")
    .set({ batch: null })
    .where("channel", "=", channel)
    .where(isFreed)
    .execute();
}

const newsIn = (rows: readonly { readonly news: string }[]): readonly News[] =>
  rows.flatMap(({ news }) => JSON.parse(news) as News[]);
