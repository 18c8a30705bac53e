/**
 * Reads a mail (RFC 5322) as it comes in, in chunks of any size: header fields one by one, then the body as views
 * into the chunks. Keeps one header field at most, whatever the size of the mail.
 */
import { type HeaderField, headerField, type OctetText } from "./header-field.ts";

export interface MessageSink {
  /** A field, exactly as it stands in the mail; with `lineEnds: "crlf"`, its folds have CRLF. */
  field(field: HeaderField): void;
  /** Called once, before any of the body; at the latest by `end()`. */
  endOfHeaders(header: HeaderSummary): void;
  /** A view where possible: it changes when the caller of `write` uses its chunk again. */
  body(chunk: Uint8Array): void;
}

export interface MessageReaderOptions {
  /**
   * "crlf": a mail in a file becomes what SMTP would transmit; every bare LF turns into CRLF. A CR that stands alone
   * stays: it is no line end, neither here nor for the programs that hand in mail from files, and RFC 5322 §2.3
   * forbids it. It is counted, so that a signer can refuse what others may repair on the way. A last line that lacks
   * its end still lacks it.
   */
  readonly lineEnds?: "as-is" | "crlf";
  readonly limits?: Partial<MessageLimits>;
}

/** What goes beyond is left out and told by name; reading goes on. */
export interface MessageLimits {
  /** Of all fields together, their line ends included. */
  readonly headerOctets: number;
  readonly fields: number;
  readonly fieldOctets: number;
}

export type MessageLimit = keyof MessageLimits;

export const MESSAGE_LIMITS: MessageLimits = {
  headerOctets: 1_048_576,
  fields: 2_000,
  fieldOctets: 131_072,
};

/** RFC 5322 §2.1.1: octets of a line, its end not counted. Longer lines are in use; SMTP may break them. */
export const MAX_LINE_OCTETS = 998;

export interface HeaderSummary {
  /**
   * `not-a-field`: a line stood where a field or the empty line belongs; the body begins with it, as it does for mail
   * servers, which put an empty line before it.
   */
  readonly end: "empty-line" | "end-of-input" | "not-a-field";
  /** Fields met, those left out included. */
  readonly fields: number;
  /** Of the fields, as they came. */
  readonly octets: number;
  /** Every limit that was exceeded; where there is one, fields are missing. */
  readonly exceeded: readonly MessageLimit[];
  /** The first line was the "From " of an mbox file. It belongs to no mail and was passed over. */
  readonly hasMboxLine: boolean;
}

export interface MessageSummary {
  readonly header: HeaderSummary;
  /** As they came, before any line end was changed. */
  readonly bodyOctets: number;
  /** Line ends without their CR, in header and body, as they came. */
  readonly bareLineFeeds: number;
  /** CRs that no LF follows, in header and body. */
  readonly bareCarriageReturns: number;
  /** Compare with MAX_LINE_OCTETS; without line ends. */
  readonly longestLineOctets: number;
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const MBOX_START = Buffer.from("From ");
/** A chunk is converted in pieces of this size, so that a huge one is not copied whole. */
const CONVERTED_OCTETS = 65_536;

export class MessageReader {
  readonly #sink: MessageSink;
  readonly #limits: MessageLimits;
  readonly #wantsCrlf: boolean;
  readonly #measure = new LineMeasure();
  #headerEnd: HeaderSummary["end"] | undefined;

  /** The line of the header that has no end yet: at most `fieldOctets` of it. */
  #line: Buffer = Buffer.alloc(0);
  #lineOctets = 0;
  /** The line is too long to be kept: what follows up to its end is dropped. */
  #dropsLine = false;
  #isFirstLine = true;

  /** The lines of the field that may go on; undefined before the first. */
  #fieldLines: OctetText[] | undefined;
  #fieldOctets = 0;
  #fields = 0;
  #headerOctets = 0;
  #exceeded = new Set<MessageLimit>();
  #hasMboxLine = false;

  #bodyOctets = 0;
  #endsInCr = false;

  constructor(sink: MessageSink, options: MessageReaderOptions = {}) {
    this.#sink = sink;
    this.#limits = { ...MESSAGE_LIMITS, ...options.limits };
    this.#wantsCrlf = options.lineEnds === "crlf";
  }

  write(chunk: Uint8Array): void {
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#measure.add(octets);
    const from = this.#headerEnd === undefined ? this.#readHeader(octets) : 0;
    if (from < octets.length) this.#passBody(octets.subarray(from));
  }

