/** What is sealed is written under the one key that all lies under. */
import type { Transaction } from "kysely";
import type { Database, Tables } from "./tables.ts";
import { StoreTrouble } from "./trouble.ts";

/** First in a transaction: until its end nothing is sealed anew. Rejects where all lies under another key meanwhile. */
export async function holdOwnSeal(
  tx: Transaction<Tables>,
  { ownSeal, differences }: Omit<Database, "query">,
): Promise<void> {
  if (ownSeal.id === undefined) return;
  const row = await tx
    .selectFrom("seal_key")
    .select("id")
    .$if(differences.locksRows, (found) => found.forShare())
    .executeTakeFirst();
  if (row?.id !== ownSeal.id)
    throw new StoreTrouble(
      "resealed",
      `all that is kept here was sealed anew under another seal key (${row?.id}); nothing was changed: put that key in the place of this server's, and start it again`,
    );
}
