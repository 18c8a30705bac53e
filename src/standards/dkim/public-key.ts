/**
 * The key material of DKIM: RSA (RFC 6376 §3.6.1, RFC 8301) and Ed25519 (RFC 8463), out of the octets of p=
 * and back into them.
 */
import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import type { Parsed, Refused } from "../dns/parsed.ts";

export type DkimPublicKey = RsaDkimKey | Ed25519DkimKey;

export interface RsaDkimKey {
  readonly keyType: "rsa";
  /** DER SubjectPublicKeyInfo, whichever of the two encodings was published. */
  readonly spki: Uint8Array;
  readonly modulusBits: number;
  readonly publicExponent: bigint;
}

export interface Ed25519DkimKey {
  readonly keyType: "ed25519";
  readonly spki: Uint8Array;
}

/** Why octets are no key. The codes are those of the remarks. */
export interface UnreadableKey extends Refused {
  readonly code:
    | "dkim-key-cut-off"
    | "dkim-key-unreadable"
    | "dkim-private-key"
    | "dkim-key-type-mismatch"
    | "dkim-ed25519-encoding";
}

/** RSA with 16,384 bits, twice and more what anyone uses; what is longer is not decoded. */
const MAX_KEY_OCTETS = 2_200;
const ED25519_OCTETS = 32;
/** All of an Ed25519 SubjectPublicKeyInfo in front of the 32 octets (RFC 8410 §4). */
const ED25519_SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

export function decodeDkimKey(
  keyType: DkimPublicKey["keyType"],
  octets: Uint8Array,
): { readonly ok: true; readonly value: DkimPublicKey } | UnreadableKey {
  return keyType === "rsa" ? decodeRsa(octets) : decodeEd25519(octets);
}

function decodeRsa(octets: Uint8Array): ReturnType<typeof decodeDkimKey> {
  if (octets.length === ED25519_OCTETS) {
    return unreadable("dkim-key-type-mismatch", "32 octets are an Ed25519 key, which needs k=ed25519");
  }
  if (octets.length > MAX_KEY_OCTETS) {
    return unreadable("dkim-key-unreadable", `the key has ${octets.length} octets; no real one is so long`);
  }
  const announced = derLength(octets);
  if (announced === undefined) {
    return octets.length < 4 && (octets.length === 0 || octets[0] === SEQUENCE)
      ? unreadable("dkim-key-cut-off", "only the first few octets of the key are there")
      : unreadable("dkim-key-unreadable", "the octets are no ASN.1 structure");
  }
  if (announced > octets.length) {
    return unreadable("dkim-key-cut-off", `it announces ${announced} octets and has ${octets.length}`);
  }
  if (announced < octets.length) {
    return unreadable("dkim-key-unreadable", `${octets.length - announced} octets too many follow the key`);
  }
  if (isPrivateKey(octets)) {
    return unreadable(
      "dkim-private-key",
      "this is the private key; everyone knows it now, so make a new pair",
    );
  }
  const plain = readRsaSpki(octets);
  if (plain !== undefined) return { ok: true, value: plain };
  const isBare = isBareRsaKey(octets);
  const key = importKey(octets, isBare ? "pkcs1" : "spki");
  if (key === undefined) return unreadable("dkim-key-unreadable", "the ASN.1 structure is no public key");
  if (key.asymmetricKeyType !== "rsa") {
    return unreadable("dkim-key-type-mismatch", `it is a key for ${key.asymmetricKeyType}, not for rsa`);
  }
  return { ok: true, value: rsaKey(key, isBare ? undefined : octets) };
}

/** SEQUENCE { OID rsaEncryption, NULL }, as every SubjectPublicKeyInfo of an RSA key has it (RFC 3279 §2.3.1). */
const RSA_ALGORITHM = Buffer.from("300d06092a864886f70d0101010500", "hex");

/**
 * The numbers of an RSA key in its usual shell, read without making a key of it: a check of many domains
 * reads many keys and verifies nothing with them. Undefined for any other shape, which node:crypto judges.
 */
function readRsaSpki(octets: Uint8Array): RsaDkimKey | undefined {
  const outer = derHeader(octets, 0);
  if (outer === undefined || !RSA_ALGORITHM.every((octet, at) => octet === octets[outer.contentAt + at]))
    return undefined;
  const bits = derHeader(octets, outer.contentAt + RSA_ALGORITHM.length);
  if (bits?.tag !== BIT_STRING || octets[bits.contentAt] !== 0) return undefined;
  const numbers = derHeader(octets, bits.contentAt + 1);
  const modulus = numbers?.tag === SEQUENCE ? derHeader(octets, numbers.contentAt) : undefined;
  if (modulus?.tag !== INTEGER || modulus.length < 2) return undefined;
  const exponent = derHeader(octets, modulus.contentAt + modulus.length);
  if (exponent?.tag !== INTEGER || exponent.length < 1) return undefined;
  if (exponent.contentAt + exponent.length !== octets.length) return undefined;
  const first = modulus.contentAt + (octets[modulus.contentAt] === 0 ? 1 : 0);
  const top = octets[first]!;
  const isPositive = first > modulus.contentAt || top < 0x80;
  if (!isPositive || top === 0 || octets[exponent.contentAt]! >= 0x80) return undefined;
  const modulusBits = 8 * (modulus.contentAt + modulus.length - first) - Math.clz32(top) + 24;
  const publicExponent = BigInt(`0x${Buffer.from(octets.subarray(exponent.contentAt)).toString("hex")}`);
  return { keyType: "rsa", spki: octets, modulusBits, publicExponent };
}

