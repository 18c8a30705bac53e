/**
 * Anything pasted or piped becomes records: the output of dig, nslookup and host, zone files, what signing programs
 * print, forms, tables, tutorials, mixed in one text. Each line goes to the first reader that knows it; what none
 * knows is prose. Never throws, and never takes a sentence for a record on a guess.
 */
import { absolute, type DomainName, isWithin, ROOT } from "../../standards/dns/name.ts";
import { formatRdata } from "../../standards/dns/rdata-text.ts";
import { octetsToText, txtText, typeOf } from "../../standards/dns/record.ts";
import { remarksOnClaims } from "./claims.ts";
import { readCommandLine } from "./command-line.ts";
import { readDigComment, readShortAnswer } from "./dig.ts";
import { readJson } from "./exported.ts";
import { readFormBlock } from "./form-block.ts";
import { readHostLine } from "./host.ts";
import { likelyZone } from "./likely-zone.ts";
import { readNslookupLine } from "./nslookup.ts";
import {
  type Known,
  type PastedRecord,
  type PastedRemark,
  type Question,
  type Reader,
  type Reading,
  remarkAt,
  type UnplacedRecord,
} from "./reading.ts";
import { readRecordText } from "./record-text.ts";
import { readSignerLine } from "./signer.ts";
import { readTableRow } from "./table.ts";
import { readTutorialLine } from "./tutorial-line.ts";
import { readZoneLine } from "./zone-lines.ts";

export interface PastedText {
  /** What relative names stand below: as given, else what the text says or is mostly about. */
  readonly zone: DomainName | undefined;
  /** Each record once, at its first place. */
  readonly records: readonly PastedRecord[];
  readonly unplaced: readonly UnplacedRecord[];
  /** In the order of the text. */
  readonly remarks: readonly PastedRemark[];
}

export interface PasteOptions {
  /** Where relative names and bare texts belong. */
  readonly domain?: DomainName | undefined;
  /** For DKIM keys that come without an owner. */
  readonly selector?: string | undefined;
  /** The registrable domain by the public suffix list. */
  readonly organizationalDomain: (name: DomainName) => DomainName | undefined;
}

export const MAX_PASTED_CHARACTERS = 4 * 2 ** 20;
const MAX_LINES = 100_000;
const MAX_RECORDS = 20_000;
const MAX_REMARKS = 1000;
/** A TXT record of 65,535 octets, every octet escaped. */
const MAX_LINE_CHARACTERS = 300_000;

/** The certain before the likely. */
const READERS: readonly Reader[] = [
  readDigComment,
  readCommandLine,
  readHostLine,
  readNslookupLine,
  readSignerLine,
  // Below a header, what looks like a zone line is a row.
  (lines, at, known) => (known.columns === undefined ? undefined : readTableRow(lines, at, known)),
  readTutorialLine,
  readZoneLine,
  readTableRow,
  readFormBlock,
  readRecordText,
  readShortAnswer,
];

export function readPasted(text: string, options: PasteOptions): PastedText {
  const { domain, selector, organizationalDomain } = options;
  const bounded = text.slice(0, MAX_PASTED_CHARACTERS).replace(/^\ufeff/, "");
  const zone = domain ?? likelyZone(bounded, organizationalDomain);
  const start: Known = {
    zone,
    selector,
    owner: undefined,
    ttlSeconds: undefined,
    asked: undefined,
    dig: undefined,
    columns: undefined,
  };
  const lines = bounded.split(/\r\n|\n|\r/, MAX_LINES).map(unwrapped);
  const questions: (Question & { readonly at: number })[] = [];
  const readings = readJson(bounded, start) ?? readLines(lines, start, questions);
  const { records, remarks } = withoutRepeats(readings.flatMap((reading) => reading.records ?? []));
  const cut =
    text.length > MAX_PASTED_CHARACTERS || lines.length >= MAX_LINES
      ? [
          remarkAt(
            lines.length - 1,
            "error",
            "pasted-too-long",
            "the rest of the text was not read",
            "RFC 1035 §5.1",
          ),
        ]
      : [];
  const all = [
    ...readings.flatMap((reading) => reading.remarks ?? []),
    ...remarks,
    ...otherDomains(questions, records, zone, organizationalDomain),
    ...remarksOnClaims(lines),
    ...cut,
  ];
  return {
    zone,
    records: records.slice(0, MAX_RECORDS),
    unplaced: readings.flatMap((reading) => reading.unplaced ?? []).slice(0, MAX_RECORDS),
    remarks: all.toSorted((one, other) => one.line - other.line).slice(0, MAX_REMARKS),
  };
}

