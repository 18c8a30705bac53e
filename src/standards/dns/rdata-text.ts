/**
 * Record data as zone text (RFC 1035 §5, RFC 3597 §5 and each type's own RFC). Data that a type's own form
 * cannot express (an empty digest, a CAA tag that is no word) is written in the general form `\# 3 030101`.
 */
import { parseIpv4, parseIpv6 } from "./address.ts";
import { absolute, type DomainName, isWithin, parseDomainName, ROOT } from "./name.ts";
import type { Parsed } from "./parsed.ts";
import { readRdata, writeRdata } from "./rdata-wire.ts";
import {
  parseRecordType,
  type Rdata,
  type RecordType,
  type TsigRdata,
  toCharacterStrings,
  typeCode,
} from "./record.ts";
import {
  formatServiceParameter,
  parseServiceParameter,
  type ServiceParameter,
} from "./service-parameters.ts";
import { WireError, WireReader, WireWriter } from "./wire.ts";
import { quoteText, readEntry, type Token, unescapeText } from "./zone-tokens.ts";

/** Relative to `origin` where one is given, else with the final dot. */
export function formatName(name: DomainName, origin?: DomainName): string {
  if (origin === undefined) return absolute(name);
  if (name === origin) return "@";
  if (origin === ROOT || !isWithin(name, origin)) return absolute(name);
  return name.slice(0, -origin.length - 1);
}

/** A name as zone text has it: `@` is the origin, a name without the final dot stands below it. */
export function parseName(text: string, origin: DomainName | undefined): Parsed<DomainName> {
  const withoutOrigin: Parsed<DomainName> = {
    ok: false,
    problem: `"${text}" is relative, and no origin is set`,
  };
  if (text === "@") return origin === undefined ? withoutOrigin : { ok: true, value: origin };
  if (/(^|[^\\])(\\\\)*\.$/.test(text)) return parseDomainName(text);
  if (origin === undefined) return withoutOrigin;
  // the part alone first: its faults keep their places
  const alone = parseDomainName(text);
  return alone.ok && origin !== ROOT ? parseDomainName(`${alone.value}.${origin}`) : alone;
}

export function formatRdata(data: Rdata, origin?: DomainName): string {
  return presentation(data, (name) => formatName(name, origin)) ?? generic(data);
}

/** RFC 3597 §5: `\#`, the number of octets, the octets. */
function generic(data: Rdata): string {
  const writer = new WireWriter();
  writeRdata(data, writer);
  const octets = writer.finish();
  return octets.length === 0 ? "\\# 0" : `\\# ${octets.length} ${hex(octets)}`;
}

function presentation(data: Rdata, name: (name: DomainName) => string): string | undefined {
  switch (data.type) {
    case "A":
    case "AAAA":
      return data.address;
    case "NS":
    case "CNAME":
    case "DNAME":
    case "PTR":
      return name(data.target);
    case "SOA": {
      const { serial, refreshSeconds, retrySeconds, expireSeconds, minimumSeconds } = data;
      const timers = [serial, refreshSeconds, retrySeconds, expireSeconds, minimumSeconds];
      return [name(data.primary), name(data.mailbox), ...timers].join(" ");
    }
    case "MX":
      return `${data.preference} ${name(data.exchange)}`;
    case "TXT":
    case "SPF":
      return data.strings.flatMap(toCharacterStrings).map(quoteText).join(" ");
    case "SRV":
      return `${data.priority} ${data.weight} ${data.port} ${name(data.target)}`;
    case "CAA":
      return CAA_TAG.test(data.tag) ? `${data.flags} ${data.tag} ${quoteText(data.value)}` : undefined;
    case "TLSA":
      return withBlob([data.usage, data.tlsaSelector, data.matchingType], hex(data.associationData));
    case "DS":
      return withBlob([data.keyTag, data.algorithm, data.digestType], hex(data.digest));
    case "DNSKEY":
      return withBlob([data.flags, data.protocol, data.algorithm], base64(data.publicKey));
    case "RRSIG": {
      const { typeCovered, algorithm, labels, originalTtlSeconds, keyTag } = data;
      const times = [formatTime(data.expiration), formatTime(data.inception)];
      const fields = [typeCovered, algorithm, labels, originalTtlSeconds, ...times, keyTag];
      return withBlob([...fields, name(data.signerName)], base64(data.signature));
    }
    case "NSEC":
      return [name(data.nextName), ...data.types].join(" ");
    case "NSEC3": {
      if (data.nextHashedOwner.length === 0) return undefined;
      const salt = data.salt.length === 0 ? "-" : hex(data.salt);
      const numbers = [data.hashAlgorithm, data.flags, data.iterations];
      return [...numbers, salt, base32Hex(data.nextHashedOwner), ...data.types].join(" ");
    }
    case "SVCB":
    case "HTTPS": {
      const parameters = data.parameters.toSorted((x, y) => x.key - y.key).map(formatServiceParameter);
      return [data.priority, name(data.target), ...parameters].join(" ");
    }
    case "TSIG": {
      const { timeSigned, fudgeSeconds, mac, originalId, error, otherData } = data;
      const head = [name(data.algorithm), timeSigned, fudgeSeconds, ...counted(mac)];
      return [...head, originalId, error, ...counted(otherData)].join(" ");
    }
    case "OPAQUE":
      return undefined;
    default:
      return data satisfies never;
  }
}

