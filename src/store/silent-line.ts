/** Connections to PostgreSQL whose server is gone without a word, such as behind a cut line. */
import type pg from "pg";

/** What the driver says of a query without an answer. */
const SILENT = "Query read timeout";

/** The driver keeps a connection whose server said nothing in time, and the pool would hand it out again. */
export function endWhereSilent(client: pg.PoolClient): void {
  const ask = client.query;
  client.query = ((...words: readonly unknown[]) => {
    const answer: unknown = Reflect.apply(ask, client, words);
    if (answer instanceof Promise)
      answer.catch((error: Error) => {
        if (error.message === SILENT) (client as unknown as pg.Client).end().catch(() => undefined);
      });
    return answer;
  }) as typeof client.query;
}
