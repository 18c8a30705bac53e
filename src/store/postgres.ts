/** PostgreSQL: for several nodes over one state. */
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { LATEST_LAYOUT, statementsFrom } from "./migrations/all.ts";
import { POSTGRES_WORDS } from "./migrations/migration.ts";
import { newerLayout } from "./sqlite-file.ts";
import type { Tables } from "./tables.ts";
import { StoreTrouble, tellPostgres } from "./trouble.ts";

/** Of each node; PostgreSQL takes 100 in all where nobody has said otherwise. */
const MAX_CONNECTIONS = 10;
const CONNECT_MILLISECONDS = 5_000;
const STATEMENT_MILLISECONDS = 30_000;
const LOCK_MILLISECONDS = 10_000;
/** Where the server is gone without a word, such as behind a cut line. */
const SILENCE_MILLISECONDS = 45_000;
const IDLE_TRANSACTION_MILLISECONDS = 30_000;

/** Any number that nobody else takes: "zonepost", read as octets. */
const LAYOUT_LOCK = "8822344117498803828";

const INT8 = 20;

export interface OpenedPostgres {
  readonly query: Kysely<Tables>;
  /** The server and the database, without the password. */
  readonly place: string;
}

export async function openPostgres(url: string): Promise<OpenedPostgres> {
  const place = placeOf(url);
  let pool: pg.Pool;
  try {
    pool = new pg.Pool({
      connectionString: url,
      max: MAX_CONNECTIONS,
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
      statement_timeout: STATEMENT_MILLISECONDS,
      lock_timeout: LOCK_MILLISECONDS,
      query_timeout: SILENCE_MILLISECONDS,
      idle_in_transaction_session_timeout: IDLE_TRANSACTION_MILLISECONDS,
      keepAlive: true,
      application_name: "zonepost",
      // Counts and times are far below what a number holds.
      types: {
        getTypeParser: (type, format) => (type === INT8 ? Number : pg.types.getTypeParser(type, format)),
      },
    });
  } catch {
    // Words of the parser may hold the address, password and all.
    throw new StoreTrouble(
      "refused",
      `the database's address cannot be used (${place}); it has the form ${FORM}`,
    );
  }
  // A connection that breaks while it is idle is replaced at the next call.
  pool.on("error", () => undefined);
  const query = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    await layOut(query, place);
    await addPartIndexes(query);
    return { query, place };
  } catch (error) {
    await query.destroy().catch(() => undefined);
    throw tellPostgres(place)(error);
  }
}

const FORM = "postgres://USER:PASSWORD@HOST:PORT/DATABASE";

function placeOf(text: string): string {
  if (!URL.canParse(text) || !/^postgres(?:ql)?:$/.test(new URL(text).protocol))
    throw new StoreTrouble("refused", `the database's address cannot be read; it has the form ${FORM}`);
  const url = new URL(text);
  const host = url.host || url.searchParams.get("host") || "localhost";
  return `postgres://${url.username ? `${url.username}@` : ""}${host}${url.pathname}`;
}

const PART_INDEXES = [
  ["described_domain_part", "described_domain"],
  ["domain_state_part", "domain_state"],
] as const;

/**
 * A search for a part of a name looks into these, where the database lets its owner have pg_trgm; it finds the same
 * without them, and slower. So they are no part of the layout.
 */
async function addPartIndexes(query: Kysely<Tables>): Promise<void> {
  const names = PART_INDEXES.map(([name]) => sql.lit(name));
  const { rows } = await sql`SELECT 1 FROM pg_class WHERE relname IN (${sql.join(names)})`.execute(query);
  if (rows.length === PART_INDEXES.length) return;
  try {
    await query.transaction().execute(async (tx) => {
      await sql`SELECT pg_advisory_xact_lock(${sql.lit(LAYOUT_LOCK)}::bigint)`.execute(tx);
      await sql`CREATE EXTENSION IF NOT EXISTS pg_trgm`.execute(tx);
      for (const [name, table] of PART_INDEXES)
        await sql`CREATE INDEX IF NOT EXISTS ${sql.ref(name)} ON ${sql.table(table)} USING gin (domain gin_trgm_ops)`.execute(
          tx,
        );
    });
  } catch (error) {
    // Refused, or not installed. Whatever else is wrong will be met again.
    if (!(error instanceof pg.DatabaseError)) throw error;
  }
}

/** One node at a time: the others wait, and find it done. */
async function layOut(query: Kysely<Tables>, place: string): Promise<void> {
  await query.transaction().execute(async (tx) => {
    await sql`SET LOCAL lock_timeout = 0`.execute(tx);
    await sql`SELECT pg_advisory_xact_lock(${sql.lit(LAYOUT_LOCK)}::bigint)`.execute(tx);
    await sql`CREATE TABLE IF NOT EXISTS zonepost_layout (layout BIGINT NOT NULL)`.execute(tx);
    const { rows } = await sql<{ layout: number }>`SELECT layout FROM zonepost_layout`.execute(tx);
    const layout = rows[0]?.layout ?? 0;
    if (layout > LATEST_LAYOUT) throw newerLayout(place, layout);
    if (layout === LATEST_LAYOUT) return;
    for (const statement of statementsFrom(layout, POSTGRES_WORDS)) await sql.raw(statement).execute(tx);
    if (rows.length === 0) await sql`INSERT INTO zonepost_layout VALUES (${LATEST_LAYOUT})`.execute(tx);
    else await sql`UPDATE zonepost_layout SET layout = ${LATEST_LAYOUT}`.execute(tx);
  });
}
