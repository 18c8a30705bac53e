/** Records as tutorials write them, and as no name server reads them: arrows, numbers in the wrong place, addresses as names. */
import { parseAddress, reverseName } from "../../standards/dns/address.ts";
import {
  absolute,
  type DomainName,
  isHostName,
  isWithin,
  parseDomainName,
} from "../../standards/dns/name.ts";
import { parseRecordType, type ResourceRecord } from "../../standards/dns/record.ts";
import { zoneLine } from "../zone-listing.ts";
import { type Known, type Reading, recordOf, remarkAt, TYPE_PATTERN } from "./reading.ts";

/** An A or AAAA that names a host, perhaps with a priority in front (E1). */
export interface MistakenAddress {
  readonly owner: DomainName;
  readonly number: string | undefined;
  readonly type: "A" | "AAAA";
  readonly target: DomainName;
}

export function readMistakenAddress(line: string): MistakenAddress | undefined {
  const match = /^\s*(\S+)\s+(?:(\d{1,3})\s+)?(?:IN\s+)?(AAAA|A)\s+([A-Za-z][^\s;]*)\s*(?:;.*)?$/i.exec(line);
  if (match === null) return undefined;
  const [, ownerText = "", number, typeText = "", targetText = ""] = match;
  // "dig A mail.example.org" is a command.
  if (/^(?:dig|host|nslookup)$/i.test(ownerText)) return undefined;
  const owner = parseDomainName(ownerText);
  const target = parseDomainName(targetText);
  if (!owner.ok || !target.ok || !isHostName(target.value)) return undefined;
  return { owner: owner.value, number, type: typeText.toUpperCase() as "A" | "AAAA", target: target.value };
}

const MAX_LINE_CHARACTERS = 1000;
const NUMBER_BEFORE_MX = /^(\S+)\s+(\d{1,5})\s+(?:IN\s+)?MX\s+([A-Za-z]\S*)$/i;
const TYPE_FIRST = new RegExp(String.raw`^(${TYPE_PATTERN})\s+(\S+\.\S*)\s+(?:(\d{1,5})\s+)?(\S.*)$`);
const ARROW = new RegExp(
  String.raw`^(\S+)\s*[-–—=]{0,3}\s*\(?\s*(${TYPE_PATTERN})\s*\)?\s*(?:[-–—=]{0,3}>|→)\s*(\S+)$`,
  "i",
);
const ADDRESS_AS_OWNER = /^([\d.]+|[0-9a-f:]*:[0-9a-f:]*)\.?\s+(?:\d{1,9}\s+)?(?:IN\s+)?PTR\s+(\S+)$/i;

export function readTutorialLine(lines: readonly string[], at: number, known: Known): Reading | undefined {
  const line = lines[at]!.slice(0, MAX_LINE_CHARACTERS).trim();
  if (line === "") return undefined;
  return (
    readArrow(line, at) ??
    readNumberBeforeMx(line, at, known) ??
    readNameAsAddress(line, at, known) ??
    readAddressAsOwner(line, at) ??
    readTypeFirst(line, at)
  );
}

function readArrow(line: string, at: number): Reading | undefined {
  const [, from, typeText, to] = ARROW.exec(line) ?? [];
  if (from === undefined || typeText === undefined || to === undefined) return undefined;
  const type = parseRecordType(typeText)!;
  if (type === "PTR") return reverse(from, to, at, false);
  const record = recordOf(from, type, type === "MX" && !/^\d/.test(to) ? `10 ${to}` : to);
  if (record === undefined) return incomplete(to, at);
  const { data } = record;
  const assumed =
    data.type === "MX"
      ? [
          remarkAt(
            at,
            "notice",
            "pasted-preference-assumed",
            "no preference is given; 10 is taken",
            "RFC 5321 §5.1",
          ),
        ]
      : [];
  return found(record, at, assumed);
}

/** E5, R26: an address where its reverse name belongs. */
function reverse(from: string, to: string, at: number, isRecord: boolean): Reading | undefined {
  const address = parseAddress(from.replace(/\.$/, ""));
  if (!address.ok) return incomplete(from, at);
  const owner = absolute(reverseName(address.value));
  const record = recordOf(owner, "PTR", to);
  if (record === undefined) return undefined;
  const message = `a PTR stands at the reverse name of the address, ${owner}`;
  return found(
    record,
    at,
    isRecord ? [remarkAt(at, "error", "ptr-wrong-owner", message, "RFC 1035 §3.5", zoneLine(record))] : [],
  );
}

