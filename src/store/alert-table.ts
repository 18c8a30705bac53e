/** News that is still to be told, a copy for each channel. */
import type { News } from "../watch/alert.ts";
import type { AlertStore } from "../watch/alert-store.ts";
import { storable } from "./column.ts";
import type { Database } from "./tables.ts";

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
    collect: (channel, batch, limit) =>
      query.transaction().execute(async (tx) => {
        const taken = tx
          .selectFrom("alert_news")
          .select("news")
          .where("channel", "=", channel)
          .where("batch", "=", batch)
          .orderBy("id");
        const before = await taken.execute();
        if (before.length > 0) return newsIn(before);
        const waiting = tx
          .selectFrom("alert_news")
          .select("id")
          .where("channel", "=", channel)
          .where("batch", "is", null)
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
  };
}

const newsIn = (rows: readonly { readonly news: string }[]): readonly News[] =>
  rows.flatMap(({ news }) => JSON.parse(news) as News[]);
