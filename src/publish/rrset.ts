/** RRsets compared: by their data, in any order; names and TTLs beside them. */
import type { DomainName } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { type Rdata, type RecordType, txtText } from "../standards/dns/record.ts";
import type { Rrset, RrsetChange } from "./provider.ts";

/**
 * What tells one value from another. TXT by its text, however it is cut into strings: DNS hosts cut as they like
 * (RFC 7208 §3.3 joins the strings).
 */
export function valueKey(data: Rdata): string {
  return data.type === "TXT" ? `TXT ${txtText(data)}` : `${data.type} ${formatRdata(data)}`;
}

export function rrsetKey({ name, type }: { readonly name: DomainName; readonly type: RecordType }): string {
  return `${name} ${type}`;
}

export function sameData(x: readonly Rdata[], y: readonly Rdata[]): boolean {
  return keysOf(x) === keysOf(y);
}

function keysOf(data: readonly Rdata[]): string {
  return [...new Set(data.map(valueKey))].sort().join("\n");
}

export function sameRrset(x: Rrset | undefined, y: Rrset | undefined): boolean {
  if (x === undefined || y === undefined) return x === y;
  return x.ttlSeconds === y.ttlSeconds && sameData(x.data, y.data);
}

/** The same change backwards. */
export function reversed({ name, type, before, after }: RrsetChange): RrsetChange {
  return { name, type, before: after, after: before };
}