function incomplete(text: string, at: number): Reading | undefined {
  if (!/^[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){2,6}$/i.test(text)) return undefined;
  const message = `"${text}" is an incomplete IPv6 address: it needs "::" or eight groups`;
  return {
    taken: 1,
    remarks: [remarkAt(at, "error", "pasted-incomplete-address", message, "RFC 4291 §2.2")],
  };
}

/** Names in such lines are meant in full, unless they are one label. */
function inFull(text: string, { zone }: Known): string {
  if (text === "@" && zone !== undefined) return absolute(zone);
  return text.includes(".") || zone === undefined ? text : `${text}.${zone}`;
}

/** "example.org. 10 MX mail.example.org." */
function readNumberBeforeMx(line: string, at: number, known: Known): Reading | undefined {
  const [, owner, preference, exchange] = NUMBER_BEFORE_MX.exec(line) ?? [];
  if (owner === undefined || exchange === undefined || !/[.@]/.test(owner)) return undefined;
  const record = recordOf(inFull(owner, known), "MX", `${preference} ${inFull(exchange, known)}`);
  if (record === undefined) return undefined;
  const message = `the preference stands behind the type: in front of it, ${preference} is read as the TTL`;
  return found(record, at, [
    remarkAt(at, "error", "pasted-preference-place", message, "RFC 1035 §5.1", zoneLine(record)),
  ]);
}

/** E1: what is meant is an alias. */
function readNameAsAddress(line: string, at: number, known: Known): Reading | undefined {
  const mistaken = readMistakenAddress(line);
  if (mistaken === undefined) return undefined;
  const { owner, number, type, target } = mistaken;
  const name = isWithin(owner, target) ? owner : parseDomainName(inFull(owner, known));
  const full = typeof name === "string" ? name : name.ok ? name.value : owner;
  if (!full.includes(".")) return undefined;
  const record = recordOf(full, "CNAME", target);
  if (record === undefined) return undefined;
  const corrected = zoneLine(record);
  const wrong = remarkAt(
    at,
    "error",
    "address-is-name",
    `${type} ${target}: the data of ${type} is an address, not a name`,
    "RFC 1035 §3.4.1",
    corrected,
  );
  const priority = remarkAt(
    at,
    "error",
    "address-with-priority",
    `${number} in front of ${type}: only MX and SRV have a priority`,
    "RFC 1035 §5.1",
    corrected,
  );
  return found(record, at, number === undefined ? [wrong] : [wrong, priority]);
}

function readAddressAsOwner(line: string, at: number): Reading | undefined {
  const [, address, target] = ADDRESS_AS_OWNER.exec(line) ?? [];
  return address === undefined || target === undefined ? undefined : reverse(address, target, at, true);
}

/** "A mail.example.org. 192.0.2.1", "MX example.org 10 mail.example.org" */
function readTypeFirst(line: string, at: number): Reading | undefined {
  const [, typeText, owner, number, rest] = TYPE_FIRST.exec(line) ?? [];
  if (owner === undefined || rest === undefined) return undefined;
  const type = parseRecordType(typeText!)!;
  if (type === "A" || type === "AAAA") {
    const [word = ""] = rest.split(/\s+/);
    const turned = [owner, ...(number === undefined ? [] : [number]), type, word].join(" ");
    if (rest === word && readMistakenAddress(turned) !== undefined) {
      return (
        readTutorialLine([turned], 0, NOTHING_KNOWN) &&
        movedTo(at, readTutorialLine([turned], 0, NOTHING_KNOWN)!)
      );
    }
  }
  if (/^\S+\s+\S/.test(rest) && type !== "TXT" && type !== "SRV" && type !== "TLSA" && type !== "CAA") {
    return undefined; // prose
  }
  if (type === "TXT" && !/^["(]/.test(rest)) return undefined;
  const data = type === "MX" || type === "SRV" ? `${number ?? ""} ${rest}`.trim() : rest;
  const record = recordOf(owner, type, data);
  return record && found(record, at, []);
}

const NOTHING_KNOWN: Known = {
  zone: undefined,
  selector: undefined,
  owner: undefined,
  ttlSeconds: undefined,
  asked: undefined,
  dig: undefined,
  columns: undefined,
};

function movedTo(at: number, reading: Reading): Reading {
  return {
    ...reading,
    records: (reading.records ?? []).map((each) => ({ ...each, line: at + 1 })),
    remarks: (reading.remarks ?? []).map((each) => ({ ...each, line: at + 1 })),
  };
}

function found(record: ResourceRecord, at: number, remarks: NonNullable<Reading["remarks"]>): Reading {
  return { taken: 1, records: [{ record, line: at + 1, format: "tutorial", ttl: "unknown" }], remarks };
}
