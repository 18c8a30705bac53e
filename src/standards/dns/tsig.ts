/**
 * TSIG (RFC 8945): messages signed with a key that both sides know, and what a signed reply proves. Time is an
 * argument, in whole seconds since 1970. Truncated MACs are neither made nor taken (RFC 8945 §5.2.4 leaves that to
 * each side).
 */
import { createHmac, createSecretKey, type Hmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { decodeMessage, encodeMessage, MAX_MESSAGE_OCTETS, type Message, RCODES } from "./message.ts";
import { absolute, type DomainName, domainName, parseDomainName } from "./name.ts";
import type { Parsed } from "./parsed.ts";
import type { TsigRdata } from "./record.ts";
import { WireWriter } from "./wire.ts";

/** Of RFC 8945 §6 those that are sound today. We depart from it in leaving out SHA-1, which it asks for still. */
export type TsigAlgorithm = "hmac-sha256" | "hmac-sha384" | "hmac-sha512";

export interface TsigKey {
  readonly name: DomainName;
  readonly algorithm: TsigAlgorithm;
  /** A key object shows nothing of itself when it is printed. */
  readonly secret: KeyObject;
}

const HASHES = {
  "hmac-sha256": { hash: "sha256", octets: 32 },
  "hmac-sha384": { hash: "sha384", octets: 48 },
  "hmac-sha512": { hash: "sha512", octets: 64 },
} as const satisfies Record<TsigAlgorithm, { hash: string; octets: number }>;

/** Algorithms that exist and are not done here, with the reason. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  "hmac-md5": "MD5 is not to be used any more",
  "hmac-md5.sig-alg.reg.int": "MD5 is not to be used any more",
  "hmac-sha1": "SHA-1 is not to be used any more",
  "hmac-sha224": "it is hardly used",
  "hmac-sha256-128": "truncated signatures are not done here",
  "hmac-sha384-192": "truncated signatures are not done here",
  "hmac-sha512-256": "truncated signatures are not done here",
  "gss-tsig": "Kerberos is not done here",
};

const CLASS_ANY = 255;
export const DEFAULT_FUDGE_SECONDS = 300;

/** RFC 8945 §3 */
const TSIG_ERRORS = { BADSIG: 16, BADKEY: 17, BADTIME: 18, BADTRUNC: 22 } as const;

/** "hmac-sha256", in any case, with or without the final dot. */
export function parseTsigAlgorithm(text: string): Parsed<TsigAlgorithm> {
  const name = text.trim().toLowerCase().replace(/\.$/, "");
  if (Object.hasOwn(HASHES, name)) return { ok: true, value: name as TsigAlgorithm };
  const offer = `make a new key with ${Object.keys(HASHES).join(", ")}`;
  const reason = Object.hasOwn(UNSUPPORTED, name) ? UNSUPPORTED[name] : undefined;
  return {
    ok: false,
    problem:
      reason === undefined
        ? `"${text}" is not a TSIG algorithm; ${Object.keys(HASHES).join(", ")} are`
        : `${name}: ${reason}; ${offer}`,
  };
}

/** A key as `tsig-keygen` and `keymgr` print it: a name, an algorithm, and the secret in base64. */
export function parseTsigKey(parts: { name: string; algorithm: string; secret: string }): Parsed<TsigKey> {
  const name = parseDomainName(parts.name);
  if (!name.ok) return { ok: false, problem: `the key's name: ${name.problem}` };
  const algorithm = parseTsigAlgorithm(parts.algorithm);
  if (!algorithm.ok) return algorithm;
  const written = parts.secret.replace(/\s/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(written) || written.replace(/=+$/, "").length % 4 === 1) {
    return { ok: false, problem: "the key's secret is not base64" };
  }
  const secret = createSecretKey(Buffer.from(written, "base64"));
  return { ok: true, value: { name: name.value, algorithm: algorithm.value, secret } };
}

export interface SignedMessage {
  readonly octets: Uint8Array;
  readonly mac: Uint8Array;
}

export interface SigningOptions {
  readonly timeSigned: number;
  readonly fudgeSeconds?: number;
  /** The MAC of the request that the message answers (RFC 8945 §5.3). */
  readonly requestMac?: Uint8Array;
  readonly error?: number;
  readonly otherData?: Uint8Array;
}

/** Throws a RangeError where the message with its signature is longer than a message can be. */
export function signMessage(message: Message, key: TsigKey, options: SigningOptions): SignedMessage {
  const unsigned = encodeMessage(message);
  const variables = variablesOf(message.id, key, options);
  const digest = startDigest(key, options.requestMac);
  digest.update(unsigned).update(macVariables(key.name, variables));
  return attach(unsigned, key, { ...variables, mac: digest.digest() });
}

function variablesOf(id: number, key: TsigKey, options: SigningOptions): TsigRdata {
  return {
    type: "TSIG",
    algorithm: domainName(key.algorithm),
    timeSigned: options.timeSigned,
    fudgeSeconds: options.fudgeSeconds ?? DEFAULT_FUDGE_SECONDS,
    mac: new Uint8Array(0),
    originalId: id,
    error: options.error ?? 0,
    otherData: options.otherData ?? new Uint8Array(0),
  };
}

/** The record at the end of the octets, which may not be encoded anew: the MAC covers them as they are. */
function attach(unsigned: Uint8Array, key: TsigKey, data: TsigRdata): SignedMessage {
  const alone = encodeMessage({
    ...EMPTY,
    tsig: { record: { name: key.name, ttlSeconds: 0, classCode: CLASS_ANY, data }, offset: HEADER_OCTETS },
  });
  const octets = new Uint8Array(unsigned.length + alone.length - HEADER_OCTETS);
  octets.set(unsigned);
  octets.set(alone.subarray(HEADER_OCTETS), unsigned.length);
  if (octets.length > MAX_MESSAGE_OCTETS) {
    throw new RangeError(`the signed message has ${octets.length} octets; ${MAX_MESSAGE_OCTETS} are allowed`);
  }
  setAdditionalCount(octets, additionalCount(octets) + 1);
  return { octets, mac: data.mac };
}

const HEADER_OCTETS = 12;
const EMPTY: Message = {
  id: 0,
  isResponse: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  authenticData: false,
  checkingDisabled: false,
  rcode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};

const additionalCount = (octets: Uint8Array): number => (octets[10]! << 8) | octets[11]!;

function setAdditionalCount(octets: Uint8Array, count: number): void {
  octets[10] = count >> 8;
  octets[11] = count & 0xff;
}

/** RFC 8945 §4.3.1: what went before stands first, its length before it. */
function startDigest(key: TsigKey, priorMac?: Uint8Array): Hmac {
  const digest = createHmac(HASHES[key.algorithm].hash, key.secret);
  if (priorMac !== undefined) {
    digest.update(Uint8Array.of(priorMac.length >> 8, priorMac.length & 0xff)).update(priorMac);
  }
  return digest;
}

/** RFC 8945 §4.3.3 */
function macVariables(name: DomainName, data: TsigRdata): Uint8Array {
  const writer = new WireWriter();
  writer.name(name, false);
  writer.uint16(CLASS_ANY, "class");
  writer.uint32(0, "TTL");
  writer.name(data.algorithm, false);
  writer.uint48(data.timeSigned, "TSIG time");
  writer.uint16(data.fudgeSeconds, "TSIG fudge");
  writer.uint16(data.error, "TSIG error");
  writer.uint16(data.otherData.length, "TSIG other length");
  writer.bytes(data.otherData);
  return writer.finish();
}

/** RFC 8945 §5.3.1: all that further messages of one reply add to their octets. */
function macTimers(data: TsigRdata): Uint8Array {
  const writer = new WireWriter();
  writer.uint48(data.timeSigned, "TSIG time");
  writer.uint16(data.fudgeSeconds, "TSIG fudge");
  return writer.finish();
}

/** What a reply to a signed request turns out to be. Only `verified` may be believed. */
export type TsigVerdict =
  | { readonly status: "verified"; readonly message: Message }
  /** Signed by the key, at a time that is not ours. */
  | { readonly status: "untimely"; readonly timeSigned: number }
  /** The server says what it did not like about our signature. */
  | TsigRefusal
  /** No signature, and no word about ours. */
  | { readonly status: "unsigned"; readonly message: Message }
  /** A signature that does not fit: another key, or changed on the way. */
  | { readonly status: "forged"; readonly problem: string }
  | { readonly status: "malformed"; readonly problem: string };

export interface TsigRefusal {
  readonly status: "refused";
  /** BADSIG and BADKEY come unsigned, and BADTIME from some servers too: then this may be anybody's word. */
  readonly isSigned: boolean;
  readonly error: keyof typeof TSIG_ERRORS;
  /** The server's time, with BADTIME. */
  readonly serverTime?: number;
}

export interface VerifyOptions {
  /** Our time. */
  readonly now: number;
  readonly requestId: number;
  readonly requestMac: Uint8Array;
}

/** Judges the reply to a signed request (RFC 8945 §5.4). */
export function verifyReply(octets: Uint8Array, key: TsigKey, options: VerifyOptions): TsigVerdict {
  const reading = readSigned(octets, options.requestId);
  if (!reading.ok) return { status: "malformed", problem: reading.problem };
  const { message } = reading;
  if (message.tsig === undefined) return { status: "unsigned", message };
  return judge(octets, message, message.tsig, key, options.now, {
    digest: startDigest(key, options.requestMac),
    suffix: (data) => macVariables(key.name, data),
  });
}

function readSigned(
  octets: Uint8Array,
  requestId: number,
): { readonly ok: true; readonly message: Message } | { readonly ok: false; readonly problem: string } {
  const decoded = decodeMessage(octets);
  if (!decoded.ok) return decoded;
  const message = decoded.value;
  if (!message.isResponse) return { ok: false, problem: "it is a request, not a reply" };
  // The MAC covers the original id alone, put in the header's place.
  if (message.id !== requestId) return { ok: false, problem: "it answers another request" };
  return { ok: true, message };
}

interface Expected {
  /** Everything that stands before this message. */
  readonly digest: Hmac;
  /** What stands behind it. */
  readonly suffix: (data: TsigRdata) => Uint8Array;
}

function judge(
  octets: Uint8Array,
  message: Message,
  tsig: NonNullable<Message["tsig"]>,
  key: TsigKey,
  now: number,
  { digest, suffix }: Expected,
): TsigVerdict {
  const { record } = tsig;
  const { data } = record;
  const error = errorName(data.error);
  if (record.classCode !== CLASS_ANY || !hasTtlZero(octets, tsig.offset)) {
    return { status: "malformed", problem: "its TSIG record has a class or TTL that TSIG has not" };
  }
  if (data.mac.length === 0) {
    if (message.rcode === RCODES.NOTAUTH && error !== undefined) {
      return refusal(error, data, false);
    }
    return { status: "unsigned", message };
  }
  if (record.name !== key.name || data.algorithm !== key.algorithm) {
    const theirs = `${absolute(record.name)} (${absolute(data.algorithm)})`;
    return { status: "forged", problem: `it is signed with another key, ${theirs}` };
  }
  if (data.mac.length !== HASHES[key.algorithm].octets) {
    return { status: "forged", problem: `its MAC has ${data.mac.length} octets` };
  }
  digest.update(coveredOctets(octets, tsig.offset, data.originalId)).update(suffix(data));
  if (!timingSafeEqual(digest.digest(), data.mac)) {
    return { status: "forged", problem: "its MAC does not fit" };
  }
  if (data.originalId !== message.id) return { status: "forged", problem: "it answers another request" };
  if (error !== undefined) return refusal(error, data, true);
  if (data.error !== 0) return { status: "malformed", problem: `it has the TSIG error ${data.error}` };
  if (Math.abs(now - data.timeSigned) > data.fudgeSeconds) {
    return { status: "untimely", timeSigned: data.timeSigned };
  }
  return { status: "verified", message };
}

function errorName(code: number): TsigRefusal["error"] | undefined {
  return Object.entries(TSIG_ERRORS).find(([, each]) => each === code)?.[0] as
    | TsigRefusal["error"]
    | undefined;
}

/** RFC 8945 §5.2.3: the server's time stands in the other data. */
function refusal(error: TsigRefusal["error"], data: TsigRdata, isSigned: boolean): TsigRefusal {
  if (error !== "BADTIME" || data.otherData.length !== 6) return { status: "refused", error, isSigned };
  const serverTime = Buffer.from(data.otherData).readUIntBE(0, 6);
  return { status: "refused", error, isSigned, serverTime };
}

/** RFC 8945 §4.3.2: the message without its TSIG, counted without it, under its first id. */
function coveredOctets(octets: Uint8Array, end: number, originalId: number): Uint8Array {
  const covered = Uint8Array.from(octets.subarray(0, end));
  covered[0] = originalId >> 8;
  covered[1] = originalId & 0xff;
  setAdditionalCount(covered, additionalCount(covered) - 1);
  return covered;
}

/** Looked up in the octets: the decoder takes a TTL with its top bit set for zero. */
function hasTtlZero(octets: Uint8Array, offset: number): boolean {
  let at = offset;
  while (octets[at]! > 0 && octets[at]! < 0xc0) at += octets[at]! + 1;
  at += octets[at] === 0 ? 1 : 2;
  return octets.subarray(at + 4, at + 8).every((octet) => octet === 0);
}

/** RFC 8945 §5.3.1: at most so many messages in a row without a signature. */
const MAX_UNSIGNED_MESSAGES = 99;

export type ChainVerdict = TsigVerdict | { readonly status: "unsigned-yet"; readonly message: Message };

/**
 * A reply of several messages, each chained to the one before (RFC 8945 §5.3.1). What `unsigned-yet` messages say may
 * be believed only when a later one is `verified`; so nothing may be used before the last one is.
 */
export class TsigChain {
  readonly #key: TsigKey;
  readonly #requestId: number;
  #digest: Hmac;
  #isFirst = true;
  #unsignedCount = 0;
  #lastTime = 0;
  /** What ended it: nothing behind a failure counts. */
  #end: TsigVerdict | undefined;

  constructor(key: TsigKey, request: { readonly requestId: number; readonly requestMac: Uint8Array }) {
    this.#key = key;
    this.#requestId = request.requestId;
    this.#digest = startDigest(key, request.requestMac);
  }

  /** Anything but `verified` and `unsigned-yet` ends the exchange. */
  take(octets: Uint8Array, now: number): ChainVerdict {
    if (this.#end !== undefined) return this.#end;
    const verdict = this.#judge(octets, now);
    if (verdict.status !== "verified" && verdict.status !== "unsigned-yet") this.#end = verdict;
    return verdict;
  }

  #judge(octets: Uint8Array, now: number): ChainVerdict {
    const reading = readSigned(octets, this.#requestId);
    if (!reading.ok) return { status: "malformed", problem: reading.problem };
    const { message } = reading;
    const { tsig } = message;
    if (tsig === undefined) {
      if (this.#isFirst) return { status: "unsigned", message };
      if (++this.#unsignedCount > MAX_UNSIGNED_MESSAGES) {
        return { status: "forged", problem: `${this.#unsignedCount} messages in a row are not signed` };
      }
      this.#digest.update(octets);
      return { status: "unsigned-yet", message };
    }
    const isFirst = this.#isFirst;
    const verdict = judge(octets, message, tsig, this.#key, now, {
      digest: this.#digest,
      suffix: (data) => (isFirst ? macVariables(this.#key.name, data) : macTimers(data)),
    });
    if (verdict.status !== "verified") return verdict;
    const { mac, timeSigned } = tsig.record.data;
    if (timeSigned < this.#lastTime) return { status: "forged", problem: "its signing times run backwards" };
    this.#isFirst = false;
    this.#unsignedCount = 0;
    this.#lastTime = timeSigned;
    this.#digest = startDigest(this.#key, mac);
    return verdict;
  }
}
