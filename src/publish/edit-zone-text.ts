/**
 * Changes of RRsets in the text of a zone: only the lines of what is changed, and the serial. Everything else stays as
 * it is, octet by octet: comments, order, blank lines, directives, records of types that are not read here.
 */
import type { DomainName } from "../standards/dns/name.ts";
import type { Parsed } from "../standards/dns/parsed.ts";
import { formatName, formatRdata } from "../standards/dns/rdata-text.ts";
import { type Rdata, type ResourceRecord, typeOf } from "../standards/dns/record.ts";
import { nextSerial } from "../standards/dns/serial.ts";
import {
  parseZoneEntries,
  type ZoneContext,
  type ZoneEntries,
  type ZoneEntry,
} from "../standards/dns/zone-text.ts";
import type { Rrset, RrsetChange } from "./provider.ts";
import { rrsetKey } from "./rrset.ts";

/** The text with its places, or the first thing in it that stands in the way of changing it. */
export function readZoneForEdit(text: string, zone: DomainName): Parsed<ZoneEntries> {
  const reading = parseZoneEntries(text, { origin: zone });
  const ignored = reading.entries
    .filter(({ isOfUnknownType }) => isOfUnknownType)
    .map((each) => each.problem);
  const problem = reading.problems.find((each) => !ignored.includes(each));
  if (problem === undefined) return { ok: true, value: reading };
  return { ok: false, problem: `line ${problem.line}: ${problem.problem}` };
}

export interface EditOptions {
  readonly zone: DomainName;
  readonly changes: readonly RrsetChange[];
  /** YYYYMMDD, for the serial; absent where the text has no SOA. */
  readonly today?: string;
}

/** The text with the changes made; the same text where there are none to make. */
export function editZoneText(text: string, reading: ZoneEntries, options: EditOptions): Parsed<string> {
  const edits = planEdits(reading, options.changes);
  if (edits.actions.size === 0 && edits.insertions.size === 0) return { ok: true, value: text };
  const { today } = options;
  const soa = reading.entries.find(({ record }) => record?.data.type === "SOA");
  const serial = soa && today !== undefined ? serialEdit(soa, today) : undefined;
  if (serial?.ok === false) return serial;
  const edited = writeEdits(text, reading, edits, serial?.value);
  const problem = lookAgain(edited, reading, options, serial?.value.serial);
  return problem === undefined ? { ok: true, value: edited } : { ok: false, problem };
}

/** What happens to an entry; entries without an action stay. */
type EditAction =
  | { readonly kind: "delete" }
  /** Other data; the TTL too where it is given. */
  | { readonly kind: "replace"; readonly record: ResourceRecord; readonly keepsTtl: boolean };

interface Edits {
  readonly actions: Map<ZoneEntry, EditAction>;
  /** New records behind an entry, or at the end of the text. */
  readonly insertions: Map<ZoneEntry | "end", ResourceRecord[]>;
}

function planEdits({ entries }: ZoneEntries, changes: readonly RrsetChange[]): Edits {
  const edits: Edits = { actions: new Map(), insertions: new Map() };
  const byKey = Map.groupBy(
    entries.filter(({ record }) => record !== undefined),
    ({ record }) => rrsetKey({ name: record!.name, type: typeOf(record!.data) }),
  );
  for (const change of changes) {
    const own = byKey.get(rrsetKey(change)) ?? [];
    const anchor = own.at(-1) ?? entries.findLast(({ owner }) => owner === change.name) ?? "end";
    planRrset(own, change.after, anchor, edits);
  }
  return edits;
}

function planRrset(
  own: readonly ZoneEntry[],
  after: Rrset | undefined,
  anchor: ZoneEntry | "end",
  { actions, insertions }: Edits,
): void {
  const missing = new Map<string, Rdata>((after?.data ?? []).map((data) => [formatRdata(data), data]));
  const surplus: ZoneEntry[] = [];
  const wanted = new Set(missing.keys());
  for (const entry of own) {
    const record = entry.record!;
    const written = formatRdata(record.data);
    missing.delete(written);
    if (after === undefined || !wanted.has(written)) surplus.push(entry);
    else if (record.ttlSeconds !== after.ttlSeconds) {
      const changed = { ...record, ttlSeconds: after.ttlSeconds };
      actions.set(entry, { kind: "replace", record: changed, keepsTtl: false });
    }
  }
  const fresh = [...missing.values()];
  for (const entry of surplus) {
    const data = fresh.shift();
    if (after === undefined || data === undefined) {
      actions.set(entry, { kind: "delete" });
      continue;
    }
    const record = { name: after.name, ttlSeconds: after.ttlSeconds, data };
    actions.set(entry, {
      kind: "replace",
      record,
      keepsTtl: entry.record!.ttlSeconds === after.ttlSeconds,
    });
  }
  if (after === undefined || fresh.length === 0) return;
  const records = fresh.map((data) => ({ name: after.name, ttlSeconds: after.ttlSeconds, data }));
  const others = insertions.get(anchor) ?? [];
  // What belongs to the anchor's own RRset stands next to it
  insertions.set(anchor, own.length > 0 ? [...records, ...others] : [...others, ...records]);
}

interface SerialEdit {
  readonly entry: ZoneEntry;
  readonly start: number;
  readonly end: number;
  readonly serial: number;
}

