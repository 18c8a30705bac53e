/** Lines of zone files, and all that looks like them: dig's answers, what amavisd, OpenDKIM and rspamd print. */
import { absolute, domainName, labelTexts, parseDomainName } from "../../standards/dns/name.ts";
import {
  octetsToText,
  parseRecordType,
  type Rdata,
  type ResourceRecord,
  toCharacterStrings,
  txtText,
} from "../../standards/dns/record.ts";
import { readTxt } from "../../standards/dns/txt-rendering.ts";
import { parseZoneText } from "../../standards/dns/zone-text.ts";
import { readEntry } from "../../standards/dns/zone-tokens.ts";
import { LISTING_TTL_SECONDS, zoneLine } from "../zone-listing.ts";
import {
  isShortened,
  type Known,
  type PastedRecord,
  type PastedRemark,
  type Reading,
  remarkAt,
  shortenedRemark,
  TYPE_PATTERN,
} from "./reading.ts";

const HEAD = new RegExp(
  String.raw`^(\S+)?[ \t]+(?:(\d\w{0,9})[ \t]+)?(?:IN[ \t]+)?(?:(\d\w{0,9})[ \t]+)?(${TYPE_PATTERN}|TYPE\d{1,5})(?![\w-])[ \t]*(\S.*)$`,
  "i",
);
/** A record that goes on over more lines than this was never closed. */
const MAX_ENTRY_LINES = 40;
/** Stands in where no zone is known, to see whether a line is a record at all. */
const NOWHERE = domainName("no-zone.invalid");

export function readZoneLine(lines: readonly string[], at: number, known: Known): Reading | undefined {
  const line = lines[at]!;
  return readDirective(line, at, known) ?? readEntryAt(lines, at, known);
}

function readDirective(line: string, at: number, known: Known): Reading | undefined {
  const [, word, value] = /^\s*\$(ORIGIN|TTL)\s+(\S+)/i.exec(line) ?? [];
  if (word === undefined || value === undefined) return undefined;
  if (word.toUpperCase() === "TTL") {
    const parsed = parseZoneText(`$TTL ${value}\nx. A 192.0.2.1`);
    const [record] = parsed.records;
    return record && { taken: 1, known: { ttlSeconds: record.ttlSeconds } };
  }
  const relative = known.zone !== undefined && !value.endsWith(".") && !value.includes(".");
  const name = parseDomainName(relative ? `${value}.${known.zone}` : value);
  if (name.ok) return { taken: 1, known: { zone: name.value, owner: undefined } };
  const message = `the zone cannot be read: ${name.problem}`;
  return {
    taken: 1,
    remarks: [remarkAt(at, "error", "pasted-unreadable", message, "RFC 1035 §5.1")],
  };
}

function readEntryAt(lines: readonly string[], at: number, known: Known): Reading | undefined {
  const written = lines[at]!;
  // In a zone file a blank in front means "the same owner"; in a tutorial it is indentation.
  const inherits = known.owner !== undefined && HEAD.exec(written)?.[1] === undefined && /^\s/.test(written);
  const indented = HEAD.exec(written);
  const isContinued = inherits && indented !== null;
  const line = isContinued ? `${absolute(known.owner!)} ${written.trim()}` : written.trim();
  const head = HEAD.exec(line);
  if (head === null) return undefined;
  const [, owner = "", ttlBefore, ttlBehind, typeText = "", rest = ""] = head;
  const type = parseRecordType(typeText)!;
  if (owner.includes("|")) return undefined; // a table
  const chunk = [line, ...(rest.includes("(") ? linesOfEntry(lines, at + 1) : [])].join("\n");
  const entry = readEntry(chunk, 0);
  const text = entry.unclosed ? line : chunk.slice(0, entry.next).trimEnd();
  const taken = text.split("\n").length;

  const remarks: PastedRemark[] = [];
  const zone = known.zone ?? keyDomainIn(text);
  const parsed = parseZoneText(text, {
    origin: zone ?? NOWHERE,
    defaultTtlSeconds: known.ttlSeconds ?? LISTING_TTL_SECONDS,
  });
  let record: ResourceRecord | undefined = parsed.problems.length === 0 ? parsed.records[0] : undefined;
  if (type === "TXT" || type === "SPF") {
    const data = text.slice(text.length - (text.length - line.length) - rest.length);
    if (isUnquoted(rest)) {
      if (!/^(?:[“”„]|[vkphgt]\s*=)/i.test(rest)) {
        if (/\s/.test(rest.replace(/\s*;.*/, "")) || !/[.@_]/.test(owner)) return undefined; // prose
      } else {
        record = mended(text, line, zone, known, rest, at, remarks);
      }
    } else if (record === undefined) {
      record = mended(text, line, zone, known, data, at, remarks);
    }
  }
  if (record === undefined) {
    const problem = parsed.problems[0]?.problem;
    if (problem === undefined || !isConvincing(owner, type, rest)) return undefined;
    return {
      taken,
      remarks: [remarkAt(at, "error", "pasted-unreadable", problem, "RFC 1035 §5.1")],
    };
  }
  if ((record.data.type === "TXT" || record.data.type === "SPF") && isShortened(txtText(record.data))) {
    return { taken, remarks: [shortenedRemark(at)] };
  }
  const elsewhere =
    known.dig === undefined && !rest.trimEnd().endsWith(".") ? withoutZone(record, zone) : undefined;
  if (elsewhere !== undefined) {
    const message = `the target has no final dot, so ${zone} is added to it and nobody finds it`;
    remarks.push(
      remarkAt(at, "error", "pasted-dotless-target", message, "RFC 1035 §5.1", zoneLine(elsewhere)),
    );
    record = elsewhere;
  }
  if (zone === undefined && record.name.endsWith(NOWHERE)) {
    const value = record.data.type === "TXT" ? octetsToText(txtText(record.data)) : rest;
    return { taken, unplaced: [{ line: at + 1, type, name: owner, value }], remarks };
  }
  const isStated = ttlBefore !== undefined || ttlBehind !== undefined || known.ttlSeconds !== undefined;
  // `dig +noall +answer`: nothing but the line, below its command.
  const isBareAnswer =
    known.dig === undefined && known.asked?.name === record.name && ttlBefore !== undefined;
  const isCached = (known.dig !== undefined && !known.dig.authoritative) || isBareAnswer;
  const found: PastedRecord = {
    record: isCached ? { ...record, ttlSeconds: LISTING_TTL_SECONDS } : record,
    line: at + 1,
    format: known.dig || isBareAnswer ? "dig" : "zone",
    ttl: isCached ? "countdown" : isStated ? "stated" : "unknown",
  };
  return { taken, records: [found], remarks, known: { owner: record.name } };
}

