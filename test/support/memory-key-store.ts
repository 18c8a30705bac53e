/** Keys in memory, for tests. */

import { byAge, type DkimKey } from "../../src/keys/key.ts";
import type { KeyStore } from "../../src/keys/key-store.ts";

export function memoryKeyStore(): KeyStore {
  const kept = new Map<string, DkimKey>();
  const publishing = new Set<string>();
  const id = ({ signingDomain, dkimSelector }: Pick<DkimKey, "signingDomain" | "dkimSelector">) =>
    `${dkimSelector} ${signingDomain}`;
  return {
    list: async (domain) =>
      [...kept.values()].filter((key) => domain === undefined || key.signingDomain === domain).sort(byAge),
    get: async (name) => kept.get(id(name)),
    publishes: async (domain) => publishing.has(domain),
    async setPublishes(domain, is) {
      if (is) publishing.add(domain);
      else publishing.delete(domain);
    },
    async put(key) {
      if (kept.has(id(key))) return "taken";
      kept.set(id(key), key);
      return "put";
    },
    async change(changes) {
      if (changes.some(({ before }) => kept.get(id(before)) !== before)) return "stale";
      for (const { after } of changes) kept.set(id(after), after);
      return "changed";
    },
    async remove(key) {
      return kept.delete(id(key)) ? "removed" : "stale";
    },
  };
}
