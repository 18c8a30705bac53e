/** Entered providers in memory, for tests. */
import type { KnownProvider, ProviderStore } from "../../src/publish/provider-store.ts";

export function memoryProviderStore(): ProviderStore {
  const known = new Map<string, KnownProvider>();
  return {
    list: async () => [...known.values()],
    async add(provider) {
      known.set(provider.id, provider);
    },
    async change(before, after) {
      if (known.get(before.id)?.revision !== before.revision) return "stale";
      known.set(after.id, after);
      return "changed";
    },
    async sweep(removedBefore) {
      for (const { id, removedAt } of known.values())
        if (removedAt !== undefined && removedAt < removedBefore) known.delete(id);
    },
  };
}
