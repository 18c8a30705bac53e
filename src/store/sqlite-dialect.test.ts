import { Kysely, sql } from "kysely";
import { expect, it, vi } from "vitest";
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
  // Each query takes a millisecond, however fast the machine is.
  let time = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => time);
  try {
    setImmediate(takeTurn);
    for (let at = 0; at < 1_000; at++) {
      await sql`SELECT ${at}`.execute(query);
      time += 1;
    }
  } finally {
    clock.mockRestore();
    isOver = true;
  }
  expect(turns).toBeGreaterThanOrEqual(50);
  // A turn for each query would make every one of them slow.
  expect(turns).toBeLessThan(250);
  await query.destroy();
});
