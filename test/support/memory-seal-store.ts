/** Which seal key is known, in memory, for tests. */
import type { SealStore } from "../../src/keys/seal-store.ts";

export function memorySealStore(): SealStore {
  let known: string | undefined;
  return {
    known: async () => known,
    async remember(id) {
      known ??= id;
      return known;
    },
    reseal: async () => {
      throw new Error("what is in memory is not sealed anew");
    },
  };
}
