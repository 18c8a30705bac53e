/** A Resolver that answers from rows, for tests of everything above DNS. */
import { absolute, type DomainName, domainName, ROOT } from "../../src/standards/dns/name.ts";
import {
  type Rdata,
  type RdataOf,
  type RecordType,
  type ResourceRecord,
  toCharacterStrings,
  typeOf,
} from "../../src/standards/dns/record.ts";
import type { Answer, Resolver, Unknown, UnknownCause } from "../../src/standards/dns/resolver.ts";

/** "example.org" → its records' data, or the way in which every lookup of the name fails. */
export type Table = Record<string, readonly Rdata[] | UnknownCause>;

export interface TableResolver extends Resolver {
  /** Every question asked, as "name TYPE", in order. */
  readonly asked: string[];
}

/**
 * Names exist if they or something below them is in the table; a `*.` row answers as RFC 4592 says.
 * `failing` rows ("example.org MX": "servfail") fail one type only.
 */
export function tableResolver(table: Table, failing: Record<string, UnknownCause> = {}): TableResolver {
  const rows = new Map<DomainName, readonly Rdata[] | UnknownCause>(
    Object.entries(table).map(([name, data]) => [domainName(name), data]),
  );
  const exists = (name: DomainName) =>
    rows.has(name) || name === ROOT || [...rows.keys()].some((row) => row.endsWith(`.${name}`));
  const rowOf = (name: DomainName): readonly Rdata[] | UnknownCause | undefined => {
    if (exists(name)) return rows.get(name) ?? [];
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      const encloser = name.slice(dot + 1) as DomainName;
      const wild = rows.get(`*.${encloser}` as DomainName);
      if (wild !== undefined) return wild;
      if (exists(encloser)) return undefined;
    }
    return undefined;
  };
  const asked: string[] = [];

  async function lookup<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
    asked.push(`${name} ${type}`);
    const aliases: DomainName[] = [];
    for (let at = name; aliases.length < 17; ) {
      const failure = failing[`${at} ${type}`];
      if (failure !== undefined) return unknown(failure, at);
      const row = rowOf(at);
      if (typeof row === "string") return unknown(row, at);
      if (row === undefined) return { status: "absent", kind: "nxdomain", aliases };
      const matching = row.filter((data) => typeOf(data) === type);
      if (matching.length > 0) {
        const records = matching.map((data) => ({ name: at, ttlSeconds: 3600, data }));
        return {
          status: "found",
          records: records as unknown as ResourceRecord<RdataOf<T>>[],
          aliases,
          canonicalName: at,
        };
      }
      const alias = row.find((data) => data.type === "CNAME");
      if (alias?.type !== "CNAME") return { status: "absent", kind: "nodata", aliases };
      aliases.push(at);
      at = alias.target;
    }
    return unknown("loop", name);
  }
  return { asked, lookup };
}

function unknown(cause: UnknownCause, name: DomainName): Unknown {
  return { status: "unknown", cause, detail: `the table fails ${absolute(name)} with ${cause}` };
}

/** Short ways to write the data that tests need most. */
export const a = (address: string): Rdata => ({ type: "A", address });
export const aaaa = (address: string): Rdata => ({ type: "AAAA", address });
export const mx = (preference: number, exchange: string): Rdata => ({
  type: "MX",
  preference,
  exchange: domainName(exchange),
});
export const txt = (text: string): Rdata => ({ type: "TXT", strings: toCharacterStrings(text) });
export const cname = (target: string): Rdata => ({ type: "CNAME", target: domainName(target) });
export const ptr = (target: string): Rdata => ({ type: "PTR", target: domainName(target) });
