/** The fields of a DNS host's form, as text, become a record: the way back from `form.ts`. */
import { absolute, type DomainName, isWithin, parseDomainName, ROOT } from "../../standards/dns/name.ts";
import type { Parsed } from "../../standards/dns/parsed.ts";
import { parseRdata } from "../../standards/dns/rdata-text.ts";
import {
  parseRecordType,
  type Rdata,
  type RecordType,
  toCharacterStrings,
} from "../../standards/dns/record.ts";
import type { Remark } from "../../standards/dns/remark.ts";
import { readTxt } from "../../standards/dns/txt-rendering.ts";
import { LISTING_TTL_SECONDS } from "../zone-listing.ts";
import {
  isShortened,
  type PastedFormat,
  type Reading,
  remarkAt,
  shortenedRemark,
  TYPE_PATTERN,
} from "./reading.ts";

export interface PastedFields {
  readonly type: RecordType;
  readonly name: string;
  readonly priority?: string | undefined;
  readonly value: string;
  readonly ttl?: string | undefined;
}

const TYPE_CELL = new RegExp(String.raw`^\W{0,3}(${TYPE_PATTERN})\W{0,3}(?:\s*\(.*\))?\W{0,3}$`, "i");

/** "TXT", "TXT (SPF)", "`MX`" */
export function readTypeCell(cell: string): RecordType | undefined {
  const word = TYPE_CELL.exec(cell.slice(0, 100).trim())?.[1];
  return word === undefined ? undefined : parseRecordType(word);
}

export function readFields(
  fields: PastedFields,
  zone: DomainName | undefined,
  at: number,
  taken: number,
  format: PastedFormat,
): Reading {
  const { type, value } = fields;
  if (isShortened(value) || isShortened(fields.name)) return { taken, remarks: [shortenedRemark(at)] };
  const data = readValue(fields, zone);
  if (!data.ok) {
    const message = `the value of this ${type} cannot be read: ${data.problem}`;
    return { taken, remarks: [remarkAt(at, "error", "pasted-unreadable", message, "RFC 1035 §5.1")] };
  }
  const remarks = data.notes.map((note) => ({ ...note, line: at + 1 }));
  const name = readName(fields.name, zone);
  if (name === undefined) {
    return { taken, unplaced: [{ line: at + 1, type, name: fields.name, value }], remarks };
  }
  if (!name.ok) {
    const message = `the name cannot be read: ${name.problem}`;
    return { taken, remarks: [remarkAt(at, "error", "pasted-unreadable", message, "RFC 1035 §2.3.4")] };
  }
  const seconds = /^\s*(\d{1,9})\s*(?:s|sec|seconds)?\s*$/i.exec(fields.ttl ?? "")?.[1];
  const record = {
    name: name.value,
    ttlSeconds: seconds === undefined ? LISTING_TTL_SECONDS : Number(seconds),
    data: data.value,
  };
  const ttl = seconds === undefined ? "unknown" : "stated";
  return { taken, records: [{ record, line: at + 1, format, ttl }], remarks };
}

/** "@ (or your domain name)": what stands in the field, without the hint behind it. */
const withoutHint = (text: string) =>
  text
    .replace(/\s+\([^()]*\)\s*$/, "")
    .trim()
    .replace(/^([`'"]+)(.*)\1$/, "$2");

/** Undefined where only the zone could tell. */
function readName(field: string, zone: DomainName | undefined): Parsed<DomainName> | undefined {
  const text = withoutHint(field);
  if (text === "" || text === "@" || /^\((?:blank|empty|root)\)$/i.test(field.trim())) {
    return zone && { ok: true, value: zone };
  }
  const alone = parseDomainName(text);
  if (!alone.ok || text.endsWith(".") || alone.value.endsWith(".arpa")) return alone;
  if (zone !== undefined) {
    return isWithin(alone.value, zone) || zone === ROOT ? alone : parseDomainName(`${alone.value}.${zone}`);
  }
  // A key's name in a form is relative, though it has dots.
  const last = alone.value.slice(alone.value.lastIndexOf(".") + 1);
  return alone.value.includes(".") && !last.startsWith("_") ? alone : undefined;
}

type Value = { ok: true; value: Rdata; notes: readonly Remark[] } | { ok: false; problem: string };

function readValue({ type, value, priority }: PastedFields, zone: DomainName | undefined): Value {
  const text = type === "TXT" || type === "SPF" ? value.trim() : withoutHint(value);
  if (type === "TXT" || type === "SPF") {
    const { value: octets, remarks } = readTxt(text.replace(/^`+|`+$/g, ""));
    const notes = remarks.filter(({ code }) => code !== "txt-escaped-semicolon");
    return { ok: true, value: { type, strings: toCharacterStrings(octets) }, notes };
  }
  const numbers = { MX: 1, SRV: 3 }[type as string] ?? 0;
  let words = text.split(/\s+/);
  if (numbers > 0 && words.length === numbers && /^\d+$/.test(priority?.trim() ?? "")) {
    words = [priority!.trim(), ...words];
  }
  if (["MX", "SRV", "CNAME", "NS", "PTR", "DNAME"].includes(type)) {
    words = [...words.slice(0, -1), target(words.at(-1)!, zone)];
  }
  const data = parseRdata(type, words.join(" "), ROOT);
  return data.ok ? { ok: true, value: data.value, notes: [] } : { ok: false, problem: data.problem };
}

/** Forms want the target in full, mostly without the final dot; a single label can only be meant in the zone. */
function target(text: string, zone: DomainName | undefined): string {
  if (text === "@" && zone !== undefined) return absolute(zone);
  return zone === undefined || text.includes(".") ? text : `${text}.${absolute(zone)}`;
}
