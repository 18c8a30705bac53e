/** All or nothing. */
import type { Kysely, Transaction } from "kysely";
import type { Tables } from "./tables.ts";

class TakenBack extends Error {}

/** Takes everything back where `act` says false, or throws. */
export async function allOrNothing(
  query: Kysely<Tables>,
  act: (tx: Transaction<Tables>) => Promise<boolean>,
): Promise<boolean> {
  try {
    return await query.transaction().execute(async (tx) => {
      if (await act(tx)) return true;
      throw new TakenBack();
    });
  } catch (error) {
    if (error instanceof TakenBack) return false;
    throw error;
  }
}
