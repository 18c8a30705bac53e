/** Octets in, octets out: the reader and writer below the message codec, with names and their compression (RFC 1035 §4.1.4). */
import {
  type DomainName,
  labelsOf,
  MAX_LABEL_OCTETS,
  MAX_NAME_OCTETS,
  parentOf,
  ROOT,
  writeLabelText,
} from "./name.ts";
import type { OctetString } from "./record.ts";

/** A packet that breaks the rules; `offset` counts octets from the start of the message. */
export class WireError extends Error {
  readonly offset: number;

  constructor(problem: string, offset: number) {
    super(problem);
    this.offset = offset;
  }
}

const DOT = 0x2e;
/** More jumps than any honest name needs: at most one for each of 127 labels. */
const MAX_POINTERS = 127;

export class WireReader {
  readonly octets: Uint8Array;
  readonly #names = new Map<number, DomainName>();
  readonly #compressed: boolean;
  at = 0;
  /** Reading stops here; set to the end of the rdata while a record's data is read. */
  end: number;

  /** `compressed: false` reads data that stands alone (RFC 3597 §5), where no pointer can lead anywhere. */
  constructor(octets: Uint8Array, { compressed = true } = {}) {
    this.octets = octets;
    this.#compressed = compressed;
    this.end = octets.length;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  #take(count: number, what: string): number {
    if (count > this.end - this.at) throw new WireError(`${what} is cut off`, this.at);
    const from = this.at;
    this.at += count;
    return from;
  }