/** The third word of the SOA's data, wherever it stands. */
function serialEdit(entry: ZoneEntry, today: string): Parsed<SerialEdit> {
  const token = entry.tokens[entry.typeToken + 3];
  const data = entry.record?.data;
  if (token === undefined || data?.type !== "SOA" || token.text !== String(data.serial)) {
    return { ok: false, problem: "the serial of the SOA is written in a way that cannot be changed here" };
  }
  const serial = nextSerial(data.serial, today);
  const end = token.offset + token.text.length;
  return { ok: true, value: { entry, start: token.offset, end, serial } };
}

function writeEdits(
  text: string,
  reading: ZoneEntries,
  edits: Edits,
  serial: SerialEdit | undefined,
): string {
  const style = { separator: text.includes("\t") ? "\t" : " ", newline: /\r\n/.test(text) ? "\r\n" : "\n" };
  const lineOf = (record: ResourceRecord, context: ZoneContext) =>
    `${newLine(record, context, style.separator)}${style.newline}`;
  let written = "";
  let at = 0;
  /** The owner that a line without one would get. */
  let inherited: DomainName | undefined;
  const put = (line: string) => {
    if (!["", "\n", "\ufeff"].includes(written.slice(-1))) written += style.newline;
    written += line;
  };
  for (const entry of reading.entries) {
    written += text.slice(at, entry.start);
    at = entry.end;
    const action = edits.actions.get(entry);
    const whole = text.slice(entry.start, entry.end);
    if (action?.kind === "replace") {
      const inPlace = action.keepsTtl ? replaceData(text, entry, action.record.data) : undefined;
      put(
        inPlace === undefined ? lineOf(action.record, entry.context) : withOwner(inPlace, entry, inherited),
      );
      inherited = entry.owner;
    } else if (action === undefined) {
      const kept =
        serial?.entry === entry
          ? text.slice(entry.start, serial.start) + serial.serial + text.slice(serial.end, entry.end)
          : whole;
      written += withOwner(kept, entry, inherited);
      inherited = entry.owner;
    }
    for (const record of edits.insertions.get(entry) ?? []) {
      put(lineOf(record, entry.context));
      inherited = record.name;
    }
  }
  written += text.slice(at);
  for (const record of edits.insertions.get("end") ?? []) put(lineOf(record, reading.context));
  return written;
}

/** An entry that took its owner from a line that is gone says it itself, in the same column where there is room. */
function withOwner(
  line: string,
  { startsBlank, owner, context }: ZoneEntry,
  inherited: DomainName | undefined,
) {
  if (!startsBlank || owner === undefined || owner === inherited) return line;
  const blank = /^[ \t]+/.exec(line)?.[0] ?? "";
  const name = formatName(owner, context.origin);
  const gap = blank.includes("\t") ? blank : " ".repeat(Math.max(1, blank.length - name.length));
  return `${name}${gap}${line.slice(blank.length)}`;
}

/** The data alone, on an entry of one line: what stands before and behind it stays. */
function replaceData(text: string, entry: ZoneEntry, data: Rdata): string | undefined {
  const { start, end, tokens, typeToken } = entry;
  const first = tokens[typeToken + 1];
  const last = tokens.at(-1);
  if (text.slice(start, end).trimEnd().includes("\n") || first === undefined || last === undefined) {
    return undefined;
  }
  const behind = last.offset + last.text.length + (last.quoted ? 2 : 0);
  return text.slice(start, first.offset) + formatRdata(data, entry.context.origin) + text.slice(behind, end);
}

function newLine(
  { name, ttlSeconds, data }: ResourceRecord,
  context: ZoneContext,
  separator: string,
): string {
  const ttl = ttlSeconds === context.ttlSeconds ? [] : [String(ttlSeconds)];
  const owner = formatName(name, context.origin);
  return [owner, ...ttl, "IN", typeOf(data), formatRdata(data, context.origin)].join(separator);
}

/** Reads what was written: all that was to change has changed, and nothing else. */
function lookAgain(
  edited: string,
  before: ZoneEntries,
  { zone, changes }: EditOptions,
  serial: number | undefined,
): string | undefined {
  const reading = readZoneForEdit(edited, zone);
  if (!reading.ok) return `the changed text cannot be read: ${reading.problem}`;
  const changed = new Set(changes.map(rrsetKey));
  const expected = before.records.flatMap((record): ResourceRecord[] => {
    if (changed.has(rrsetKey({ name: record.name, type: typeOf(record.data) }))) return [];
    const isSoa = record.data.type === "SOA" && serial !== undefined;
    return [isSoa ? ({ ...record, data: { ...record.data, serial } } as ResourceRecord) : record];
  });
  for (const { after } of changes) {
    for (const data of after?.data ?? []) {
      expected.push({ name: after!.name, ttlSeconds: after!.ttlSeconds, data });
    }
  }
  const isSame =
    linesOf(expected).join("\n") === linesOf(reading.value.records).join("\n") &&
    unreadLines(before).join("\n") === unreadLines(reading.value).join("\n");
  return isSame
    ? undefined
    : "records beside the changed ones would change with them, since the text leaves TTLs to the line before; put $TTL at its top";
}

/** One for each record, in an order that means nothing; what stands twice counts once. */
function linesOf(records: readonly ResourceRecord[]): string[] {
  const lines = records.map(
    ({ name, ttlSeconds, data }) => `${name} ${ttlSeconds} ${typeOf(data)} ${formatRdata(data)}`,
  );
  return [...new Set(lines)].sort();
}

function unreadLines({ entries }: ZoneEntries): string[] {
  return entries
    .filter(({ record }) => record === undefined)
    .map(({ owner, tokens, startsBlank }) =>
      [owner, ...tokens.slice(startsBlank ? 0 : 1).map(({ text }) => text)].join(" "),
    );
}