function withBlob(fields: readonly (string | number)[], blob: string): string | undefined {
  return blob === "" ? undefined : [...fields, blob].join(" ");
}

function counted(octets: Uint8Array): (string | number)[] {
  return octets.length === 0 ? [0] : [octets.length, base64(octets)];
}

/** RFC 8659 §4.1.1: letters and digits. */
const CAA_TAG = /^[A-Za-z0-9]+$/;

/** Reads the data of one record from its words; relative names stand below `origin`. */
export function parseRdata(
  type: RecordType,
  input: string | readonly Token[],
  origin: DomainName | undefined,
): Parsed<Rdata> {
  const words = typeof input === "string" ? wordsOf(input) : { ok: true as const, value: input };
  if (!words.ok) return words;
  const fields = new FieldReader(words.value, origin);
  try {
    const data = fields.isGeneric() ? readGeneric(type, fields) : readPresentation(type, fields);
    fields.end();
    fields.fits(data);
    return { ok: true, value: data };
  } catch (error) {
    if (error instanceof FieldError) return { ok: false, problem: error.message, offset: error.offset };
    throw error;
  }
}

function wordsOf(text: string): Parsed<readonly Token[]> {
  const { tokens, fault, next } = readEntry(text, 0);
  if (fault) return { ok: false, ...fault };
  return next < text.length
    ? { ok: false, problem: "the data goes on in another line without parentheses", offset: next }
    : { ok: true, value: tokens };
}

function readGeneric(type: RecordType, fields: FieldReader): Rdata {
  const start = fields.next("data");
  const count = fields.integer("number of octets", 65_535);
  const octets = count === 0 ? new Uint8Array() : fields.hexRest("data");
  if (octets.length !== count) {
    throw new FieldError(`\\# announces ${count} octets, ${octets.length} follow`, start.offset);
  }
  const reader = new WireReader(octets, { compressed: false });
  try {
    const data = readRdata(type, reader);
    if (reader.remaining > 0) throw new WireError(`${reader.remaining} octets too many`, reader.at);
    return data;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new FieldError(`octet ${error.offset} of the ${type} data: ${error.message}`, start.offset);
  }
}

