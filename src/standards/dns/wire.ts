/** Octets in, octets out: the reader and writer below the message codec, with names and their compression (RFC 1035 §4.1.4). */
import {
  type DomainName,
  labelsOf,
  labelText,
  labelTexts,
  MAX_LABEL_OCTETS,
  MAX_NAME_OCTETS,
  ROOT,
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

/** More jumps than any honest name needs: at most one for each of 127 labels. */
const MAX_POINTERS = 127;

export class WireReader {
  readonly octets: Uint8Array;
  readonly #view: DataView;
  readonly #names = new Map<number, DomainName>();
  readonly #compressed: boolean;
  at = 0;
  /** Reading stops here; set to the end of the rdata while a record's data is read. */
  end: number;

  /** `compressed: false` reads data that stands alone (RFC 3597 §5), where no pointer can lead anywhere. */
  constructor(octets: Uint8Array, { compressed = true } = {}) {
    this.octets = octets;
    this.#compressed = compressed;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
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
    return this.#view.getUint16(this.#take(2, what));
  }

  uint32(what: string): number {
    return this.#view.getUint32(this.#take(4, what));
  }

  uint48(what: string): number {
    const from = this.#take(6, what);
    return this.#view.getUint16(from) * 2 ** 32 + this.#view.getUint32(from + 2);
  }

  /** A copy, so that a small value does not hold the whole packet in memory (a Buffer's own `slice` is none). */
  bytes(count: number, what: string): Uint8Array {
    const from = this.#take(count, what);
    return new Uint8Array(this.octets.subarray(from, from + count));
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
    const known = this.#names.get(start);
    let at = start;
    let after = -1;
    const { end } = this;
    let earliest = start;
    let pointers = 0;
    let octets = 1;
    let text = "";
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
        earliest = target;
        at = target;
        continue;
      }
      if (length > MAX_LABEL_OCTETS) throw new WireError(`${what} has a label of an unknown kind`, at);
      if (at + 1 + length > end) throw new WireError(`${what} is cut off`, at);
      octets += length + 1;
      if (octets > MAX_NAME_OCTETS)
        throw new WireError(`${what} is longer than ${MAX_NAME_OCTETS} octets`, at);
      if (text !== "") text += ".";
      text += labelText(this.octets, at + 1, at + 1 + length);
      at += length + 1;
    }
    this.at = after;
    if (known !== undefined) return known;
    // Checked label by label above
    const name = (text === "" ? ROOT : text) as DomainName;
    this.#names.set(start, name);
    return name;
  }
}

function latin1(octets: Uint8Array, from: number, to: number): OctetString {
  return Buffer.from(octets.buffer, octets.byteOffset + from, to - from).toString("latin1");
}

/** Pointers reach 14 bits; names beyond that are written in full. */
const MAX_POINTER_TARGET = 0x3fff;

export class WireWriter {
  #octets = pooledOctets(512);
  #view = new DataView(this.#octets.buffer, this.#octets.byteOffset, this.#octets.length);
  readonly #written = new Map<string, number>();
  at = 0;

  /** The octets written so far, as a copy. */
  finish(): Uint8Array {
    return this.#octets.slice(0, this.at);
  }

  #grow(count: number): number {
    const from = this.at;
    this.at += count;
    if (this.at > this.#octets.length) {
      const larger = new Uint8Array(Math.max(this.at, 2 * this.#octets.length));
      larger.set(this.#octets);
      this.#octets = larger;
      this.#view = new DataView(larger.buffer);
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
    this.#view.setUint16(from, value);
  }

  uint32(value: number, what: string): void {
    inRange(value, 0xffff_ffff, what);
    const from = this.#grow(4);
    this.#view.setUint32(from, value);
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
    if (name === ROOT) return this.uint8(0, "name");
    const texts = labelTexts(name);
    const labels = name.includes("\\") ? labelsOf(name) : undefined;
    let from = 0;
    for (const [at, text] of texts.entries()) {
      const suffix = name.slice(from);
      const seen = compress ? this.#written.get(suffix) : undefined;
      if (seen !== undefined) return this.uint16(0xc000 | seen, "pointer");
      if (this.at <= MAX_POINTER_TARGET && !this.#written.has(suffix)) this.#written.set(suffix, this.at);
      if (labels === undefined) {
        this.characterString(text, "label");
      } else {
        this.uint8(labels[at]!.length, "label");
        this.bytes(labels[at]!);
      }
      from += text.length + 1;
    }
    this.uint8(0, "name");
  }

  /** Writes what `write` writes behind a 16-bit count of its octets. */
  counted(what: string, write: () => void): void {
    const from = this.#grow(2);
    write();
    const length = this.at - from - 2;
    inRange(length, 0xffff, what);
    this.#view.setUint16(from, length);
  }
}

/** Memory from Node's pool: nearly every message is small, and memory of its own would cost more than writing it. */
function pooledOctets(count: number): Uint8Array<ArrayBuffer> {
  const pooled = Buffer.allocUnsafe(count);
  return new Uint8Array(pooled.buffer, pooled.byteOffset, count);
}

function inRange(value: number, max: number, what: string): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${what}: ${value} is not a whole number of 0 to ${max}`);
  }
}