function decodeEd25519(octets: Uint8Array): ReturnType<typeof decodeDkimKey> {
  if (octets.length === ED25519_OCTETS) {
    const spki = Uint8Array.from([...ED25519_SPKI_PREFIX, ...octets]);
    return { ok: true, value: { keyType: "ed25519", spki } };
  }
  if (isEd25519Spki(octets)) {
    const problem = "it is wrapped in ASN.1; Ed25519 is published as the bare 32 octets, 44 characters";
    return unreadable("dkim-ed25519-encoding", problem);
  }
  if (octets.length < ED25519_OCTETS) {
    return unreadable("dkim-key-cut-off", `an Ed25519 key has 32 octets; this one has ${octets.length}`);
  }
  const looksLikeRsa = derLength(octets) === octets.length;
  return looksLikeRsa
    ? unreadable("dkim-key-type-mismatch", "it looks like an RSA key, which has k=rsa")
    : unreadable("dkim-key-unreadable", `an Ed25519 key has 32 octets; this one has ${octets.length}`);
}

function unreadable(code: UnreadableKey["code"], problem: string): UnreadableKey {
  return { ok: false, code, problem };
}

function isEd25519Spki(octets: Uint8Array): boolean {
  return octets.length === 44 && ED25519_SPKI_PREFIX.every((octet, at) => octet === octets[at]);
}

function importKey(octets: Uint8Array, type: "spki" | "pkcs1"): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(octets), format: "der", type });
  } catch {
    return undefined;
  }
}

/**
 * Private keys begin with a version of 0 or 1 (RFC 8017 §A.1.2, RFC 5958 §2) where a public one has its
 * modulus. To be asked first: node:crypto would take them, and quietly use the public half.
 */
function isPrivateKey(octets: Uint8Array): boolean {
  const version = derHeader(octets, derHeader(octets, 0)?.contentAt ?? octets.length);
  return version?.tag === INTEGER && version.length === 1;
}

/** `spki` where the key came in that very encoding: writing it again would cost as much as reading it. */
function rsaKey(key: KeyObject, spki: Uint8Array = spkiOf(key)): RsaDkimKey {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  return { keyType: "rsa", spki, modulusBits: modulusLength, publicExponent };
}

const spkiOf = (key: KeyObject): Uint8Array => Uint8Array.from(key.export({ format: "der", type: "spki" }));

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;

/** How many octets the outermost SEQUENCE says it has, header and all; undefined where there is none (X.690 §8.1). */
function derLength(octets: Uint8Array): number | undefined {
  const header = derHeader(octets, 0);
  return header?.tag === SEQUENCE ? header.contentAt + header.length : undefined;
}

function derHeader(
  octets: Uint8Array,
  at: number,
): { tag: number; contentAt: number; length: number } | undefined {
  const [tag, first] = [octets[at], octets[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  if (first < 0x80) return { tag, contentAt: at + 2, length: first };
  const size = first & 0x7f;
  if (size === 0 || size > 3 || at + 2 + size > octets.length) return undefined;
  const length = octets.subarray(at + 2, at + 2 + size).reduce((sum, octet) => sum * 256 + octet, 0);
  return { tag, contentAt: at + 2 + size, length };
}

/**
 * Whether the octets begin like the bare RSAPublicKey of RFC 8017 §A.1.1. RFC 6376 §3.6.1 names that
 * structure, its Appendix C makes the other one, and verifiers had to learn both.
 */
export function isBareRsaKey(octets: Uint8Array): boolean {
  const outer = derHeader(octets, 0);
  return outer?.tag === SEQUENCE && octets[outer.contentAt] === INTEGER;
}

/** The public half of a key that node:crypto holds. */
export function dkimPublicKeyOf(key: KeyObject): Parsed<DkimPublicKey> {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  switch (publicKey.asymmetricKeyType) {
    case "rsa":
      return { ok: true, value: rsaKey(publicKey) };
    case "ed25519":
      return { ok: true, value: { keyType: "ed25519", spki: spkiOf(publicKey) } };
    default:
      return {
        ok: false,
        problem: `DKIM uses RSA and Ed25519 keys; this one is for ${publicKey.asymmetricKeyType ?? "encryption with a shared secret"}`,
      };
  }
}

/** The value of p=: SubjectPublicKeyInfo for RSA, the bare 32 octets for Ed25519 (RFC 8463 §4). */
export function encodeDkimKey(key: DkimPublicKey): string {
  const octets = key.keyType === "rsa" ? key.spki : key.spki.subarray(ED25519_SPKI_PREFIX.length);
  return Buffer.from(octets).toString("base64");
}

/** Same key material, however it was written. */
export function sameDkimKey(one: DkimPublicKey, other: DkimPublicKey): boolean {
  return Buffer.from(one.spki).equals(other.spki);
}

/** SHA-256 of the SubjectPublicKeyInfo, in hex: one name for a key in logs, stores and comparisons. */
export function dkimFingerprint(key: DkimPublicKey): string {
  return createHash("sha256").update(key.spki).digest("hex");
}

/** The first 64 bits of the fingerprint, for people: "1f0c 9a77 40b2 e6d1". */
export function shortDkimFingerprint(key: DkimPublicKey): string {
  return dkimFingerprint(key)
    .slice(0, 16)
    .replace(/(.{4})(?=.)/g, "$1 ");
}

/** "RSA with 2048 bits", "Ed25519". */
export function describeDkimKey(key: DkimPublicKey): string {
  return key.keyType === "rsa" ? `RSA with ${key.modulusBits} bits` : "Ed25519";
}
