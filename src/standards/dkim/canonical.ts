/** Canonicalisation (RFC 6376 §3.4): how mail is looked at, so that small changes on the way do no harm. */
import type { HeaderField, OctetText } from "../message/header-field.ts";

export type Canonicalization = "simple" | "relaxed";

/** One field as it is hashed, without the CRLF behind it (§3.4.1, §3.4.2). */
export function canonicalField(
  { name, key, value }: HeaderField,
  canonicalization: Canonicalization,
): OctetText {
  return canonicalization === "simple" ? `${name}:${value}` : `${key}:${relaxedValue(value)}`;
}

/** Anything that relaxing would change, but for the blank behind the colon. */
const UNEVEN = /[\t\r\n]| {2}| $/;

function relaxedValue(value: OctetText): OctetText {
  if (!UNEVEN.test(value)) return value.startsWith(" ") ? value.slice(1) : value;
  return value
    .replace(/\r\n(?=[ \t])/g, "")
    .replace(/[ \t]+/g, " ")
    .replace(/^ | $/g, "");
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;

/** Empty lines are written from here where there are many. */
const EMPTY_LINES = Buffer.from("\r\n".repeat(2_048), "latin1");

/** Shorter runs are copied octet by octet: to look for them would cost more. */
const MIN_RUN = 256;

const endOf = (found: number, length: number): number => (found < 0 ? length : found);

/** So many held line ends find room in front of a chunk; more are written by themselves. */
const MAX_ROOM = 64;

/** What is written is read before anything else happens, so all bodies share one place to be made in. */
let shared = new Uint8Array(16_384);
const MAX_SHARED = 1_048_576;

function room(octets: number): Uint8Array {
  if (octets > MAX_SHARED) return new Uint8Array(octets);
  if (shared.length < octets) shared = new Uint8Array(octets);
  return shared;
}

/**
 * The body, in chunks of any size, made canonical (§3.4.3, §3.4.4). Lines end with CRLF only: a CR or an LF alone is
 * an octet like any other. What is written is valid until `write` returns, which must
 * not write to another body.
 */
export class BodyCanonicalizer {
  readonly #isRelaxed: boolean;
  readonly #write: (octets: Uint8Array) => void;
  /** Line ends are held until something follows: empty lines at the end of the body do not count. */
  #lineEnds = 0;
  /** The chunk ended with a CR, of which nobody knows yet whether it ends a line. */
  #cr = false;
  /** Blanks are held as well: at the end of a line they do not count. Never where canonicalisation is simple. */
  #blank = false;
  #isEmpty = true;

  constructor(canonicalization: Canonicalization, write: (octets: Uint8Array) => void) {
    this.#isRelaxed = canonicalization === "relaxed";
    this.#write = write;
  }

  update(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.#isRelaxed) this.#relax(chunk);
    else this.#keep(chunk);
  }

  /** A body that does not end with CRLF gets one; so does an empty one where canonicalisation is simple. */
  finish(): void {
    if (this.#cr) {
      this.#release();
      this.#write(Uint8Array.of(CR));
    }
    if (!this.#isEmpty || !this.#isRelaxed) this.#write(EMPTY_LINES.subarray(0, 2));
  }

  /** Writes what was held, but for the CR. */
  #release(): void {
    this.#writeLineEnds(this.#lineEnds);
    this.#lineEnds = 0;
    if (this.#blank) this.#write(Uint8Array.of(SPACE));
    this.#blank = false;
    this.#isEmpty = false;
  }

  #writeLineEnds(count: number): void {
    for (let left = 2 * count; left > 0; left -= EMPTY_LINES.length)
      this.#write(EMPTY_LINES.subarray(0, Math.min(left, EMPTY_LINES.length)));
  }

  #keep(chunk: Uint8Array): void {
    let start = 0;
    if (this.#cr) {
      this.#cr = false;
      if (chunk[0] === LF) {
        this.#lineEnds += 1;
        start = 1;
      } else {
        this.#release();
        this.#write(Uint8Array.of(CR));
      }
    }
    const length = chunk[chunk.length - 1] === CR ? chunk.length - 1 : chunk.length;
    let end = length;
    while (end - start >= 2 && chunk[end - 1] === LF && chunk[end - 2] === CR) end -= 2;
    if (end > start) {
      this.#release();
      this.#write(chunk.subarray(start, end));
    }
    this.#lineEnds += (length - end) / 2;
    this.#cr = length < chunk.length;
  }

  #relax(chunk: Uint8Array): void {
    // Nothing of this chunk is written before the held line ends, so they may go on their own.
    let isCrowded = this.#lineEnds > MAX_ROOM;
    const out = room(chunk.length + 2 * Math.min(this.#lineEnds, MAX_ROOM) + 2);
    const length = chunk.length;
    let lineEnds = this.#lineEnds;
    let blank = this.#blank;
    let cr = this.#cr;
    let to = 0;
    let at = 0;
    let runFrom = 0;
    let nextTab = -1;
    while (at < length) {
      let octet = chunk[at]!;
      if (cr) {
        cr = false;
        if (octet === LF) {
          lineEnds += 1;
          blank = false;
          at += 1;
          continue;
        }
        // A lone CR; what it kept waiting is written with it, and the octet is looked at again.
        if (isCrowded) {
          this.#writeLineEnds(lineEnds);
          lineEnds = 0;
          isCrowded = false;
        }
        for (; lineEnds > 0; lineEnds -= 1) {
          out[to++] = CR;
          out[to++] = LF;
        }
        if (blank) out[to++] = SPACE;
        blank = false;
        out[to++] = CR;
      }
      if (octet === SPACE || octet === TAB) {
        blank = true;
        at += 1;
      } else if (octet === CR) {
        cr = true;
        at += 1;
      } else {
        if (isCrowded) {
          this.#writeLineEnds(lineEnds);
          lineEnds = 0;
          isCrowded = false;
        }
        for (; lineEnds > 0; lineEnds -= 1) {
          out[to++] = CR;
          out[to++] = LF;
        }
        if (blank) out[to++] = SPACE;
        blank = false;
        if (at >= runFrom) {
          // What is long and has no blank in it, such as base64, is copied as it is, up to its last line end.
          if (nextTab < at) nextTab = endOf(chunk.indexOf(TAB, at), length);
          let end = Math.min(nextTab, endOf(chunk.indexOf(SPACE, at), length));
          runFrom = end - at < MIN_RUN ? at + MIN_RUN : end;
          if (end - at >= MIN_RUN) {
            while (end > at && (chunk[end - 1] === LF || chunk[end - 1] === CR)) end -= 1;
            out.set(chunk.subarray(at, end), to);
            to += end - at;
            at = end;
            continue;
          }
        }
        do {
          out[to++] = octet;
          at += 1;
          octet = at < length ? chunk[at]! : 0;
          if (octet > SPACE) continue;
          // What most text is made of: one blank between words, and lines that go on right behind their end.
          if (octet === SPACE && at + 1 < length && chunk[at + 1]! > SPACE) {
            out[to++] = SPACE;
            at += 1;
            octet = chunk[at]!;
          } else if (
            octet === CR &&
            at < runFrom &&
            at + 2 < length &&
            chunk[at + 1] === LF &&
            chunk[at + 2]! > SPACE
          ) {
            out[to++] = CR;
            out[to++] = LF;
            at += 2;
            octet = chunk[at]!;
          }
        } while (octet > SPACE);
      }
    }
    this.#lineEnds = lineEnds;
    this.#blank = blank;
    this.#cr = cr;
    if (to === 0) return;
    this.#isEmpty = false;
    this.#write(out.subarray(0, to));
  }
}
