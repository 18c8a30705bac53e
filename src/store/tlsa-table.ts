/** What is remembered of TLSA records on their way. */
import type { Selectable } from "kysely";
import type { TlsaSighting, TlsaSightingStore } from "../keys/tlsa-sighting.ts";
import { formatTlsa, parseTlsa } from "../standards/dane/tlsa.ts";
import { optionalDate, timeOf } from "./column.ts";
import type { Database, Tables } from "./tables.ts";

export function createTlsaSightingStore({ query }: Database): TlsaSightingStore {
  return {
    async get(owner, next) {
      const row = await query
        .selectFrom("tlsa_sighting")
        .selectAll()
        .where("owner", "=", owner)
        .where("next", "=", formatTlsa(next))
        .executeTakeFirst();
      return row && sightingOf(row);
    },
    async put(owner, next, { everywhereSince, lackingAt, liveSince, longestTtlSeconds, current }) {
      const seen = {
        everywhere_since: timeOf(everywhereSince),
        lacking_at: timeOf(lackingAt),
        live_since: timeOf(liveSince),
        longest_ttl_seconds: longestTtlSeconds ?? null,
        current: current === undefined ? null : formatTlsa(current),
      };
      await query
        .insertInto("tlsa_sighting")
        .values({ owner, next: formatTlsa(next), ...seen })
        .onConflict((conflict) => conflict.columns(["owner", "next"]).doUpdateSet(seen))
        .execute();
    },
  };
}

function sightingOf(row: Selectable<Tables["tlsa_sighting"]>): TlsaSighting {
  const everywhereSince = optionalDate(row.everywhere_since);
  const lackingAt = optionalDate(row.lacking_at);
  const liveSince = optionalDate(row.live_since);
  const current = row.current === null ? undefined : parseTlsa(row.current);
  if (current?.ok === false)
    throw new Error(`the store holds TLSA data that cannot be read: ${current.problem}`);
  return {
    ...(everywhereSince && { everywhereSince }),
    ...(lackingAt && { lackingAt }),
    ...(liveSince && { liveSince }),
    ...(row.longest_ttl_seconds !== null && { longestTtlSeconds: row.longest_ttl_seconds }),
    ...(current && { current: current.value }),
  };
}