  uint8(what: string): number {
    return this.octets[this.#take(1, what)]!;
  }

  uint16(what: string): number {
    const from = this.#take(2, what);
    return (this.octets[from]! << 8) | this.octets[from + 1]!;
  }

  uint32(what: string): number {
    return this.uint16(what) * 2 ** 16 + this.uint16(what);
  }

  uint48(what: string): number {
    return this.uint16(what) * 2 ** 32 + this.uint32(what);
  }

  /** A view, for octets that are turned into something else at once. */
  view(count: number, what: string): Uint8Array {
    const from = this.#take(count, what);
    return this.octets.subarray(from, from + count);
  }

  /** A copy, so that a small value does not hold the whole packet in memory (a Buffer's own `slice` is none). */
  bytes(count: number, what: string): Uint8Array {
    return new Uint8Array(this.view(count, what));
  }

  rest(what: string): Uint8Array {
    return this.bytes(this.end - this.at, what);
  }

  /** One length octet and that many octets (RFC 1035 §3.3 <character-string>). */
  characterString(what: string): OctetString {
    const length = this.uint8(what);
    const from = this.#take(length, what);
    return latin1(this.octets, from, from + length);
  }

  text(count: number, what: string): OctetString {
    const from = this.#take(count, what);
    return latin1(this.octets, from, from + count);
  }

  /** A name; pointers lead strictly backwards, so they cannot go in circles. */
  name(what: string, mayBeCompressed = true): DomainName {
    const start = this.at;
    let at = start;
    let after = -1;
    const { end } = this;
    let earliest = start;
    let pointers = 0;
    let octets = 1;
    let written = 0;
    for (;;) {
      if (at >= end) throw new WireError(`${what} is cut off`, at);
      const length = this.octets[at]!;
      if (length === 0) {
        if (after < 0) after = at + 1;
        break;
      }
      if (length >= 0xc0) {
        if (!mayBeCompressed || !this.#compressed)
          throw new WireError(`${what} is compressed where that is forbidden`, at);
        if (at + 1 >= end) throw new WireError(`${what} is cut off`, at);
        const target = ((length & 0x3f) << 8) | this.octets[at + 1]!;
        if (after < 0) after = at + 2;
        if (target >= earliest) throw new WireError(`${what} has a pointer that does not lead backwards`, at);
        if (++pointers > MAX_POINTERS) throw new WireError(`${what} has too many pointers`, at);
        // Owners mostly point at a whole name that was read before
        const known = written === 0 ? this.#names.get(target) : undefined;
        if (known !== undefined) {
          this.at = after;
          return known;
        }
        earliest = target;
        at = target;
        continue;
      }
      if (length > MAX_LABEL_OCTETS) throw new WireError(`${what} has a label of an unknown kind`, at);
      if (at + 1 + length > end) throw new WireError(`${what} is cut off`, at);
      octets += length + 1;
      if (octets > MAX_NAME_OCTETS)
        throw new WireError(`${what} is longer than ${MAX_NAME_OCTETS} octets`, at);
      if (written > 0) NAME_TEXT[written++] = DOT;
      written = writeLabelText(this.octets, at + 1, at + 1 + length, NAME_TEXT, written);
      at += length + 1;
    }
    this.at = after;
    // Checked label by label above
    const name = (written === 0 ? ROOT : NAME_TEXT.toString("latin1", 0, written)) as DomainName;
    this.#names.set(start, name);
    return name;
  }
}

/** Where a name is put together, to become a string in one go; escapes take four characters. */
const NAME_TEXT = Buffer.alloc(4 * MAX_NAME_OCTETS);

function latin1(octets: Uint8Array, from: number, to: number): OctetString {
  return Buffer.from(octets.buffer, octets.byteOffset + from, to - from).toString("latin1");
}

/** Pointers reach 14 bits; names beyond that are written in full. */
const MAX_POINTER_TARGET = 0x3fff;

export class WireWriter {
  #octets = spareOctets();
  readonly #written = new Map<string, number>();
  at = 0;

  /** The octets written, as a copy; the writer starts anew. */
  finish(): Uint8Array {
    const octets = pooledCopy(this.#octets, this.at);
    if (this.#octets.length === SPARE_OCTETS) spare = this.#octets;
    this.#octets = NO_OCTETS;
    this.#written.clear();
    this.at = 0;
    return octets;
  }

  #grow(count: number): number {
    const from = this.at;
    this.at += count;
    if (this.at > this.#octets.length) {
      const larger = new Uint8Array(Math.max(this.at, 2 * this.#octets.length));
      larger.set(this.#octets);
      this.#octets = larger;
    }
    return from;
  }

  uint8(value: number, what: string): void {
    inRange(value, 0xff, what);
    const from = this.#grow(1); // first, for it may put another array in place
    this.#octets[from] = value;
  }

  uint16(value: number, what: string): void {
    inRange(value, 0xffff, what);
    const from = this.#grow(2);
    this.#setUint16(from, value);
  }

  uint32(value: number, what: string): void {
    inRange(value, 0xffff_ffff, what);
    const from = this.#grow(4);
    this.#setUint16(from, value >>> 16);
    this.#setUint16(from + 2, value & 0xffff);
  }

  uint48(value: number, what: string): void {
    inRange(value, 2 ** 48 - 1, what);
    this.uint16(Math.floor(value / 2 ** 32), what);
    this.uint32(value % 2 ** 32, what);
  }

  bytes(value: Uint8Array): void {
    const from = this.#grow(value.length);
    this.#octets.set(value, from);
  }

  text(value: OctetString, what: string): void {
    const from = this.#grow(value.length);
    for (let at = 0; at < value.length; at++) {
      const code = value.charCodeAt(at);
      if (code > 0xff) throw new RangeError(`${what} has a character that is no octet`);
      this.#octets[from + at] = code;
    }
  }

  characterString(value: OctetString, what: string): void {
    if (value.length > 255) throw new RangeError(`${what} has ${value.length} octets; a string holds 255`);
    this.uint8(value.length, what);
    this.text(value, what);
  }

  /** Compresses against what was written before, and offers itself for compression, where `compress` allows. */
  name(name: DomainName, compress: boolean): void {
    const labels = name.includes("\\") ? labelsOf(name) : undefined;
    let suffix = name;
    for (let at = 0; suffix !== ROOT; at++) {
      if (compress) {
        const seen = this.#written.get(suffix);
        if (seen !== undefined) return this.uint16(0xc000 | seen, "pointer");
        if (this.at <= MAX_POINTER_TARGET) this.#written.set(suffix, this.at);
      }
      const parent = parentOf(suffix) ?? ROOT;
      if (labels === undefined) {
        this.characterString(suffix.slice(0, parent === ROOT ? undefined : -parent.length - 1), "label");
      } else {
        this.uint8(labels[at]!.length, "label");
        this.bytes(labels[at]!);
      }
      suffix = parent;
    }
    this.uint8(0, "name");
  }

  /** Writes what `write` writes behind a 16-bit count of its octets. */
  counted(what: string, write: () => void): void {
    const from = this.#grow(2);
    write();
    const length = this.at - from - 2;
    inRange(length, 0xffff, what);
    this.#setUint16(from, length);
  }

  #setUint16(at: number, value: number): void {
    this.#octets[at] = value >> 8;
    this.#octets[at + 1] = value & 0xff;
  }
}

/** What a writer that is done leaves to the next one: memory of its own would cost more than most messages do. */
let spare: Uint8Array | undefined;
const SPARE_OCTETS = 512;
const NO_OCTETS = new Uint8Array(0);

function spareOctets(): Uint8Array {
  const octets = spare ?? new Uint8Array(SPARE_OCTETS);
  spare = undefined;
  return octets;
}

/** In Node's pool of buffers: small typed arrays live on the heap, and handing those to a socket is slow. */
function pooledCopy(octets: Uint8Array, count: number): Uint8Array {
  const pooled = Buffer.allocUnsafe(count);
  pooled.set(octets.subarray(0, count));
  return new Uint8Array(pooled.buffer, pooled.byteOffset, count);
}

function inRange(value: number, max: number, what: string): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${what}: ${value} is not a whole number of 0 to ${max}`);
  }
}
