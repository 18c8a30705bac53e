/** What a part's body says once its transfer encoding is undone (RFC 2045 §6). */
import type { TransferEncoding } from "./mime.ts";

export interface Decoded {
  /** At most as many as were allowed. */
  readonly octets: Uint8Array;
  /** There would be more. */
  readonly isCut: boolean;
}

/** Damage is passed over or kept, as mail programs do; `unknown` encodings come back as they are. */
export function decodeTransfer(octets: Uint8Array, encoding: TransferEncoding, maxOctets: number): Decoded {
  switch (encoding) {
    case "base64":
      return decodeBase64(octets, maxOctets);
    case "quoted-printable":
      return decodeQuotedPrintable(octets, maxOctets);
    case "7bit":
    case "8bit":
    case "binary":
    case "unknown":
      return { octets: octets.subarray(0, maxOctets), isCut: octets.length > maxOctets };
    default:
      return encoding satisfies never;
  }
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const EQUALS = 0x3d;
const NONE = 0xff;

/** The six bits of a letter; `NONE` for octets that are none. */
const SEXTETS = new Uint8Array(256).fill(NONE);
for (const [bits, letter] of [
  ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
].entries()) {
  SEXTETS[letter.charCodeAt(0)] = bits;
}

/** RFC 2045 §6.8: what is not of the alphabet is passed over; "=" ends the data. */
function decodeBase64(octets: Uint8Array, maxOctets: number): Decoded {
  const decoded = new Uint8Array(Math.min(maxOctets, Math.ceil((octets.length * 3) / 4)));
  let length = 0;
  let bits = 0;
  let bitCount = 0;
  for (const octet of octets) {
    if (octet === EQUALS) break;
    const sextet = SEXTETS[octet]!;
    if (sextet === NONE) continue;
    bits = ((bits << 6) | sextet) & 0xfff;
    bitCount += 6;
    if (bitCount < 8) continue;
    if (length === maxOctets) return { octets: decoded, isCut: true };
    bitCount -= 8;
    decoded[length++] = bits >> bitCount;
  }
  return { octets: decoded.subarray(0, length), isCut: false };
}

/** RFC 2045 §6.7: blanks at the end of a line go; "=" without two digits stays as it is. */
function decodeQuotedPrintable(octets: Uint8Array, maxOctets: number): Decoded {
  const decoded = new Uint8Array(Math.min(maxOctets, octets.length));
  let length = 0;
  /** Behind the last octet that is no blank of this line. */
  let solid = 0;
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at]!;
    let value = octet;
    if (octet === LF || (octet === CR && octets[at + 1] === LF)) {
      length = solid;
    } else if (octet === EQUALS) {
      const softEnd = softBreakEnd(octets, at);
      if (softEnd !== undefined) {
        at = softEnd - 1;
        solid = length;
        continue;
      }
      const high = hexDigit(octets[at + 1]);
      const low = hexDigit(octets[at + 2]);
      if (high >= 0 && low >= 0) {
        value = high * 16 + low;
        at += 2;
      }
    }
    if (length === maxOctets) return { octets: decoded, isCut: true };
    decoded[length++] = value;
    if (octet !== SPACE && octet !== TAB) solid = length;
  }
  return { octets: decoded.subarray(0, solid), isCut: false };
}

/** RFC 2045 §6.7 (5): "=", perhaps blanks, and a line end or the end of all; the place behind. */
function softBreakEnd(octets: Uint8Array, at: number): number | undefined {
  let behind = at + 1;
  while (octets[behind] === SPACE || octets[behind] === TAB) behind++;
  if (behind >= octets.length) return behind;
  if (octets[behind] === LF) return behind + 1;
  return octets[behind] === CR && octets[behind + 1] === LF ? behind + 2 : undefined;
}

function hexDigit(octet: number | undefined): number {
  if (octet === undefined) return -1;
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