function readPresentation(type: RecordType, fields: FieldReader): Rdata {
  switch (type) {
    case "A":
      return { type, address: fields.parsed("IPv4 address", parseIpv4).text };
    case "AAAA":
      return { type, address: fields.parsed("IPv6 address", parseIpv6).text };
    case "NS":
    case "CNAME":
    case "DNAME":
    case "PTR":
      return { type, target: fields.name(`${type} target`) };
    case "SOA":
      return {
        type,
        primary: fields.name("SOA primary"),
        mailbox: fields.name("SOA mailbox"),
        serial: fields.integer("SOA serial", UINT32),
        refreshSeconds: fields.duration("SOA refresh"),
        retrySeconds: fields.duration("SOA retry"),
        expireSeconds: fields.duration("SOA expire"),
        minimumSeconds: fields.duration("SOA minimum"),
      };
    case "MX":
      return {
        type,
        preference: fields.integer("MX preference", UINT16),
        exchange: fields.name("MX exchange"),
      };
    case "TXT":
    case "SPF":
      return { type, strings: fields.strings(type) };
    case "SRV":
      return {
        type,
        priority: fields.integer("SRV priority", UINT16),
        weight: fields.integer("SRV weight", UINT16),
        port: fields.integer("SRV port", UINT16),
        target: fields.name("SRV target"),
      };
    case "CAA":
      return {
        type,
        flags: fields.integer("CAA flags", UINT8),
        tag: fields.matching("CAA tag", /^[A-Za-z0-9]{1,255}$/, "1 to 255 letters and digits"),
        value: fields.octets("CAA value"),
      };
    case "TLSA":
      return {
        type,
        usage: fields.integer("TLSA usage", UINT8),
        tlsaSelector: fields.integer("TLSA selector", UINT8),
        matchingType: fields.integer("TLSA matching type", UINT8),
        associationData: fields.hexRest("TLSA data"),
      };
    case "DS":
      return {
        type,
        keyTag: fields.integer("DS key tag", UINT16),
        algorithm: fields.algorithm("DS algorithm"),
        digestType: fields.integer("DS digest type", UINT8),
        digest: fields.hexRest("DS digest"),
      };
    case "DNSKEY":
      return {
        type,
        flags: fields.integer("DNSKEY flags", UINT16),
        protocol: fields.integer("DNSKEY protocol", UINT8),
        algorithm: fields.algorithm("DNSKEY algorithm"),
        publicKey: fields.base64Rest("DNSKEY key"),
      };
    case "RRSIG":
      return {
        type,
        typeCovered: fields.type("RRSIG type covered"),
        algorithm: fields.algorithm("RRSIG algorithm"),
        labels: fields.integer("RRSIG labels", UINT8),
        originalTtlSeconds: fields.integer("RRSIG original TTL", UINT32),
        expiration: fields.parsed("RRSIG expiration", parseTime),
        inception: fields.parsed("RRSIG inception", parseTime),
        keyTag: fields.integer("RRSIG key tag", UINT16),
        signerName: fields.name("RRSIG signer"),
        signature: fields.base64Rest("RRSIG signature"),
      };
    case "NSEC":
      return { type, nextName: fields.name("NSEC next name"), types: fields.types() };
    case "NSEC3":
      return {
        type,
        hashAlgorithm: fields.integer("NSEC3 hash algorithm", UINT8),
        flags: fields.integer("NSEC3 flags", UINT8),
        iterations: fields.integer("NSEC3 iterations", UINT16),
        salt: fields.parsed("NSEC3 salt", (text) =>
          text === "-" ? { ok: true, value: new Uint8Array() } : withinOctets(parseHex(text)),
        ),
        nextHashedOwner: fields.parsed("NSEC3 next hashed owner", (text) =>
          withinOctets(parseBase32Hex(text)),
        ),
        types: fields.types(),
      };
    case "SVCB":
    case "HTTPS":
      return {
        type,
        priority: fields.integer(`${type} priority`, UINT16),
        target: fields.name(`${type} target`),
        parameters: readParameters(fields),
      };
    case "TSIG":
      return readTsig(fields);
    default:
      throw new FieldError(`${type} data needs the general form \\# of RFC 3597`, fields.offset);
  }
}

function readTsig(fields: FieldReader): TsigRdata {
  const counted = (what: string) => {
    const size = fields.integer(`${what} size`, UINT16);
    const octets = size === 0 ? new Uint8Array() : fields.parsed(what, parseBase64);
    if (octets.length !== size) throw new FieldError(`${what} has ${octets.length} octets`, fields.offset);
    return octets;
  };
  return {
    type: "TSIG",
    algorithm: fields.name("TSIG algorithm"),
    timeSigned: fields.integer("TSIG time", 2 ** 48 - 1),
    fudgeSeconds: fields.integer("TSIG fudge", UINT16),
    mac: counted("TSIG MAC"),
    originalId: fields.integer("TSIG original id", UINT16),
    error: fields.integer("TSIG error", UINT16),
    otherData: counted("TSIG other data"),
  };
}

/** `key`, `key=value`, `key="value"`; in any order, each key once (RFC 9460 §2.1). */
function readParameters(fields: FieldReader): ServiceParameter[] {
  const parameters = new Map<number, ServiceParameter>();
  while (fields.more) {
    const token = fields.next("parameter");
    if (token.quoted) throw new FieldError("a parameter without its key", token.offset);
    const equals = token.text.indexOf("=");
    const name = equals < 0 ? token.text : token.text.slice(0, equals);
    let written = equals < 0 ? undefined : token.text.slice(equals + 1);
    if (written === "" && fields.nextTouches) written = fields.next("value").text;
    const value = written === undefined ? undefined : accepted(unescapeText(written), token.offset);
    const parameter = accepted(parseServiceParameter(name.toLowerCase(), value), token.offset);
    if (parameters.has(parameter.key)) {
      throw new FieldError(`the parameter ${name} stands twice`, token.offset);
    }
    parameters.set(parameter.key, parameter);
  }
  return [...parameters.values()].sort((x, y) => x.key - y.key);
}

