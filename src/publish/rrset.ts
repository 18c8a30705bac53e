/** Records put together to RRsets, and RRsets compared: by their data, in any order; names and TTLs beside them. */
import type { DomainName } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import {
  type Rdata,
  type RecordType,
  type ResourceRecord,
  txtText,
  typeOf,
} from "../standards/dns/record.ts";
import type { Rrset, RrsetChange, ZoneContent } from "./provider.ts";

/**
 * What tells one value from another. TXT by its text, however it is cut into strings: DNS hosts cut as they like
 * (RFC 7208 §3.3 joins the strings).
 */
export function valueKey(data: Rdata): string {
  return data.type === "TXT" ? `TXT ${txtText(data)}` : `${data.type} ${formatRdata(data)}`;
}

/** What signing servers make by themselves: RRSIG, NSEC, NSEC3, keys and what tells the parent of them. */
export const MADE_BY_SERVERS: ReadonlySet<RecordType> = new Set<RecordType>([
  "RRSIG",
  "NSEC",
  "NSEC3",
  "TYPE51", // NSEC3PARAM
  "DNSKEY",
  "TYPE59", // CDS
  "TYPE60", // CDNSKEY
  "TYPE63", // ZONEMD
  "TYPE65534", // where BIND keeps how far signing is
]);

/** Equal for equal name and type. */
export function rrsetKey({ name, type }: { readonly name: DomainName; readonly type: RecordType }): string {
  return `${name} ${type}`;
}

/** One RRset for each name and type; where its records have several TTLs, the shortest. */
export function groupRrsets(records: readonly ResourceRecord[]): Rrset[] {
  const groups = Map.groupBy(records, ({ name, data }) => rrsetKey({ name, type: typeOf(data) }));
  return [...groups.values()].map((group) => ({
    name: group[0]!.name,
    type: typeOf(group[0]!.data),
    ttlSeconds: Math.min(...group.map(({ ttlSeconds }) => ttlSeconds)),
    data: group.map(({ data }) => data),
  }));
}

export function sameData(x: readonly Rdata[], y: readonly Rdata[]): boolean {
  return keysOf(x) === keysOf(y);
}

function keysOf(data: readonly Rdata[]): string {
  return [...new Set(data.map(valueKey))].sort().join("\n");
}

/** The same records, in whatever order; TTLs do not count. */
export function hasSameData(x: Rrset | undefined, y: Rrset | undefined): boolean {
  return sameData(x?.data ?? [], y?.data ?? []);
}

export function sameRrset(x: Rrset | undefined, y: Rrset | undefined): boolean {
  if (x === undefined || y === undefined) return x === y;
  return x.ttlSeconds === y.ttlSeconds && sameData(x.data, y.data);
}

/** The changes whose RRset is no longer as it was before, by its data. */
export function staleChanges(content: ZoneContent, changes: readonly RrsetChange[]): RrsetChange[] {
  const present = new Map(content.rrsets.map((rrset) => [rrsetKey(rrset), rrset]));
  return changes.filter((change) => !hasSameData(present.get(rrsetKey(change)), change.before));
}
