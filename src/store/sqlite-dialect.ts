/** SQLite as Node brings it along, behind the query layer. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";

/** How long a call waits for another process that is writing; the event loop goes on meanwhile. */
const BUSY_MILLISECONDS = 5_000;
const MAX_PAUSE_MILLISECONDS = 25;
/** Nothing here waits for the outside, so a row of queries would keep all else in the process from its turn. */
const TURN_MILLISECONDS = 10;
const MAX_STATEMENTS = 200;
const SQLITE_BUSY = 5;

export function sqliteDialect(database: DatabaseSync): Dialect {
  return {
    createDriver: () => new SqliteFileDriver(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new SqliteAdapter(),
    createIntrospector: (query) => new SqliteIntrospector(query),
  };
}

/** Tries until it is not busy any more, or the time is over: what was busy has changed nothing. */
export async function whenFree<T>(act: () => T): Promise<T> {
  for (let waited = 0, pause = 1; ; pause = Math.min(2 * pause, MAX_PAUSE_MILLISECONDS)) {
    try {
      return act();
    } catch (error) {
      const { errcode } = error as { readonly errcode?: unknown };
      const isBusy = typeof errcode === "number" && (errcode & 0xff) === SQLITE_BUSY;
      if (!isBusy || waited >= BUSY_MILLISECONDS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    waited += pause;
  }
}

/** One connection, which one query or transaction has at a time. */
class SqliteFileDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #connection: SqliteConnection;
  #isTaken = false;
  /** When the first query of this turn of the event loop came. */
  #turnBegan: number | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#connection = new SqliteConnection(database);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    while (this.#isTurnOver()) await new Promise((resolve) => setImmediate(resolve));
    if (this.#isTaken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#isTaken = true;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    const next = this.#waiting.shift();
    if (next === undefined) this.#isTaken = false;
    else next();
  }

  #isTurnOver(): boolean {
    const now = performance.now();
    if (this.#turnBegan === undefined) {
      this.#turnBegan = now;
      setImmediate(() => {
        this.#turnBegan = undefined;
      });
    }
    return now - this.#turnBegan >= TURN_MILLISECONDS;
  }

  /** At once with the right to write: what is read in it is still so when it is written. */
  beginTransaction(): Promise<void> {
    return whenFree(() => this.#database.exec("BEGIN IMMEDIATE"));
  }

  async commitTransaction(): Promise<void> {
    this.#database.exec("COMMIT");
  }

  /** SQLite has taken some back by itself, as where the disk is full. */
  async rollbackTransaction(): Promise<void> {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }

  async destroy(): Promise<void> {
    this.#database.close();
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const statement = this.#prepare(sql);
    const values = parameters as readonly SQLInputValue[];
    if (statement.columns().length > 0) {
      return { rows: await whenFree(() => statement.all(...values) as R[]) };
    }
    const { changes } = await whenFree(() => statement.run(...values));
    return { rows: [], numAffectedRows: BigInt(changes) };
  }

  // biome-ignore lint/correctness/useYield: nothing here is streamed
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("nothing is streamed from SQLite");
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    if (this.#statements.size >= MAX_STATEMENTS) {
      this.#statements.delete(this.#statements.keys().next().value!);
    }
    this.#statements.set(sql, statement);
    return statement;
  }
}
