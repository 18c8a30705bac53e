/** What a reply's answer section says of a question: the alias chain inside it (RFC 1034 §3.6.2), and its end. */
import type { Message, WireRecord } from "../standards/dns/message.ts";
import { type DomainName, isWithin, labelCount, labelTexts, tryPrepend } from "../standards/dns/name.ts";
import {
  type RdataOf,
  type RecordType,
  type ResourceRecord,
  type SoaRdata,
  typeOf,
} from "../standards/dns/record.ts";

export const MAX_ALIASES = 16;

export interface ChainEnd<T extends RecordType> {
  /** Owners of the aliases passed, in order. */
  readonly aliases: readonly DomainName[];
  /** The name at which the chain stops within this reply. */
  readonly name: DomainName;
  /** The records asked for, at `name`; empty where the reply has none. */
  readonly records: readonly ResourceRecord<RdataOf<T>>[];
  /** The smallest TTL of all records used; undefined where none was. */
  readonly ttlSeconds: number | undefined;
  readonly problem?: "loop";
}

/** Follows aliases from `name` as far as the section leads through owners within `bailiwick`. */
export function followAliases<T extends RecordType>(
  answers: readonly WireRecord[],
  name: DomainName,
  type: T,
  bailiwick: DomainName,
): ChainEnd<T> {
  const aliases: DomainName[] = [];
  let ttlSeconds: number | undefined;
  let at = name;
  for (;;) {
    if (!isWithin(at, bailiwick)) return { aliases, name: at, records: [], ttlSeconds };
    const records = answers.filter(
      (record) => record.name === at && record.classCode === undefined && matches(record, type),
    );
    if (records.length > 0) {
      for (const record of records) ttlSeconds = smaller(ttlSeconds, record);
      const asked = records as unknown as ResourceRecord<RdataOf<T>>[];
      return { aliases, name: at, records: asked, ttlSeconds };
    }
    const alias = aliasAt(at, answers, bailiwick);
    if (alias === undefined) return { aliases, name: at, records: [], ttlSeconds };
    if (aliases.length === MAX_ALIASES || alias.target === at || aliases.includes(alias.target)) {
      return { aliases, name: at, records: [], ttlSeconds, problem: "loop" };
    }
    ttlSeconds = smaller(ttlSeconds, alias.record);
    aliases.push(at);
    at = alias.target;
  }
}

function matches(record: WireRecord, type: RecordType): boolean {
  return type === "ANY" || typeOf(record.data) === type;
}

/** The CNAME at `name`, or what a DNAME above it makes of it (RFC 6672 §2.2). */
function aliasAt(
  name: DomainName,
  answers: readonly WireRecord[],
  bailiwick: DomainName,
): { target: DomainName; record: WireRecord } | undefined {
  for (const record of answers) {
    if (record.data.type === "CNAME" && record.name === name) return { target: record.data.target, record };
  }
  for (const record of answers) {
    const { data } = record;
    if (data.type !== "DNAME" || record.name === name) continue;
    if (!isWithin(name, record.name) || !isWithin(record.name, bailiwick)) continue;
    const target = substituted(name, record.name, data.target);
    if (target !== undefined) return { target, record };
  }
  return undefined;
}

/** `name` with the suffix `from` replaced by `to`; undefined where it grows too long. */
export function substituted(name: DomainName, from: DomainName, to: DomainName): DomainName | undefined {
  const prefix = labelTexts(name).slice(0, labelCount(name) - labelCount(from));
  return prefix.length === 0 ? to : tryPrepend(prefix.join("."), to);
}

function smaller(ttlSeconds: number | undefined, record: WireRecord): number {
  return Math.min(ttlSeconds ?? record.ttlSeconds, record.ttlSeconds);
}

/** The SOA that vouches for an absence at `name` (RFC 2308 §3). */
export function soaFor(message: Message, name: DomainName): ResourceRecord<SoaRdata> | undefined {
  const record = message.authorities.find(
    ({ data, name: owner }) => data.type === "SOA" && isWithin(name, owner),
  );
  return record as ResourceRecord<SoaRdata> | undefined;
}

/** RFC 2308 §5: the smaller of the SOA record's own TTL and its MINIMUM. */
export function negativeTtlSeconds(soa: ResourceRecord<SoaRdata>): number {
  return Math.min(soa.ttlSeconds, soa.data.minimumSeconds);
}
