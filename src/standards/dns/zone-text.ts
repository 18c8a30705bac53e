/**
 * Zone text (master files, RFC 1035 §5), read and written as BIND does it. The reader takes in what people
 * paste: it goes on behind a mistake and lists them all. It looks at the text only; whether the records
 * make a sound zone is for `check/`.
 */
import { absolute, type DomainName } from "./name.ts";
import { formatName, formatRdata, parseDuration, parseName, parseRdata } from "./rdata-text.ts";
import { type KnownType, parseRecordType, type RecordType, type ResourceRecord, typeOf } from "./record.ts";
import { type Entry, readEntry, type Token } from "./zone-tokens.ts";

export interface ZoneText {
  readonly records: readonly ResourceRecord[];
  /** In the order of the text, one for each entry that could not be read. */
  readonly problems: readonly ZoneProblem[];
  /** The zone: as given, else the owner of the first SOA, else the first `$ORIGIN`. */
  readonly origin: DomainName | undefined;
}

export interface ZoneProblem {
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 units. */
  readonly column: number;
  readonly problem: string;
}

export interface ZoneTextOptions {
  /** Relative names stand below it until a `$ORIGIN` says otherwise. */
  readonly origin?: DomainName | undefined;
  /** For records without a TTL where the text states none at all. */
  readonly defaultTtlSeconds?: number | undefined;
  readonly maxRecords?: number;
  readonly maxOctets?: number;
}

const MAX_PROBLEMS = 1000;
/** RFC 2181 §8 */
const MAX_TTL_SECONDS = 2 ** 31 - 1;
/** Types that live in messages only (RFC 6895 §3.1) and never in a zone. */
const MESSAGE_ONLY: readonly RecordType[] = ["OPT", "TSIG", "IXFR", "AXFR", "ANY"] satisfies KnownType[];

export function parseZoneText(text: string, options: ZoneTextOptions = {}): ZoneText {
  const { records, problems, origin } = readZoneText(text, options, () => undefined);
  return { records, problems, origin };
}

/** Where in the text one entry stands, and what holds there: for those who change the text. */
export interface ZoneEntry {
  /** Undefined where it could not be read. */
  readonly record: ResourceRecord | undefined;
  readonly problem: ZoneProblem | undefined;
  /** The problem is but a type that is not read here. */
  readonly isOfUnknownType: boolean;
  /** Of the record, also where it could not be read. */
  readonly owner: DomainName | undefined;
  /** Its first character, and the one behind its last line. */
  readonly start: number;
  readonly end: number;
  /** The owner is that of the entry before. */
  readonly startsBlank: boolean;
  readonly tokens: readonly Token[];
  /** The place of the type in `tokens`; its data stands behind. -1 where there is none. */
  readonly typeToken: number;
  readonly context: ZoneContext;
}

/** What the directives up to some place have set. */
export interface ZoneContext {
  readonly origin: DomainName | undefined;
  /** Stated by `$TTL`. */
  readonly ttlSeconds: number | undefined;
}

export interface ZoneEntries extends ZoneText {
  /** Records, read or not, in the order of the text; directives are not among them. */
  readonly entries: readonly ZoneEntry[];
  /** What holds at the end of the text. */
  readonly context: ZoneContext;
}

/** As `parseZoneText`, with the place of each record. */
export function parseZoneEntries(text: string, options: ZoneTextOptions = {}): ZoneEntries {
  const entries: ZoneEntry[] = [];
  return { ...readZoneText(text, options, (entry) => entries.push(entry)), entries };
}