class FieldError extends Error {
  readonly offset: number;

  constructor(problem: string, offset: number) {
    super(problem);
    this.offset = offset;
  }
}

function accepted<T>(parsed: Parsed<T>, offset: number): T {
  if (!parsed.ok) throw new FieldError(parsed.problem, offset);
  return parsed.value;
}

const UINT8 = 0xff;
const UINT16 = 0xffff;
const UINT32 = 0xffff_ffff;

/** Takes the words of one record's data from left to right; every refusal says what was wanted, and where. */
class FieldReader {
  readonly #tokens: readonly Token[];
  readonly #origin: DomainName | undefined;
  #at = 0;

  constructor(tokens: readonly Token[], origin: DomainName | undefined) {
    this.#tokens = tokens;
    this.#origin = origin;
  }

  get more(): boolean {
    return this.#at < this.#tokens.length;
  }

  get nextTouches(): boolean {
    return this.#tokens[this.#at]?.touches ?? false;
  }

  /** Where the next word starts, or the last one ended. */
  get offset(): number {
    const last = this.#tokens.at(-1);
    return this.#tokens[this.#at]?.offset ?? (last ? last.offset + last.text.length : 0);
  }

  isGeneric(): boolean {
    const token = this.#tokens[this.#at];
    return token?.text === "\\#" && !token.quoted;
  }

  next(what: string): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new FieldError(`${what} is missing`, this.offset);
    this.#at++;
    return token;
  }

  end(): void {
    if (this.more) throw new FieldError(`"${this.#tokens[this.#at]!.text}" is too much`, this.offset);
  }

  /** RFC 1035 §3.2.1: the length of data is a 16-bit number. No text holds more than 16 octets in 3 characters ("::,"). */
  fits(data: Rdata): void {
    const [first, last] = [this.#tokens[0], this.#tokens.at(-1)];
    if (first === undefined || last === undefined) return;
    if (last.offset + last.text.length - first.offset < UINT16 / 6) return;
    const writer = new WireWriter();
    writeRdata(data, writer);
    if (writer.at > UINT16) {
      throw new FieldError(`${writer.at} octets of data; ${UINT16} are allowed`, first.offset);
    }
  }

  parsed<T>(what: string, parse: (text: string) => Parsed<T>): T {
    const { text, offset, quoted } = this.next(what);
    if (quoted) throw new FieldError(`${what} stands in quotes`, offset);
    const value = parse(text);
    if (!value.ok) throw new FieldError(`${what}: ${value.problem}`, offset);
    return value.value;
  }

  matching(what: string, pattern: RegExp, wanted: string): string {
    return this.parsed(what, (text) =>
      pattern.test(text) ? { ok: true, value: text } : { ok: false, problem: `"${text}" is not ${wanted}` },
    );
  }

  integer(what: string, max: number): number {
    return this.parsed(what, (text) => parseInteger(text, max));
  }

  duration(what: string): number {
    return this.parsed(what, (text) => {
      const seconds = parseDuration(text);
      return seconds === undefined
        ? { ok: false, problem: `"${text}" is not a time such as 3600 or 1h30m` }
        : { ok: true, value: seconds };
    });
  }

  name(what: string): DomainName {
    return this.parsed(what, (text) => parseName(text, this.#origin));
  }

  type(what: string): RecordType {
    return this.parsed(what, (text) => {
      const type = parseRecordType(text);
      return type === undefined
        ? { ok: false, problem: `"${text}" is not a record type` }
        : { ok: true, value: type };
    });
  }

  /** The types of a bitmap, as the wire has them: ascending, each once. */
  types(): RecordType[] {
    const types = new Set<RecordType>();
    while (this.more) types.add(this.type("type bitmap"));
    return [...types].sort((x, y) => typeCode(x) - typeCode(y));
  }

  octets(what: string): string {
    const token = this.next(what);
    return accepted(unescapeText(token.text), token.offset);
  }

  strings(what: string): string[] {
    const strings: string[] = [];
    do {
      const { offset } = this;
      const string = this.octets(`${what} string`);
      if (string.length > 255) {
        throw new FieldError(
          `a string of ${string.length} octets; 255 are allowed, so cut it in two`,
          offset,
        );
      }
      strings.push(string);
    } while (this.more);
    return strings;
  }

  algorithm(what: string): number {
    return this.parsed(what, (text) => {
      const known = ALGORITHMS[text.toUpperCase()];
      return known === undefined ? parseInteger(text, UINT8) : { ok: true, value: known };
    });
  }

  /** All words that follow, joined: blanks may stand inside hex and base64 (RFC 4034 §2.2, RFC 6698 §2.2). */
  #rest(what: string, parse: (text: string) => Parsed<Uint8Array>): Uint8Array {
    const { offset } = this;
    let joined = "";
    do joined += this.matching(what, /^[A-Za-z0-9+/=]+$/, "hexadecimal or base64");
    while (this.more);
    const octets = parse(joined);
    if (!octets.ok) throw new FieldError(`${what}: ${octets.problem}`, offset);
    return octets.value;
  }

  hexRest(what: string): Uint8Array {
    return this.#rest(what, parseHex);
  }

  base64Rest(what: string): Uint8Array {
    return this.#rest(what, parseBase64);
  }
}

function parseInteger(text: string, max: number): Parsed<number> {
  const value = Number(text);
  return /^\d{1,15}$/.test(text) && value <= max
    ? { ok: true, value }
    : { ok: false, problem: `"${text}" is not a whole number of 0 to ${max}` };
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3600, m: 60, s: 1 };

/** Seconds, or BIND's units ("1h30m", in any order); undefined for anything else and beyond 32 bits. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d{1,10}|(\d{1,10}[wdhms]){1,8})$/i.test(text)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of text.toLowerCase().matchAll(/(\d+)([wdhms]?)/g)) {
    seconds += Number(count) * (UNIT_SECONDS[unit!] ?? 1);
  }
  return seconds <= UINT32 ? seconds : undefined;
}

/** RFC 4034 §3.2: YYYYMMDDHHmmSS in UTC, or seconds since 1970. */
function parseTime(text: string): Parsed<number> {
  if (/^\d{1,10}$/.test(text)) return parseInteger(text, UINT32);
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text)?.slice(1).map(Number);
  if (parts !== undefined) {
    const [year, month, day, hour, minute, second] = parts as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const seconds = Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
    if (seconds >= 0 && seconds <= UINT32 && formatTime(seconds) === text)
      return { ok: true, value: seconds };
  }
  return { ok: false, problem: `"${text}" is not a time as YYYYMMDDHHmmSS` };
}