/** What may stand in the parentheses: everything up to the next record. */
function linesOfEntry(lines: readonly string[], from: number): readonly string[] {
  const following = lines.slice(from, from + MAX_ENTRY_LINES);
  const next = following.findIndex((line) => HEAD.exec(line.trim())?.[1] !== undefined);
  return next < 0 ? following : following.slice(0, next);
}

/** Endings that nobody gives to a host of their own. */
const FOREIGN = /\.(?:com|net|org|edu|gov|info|biz|io|eu)$/;

/** A host elsewhere, written without its final dot: the zone was added to it. */
function withoutZone(record: ResourceRecord, zone: Known["zone"]): ResourceRecord | undefined {
  const { data } = record;
  const target = data.type === "MX" ? data.exchange : "target" in data ? data.target : undefined;
  if (zone === undefined || !target?.endsWith(`.${zone}`)) return undefined;
  const written = target.slice(0, -zone.length - 1);
  if (!FOREIGN.test(written) || written === zone || written.endsWith(`.${zone}`)) return undefined;
  const meant = domainName(written);
  return {
    ...record,
    data: { ...data, ...(data.type === "MX" ? { exchange: meant } : { target: meant }) } as Rdata,
  };
}

const isUnquoted = (rest: string) => !/^[("]/.test(rest);

/** TXT data that no name server would take as it stands, but that says what it means. */
function mended(
  text: string,
  line: string,
  zone: Known["zone"],
  known: Known,
  rest: string,
  at: number,
  remarks: PastedRemark[],
): ResourceRecord | undefined {
  const dataText = isUnquoted(rest) ? rest : text.slice(line.length - rest.length);
  const shell = parseZoneText(`${line.slice(0, line.length - rest.length)}""`, {
    origin: zone ?? NOWHERE,
    defaultTtlSeconds: known.ttlSeconds ?? LISTING_TTL_SECONDS,
  }).records[0];
  if (shell === undefined) return undefined;
  const { value, remarks: notes } = readTxt(dataText);
  if (value === "") return undefined;
  const record: ResourceRecord = {
    ...shell,
    data: { type: shell.data.type as "TXT" | "SPF", strings: toCharacterStrings(value) },
  };
  const corrected = zoneLine(record);
  if (isUnquoted(rest) && !/^[“”„]/.test(rest)) {
    const message =
      "no quotes around the value: a name server joins its words without the blanks, and takes a semicolon for a comment";
    remarks.push(remarkAt(at, "error", "pasted-unquoted", message, "RFC 1035 §5.1", corrected));
  }
  for (const note of notes) {
    if (note.code === "txt-escaped-semicolon") continue;
    remarks.push({ ...note, line: at + 1, corrected });
  }
  return record;
}

/** OpenDKIM says in a comment whose key it is. */
function keyDomainIn(text: string): Known["zone"] {
  const [, name] = /;\s*-+\s*DKIM key \S+ for (\S+)\s*$/m.exec(text) ?? [];
  const parsed = name === undefined ? undefined : parseDomainName(name);
  return parsed?.ok && labelTexts(parsed.value).length > 1 ? parsed.value : undefined;
}

/** Enough of a record that what cannot be read is a mistake, not a sentence. */
function isConvincing(owner: string, type: string, rest: string): boolean {
  if (!/[.@]/.test(owner) || /[,:]$/.test(owner)) return false;
  switch (type) {
    case "A":
    case "AAAA":
      return /^[0-9a-f]*[.:][0-9a-f.:]+\s*(?:;.*)?$/i.test(rest);
    case "MX":
      return /^\d+\s+\S/.test(rest) || /^\S+\.\S+\s*(?:;.*)?$/.test(rest);
    case "SRV":
    case "CAA":
    case "TLSA":
      return /^\d+\s+\S/.test(rest);
    case "TXT":
      return /^["(“]/.test(rest);
    case "CNAME":
    case "NS":
    case "PTR":
      return /^\S+\.\S*\s*(?:;.*)?$/.test(rest);
    default:
      return false;
  }
}