  end(): MessageSummary {
    if (this.#headerEnd === undefined) {
      if (this.#lineOctets > 0 && !this.#dropsLine) this.#takeHeldLine();
      if (this.#headerEnd === undefined) this.#endHeader("end-of-input");
    }
    return {
      header: this.#headerSummary(),
      bodyOctets: this.#bodyOctets,
      ...this.#measure.total(),
    };
  }

  /** Where in the chunk the body begins; its length where it does not. */
  #readHeader(octets: Buffer): number {
    let at = 0;
    while (at < octets.length && this.#headerEnd === undefined) {
      const lf = octets.indexOf(LF, at);
      const to = lf < 0 ? octets.length : lf + 1;
      if (this.#lineOctets === 0 && lf >= 0 && to - at <= this.#limits.fieldOctets) {
        if (!this.#takeLine(octets.subarray(at, to))) return at;
      } else {
        at += this.#holdLine(octets.subarray(at, to));
        if (this.#headerEnd !== undefined) return at;
        if (lf >= 0) {
          if (!this.#dropsLine) this.#takeHeldLine();
          this.#lineOctets = 0;
          this.#dropsLine = false;
        }
      }
      at = to;
    }
    return at;
  }

  /**
   * Adds to the line that has no end yet. Where it grows too long to be kept it is judged by what is there. Returns
   * how many of the octets were used, which is all of them unless the body has begun.
   */
  #holdLine(octets: Buffer): number {
    const room = this.#limits.fieldOctets - this.#lineOctets;
    if (this.#dropsLine) {
      this.#countFieldOctets(octets.length);
      return octets.length;
    }
    const kept = Math.min(octets.length, room);
    if (this.#lineOctets + kept > this.#line.length) {
      const grown = Buffer.allocUnsafe(
        Math.min(this.#limits.fieldOctets, Math.max(1024, 2 * (this.#lineOctets + kept))),
      );
      this.#line.copy(grown, 0, 0, this.#lineOctets);
      this.#line = grown;
    }
    octets.copy(this.#line, this.#lineOctets, 0, kept);
    this.#lineOctets += kept;
    if (kept === octets.length) return kept;
    const line = this.#line.subarray(0, this.#lineOctets);
    if (!this.#takeLine(line)) {
      this.#passHeldBody();
      return kept;
    }
    this.#dropsLine = true;
    this.#countFieldOctets(octets.length - kept);
    return octets.length;
  }

  #takeHeldLine(): void {
    if (!this.#takeLine(this.#line.subarray(0, this.#lineOctets))) this.#passHeldBody();
  }

  /** The held line is the first of the body. */
  #passHeldBody(): void {
    this.#passBody(this.#line.subarray(0, this.#lineOctets));
    this.#line = Buffer.alloc(0);
  }

  /** One line of the header with its end, where it has one; false where the body begins with it. */
  #takeLine(line: Buffer): boolean {
    const isFirst = this.#isFirstLine;
    this.#isFirstLine = false;
    const first = line[0];
    if (first === LF || (first === CR && line[1] === LF)) {
      this.#endHeader("empty-line");
      return true;
    }
    if ((first === SPACE || first === TAB) && this.#fieldLines !== undefined) {
      this.#addToField(line);
      return true;
    }
    if (nameEnd(line) < 0) {
      if (isFirst && line.subarray(0, MBOX_START.length).equals(MBOX_START)) {
        this.#hasMboxLine = true;
        return true;
      }
      this.#endHeader("not-a-field");
      return false;
    }
    this.#endField();
    this.#fields++;
    this.#fieldLines = [];
    this.#fieldOctets = 0;
    if (this.#fields > this.#limits.fields) this.#exceeded.add("fields");
    this.#addToField(line);
    return true;
  }

  #addToField(line: Buffer): void {
    this.#countFieldOctets(line.length);
    if (this.#fieldOctets > this.#limits.fieldOctets || this.#isFull) return;
    const text = line.toString("latin1");
    const isBareLf = line.at(-1) === LF && line.at(-2) !== CR;
    this.#fieldLines?.push(this.#wantsCrlf && isBareLf ? `${text.slice(0, -1)}\r\n` : text);
  }

  #countFieldOctets(count: number): void {
    // A line of mbox, however long, is no part of the header.
    if (this.#fieldLines === undefined) return;
    this.#fieldOctets += count;
    this.#headerOctets += count;
    if (this.#fieldOctets > this.#limits.fieldOctets) {
      this.#exceeded.add("fieldOctets");
      this.#fieldLines = [];
    }
    if (this.#headerOctets > this.#limits.headerOctets) this.#exceeded.add("headerOctets");
    if (this.#isFull) this.#fieldLines = [];
  }

  /** From the first field on that is too much, none is passed on. */
  get #isFull(): boolean {
    return this.#exceeded.has("fields") || this.#exceeded.has("headerOctets");
  }

  #endField(): void {
    if (this.#fieldLines === undefined || this.#fieldLines.length === 0) return;
    const text = this.#fieldLines.length === 1 ? this.#fieldLines[0]! : this.#fieldLines.join("");
    const colon = text.indexOf(":");
    const to = text.endsWith("\r\n") ? text.length - 2 : text.endsWith("\n") ? text.length - 1 : text.length;
    this.#sink.field(headerField(text.slice(0, colon), text.slice(colon + 1, to)));
  }

  #endHeader(end: HeaderSummary["end"]): void {
    this.#endField();
    this.#fieldLines = undefined;
    this.#headerEnd = end;
    this.#sink.endOfHeaders(this.#headerSummary());
  }

  #headerSummary(): HeaderSummary {
    return {
      end: this.#headerEnd ?? "end-of-input",
      fields: this.#fields,
      octets: this.#headerOctets,
      exceeded: [...this.#exceeded],
      hasMboxLine: this.#hasMboxLine,
    };
  }

  #passBody(octets: Buffer): void {
    this.#bodyOctets += octets.length;
    if (!this.#wantsCrlf) return this.#sink.body(octets);
    for (let from = 0; from < octets.length; from += CONVERTED_OCTETS) {
      const piece = octets.subarray(from, from + CONVERTED_OCTETS);
      const bare = countBareLineFeeds(piece, this.#endsInCr);
      this.#sink.body(bare === 0 ? piece : withCrlf(piece, bare, this.#endsInCr));
      this.#endsInCr = piece.at(-1) === CR;
    }
  }
}

/** RFC 5322 §2.2 and §4.5: where the colon stands, behind a name and perhaps blanks; -1 where there is no field. */
function nameEnd(line: Buffer): number {
  let at = 0;
  while (at < line.length && line[at]! > SPACE && line[at]! < 0x7f && line[at] !== COLON) at++;
  if (at === 0) return -1;
  while (line[at] === SPACE || line[at] === TAB) at++;
  return line[at] === COLON ? at : -1;
}

/** What the lines are like, over all chunks. */
class LineMeasure {
  #lineOctets = 0;
  #endsInCr = false;
  #longest = 0;
  #bareLineFeeds = 0;
  #bareCarriageReturns = 0;

  add(octets: Uint8Array): void {
    let endsInCr = this.#endsInCr;
    // Where the line began; below 0 in an earlier chunk.
    let from = -this.#lineOctets;
    for (let at = 0; at < octets.length; at++) {
      const octet = octets[at]!;
      if (octet > CR) {
        if (endsInCr) this.#bareCarriageReturns++;
        endsInCr = false;
      } else if (octet === LF) {
        if (!endsInCr) this.#bareLineFeeds++;
        const length = at - from - (endsInCr ? 1 : 0);
        if (length > this.#longest) this.#longest = length;
        from = at + 1;
        endsInCr = false;
      } else {
        if (endsInCr) this.#bareCarriageReturns++;
        endsInCr = octet === CR;
      }
    }
    this.#lineOctets = octets.length - from;
    this.#endsInCr = endsInCr;
  }

  total(): Pick<MessageSummary, "bareLineFeeds" | "bareCarriageReturns" | "longestLineOctets"> {
    return {
      bareLineFeeds: this.#bareLineFeeds,
      bareCarriageReturns: this.#bareCarriageReturns + (this.#endsInCr ? 1 : 0),
      longestLineOctets: Math.max(this.#longest, this.#lineOctets),
    };
  }
}

function countBareLineFeeds(octets: Uint8Array, isBehindCr: boolean): number {
  let count = 0;
  let before = isBehindCr ? CR : 0;
  for (const octet of octets) {
    if (octet === LF && before !== CR) count++;
    before = octet;
  }
  return count;
}

function withCrlf(octets: Uint8Array, bareLineFeeds: number, isBehindCr: boolean): Uint8Array {
  const converted = new Uint8Array(octets.length + bareLineFeeds);
  let to = 0;
  let before = isBehindCr ? CR : 0;
  for (const octet of octets) {
    if (octet === LF && before !== CR) converted[to++] = CR;
    converted[to++] = octet;
    before = octet;
  }
  return converted;
}
