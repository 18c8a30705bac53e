/** Record types and their data. Source of each shape: the RFC named beside it. */
import type { DomainName } from "./name.ts";

/** Mnemonics of the types this project reads and writes, with their codes (IANA DNS parameters). */
export const TYPE_CODES = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  TLSA: 52,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
} as const;

export type KnownType = keyof typeof TYPE_CODES;
/** A mnemonic, or RFC 3597's `TYPE123` for every other code. */
export type RecordType = KnownType | `TYPE${number}`;

/** Every mnemonic, for messages that offer them. */
export const RECORD_TYPE_NAMES = Object.keys(TYPE_CODES) as readonly KnownType[];

const TYPE_NAMES = new Map<number, KnownType>(
  Object.entries(TYPE_CODES).map(([name, code]) => [code, name as KnownType]),
);

export function typeName(code: number): RecordType {
  return TYPE_NAMES.get(code) ?? `TYPE${code}`;
}

export function typeCode(type: RecordType): number {
  return TYPE_CODES[type as KnownType] ?? Number(type.slice(4));
}

/** Reads a type as people write it (`mx`, `TYPE65280`); undefined where there is no such type. */
export function parseRecordType(text: string): RecordType | undefined {
  const upper = text.toUpperCase();
  if (Object.hasOwn(TYPE_CODES, upper)) return upper as KnownType;
  const code = /^TYPE(\d{1,5})$/.exec(upper)?.[1];
  return code !== undefined && Number(code) <= 65_535 ? typeName(Number(code)) : undefined;
}

/**
 * An octet string: each character stands for one octet (U+0000–U+00FF). TXT and CAA data is kept this way
 * because DNS says nothing of its encoding; `octetsToText` reads UTF-8 where it is UTF-8.
 */
export type OctetString = string;

export interface ARdata {
  readonly type: "A";
  /** Dotted quad. RFC 1035 §3.4.1 */
  readonly address: string;
}
export interface AaaaRdata {
  readonly type: "AAAA";
  /** RFC 5952 form. RFC 3596 §2.2 */
  readonly address: string;
}
/** RFC 1035 §3.3.1, §3.3.11, §3.3.12; DNAME RFC 6672 §2.1 */
export interface NameRdata {
  readonly type: "NS" | "CNAME" | "DNAME" | "PTR";
  readonly target: DomainName;
}
/** RFC 1035 §3.3.13 */
export interface SoaRdata {
  readonly type: "SOA";
  readonly primary: DomainName;
  readonly mailbox: DomainName;
  readonly serial: number;
  readonly refreshSeconds: number;
  readonly retrySeconds: number;
  readonly expireSeconds: number;
  readonly minimumSeconds: number;
}
/** RFC 1035 §3.3.9; the null MX of RFC 7505 has preference 0 and the root as exchange. */
export interface MxRdata {
  readonly type: "MX";
  readonly preference: number;
  readonly exchange: DomainName;
}
/** RFC 1035 §3.3.14: one or more character-strings of at most 255 octets. SPF is the dead type 99. */
export interface TxtRdata {
  readonly type: "TXT" | "SPF";
  readonly strings: readonly OctetString[];
}
/** RFC 2782 */
export interface SrvRdata {
  readonly type: "SRV";
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: DomainName;
}
/** RFC 8659 §4.1; `flags` bit 128 is "issuer critical". */
export interface CaaRdata {
  readonly type: "CAA";
  readonly flags: number;
  readonly tag: string;
  readonly value: OctetString;
}
/** RFC 6698 §2.1 */
export interface TlsaRdata {
  readonly type: "TLSA";
  readonly usage: number;
  readonly tlsaSelector: number;
  readonly matchingType: number;
  readonly associationData: Uint8Array;
}
/** RFC 4034 §5.1 */
export interface DsRdata {
  readonly type: "DS";
  readonly keyTag: number;
  readonly algorithm: number;
  readonly digestType: number;
  readonly digest: Uint8Array;
}
/** RFC 4034 §2.1 */
export interface DnskeyRdata {
  readonly type: "DNSKEY";
  readonly flags: number;
  readonly protocol: number;
  readonly algorithm: number;
  readonly publicKey: Uint8Array;
}
/** RFC 4034 §3.1; times are seconds since 1970, modulo 2^32. */
export interface RrsigRdata {
  readonly type: "RRSIG";
  readonly typeCovered: RecordType;
  readonly algorithm: number;
  readonly labels: number;
  readonly originalTtlSeconds: number;
  readonly expiration: number;
  readonly inception: number;
  readonly keyTag: number;
  readonly signerName: DomainName;
  readonly signature: Uint8Array;
}
/** RFC 4034 §4.1 */
export interface NsecRdata {
  readonly type: "NSEC";
  readonly nextName: DomainName;
  readonly types: readonly RecordType[];
}
/** RFC 5155 §3.1 */
export interface Nsec3Rdata {
  readonly type: "NSEC3";
  readonly hashAlgorithm: number;
  readonly flags: number;
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly nextHashedOwner: Uint8Array;
  readonly types: readonly RecordType[];
}
/** RFC 9460 §2: parameters by key number, ascending. */
export interface SvcbRdata {
  readonly type: "SVCB" | "HTTPS";
  readonly priority: number;
  readonly target: DomainName;
  readonly parameters: readonly { readonly key: number; readonly value: Uint8Array }[];
}
/** RFC 8945 §4.2; `timeSigned` in seconds since 1970 (48 bits). */
export interface TsigRdata {
  readonly type: "TSIG";
  readonly algorithm: DomainName;
  readonly timeSigned: number;
  readonly fudgeSeconds: number;
  readonly mac: Uint8Array;
  readonly originalId: number;
  readonly error: number;
  readonly otherData: Uint8Array;
}
/** Any other type, and the empty data of RFC 2136 updates (RFC 3597 §5). */
export interface OpaqueRdata {
  readonly type: "OPAQUE";
  readonly typeCode: number;
  readonly octets: Uint8Array;
}

