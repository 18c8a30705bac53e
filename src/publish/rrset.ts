/** Records put together to RRsets, and RRsets compared. */
import type { DomainName } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { type RecordType, type ResourceRecord, typeOf } from "../standards/dns/record.ts";
import type { Rrset, RrsetChange, ZoneContent } from "./provider.ts";

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

/** The same records, in whatever order; TTLs do not count. */
export function hasSameData(one: Rrset | undefined, other: Rrset | undefined): boolean {
  return dataKey(one) === dataKey(other);
}

function dataKey(rrset: Rrset | undefined): string {
  const lines = rrset?.data.map((data) => formatRdata(data)) ?? [];
  return [...new Set(lines)].sort().join("\n");
}

/** The changes whose RRset is no longer as it was before, by its data. */
export function staleChanges(content: ZoneContent, changes: readonly RrsetChange[]): RrsetChange[] {
  const present = new Map(content.rrsets.map((rrset) => [rrsetKey(rrset), rrset]));
  return changes.filter((change) => !hasSameData(present.get(rrsetKey(change)), change.before));
}
