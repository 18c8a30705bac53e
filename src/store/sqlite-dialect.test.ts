import { Kysely, sql } from "kysely";
import { expect, it } from "vitest";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { openSqliteMemory } from "./sqlite-file.ts";

it("lets all else have its turn between the queries of a long row of them", async () => {
  const query = new Kysely<object>({ dialect: sqliteDialect(await openSqliteMemory()) });
  let turns = 0;
  let isOver = false;
  const takeTurn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(takeTurn);
  };
  setImmediate(takeTurn);
  const began = performance.now();
  let queries = 0;
  while (performance.now() - began < 300) {
    await sql`SELECT ${queries}`.execute(query);
    queries += 1;
  }
  isOver = true;
  expect(turns).toBeGreaterThanOrEqual(5);
  // A turn for each query would make every one of them slow.
  expect(queries).toBeGreaterThan(3 * turns);
  await query.destroy();
});