/** Without what mails, lists and pages put around a line: "> ", "- ", backticks; a star may be a wildcard's name. */
function unwrapped(line: string): string {
  const plain = line.replace(/\u00a0/g, " ").replace(/^\s{0,3}(?:>\s?)+(?=[^\s>])|^\s{0,8}[-•]\s+(?=\S)/, "");
  return /^\s*`[^`]+`\s*$/.test(plain) ? plain.trim().slice(1, -1) : plain;
}

function readLines(
  lines: readonly string[],
  start: Known,
  questions: (Question & { readonly at: number })[],
): Reading[] {
  const readings: Reading[] = [];
  let known = start;
  let found = 0;
  for (let at = 0; at < lines.length && found < MAX_RECORDS; ) {
    const reading = readLine(lines, at, known);
    if (reading === undefined) {
      // Prose ends what the lines before had begun.
      if (lines[at]!.trim() !== "")
        known = { ...known, owner: undefined, asked: undefined, columns: undefined };
      else known = { ...known, columns: undefined };
      at++;
      continue;
    }
    readings.push(reading);
    found += reading.records?.length ?? 0;
    if (reading.known?.asked !== undefined) questions.push({ ...reading.known.asked, at });
    known = { ...known, ...reading.known };
    at += reading.taken;
  }
  return readings;
}

function readLine(lines: readonly string[], at: number, known: Known): Reading | undefined {
  const line = lines[at]!;
  if (line.trim() === "" || line.length > MAX_LINE_CHARACTERS) return undefined;
  for (const reader of READERS) {
    const reading = reader(lines, at, known);
    if (reading !== undefined) return reading;
  }
  return undefined;
}

/**
 * The same data twice is one record. Where only the TTL differs, the lower one is the countdown of a cache, and no
 * difference (E18).
 */
function withoutRepeats(records: readonly PastedRecord[]): {
  readonly records: PastedRecord[];
  readonly remarks: PastedRemark[];
} {
  const kept = new Map<string, PastedRecord>();
  const remarks: PastedRemark[] = [];
  for (const each of records) {
    const { name, data, ttlSeconds } = each.record;
    const text = data.type === "TXT" ? octetsToText(txtText(data)) : formatRdata(data);
    const key = `${name} ${typeOf(data)} ${text}`;
    const other = kept.get(key);
    if (each.ttl === "countdown") remarks.push(countdownRemark(each));
    if (other === undefined) {
      kept.set(key, each);
    } else if (other.ttl !== "stated" && each.ttl === "stated") {
      kept.set(key, { ...other, record: each.record, ttl: "stated" });
    } else if (each.ttl === "stated" && ttlSeconds !== other.record.ttlSeconds) {
      const [low, high] = [ttlSeconds, other.record.ttlSeconds].toSorted((one, two) => one - two);
      const message = `the same record with TTL ${high} and ${low}: what dig shows of a cache counts down, so this is no difference; ${high} is kept`;
      remarks.push(remarkAt(each.line - 1, "notice", "pasted-cache-ttl", message, "RFC 2181 §8"));
      if (high === ttlSeconds) kept.set(key, { ...other, record: each.record });
    }
  }
  const once = new Map(remarks.map((remark) => [`${remark.code} ${remark.message}`, remark]));
  return { records: [...kept.values()], remarks: [...once.values()] };
}

function countdownRemark({ line }: PastedRecord): PastedRemark {
  const message =
    "the answer came from a cache, and its TTL is what was left there, not what is published; ask a name server of the zone for that";
  return remarkAt(line - 1, "notice", "pasted-cache-ttl", message, "RFC 1034 §3.6");
}

/** E8: a command that asks for another domain than the records around it belong to. */
function otherDomains(
  questions: readonly (Question & { readonly at: number })[],
  records: readonly PastedRecord[],
  zone: DomainName | undefined,
  organizationalDomain: PasteOptions["organizationalDomain"],
): PastedRemark[] {
  if (zone === undefined || zone === ROOT) return [];
  const owners = records.map(({ record }) => record.name);
  const isKnown = (name: DomainName) =>
    isWithin(name, zone) ||
    name.endsWith(".arpa") ||
    owners.some((owner) => isWithin(owner, organizationalDomain(name) ?? name));
  return questions
    .filter(({ name }) => !isKnown(name))
    .map(({ name, type, at }) =>
      remarkAt(
        at,
        "warning",
        "pasted-other-domain",
        `this command asks for ${type} ${absolute(name)}, which is not in ${zone}: it shows another domain's record`,
        "RFC 1034 §3.1",
      ),
    );
}
