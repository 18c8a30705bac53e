/**
 * TLSA records (RFC 6698, RFC 7671), as SMTP between servers uses them (RFC 7672 §3.1): "3 1 1", the digest
 * of the server's public key, wherever there is no reason for anything else.
 */
import { createHash, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { type DomainName, prepend } from "../dns/name.ts";
import type { Parsed } from "../dns/parsed.ts";
import type { RdataOf } from "../dns/record.ts";

export type TlsaData = RdataOf<"TLSA">;

/** The three numbers in front of the data. */
export type TlsaParameters = Pick<TlsaData, "usage" | "tlsaSelector" | "matchingType">;

/** "3 1 1": what SMTP servers should publish in most cases (RFC 7672 §3.1.1). */
export const DANE_EE_SPKI_SHA256: TlsaParameters = { usage: 3, tlsaSelector: 1, matchingType: 1 };

/** "2 0 1": the second choice, for those whose own authority issues all certificates (RFC 7672 §3.1.2). */
export const DANE_TA_CERT_SHA256: TlsaParameters = { usage: 2, tlsaSelector: 0, matchingType: 1 };

/** RDATA is no longer than this, in hex (RFC 1035 §3.2.1). */
const MAX_HEX_CHARACTERS = 2 * 65_535;

/** Reads the presentation form (RFC 6698 §2.2); white space may stand within the hex, parentheses around it. */
export function parseTlsa(text: string): Parsed<TlsaData> {
  const match = /^\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})\s+([\s\S]*)$/.exec(text.replace(/[()]/g, " "));
  if (match === null) {
    return { ok: false, problem: 'a TLSA record is three numbers and hex digits, such as "3 1 1 0b9f…"' };
  }
  const [usage = 0, tlsaSelector = 0, matchingType = 0] = match.slice(1, 4).map(Number);
  if (Math.max(usage, tlsaSelector, matchingType) > 255) {
    return { ok: false, problem: "usage, selector and matching type go from 0 to 255" };
  }
  const hex = match[4]!.replace(/\s/g, "");
  if (hex === "" || hex.length > MAX_HEX_CHARACTERS) {
    return {
      ok: false,
      problem: hex === "" ? "the data is missing" : "the data is longer than a record may be",
    };
  }
  const wrong = /[^0-9a-f]/i.exec(hex)?.[0];
  if (wrong !== undefined) return { ok: false, problem: `the data is hex digits; "${wrong}" is none` };
  if (hex.length % 2 === 1) return { ok: false, problem: "the data has an odd number of hex digits" };
  const associationData = Uint8Array.from(Buffer.from(hex, "hex"));
  return { ok: true, value: { type: "TLSA", usage, tlsaSelector, matchingType, associationData } };
}

export function formatTlsa({ usage, tlsaSelector, matchingType, associationData }: TlsaData): string {
  return `${usage} ${tlsaSelector} ${matchingType} ${Buffer.from(associationData).toString("hex")}`;
}

/** `_25._tcp.<host>` (RFC 6698 §3). For SMTP the host is the MX, not the mail domain. */
export function tlsaOwner(port: number, protocol: "tcp" | "udp" | "sctp", host: DomainName): DomainName {
  return prepend(`_${port}._${protocol}`, host);
}

/** PEM files are far smaller, whole chains included. */
const MAX_PEM_CHARACTERS = 262_144;

/**
 * From a certificate or a chain in PEM: usages 1 and 3 take the first certificate, which is the server's;
 * usages 0 and 2 take the first one of an authority.
 */
export function tlsaFromCertificate(
  pem: string,
  parameters: TlsaParameters = DANE_EE_SPKI_SHA256,
): Parsed<TlsaData> {
  const certificates = readCertificates(pem);
  if (!certificates.ok) return certificates;
  const isAuthority = parameters.usage === 0 || parameters.usage === 2;
  const certificate = isAuthority ? certificates.value.find(({ ca }) => ca) : certificates.value[0]!;
  if (certificate === undefined) {
    const problem = `usage ${parameters.usage} names an authority, and none of the certificates is one`;
    return { ok: false, problem };
  }
  return associate(parameters, selectedOctets(certificate, parameters.tlsaSelector));
}

