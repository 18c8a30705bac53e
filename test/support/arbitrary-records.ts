/** Arbitrary names, data of every type and records, in the form that decoders give (sorted, canonical). */

import { addressFromOctets } from "../../src/standards/dns/address.ts";
import { type DomainName, nameFromLabels, ROOT } from "../../src/standards/dns/name.ts";
import {
  type Rdata,
  type RecordType,
  type ResourceRecord,
  TYPE_CODES,
  typeName,
} from "../../src/standards/dns/record.ts";
import { fc } from "./random-inputs.ts";

export const octets = (minLength = 0, maxLength = 40) => fc.uint8Array({ minLength, maxLength });
const uint8 = fc.integer({ min: 0, max: 0xff });
export const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const octetString = (minLength: number, maxLength: number) =>
  octets(minLength, maxLength).map((value) => Buffer.from(value).toString("latin1"));

/** Labels of any octets beside ordinary ones, up to the limits of RFC 1035 §2.3.4. */
const label = fc.oneof(
  fc.constantFrom("mail", "_dmarc", "www", "*", "xn--nxasmq6b").map((text) => new TextEncoder().encode(text)),
  octets(1, 12),
  octets(63, 63),
);
export const anyName: fc.Arbitrary<DomainName> = fc.array(label, { maxLength: 5 }).map((labels) => {
  const name = nameFromLabels(labels);
  return name.ok ? name.value : ROOT;
});

/** Plain names, of a few parents, so that compression finds something. */
export const plainName: fc.Arbitrary<DomainName> = fc
  .tuple(
    fc.constantFrom("", "mail.", "a.b.", "_dmarc.", "x\\.y."),
    fc.constantFrom("example.org", "example.com", "mail.example.org"),
  )
  .map(([prefix, parent]) => `${prefix}${parent}` as DomainName);

const name = fc.oneof(anyName, plainName);
const types: fc.Arbitrary<RecordType[]> = fc
  .uniqueArray(fc.oneof(uint16, fc.constantFrom(...Object.values(TYPE_CODES))), { maxLength: 12 })
  .map((codes) => codes.sort((x, y) => x - y).map(typeName));
const address = (size: 4 | 16) =>
  fc
    .oneof(octets(size, size), fc.array(fc.constantFrom(0, 0, 1, 255), { minLength: size, maxLength: size }))
    .map((value) => addressFromOctets(Uint8Array.from(value)).text);
const parameters = fc
  .uniqueArray(fc.record({ key: fc.oneof(fc.integer({ min: 0, max: 9 }), uint16), value: octets(0, 32) }), {
    maxLength: 5,
    selector: ({ key }) => key,
  })
  .map((list) => list.sort((x, y) => x.key - y.key));
const wellFormedParameters = fc.constantFrom(
  [
    { key: 0, value: Uint8Array.of(0, 1, 0, 3) },
    { key: 1, value: Uint8Array.of(2, 0x68, 0x32, 3, 0x2c, 0x5c, 0x22) },
    { key: 2, value: new Uint8Array() },
    { key: 3, value: Uint8Array.of(1, 187) },
    { key: 4, value: Uint8Array.of(192, 0, 2, 1, 192, 0, 2, 2) },
    { key: 5, value: Uint8Array.of(1, 2, 3, 4) },
    { key: 6, value: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1) },
    { key: 7, value: new TextEncoder().encode("/q{?dns}") },
  ],
  [],
);
const strings = fc.array(octetString(0, 255), { minLength: 1, maxLength: 4 });
const knownCodes = new Set<number>(Object.values(TYPE_CODES));