function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\D/g, "").slice(0, 14);
}

/** RFC 4034 Appendix A.1 and the IANA registry since; by mnemonic. */
const ALGORITHMS: Readonly<Record<string, number>> = {
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  "DSA-NSEC3-SHA1": 6,
  "RSASHA1-NSEC3-SHA1": 7,
  RSASHA256: 8,
  RSASHA512: 10,
  "ECC-GOST": 12,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
};

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}

function parseHex(text: string): Parsed<Uint8Array> {
  if (/[^0-9a-fA-F]/.test(text)) return { ok: false, problem: "not hexadecimal" };
  if (text.length % 2 === 1)
    return { ok: false, problem: `an odd number of hexadecimal digits (${text.length})` };
  return { ok: true, value: Uint8Array.from(Buffer.from(text, "hex")) };
}

function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString("base64");
}

function parseBase64(text: string): Parsed<Uint8Array> {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)
    ? { ok: true, value: Uint8Array.from(Buffer.from(text, "base64")) }
    : { ok: false, problem: "not base64, or cut off" };
}

const BASE32_HEX = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

/** RFC 4648 §7 without padding, as RFC 5155 §3.3 asks. */
function base32Hex(octets: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const octet of octets) {
    held = (held << 8) | octet;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32_HEX[(held >> (bits - 5)) & 31];
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + BASE32_HEX[(held << (5 - bits)) & 31];
}

function parseBase32Hex(text: string): Parsed<Uint8Array> {
  const octets: number[] = [];
  let bits = 0;
  let held = 0;
  for (const char of text.toUpperCase()) {
    const value = BASE32_HEX.indexOf(char);
    if (value < 0) return { ok: false, problem: `"${char}" is not a digit of base32hex` };
    held = (held << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    octets.push(held >> bits);
    held &= (1 << bits) - 1;
  }
  return bits < 5 && held === 0
    ? { ok: true, value: Uint8Array.from(octets) }
    : { ok: false, problem: "base32hex is cut off" };
}

/** For values behind a one-octet count. */
function withinOctets(octets: Parsed<Uint8Array>): Parsed<Uint8Array> {
  return octets.ok && (octets.value.length < 1 || octets.value.length > 255)
    ? { ok: false, problem: `${octets.value.length} octets; 1 to 255 are allowed` }
    : octets;
}
