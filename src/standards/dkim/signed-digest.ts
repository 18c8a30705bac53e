/** What was signed, as far as the signature itself tells it (RFC 8017 §8.2.2): RSA gives the hash back. */
import { constants, createHash, createPublicKey, type KeyObject, publicDecrypt, verify } from "node:crypto";
import type { DkimPublicKey } from "./public-key.ts";

export type SignedDigest =
  /** SHA-256 of the header as it was signed. */
  | { readonly status: "recovered"; readonly digest: Buffer }
  /** Another hash than a= says. */
  | { readonly status: "other-hash"; readonly name: string }
  /** What the key makes of the signature is no hash: another key made it, or the signature is damaged. */
  | { readonly status: "not-this-key" }
  /** The number of octets does not fit the key. */
  | { readonly status: "wrong-length"; readonly octets: number; readonly expected: number }
  /** Ed25519 gives nothing back. */
  | { readonly status: "hidden" };

const SHA256_PREFIX = Buffer.from("3031300d060960864801650304020105000420", "hex");
const OTHER_HASHES: readonly (readonly [string, Buffer])[] = [
  ["SHA-1", Buffer.from("3021300906052b0e03021a05000414", "hex")],
  ["MD5", Buffer.from("3020300c06082a864886f70d020505000410", "hex")],
  ["SHA-384", Buffer.from("3041300d060960864801650304020205000430", "hex")],
  ["SHA-512", Buffer.from("3051300d060960864801650304020305000440", "hex")],
];

export function recoverSignedDigest(key: DkimPublicKey, signature: Uint8Array): SignedDigest {
  if (key.keyType === "ed25519") {
    return signature.length === 64
      ? { status: "hidden" }
      : { status: "wrong-length", octets: signature.length, expected: 64 };
  }
  const expected = Math.ceil(key.modulusBits / 8);
  if (signature.length !== expected) return { status: "wrong-length", octets: signature.length, expected };
  let info: Buffer;
  try {
    info = publicDecrypt({ key: publicKeyOf(key), padding: constants.RSA_PKCS1_PADDING }, signature);
  } catch {
    return { status: "not-this-key" };
  }
  if (startsWith(info, SHA256_PREFIX) && info.length === SHA256_PREFIX.length + 32)
    return { status: "recovered", digest: info.subarray(SHA256_PREFIX.length) };
  const other = OTHER_HASHES.find(([, prefix]) => startsWith(info, prefix));
  return other === undefined ? { status: "not-this-key" } : { status: "other-hash", name: other[0] };
}

const startsWith = (octets: Buffer, prefix: Buffer): boolean =>
  octets.subarray(0, prefix.length).equals(prefix);

export const publicKeyOf = ({ spki }: DkimPublicKey): KeyObject =>
  createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });

/** Whether this header is the one that was signed; undefined where the signature can tell of none. */
export function signedHeaderTest(
  key: DkimPublicKey,
  signature: Uint8Array,
): { readonly matches: (data: Buffer) => boolean; readonly isCheap: boolean } | undefined {
  const signed = recoverSignedDigest(key, signature);
  if (signed.status === "recovered") {
    return { isCheap: true, matches: (data) => sha256(data).equals(signed.digest) };
  }
  if (signed.status !== "hidden") return undefined;
  const publicKey = publicKeyOf(key);
  return { isCheap: false, matches: (data) => verify(null, sha256(data), publicKey, signature) };
}

const sha256 = (data: Uint8Array): Buffer => createHash("sha256").update(data).digest();