function readZoneText(
  text: string,
  options: ZoneTextOptions,
  take: (entry: ZoneEntry) => void,
): Omit<ZoneEntries, "entries"> {
  const { maxRecords = 200_000, maxOctets = 16 * 2 ** 20 } = options;
  const reading = new Reading(options);
  const problems: ZoneProblem[] = [];
  const lines = new LineCounter(text);
  const report = (offset: number, problem: string) =>
    problems.push({ ...lines.place(offset), problem: shortened(problem) });

  if (text.length > maxOctets || Buffer.byteLength(text) > maxOctets) {
    report(0, `the text is longer than ${maxOctets} octets`);
    return { records: [], problems, origin: options.origin, context: reading.context };
  }
  let unclosed = 0;
  let entry: Entry;
  for (let at = text.startsWith("\ufeff") ? 1 : 0; at < text.length; at = entry.next) {
    entry = readEntry(text, at);
    if (entry.tokens.length === 0 && entry.fault === undefined) continue;
    const before = reading.records.length;
    let isOfUnknownType = false;
    const problemCount = problems.length;
    try {
      reading.take(entry);
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      isOfUnknownType = error.isOfUnknownType;
      report(error.offset, error.message);
    }
    if (!isDirective(entry)) {
      const { owner, context } = reading;
      const { startsBlank, tokens, next: end } = entry;
      const record = reading.records[before];
      const typeToken = record ? typeTokenOf(entry) : -1;
      take({
        record,
        problem: problems[problemCount],
        isOfUnknownType,
        owner,
        start: at,
        end,
        startsBlank,
        tokens,
        typeToken,
        context,
      });
    }
    const rest = entry.next < text.length;
    if (rest && reading.records.length >= maxRecords) {
      report(entry.next, `more than ${maxRecords} records; the rest was not read`);
      break;
    }
    // each unclosed parenthesis makes the reader look to the end of the text once more
    if (entry.unclosed && ++unclosed > 3 && rest) {
      report(entry.next, "too many open parentheses; the rest was not read");
      break;
    }
    if (rest && problems.length >= MAX_PROBLEMS) {
      report(entry.next, `more than ${MAX_PROBLEMS} mistakes; the rest was not read`);
      break;
    }
  }
  return {
    records: reading.records,
    problems,
    origin: reading.zone,
    context: reading.context,
  };
}

function isDirective({ tokens, startsBlank }: Entry): boolean {
  const [first] = tokens;
  return first?.text.startsWith("$") === true && !first.quoted && !startsBlank;
}

/** Behind owner, TTL and class of an entry that was read. */
function typeTokenOf({ tokens, startsBlank }: Entry): number {
  const from = startsBlank ? 0 : 1;
  const found = tokens
    .slice(from)
    .findIndex(({ text }) => !/^\d/.test(text) && !/^(?:IN|CLASS1)$/i.test(text));
  return from + found;
}

/** A problem quotes words of the text, which may be of any length. */
function shortened(problem: string): string {
  return problem.length <= 300 ? problem : `${problem.slice(0, 150)} … ${problem.slice(-100)}`;
}

class EntryError extends Error {
  readonly offset: number;
  readonly isOfUnknownType: boolean;

  constructor(problem: string, offset: number, isOfUnknownType = false) {
    super(problem);
    this.offset = offset;
    this.isOfUnknownType = isOfUnknownType;
  }
}

/** What one entry leaves behind for the next: origin, TTLs, last owner. */
class Reading {
  readonly records: ResourceRecord[] = [];
  #origin: DomainName | undefined;
  #firstOrigin: DomainName | undefined;
  #soaOwner: DomainName | undefined;
  #defaultTtl: number | undefined;
  #statedDefaultTtl: number | undefined;
  #lastTtl: number | undefined;
  /** Undefined at the start and behind an owner that could not be read: its records must not go to another. */
  #owner: DomainName | undefined;
  readonly #options: ZoneTextOptions;

  constructor(options: ZoneTextOptions) {
    this.#options = options;
    this.#origin = options.origin;
  }

  get zone(): DomainName | undefined {
    return this.#options.origin ?? this.#soaOwner ?? this.#firstOrigin;
  }

  get owner(): DomainName | undefined {
    return this.#owner;
  }

