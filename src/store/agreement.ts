/** Descriptions and what is known of domains, compared where they lie, in pieces: others get their turn in between. */
import { type ExpressionBuilder, type Kysely, sql } from "kysely";
import type { WatchStore } from "../watch/watch-store.ts";
import { nameIn } from "./column.ts";
import type { Tables } from "./tables.ts";

const MAX_PIECE = 2_000;

/** As `WatchStore.agreeWithDescriptions`. */
export async function agreeWithDescriptions(
  query: Kysely<Tables>,
  watch: Pick<WatchStore, "forget" | "schedule">,
  at: Date,
  piece = MAX_PIECE,
): Promise<number> {
  let differed = 0;
  for await (const { after, upTo } of piecesOf(query, "described_domain", piece)) {
    const rows = await query
      .selectFrom("described_domain as described")
      .leftJoin("domain_state as state", "state.domain", "described.domain")
      .select(["described.domain", "described.owner_id", "state.domain as watched"])
      .where("described.domain", ">", after)
      .$if(upTo !== undefined, (found) => found.where("described.domain", "<=", upTo!))
      .where(sql<boolean>`(state.domain IS NULL OR state.owner_id IS DISTINCT FROM described.owner_id)`)
      .execute();
    for (const { domain, owner_id, watched } of rows) {
      // What is known of it was the former owner's to see.
      if (watched !== null) await watch.forget(nameIn(domain));
      await watch.schedule(nameIn(domain), owner_id ?? undefined, at);
    }
    differed += rows.length;
  }
  for await (const { after, upTo } of piecesOf(query, "domain_state", piece)) {
    const ghosts = await query
      .selectFrom("domain_state")
      .select("domain")
      .where("domain", ">", after)
      .$if(upTo !== undefined, (found) => found.where("domain", "<=", upTo!))
      .where(isNotDescribed)
      .execute();
    for (const { domain } of ghosts) await forgetGhost(query, domain);
    differed += ghosts.length;
  }
  return differed;
}

type Piece = { readonly after: string; readonly upTo: string | undefined };

/** Every name of the table is within one of them; the last has no end. */
async function* piecesOf(
  query: Kysely<Tables>,
  table: "described_domain" | "domain_state",
  piece: number,
): AsyncGenerator<Piece> {
  for (let after = ""; ; ) {
    const last: { domain: string } | undefined = await query
      .selectFrom(table)
      .select("domain")
      .where("domain", ">", after)
      .orderBy("domain")
      .offset(piece - 1)
      .limit(1)
      .executeTakeFirst();
    yield { after, upTo: last?.domain };
    if (last === undefined) return;
    after = last.domain;
  }
}

const isNotDescribed = ({ not, exists, selectFrom }: ExpressionBuilder<Tables, "domain_state">) =>
  not(
    exists(
      selectFrom("described_domain")
        .select("described_domain.domain")
        .whereRef("described_domain.domain", "=", "domain_state.domain"),
    ),
  );

/** Whoever describes it again at this moment keeps it. */
async function forgetGhost(query: Kysely<Tables>, domain: string): Promise<void> {
  await query.transaction().execute(async (tx) => {
    const { numDeletedRows } = await tx
      .deleteFrom("domain_state")
      .where("domain", "=", domain)
      .where(isNotDescribed)
      .executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) return;
    await tx.deleteFrom("finding_event").where("domain", "=", domain).execute();
  });
}
