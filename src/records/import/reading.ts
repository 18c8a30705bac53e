/** What every reader of pasted text takes and gives: lines in, records and remarks out, each with its line. */
import { type DomainName, parseDomainName, ROOT } from "../../standards/dns/name.ts";
import { parseRdata } from "../../standards/dns/rdata-text.ts";
import { RECORD_TYPE_NAMES, type RecordType, type ResourceRecord } from "../../standards/dns/record.ts";
import type { Remark } from "../../standards/dns/remark.ts";
import { LISTING_TTL_SECONDS } from "../zone-listing.ts";

export type PastedFormat =
  | "zone"
  | "dig"
  | "nslookup"
  | "host"
  | "form"
  | "table"
  | "json"
  | "tutorial"
  | "record-text";

export interface PastedRecord {
  readonly record: ResourceRecord;
  /** Where it begins, counted from 1. */
  readonly line: number;
  readonly format: PastedFormat;
  /**
   * `stated` as its zone has it · `countdown` what was left of it in a cache · `unknown` not said; the record
   * then has the TTL of listings.
   */
  readonly ttl: "stated" | "countdown" | "unknown";
}

export interface PastedRemark extends Remark {
  readonly line: number;
  /** What to write instead; empty where nobody but you can say. */
  readonly corrected?: string;
}

/** A record whose owner the text does not tell. */
export interface UnplacedRecord {
  readonly line: number;
  readonly type: RecordType;
  /** As it was written. */
  readonly name: string;
  readonly value: string;
}

export interface Question {
  readonly name: DomainName;
  readonly type: RecordType;
}

/** A DNS host's table, by its header. */
export type Column = "type" | "name" | "priority" | "value" | "ttl" | "zone" | "other";

/** What the lines before say of the lines to come. */
export interface Known {
  /** What relative names stand below. */
  readonly zone: DomainName | undefined;
  /** The selector of keys that come without an owner. */
  readonly selector: string | undefined;
  /** The owner of the zone line before. */
  readonly owner: DomainName | undefined;
  /** The `$TTL`. */
  readonly ttlSeconds: number | undefined;
  /** What the last command asked for. */
  readonly asked: Question | undefined;
  /** Inside of dig's output. */
  readonly dig: { readonly authoritative: boolean } | undefined;
  readonly columns: readonly Column[] | undefined;
}

export interface Reading {
  /** How many lines belong to it. */
  readonly taken: number;
  readonly records?: readonly PastedRecord[];
  readonly unplaced?: readonly UnplacedRecord[];
  readonly remarks?: readonly PastedRemark[];
  readonly known?: Partial<Known>;
}

/** Undefined where the line at `at` is not in the reader's format. */
export type Reader = (lines: readonly string[], at: number, known: Known) => Reading | undefined;

/** Types that stand in zones, longest first, for regular expressions. */
export const TYPE_PATTERN = RECORD_TYPE_NAMES.filter(
  (type) => !["OPT", "TSIG", "IXFR", "AXFR", "ANY"].includes(type),
)
  .toSorted((one, other) => other.length - one.length)
  .join("|");

export function remarkAt(
  at: number,
  severity: Remark["severity"],
  code: string,
  message: string,
  reference: string,
  corrected?: string,
): PastedRemark {
  return { line: at + 1, code, severity, message, reference, ...(corrected !== undefined && { corrected }) };
}

/** Names are absolute, with or without their final dot, as tools print them. */
export function recordOf(
  owner: string,
  type: RecordType,
  data: string,
  ttlSeconds = LISTING_TTL_SECONDS,
): ResourceRecord | undefined {
  const name = parseDomainName(owner);
  const rdata = parseRdata(type, data, ROOT);
  return name.ok && rdata.ok ? { name: name.value, ttlSeconds, data: rdata.value } : undefined;
}

/** Tutorials cut long values: such a record is nothing to publish. */
export const isShortened = (text: string) => /\.\.\.|…/.test(text);

export const shortenedRemark = (at: number) =>
  remarkAt(
    at,
    "notice",
    "pasted-shortened",
    "the value is shortened with dots; paste the whole record",
    "RFC 1035 §5.1",
  );