export type Rdata =
  | ARdata
  | AaaaRdata
  | NameRdata
  | SoaRdata
  | MxRdata
  | TxtRdata
  | SrvRdata
  | CaaRdata
  | TlsaRdata
  | DsRdata
  | DnskeyRdata
  | RrsigRdata
  | NsecRdata
  | Nsec3Rdata
  | SvcbRdata
  | TsigRdata
  | OpaqueRdata;

/** The data of one type: `RdataOf<"MX">`. */
export type RdataOf<T extends RecordType> = T extends "A"
  ? ARdata
  : T extends "AAAA"
    ? AaaaRdata
    : T extends "TXT" | "SPF"
      ? TxtRdata
      : T extends NameRdata["type"]
        ? NameRdata
        : T extends "SVCB" | "HTTPS"
          ? SvcbRdata
          : Extract<Rdata, { readonly type: T }>;

/** A resource record of class IN. */
export interface ResourceRecord<D extends Rdata = Rdata> {
  readonly name: DomainName;
  readonly ttlSeconds: number;
  readonly data: D;
}

/** The type of a record's data, with opaque data named by its code. */
export function typeOf(data: Rdata): RecordType {
  return data.type === "OPAQUE" ? typeName(data.typeCode) : data.type;
}

/** The joined text of a TXT record: its strings with nothing between them (RFC 7208 §3.3, RFC 6376 §3.6.2.2). */
export function txtText(data: TxtRdata): OctetString {
  return data.strings.join("");
}

/** Text for people: octets read as UTF-8 where they are valid UTF-8, else one character per octet. */
export function octetsToText(octets: OctetString): string {
  if (!/[\x80-\xff]/.test(octets)) return octets;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(octets, "latin1"));
  } catch {
    return octets;
  }
}

/** The octets of a text in UTF-8, one character per octet. */
export function textToOctets(text: string): OctetString {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Cuts a value into character-strings of at most 255 octets (RFC 1035 §3.3); an empty value is one empty string. */
export function toCharacterStrings(value: OctetString): OctetString[] {
  const strings: OctetString[] = [];
  for (let at = 0; at < value.length; at += 255) strings.push(value.slice(at, at + 255));
  return strings.length === 0 ? [""] : strings;
}