/** From a public key in PEM (or a private one, of which only the public half is used); the selector must be 1. */
export function tlsaFromPublicKey(
  pem: string,
  parameters: TlsaParameters = DANE_EE_SPKI_SHA256,
): Parsed<TlsaData> {
  if (parameters.tlsaSelector !== 1) {
    return { ok: false, problem: "only selector 1 is about the key; the others need the certificate" };
  }
  if (pem.length > MAX_PEM_CHARACTERS) return { ok: false, problem: "the text is too long for a key" };
  const key = tryRead(() => createPublicKey(pem));
  if (key === undefined) {
    const hint = pem.includes("ENCRYPTED") ? "the private key is encrypted" : "the text holds no PEM key";
    return { ok: false, problem: `${hint}; give the public key` };
  }
  return associate(parameters, spkiOf(key));
}

/** What a selector takes of a certificate; undefined for selectors that nobody has defined. */
function selectedOctets(certificate: X509Certificate, tlsaSelector: number): Uint8Array | undefined {
  switch (tlsaSelector) {
    case 0:
      return certificate.raw;
    case 1:
      return spkiOf(certificate.publicKey);
    default:
      return undefined;
  }
}

const spkiOf = (key: KeyObject): Uint8Array => key.export({ format: "der", type: "spki" });

/** What a matching type makes of the octets; undefined for types that nobody has defined. */
function matchingOctets(octets: Uint8Array, matchingType: number): Uint8Array | undefined {
  switch (matchingType) {
    case 0:
      return octets;
    case 1:
      return createHash("sha256").update(octets).digest();
    case 2:
      return createHash("sha512").update(octets).digest();
    default:
      return undefined;
  }
}

function associate(parameters: TlsaParameters, octets: Uint8Array | undefined): Parsed<TlsaData> {
  const { usage, tlsaSelector, matchingType } = parameters;
  const data = octets && matchingOctets(octets, matchingType);
  if (data === undefined || usage < 0 || usage > 3) {
    return {
      ok: false,
      problem: `"${usage} ${tlsaSelector} ${matchingType}" has a number without a meaning`,
    };
  }
  return {
    ok: true,
    value: { type: "TLSA", usage, tlsaSelector, matchingType, associationData: Uint8Array.from(data) },
  };
}

/**
 * Whether a record is about this certificate (DER): the comparison of RFC 6698 §2.1 alone, without the checks
 * of chain and name that usages 0 to 2 ask for besides.
 */
export function tlsaMatches(data: TlsaData, certificate: Uint8Array): boolean {
  const parsed = tryRead(() => new X509Certificate(certificate));
  const selected = parsed && selectedOctets(parsed, data.tlsaSelector);
  const octets = selected && matchingOctets(selected, data.matchingType);
  return octets !== undefined && Buffer.from(octets).equals(data.associationData);
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
/** Servers send a handful; certificate bundles of whole trust stores are not meant here. */
const MAX_CHAIN_LENGTH = 20;

function readCertificates(pem: string): Parsed<readonly X509Certificate[]> {
  if (pem.length > MAX_PEM_CHARACTERS) return { ok: false, problem: "the text is too long for a chain" };
  const blocks = (pem.match(PEM_CERTIFICATE) ?? []).slice(0, MAX_CHAIN_LENGTH);
  if (blocks.length === 0) return { ok: false, problem: "the text holds no PEM certificate" };
  const certificates = blocks.map((block) => tryRead(() => new X509Certificate(block)));
  const damaged = certificates.indexOf(undefined);
  return damaged < 0
    ? { ok: true, value: certificates as X509Certificate[] }
    : { ok: false, problem: `certificate ${damaged + 1} in the text is damaged` };
}

export function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