const byType: { readonly [T in Rdata["type"]]: fc.Arbitrary<Rdata> } = {
  A: fc.record({ type: fc.constant("A"), address: address(4) }),
  AAAA: fc.record({ type: fc.constant("AAAA"), address: address(16) }),
  NS: fc.record({ type: fc.constant("NS"), target: name }),
  CNAME: fc.record({ type: fc.constant("CNAME"), target: name }),
  DNAME: fc.record({ type: fc.constant("DNAME"), target: name }),
  PTR: fc.record({ type: fc.constant("PTR"), target: name }),
  SOA: fc.record({
    type: fc.constant("SOA"),
    primary: name,
    mailbox: name,
    serial: uint32,
    refreshSeconds: uint32,
    retrySeconds: uint32,
    expireSeconds: uint32,
    minimumSeconds: uint32,
  }),
  MX: fc.record({ type: fc.constant("MX"), preference: uint16, exchange: name }),
  TXT: fc.record({ type: fc.constant("TXT"), strings }),
  SPF: fc.record({ type: fc.constant("SPF"), strings }),
  SRV: fc.record({ type: fc.constant("SRV"), priority: uint16, weight: uint16, port: uint16, target: name }),
  CAA: fc.record({
    type: fc.constant("CAA"),
    flags: uint8,
    tag: fc.oneof(fc.constantFrom("issue", "Issuewild", "iodef"), octetString(1, 20)),
    value: octetString(0, 60),
  }),
  TLSA: fc.record({
    type: fc.constant("TLSA"),
    usage: uint8,
    tlsaSelector: uint8,
    matchingType: uint8,
    associationData: octets(),
  }),
  DS: fc.record({
    type: fc.constant("DS"),
    keyTag: uint16,
    algorithm: uint8,
    digestType: uint8,
    digest: octets(),
  }),
  DNSKEY: fc.record({
    type: fc.constant("DNSKEY"),
    flags: uint16,
    protocol: uint8,
    algorithm: uint8,
    publicKey: octets(),
  }),
  RRSIG: fc.record({
    type: fc.constant("RRSIG"),
    typeCovered: uint16.map(typeName),
    algorithm: uint8,
    labels: uint8,
    originalTtlSeconds: uint32,
    expiration: uint32,
    inception: uint32,
    keyTag: uint16,
    signerName: name,
    signature: octets(),
  }),
  NSEC: fc.record({ type: fc.constant("NSEC"), nextName: name, types }),
  NSEC3: fc.record({
    type: fc.constant("NSEC3"),
    hashAlgorithm: uint8,
    flags: uint8,
    iterations: uint16,
    salt: octets(0, 10),
    nextHashedOwner: octets(0, 24),
    types,
  }),
  SVCB: fc.record({
    type: fc.constant("SVCB"),
    priority: uint16,
    target: name,
    parameters: fc.oneof(parameters, wellFormedParameters),
  }),
  HTTPS: fc.record({
    type: fc.constant("HTTPS"),
    priority: uint16,
    target: name,
    parameters: fc.oneof(parameters, wellFormedParameters),
  }),
  TSIG: fc.record({
    type: fc.constant("TSIG"),
    algorithm: name,
    timeSigned: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    fudgeSeconds: uint16,
    mac: octets(),
    originalId: uint16,
    error: uint16,
    otherData: octets(),
  }),
  OPAQUE: fc.record({
    type: fc.constant("OPAQUE"),
    typeCode: uint16.filter((code) => !knownCodes.has(code)),
    octets: octets(),
  }),
};

/** The data of one type, for tests that loop over all types. */
export const RDATA_TYPES = Object.keys(byType) as Rdata["type"][];
export const rdataOfType = (type: Rdata["type"]): fc.Arbitrary<Rdata> => byType[type];

/** Data that may stand in a zone or in the sections of a message: all but TSIG. */
export const anyRdata: fc.Arbitrary<Rdata> = fc.oneof(
  ...RDATA_TYPES.filter((type) => type !== "TSIG").map(rdataOfType),
);

export const anyRecord: fc.Arbitrary<ResourceRecord> = fc.record({
  name,
  ttlSeconds: fc.oneof(fc.constantFrom(300, 3600), fc.integer({ min: 0, max: 2 ** 31 - 1 })),
  data: anyRdata,
});
