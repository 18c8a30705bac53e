/** Sightings of TLSA records, kept in memory. */
import type { TlsaSighting, TlsaSightingStore } from "../../src/keys/tlsa-sighting.ts";
import { formatTlsa } from "../../src/standards/dane/tlsa.ts";

export function memorySightings(): TlsaSightingStore {
  const kept = new Map<string, TlsaSighting>();
  return {
    get: async (owner, next) => kept.get(`${owner} ${formatTlsa(next)}`),
    put: async (owner, next, sighting) => {
      kept.set(`${owner} ${formatTlsa(next)}`, sighting);
    },
  };
}
