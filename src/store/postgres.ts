/** PostgreSQL: for several nodes over one state. */
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { LATEST_LAYOUT, statementsFrom } from "./migrations/all.ts";
import { POSTGRES_WORDS } from "./migrations/migration.ts";
import { endWhereSilent } from "./silent-line.ts";
import { newerLayout } from "./sqlite-file.ts";
import type { Tables } from "./tables.ts";
import { StoreTrouble, tellPostgres } from "./trouble.ts";

/** Of each node, beside twenty for jobs; PostgreSQL takes 100 in all where nobody has said otherwise. */
const MAX_CONNECTIONS = 8;
const CONNECT_MILLISECONDS = 5_000;
const STATEMENT_MILLISECONDS = 30_000;
const LOCK_MILLISECONDS = 10_000;
/** Where the server is gone without a word, such as behind a cut line. */
const SILENCE_MILLISECONDS = 45_000;
const IDLE_TRANSACTION_MILLISECONDS = 30_000;
/** The system's own is two hours; what stands in between forgets an idle connection sooner. */
const KEEP_ALIVE_MILLISECONDS = 30_000;
/** PostgreSQL's code for a table that is not there. */
const NO_TABLE = "42P01";

/** Any number that nobody else takes: "zonepost", read as octets. */
const LAYOUT_LOCK = "8822344117498803828";

const INT8 = 20;

export interface OpenedPostgres {
  readonly query: Kysely<Tables>;
  /** The server and the database, without the password. */
  readonly place: string;
}

/** Times in milliseconds; `statement` and `lock` are the server's, `silence` is ours. */
interface Patience {
  readonly statement: number;
  readonly lock: number;
  readonly silence: number;
}

const USUAL: Patience = {
  statement: STATEMENT_MILLISECONDS,
  lock: LOCK_MILLISECONDS,
  silence: SILENCE_MILLISECONDS,
};
/** For making the layout and what belongs to it: an index of a large table takes its time, and so does the node that makes it. */
const ENDLESS: Patience = { statement: 0, lock: 0, silence: 0 };

export async function openPostgres(url: string, patience = USUAL): Promise<OpenedPostgres> {
  const place = placeOf(url);
  const query = connect(url, place, MAX_CONNECTIONS, patience);
  try {
    if ((await layoutOf(query)) !== LATEST_LAYOUT) {
      await patiently(url, place, (patient) => layOut(patient, place));
    }
    if (!(await hasPartIndexes(query))) await patiently(url, place, addPartIndexes);
    return { query, place };
  } catch (error) {
    await query.destroy().catch(() => undefined);
    throw tellPostgres(place)(error);
  }
}

async function patiently(
  url: string,
  place: string,
  act: (query: Kysely<Tables>) => Promise<void>,
): Promise<void> {
  const patient = connect(url, place, 1, ENDLESS);
  await act(patient).finally(() => patient.destroy());
}

function connect(url: string, place: string, max: number, { statement, lock, silence }: Patience) {
  let pool: pg.Pool;
  try {
    pool = new pg.Pool({
      connectionString: url,
      max,
      connectionTimeoutMillis: CONNECT_MILLISECONDS,
      statement_timeout: statement,
      lock_timeout: lock,
      query_timeout: silence,
      idle_in_transaction_session_timeout: IDLE_TRANSACTION_MILLISECONDS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MILLISECONDS,
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
  pool.on("connect", (client) => {
    // One that breaks under a query or a transaction: whoever asked is told by that. Unheard, it would end the process.
    client.on("error", () => undefined);
    endWhereSilent(client);
  });
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
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
async function hasPartIndexes(query: Kysely<Tables>): Promise<boolean> {
  const names = PART_INDEXES.map(([name]) => sql.lit(name));
  const { rows } = await sql`SELECT 1 FROM pg_class WHERE relname IN (${sql.join(names)})`.execute(query);
  return rows.length === PART_INDEXES.length;
}

async function addPartIndexes(query: Kysely<Tables>): Promise<void> {
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

/** Undefined where there is none yet. */
async function layoutOf(query: Kysely<Tables>): Promise<number | undefined> {
  try {
    const { rows } = await sql<{ layout: number }>`SELECT layout FROM zonepost_layout`.execute(query);
    return rows[0]?.layout;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === NO_TABLE) return undefined;
    throw error;
  }
}

/** One node at a time: the others wait, and find it done. */
async function layOut(query: Kysely<Tables>, place: string): Promise<void> {
  await query.transaction().execute(async (tx) => {
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
