/** Zones as APIs write them: names relative or absolute, data as in a zone file, understood or left alone. */
import { type DomainName, isWithin } from "../../standards/dns/name.ts";
import { parseName, parseRdata } from "../../standards/dns/rdata-text.ts";
import { parseRecordType, type Rdata, type RecordType } from "../../standards/dns/record.ts";
import type { Rrset, ZoneContent } from "../provider.ts";
import { groupRrsets, MADE_BY_SERVERS, rrsetKey, valueKey } from "../rrset.ts";

export interface ZoneReading {
  readonly content: ZoneContent;
  /** Keys of RRsets that hold what cannot be understood here; they are not in the content, and nobody touches them. */
  readonly opaque: ReadonlySet<string>;
}

/** One or more values of an RRset, as the API gives them. */
export interface ValuesRead {
  /** Relative to the zone, "@", or absolute with the final dot. */
  readonly name: string;
  readonly type: string;
  readonly ttlSeconds: number;
  /** Data, or zone text; undefined where the API has something there that is no data. */
  readonly values: readonly (Rdata | string | undefined)[];
}

/** Types that are not known by name, and names outside of the zone, are left out. */
export function readingOf(zone: DomainName, all: readonly ValuesRead[]): ZoneReading {
  const opaque = new Set<string>();
  const rrsets: Rrset[] = [];
  let serial: number | undefined;
  for (const { name: nameText, type: typeText, ttlSeconds, values } of all) {
    const type = parseRecordType(typeText);
    const name = parseName(nameText, zone);
    if (type === undefined || !name.ok || !isWithin(name.value, zone)) continue;
    if (MADE_BY_SERVERS.has(type)) continue;
    const key = { name: name.value, type };
    const data = values.map((value) => understood(type, value, zone));
    const known = data.filter((each) => each !== undefined);
    const [first] = known;
    if (first?.type === "SOA") serial = first.serial;
    if (type === "SOA") continue;
    if (known.length < data.length) opaque.add(rrsetKey(key));
    else if (known.length > 0) rrsets.push({ ...key, ttlSeconds, data: known });
  }
  const content = {
    zone,
    rrsets: joined(rrsets).filter((rrset) => !opaque.has(rrsetKey(rrset))),
    ...(serial === undefined ? {} : { serial }),
  };
  return { content, opaque };
}

export function understood(
  type: RecordType,
  value: Rdata | string | undefined,
  zone: DomainName,
): Rdata | undefined {
  if (typeof value !== "string") return value;
  const parsed = parseRdata(type, value, zone);
  return parsed.ok ? parsed.value : undefined;
}

/** A target that the API writes without its final dot. */
export function dotted(target: string): string {
  return target.endsWith(".") ? target : `${target}.`;
}

/** Values of one RRset that came one by one, put together; none of them twice. */
function joined(parts: readonly Rrset[]): Rrset[] {
  const records = parts.flatMap(({ name, ttlSeconds, data }) =>
    data.map((each) => ({ name, ttlSeconds, data: each })),
  );
  return groupRrsets(records).map((rrset) => ({
    ...rrset,
    data: [...new Map(rrset.data.map((each) => [valueKey(each), each])).values()],
  }));
}
