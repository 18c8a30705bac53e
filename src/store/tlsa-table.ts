/** What is remembered of TLSA records on their way, in SQLite. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { TlsaSighting, TlsaSightingStore } from "../keys/tlsa-sighting.ts";
import { formatTlsa, parseTlsa } from "../standards/dane/tlsa.ts";

export const TLSA_TABLE = `
CREATE TABLE tlsa_sighting (
  owner TEXT NOT NULL,
  next TEXT NOT NULL,
  everywhere_since INTEGER,
  lacking_at INTEGER,
  live_since INTEGER,
  longest_ttl_seconds INTEGER,
  current TEXT,
  PRIMARY KEY (owner, next)
) STRICT, WITHOUT ROWID;
`;

export function createTlsaSightingStore(database: DatabaseSync): TlsaSightingStore {
  const select = database.prepare("SELECT * FROM tlsa_sighting WHERE owner = ? AND next = ?");
  const replace = database.prepare("INSERT OR REPLACE INTO tlsa_sighting VALUES (?, ?, ?, ?, ?, ?, ?)");
  return {
    get: (owner, next) => {
      const row = select.get(owner, formatTlsa(next));
      return row && sightingOf(row);
    },
    put: (owner, next, { everywhereSince, lackingAt, liveSince, longestTtlSeconds, current }) => {
      replace.run(
        owner,
        formatTlsa(next),
        everywhereSince?.getTime() ?? null,
        lackingAt?.getTime() ?? null,
        liveSince?.getTime() ?? null,
        longestTtlSeconds ?? null,
        current === undefined ? null : formatTlsa(current),
      );
    },
  };
}

function sightingOf(row: Readonly<Record<string, SQLOutputValue>>): TlsaSighting {
  const number = (column: string) => (row[column] === null ? undefined : Number(row[column]));
  const date = (column: string) => {
    const milliseconds = number(column);
    return milliseconds === undefined ? undefined : new Date(milliseconds);
  };
  const everywhereSince = date("everywhere_since");
  const lackingAt = date("lacking_at");
  const liveSince = date("live_since");
  const longestTtlSeconds = number("longest_ttl_seconds");
  const current = row["current"] === null ? undefined : parseTlsa(String(row["current"]));
  if (current?.ok === false)
    throw new Error(`the store holds TLSA data that cannot be read: ${current.problem}`);
  return {
    ...(everywhereSince && { everywhereSince }),
    ...(lackingAt && { lackingAt }),
    ...(liveSince && { liveSince }),
    ...(longestTtlSeconds !== undefined && { longestTtlSeconds }),
    ...(current && { current: current.value }),
  };
}
