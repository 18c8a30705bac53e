/** APIs that keep single records, each with an id: what has to be done to a few of them to change an RRset. */
import type { DomainName } from "../../standards/dns/name.ts";
import { parseName } from "../../standards/dns/rdata-text.ts";
import { parseRecordType, type Rdata } from "../../standards/dns/record.ts";
import type { RrsetChange } from "../provider.ts";
import { rrsetKey, valueKey } from "../rrset.ts";
import { readingOf, understood, type ZoneReading } from "./zone-reading.ts";

/** A record as the API gives it. */
export interface RecordRead<Id> {
  readonly id: Id;
  readonly name: string;
  readonly type: string;
  readonly ttlSeconds: number;
  /** Whether its TTL can be chosen. */
  readonly hasFixedTtl?: boolean;
  readonly value: Rdata | string | undefined;
}

interface Stored<Id> {
  readonly id: Id;
  readonly ttlSeconds: number;
  readonly hasFixedTtl: boolean;
  readonly data: Rdata;
}

export interface RecordsReading<Id> extends ZoneReading {
  readonly stored: ReadonlyMap<string, readonly Stored<Id>[]>;
}

export function recordsReadingOf<Id>(
  zone: DomainName,
  records: readonly RecordRead<Id>[],
): RecordsReading<Id> {
  const stored = records.flatMap(({ id, name: nameText, type: typeText, ttlSeconds, hasFixedTtl, value }) => {
    const name = parseName(nameText, zone);
    const type = parseRecordType(typeText);
    if (!name.ok || type === undefined) return [];
    const data = understood(type, value, zone);
    const key = rrsetKey({ name: name.value, type });
    return data === undefined ? [] : [{ key, id, ttlSeconds, hasFixedTtl: hasFixedTtl === true, data }];
  });
  const reading = readingOf(
    zone,
    records.map(({ value, ...record }) => ({ ...record, values: [value] })),
  );
  return { ...reading, stored: Map.groupBy(stored, ({ key }) => key) };
}

export interface RecordEdits<Id> {
  readonly remove: readonly Id[];
  readonly add: readonly Rdata[];
  /** Values that stay, with another TTL. */
  readonly retime: readonly { readonly id: Id; readonly data: Rdata }[];
}

export function editsFor<Id>(change: RrsetChange, { stored }: RecordsReading<Id>): RecordEdits<Id> {
  const { after } = change;
  const present = stored.get(rrsetKey(change)) ?? [];
  const wanted = new Map((after?.data ?? []).map((data) => [valueKey(data), data]));
  const kept = present.filter(({ data }) => wanted.has(valueKey(data)));
  const keptKeys = new Set(kept.map(({ data }) => valueKey(data)));
  return {
    remove: present.filter((record) => !kept.includes(record)).map(({ id }) => id),
    add: [...wanted].filter(([key]) => !keptKeys.has(key)).map(([, data]) => data),
    retime: kept.filter(({ ttlSeconds, hasFixedTtl }) => !hasFixedTtl && ttlSeconds !== after?.ttlSeconds),
  };
}