  get context(): ZoneContext {
    return { origin: this.#origin, ttlSeconds: this.#statedDefaultTtl };
  }

  take(entry: Entry): void {
    const [first, ...rest] = entry.tokens;
    if (first !== undefined && isDirective(entry)) {
      if (entry.fault) throw new EntryError(entry.fault.problem, entry.fault.offset);
      return this.#directive(first, rest);
    }
    if (!entry.startsBlank) {
      this.#owner = undefined;
      if (first !== undefined) this.#owner = this.#name(first);
    }
    if (entry.fault) throw new EntryError(entry.fault.problem, entry.fault.offset);
    this.#record(entry.startsBlank ? entry.tokens : rest, first!);
  }

  #directive(directive: Token, rest: readonly Token[]): void {
    const name = directive.text.toUpperCase();
    switch (name) {
      case "$ORIGIN":
        this.#origin = this.#name(onlyArgument(directive, rest));
        this.#firstOrigin ??= this.#origin;
        return;
      case "$TTL": {
        const argument = onlyArgument(directive, rest);
        this.#defaultTtl = ttlOf(argument);
        if (this.#defaultTtl === undefined)
          throw new EntryError(`"${argument.text}" is no TTL`, argument.offset);
        this.#statedDefaultTtl = this.#defaultTtl;
        return;
      }
      case "$INCLUDE":
        throw new EntryError(
          "$INCLUDE reads another file, which is not at hand; put its text here",
          directive.offset,
        );
      case "$GENERATE":
        throw new EntryError(
          "$GENERATE is BIND's own; write its records out (named-compilezone does it)",
          directive.offset,
        );
      default:
        throw new EntryError(`${directive.text} is not a directive of zone text`, directive.offset);
    }
  }

  #name(token: Token): DomainName {
    const name = parseName(token.text, this.#origin);
    if (!name.ok) throw new EntryError(name.problem, token.offset);
    return name.value;
  }

  /** `[TTL] [class] type data`, TTL and class in either order. */
  #record(tokens: readonly Token[], first: Token): void {
    let at = 0;
    let ttl: number | undefined;
    let hasClass = false;
    for (; at < tokens.length && !tokens[at]!.quoted; at++) {
      const token = tokens[at]!;
      if (!hasClass && isClass(token)) hasClass = true;
      else if (ttl === undefined && /^\d/.test(token.text)) ttl = ttlOf(token);
      else break;
    }
    const written = tokens[at];
    if (written === undefined) {
      const last = tokens.at(-1) ?? first;
      throw new EntryError("the record type is missing", last.offset + last.text.length);
    }
    const type = written.quoted ? undefined : parseRecordType(written.text);
    if (type === undefined) {
      if (ttl !== undefined) this.#lastTtl = ttl;
      const isName = !written.quoted && /^[A-Z][A-Z0-9]*$/i.test(written.text) && this.#owner !== undefined;
      throw new EntryError(unknownType(written.text), written.offset, isName);
    }
    if (MESSAGE_ONLY.includes(type)) throw new EntryError(`${type} cannot stand in a zone`, written.offset);
    if (this.#owner === undefined) throw new EntryError("no owner name is known here", written.offset);

    const data = parseRdata(type, tokens.slice(at + 1), this.#origin);
    if (!data.ok) {
      const behindType = written.offset + written.text.length;
      throw new EntryError(data.problem, Math.max(data.offset ?? 0, behindType));
    }
    if (data.value.type === "SOA") this.#soaOwner ??= this.#owner;
    const minimum = data.value.type === "SOA" ? data.value.minimumSeconds : undefined;
    const ttlSeconds = this.#ttl(ttl, minimum);
    if (ttlSeconds === undefined) {
      throw new EntryError("no TTL: put $TTL at the top, or a TTL before the type", written.offset);
    }
    this.records.push({ name: this.#owner, ttlSeconds, data: data.value });
  }

  /** RFC 2308 §4: stated, else `$TTL`; without any `$TTL`, RFC 1035 §5.1's last stated one. BIND lets the SOA stand in. */
  #ttl(stated: number | undefined, soaMinimum: number | undefined): number | undefined {
    if (stated !== undefined) {
      this.#lastTtl = stated;
      return stated;
    }
    if (this.#defaultTtl === undefined && this.#lastTtl === undefined) {
      this.#defaultTtl = this.#options.defaultTtlSeconds ?? soaMinimum;
    }
    return this.#defaultTtl ?? this.#lastTtl;
  }
}

function onlyArgument(directive: Token, rest: readonly Token[]): Token {
  const [argument, surplus] = rest;
  if (argument === undefined) {
    throw new EntryError(`${directive.text} needs a value`, directive.offset + directive.text.length);
  }
  if (surplus !== undefined) throw new EntryError(`"${surplus.text}" is too much`, surplus.offset);
  return argument;
}

/** Class IN passes; any other class is refused, for no mail server lives there. */
function isClass(token: Token): boolean {
  const text = token.text.toUpperCase();
  if (text === "IN" || text === "CLASS1") return true;
  if (/^(CH|CHAOS|HS|HESIOD|CS|CLASS\d+)$/.test(text)) {
    throw new EntryError(`class ${text}; only IN is read`, token.offset);
  }
  return false;
}

function ttlOf(token: Token): number {
  const seconds = parseDuration(token.text);
  if (seconds === undefined) {
    throw new EntryError(`"${token.text}" is neither a TTL (3600, 1h30m) nor a record type`, token.offset);
  }
  if (seconds > MAX_TTL_SECONDS) {
    throw new EntryError(`a TTL of ${seconds}; ${MAX_TTL_SECONDS} is the longest`, token.offset);
  }
  return seconds;
}

function unknownType(text: string): string {
  return `"${text}" is not a record type read here; RFC 3597's TYPE123 \\# form is read for any type`;
}

/** Line and column of ascending offsets, in one walk over the text. */
class LineCounter {
  readonly #text: string;
  #line = 1;
  #start = 0;

  constructor(text: string) {
    this.#text = text;
  }

  place(offset: number): { line: number; column: number } {
    if (offset < this.#start) [this.#line, this.#start] = [1, 0];
    for (let end = this.#text.indexOf("\n", this.#start); end >= 0 && end < offset; ) {
      this.#line++;
      this.#start = end + 1;
      end = this.#text.indexOf("\n", this.#start);
    }
    return { line: this.#line, column: offset - this.#start + 1 };
  }
}

export interface ZoneTextStyle {
  /** Names within it are written relative to it. */
  readonly origin?: DomainName | undefined;
  /** Records with this TTL do not repeat it; written as `$TTL`. */
  readonly defaultTtlSeconds?: number | undefined;
  /** `$ORIGIN` and `$TTL` above the records. Without it every record states its TTL. */
  readonly header?: boolean;
  /** Columns, and an owner only where it changes; without it each line stands for itself. */
  readonly align?: boolean;
}

/** The records in the order given; strings of one TXT record stand on lines of their own, in parentheses. */
export function formatZoneText(records: readonly ResourceRecord[], style: ZoneTextStyle = {}): string {
  const { origin, defaultTtlSeconds, header = true, align = true } = style;
  const head: string[] = [];
  if (header && origin !== undefined) head.push(`$ORIGIN ${absolute(origin)}\n`);
  if (header && defaultTtlSeconds !== undefined) head.push(`$TTL ${defaultTtlSeconds}\n`);

  const rows = records.map(({ name, ttlSeconds, data }, at) => ({
    owner: align && at > 0 && records[at - 1]!.name === name ? "" : formatName(name, origin),
    ttl: header && ttlSeconds === defaultTtlSeconds ? "" : String(ttlSeconds),
    type: typeOf(data),
    data,
  }));
  if (!align) {
    const lines = rows.map(({ owner, ttl, type, data }) =>
      [owner, ttl, "IN", type, formatRdata(data, origin)].filter((word) => word !== "").join(" "),
    );
    return [...head, ...lines.map((line) => `${line}\n`)].join("");
  }
  const width = {
    owner: columnWidth(rows.map((row) => row.owner)),
    ttl: columnWidth(rows.map((row) => row.ttl)),
    type: columnWidth(rows.map((row) => row.type)),
  };
  const lines = rows.map(({ owner, ttl, type, data }) => {
    const ttlColumn = width.ttl === 0 ? "" : `${ttl.padStart(width.ttl)} `;
    const left = `${owner.padEnd(width.owner)} ${ttlColumn}IN ${type.padEnd(width.type)} `;
    const long = (data.type === "TXT" || data.type === "SPF") && data.strings.length > 1;
    if (!long) return `${left}${formatRdata(data, origin)}\n`;
    const strings = data.strings.map((string) => formatRdata({ ...data, strings: [string] }));
    return `${left}( ${strings.join(`\n${" ".repeat(left.length + 2)}`)} )\n`;
  });
  return [...head, ...lines].join("");
}

/** The widest entry, but no more than a readable column: longer ones stick out. */
function columnWidth(column: readonly string[]): number {
  return column.reduce((width, text) => Math.min(40, Math.max(width, text.length)), 0);
}
