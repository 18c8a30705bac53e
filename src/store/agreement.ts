/** Descriptions and what is known of domains, compared where they lie, in pieces: others get their turn in between. */
import { type ExpressionBuilder, type Kysely, sql, type Transaction } from "kysely";
import type { DomainName } from "../standards/dns/name.ts";
import { nameIn } from "./column.ts";
import type { Database, Tables } from "./tables.ts";

const MAX_PIECE = 2_000;

/** What is done to one domain of those that are watched, within a transaction. */
export interface WatchedWrites {
  forget(tx: Transaction<Tables>, domain: DomainName): Promise<void>;
  schedule(tx: Transaction<Tables>, domain: DomainName, ownerId: string | undefined, at: Date): Promise<void>;
}

/** As `WatchStore.agreeWithDescriptions`. */
export async function agreeWithDescriptions(
  database: Pick<Database, "query" | "differences">,
  writes: WatchedWrites,
  at: Date,
  signal?: AbortSignal,
  piece = MAX_PIECE,
): Promise<number> {
  const { query } = database;
  let differed = 0;
  for await (const { after, upTo } of piecesOf(query, "described_domain", piece, signal)) {
    const rows = await query
      .selectFrom("described_domain as described")
      .leftJoin("domain_state as state", "state.domain", "described.domain")
      .select([
        "described.domain",
        "described.owner_id as owner",
        "state.domain as watched",
        "state.owner_id as watcher",
      ])
      .where("described.domain", ">", after)
      .$if(upTo !== undefined, (found) => found.where("described.domain", "<=", upTo!))
      .where(sql<boolean>`(state.domain IS NULL OR state.owner_id IS DISTINCT FROM described.owner_id)`)
      .execute();
    for (const row of rows) {
      if (signal?.aborted) return differed;
      if (await agree(database, writes, row, at)) differed += 1;
    }
  }
  for await (const { after, upTo } of piecesOf(query, "domain_state", piece, signal)) {
    const ghosts = await query
      .selectFrom("domain_state")
      .select("domain")
      .where("domain", ">", after)
      .$if(upTo !== undefined, (found) => found.where("domain", "<=", upTo!))
      .where(isNotDescribed)
      .execute();
    for (const { domain } of ghosts) {
      if (signal?.aborted) return differed;
      if (await forgetGhost(query, domain)) differed += 1;
    }
  }
  return differed;
}

interface Differing {
  readonly domain: string;
  readonly owner: string | null;
  /** Null where it is not watched. */
  readonly watched: string | null;
  readonly watcher: string | null;
}

/** False where somebody has changed it since it was read. */
async function agree(
  { query, differences }: Pick<Database, "query" | "differences">,
  writes: WatchedWrites,
  { domain, owner, watched, watcher }: Differing,
  at: Date,
): Promise<boolean> {
  return query.transaction().execute(async (tx) => {
    const described = await tx
      .selectFrom("described_domain")
      .select("owner_id")
      .where("domain", "=", domain)
      .$if(differences.locksRows, (rows) => rows.forShare())
      .executeTakeFirst();
    const state = await tx
      .selectFrom("domain_state")
      .select("owner_id")
      .where("domain", "=", domain)
      .$if(differences.locksRows, (rows) => rows.forUpdate())
      .executeTakeFirst();
    const isAsRead =
      described?.owner_id === owner && (watched === null ? state === undefined : state?.owner_id === watcher);
    if (!isAsRead) return false;
    const name = nameIn(domain);
    // What is known of it was the former owner's to see.
    if (state !== undefined) await writes.forget(tx, name);
    await writes.schedule(tx, name, owner ?? undefined, at);
    return true;
  });
}

type Piece = { readonly after: string; readonly upTo: string | undefined };

/** Every name of the table is within one of them; the last has no end. None comes behind the signal. */
async function* piecesOf(
  query: Kysely<Tables>,
  table: "described_domain" | "domain_state",
  piece: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Piece> {
  for (let after = ""; signal?.aborted !== true; ) {
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
async function forgetGhost(query: Kysely<Tables>, domain: string): Promise<boolean> {
  return query.transaction().execute(async (tx) => {
    const { numDeletedRows } = await tx
      .deleteFrom("domain_state")
      .where("domain", "=", domain)
      .where(isNotDescribed)
      .executeTakeFirstOrThrow();
    if (numDeletedRows === 0n) return false;
    await tx.deleteFrom("finding_event").where("domain", "=", domain).execute();
    return true;
  });
}
