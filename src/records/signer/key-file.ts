/** The public half of what a signing program's key file holds. Nothing of the private half leaves this file. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { decodeBase64 } from "../../standards/dkim/key-record.ts";
import { readDkimPublicKey } from "../../standards/dkim/key-source.ts";
import { type DkimPublicKey, dkimPublicKeyOf } from "../../standards/dkim/public-key.ts";
import type { Parsed } from "../../standards/dns/parsed.ts";

const MAX_KEY_FILE_CHARACTERS = 65_536;
/** All of a PKCS #8 structure in front of the 32 octets of an Ed25519 seed (RFC 8410 §7). */
const ED25519_PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * PEM, the base64 of a private key in DER, or the bare base64 of an Ed25519 seed as dkimpy (32 octets) and
 * rspamd (64 octets, of which the second half is the public key) write it.
 */
export function publicHalfOf(text: string): Parsed<DkimPublicKey> {
  if (text.length > MAX_KEY_FILE_CHARACTERS) return { ok: false, problem: "the file is too long for a key" };
  if (text.includes("-----BEGIN ")) return readDkimPublicKey(text);
  const octets = decodeBase64(text.replace(/\s+/g, ""));
  if (octets === undefined || octets.length === 0) {
    return { ok: false, problem: "it holds neither PEM nor base64" };
  }
  const key =
    octets.length === 32 || octets.length === 64
      ? importDer(Buffer.concat([ED25519_PKCS8_PREFIX, octets.subarray(0, 32)]), "pkcs8")
      : (importDer(Buffer.from(octets), "pkcs8") ?? importDer(Buffer.from(octets), "pkcs1"));
  return key === undefined ? { ok: false, problem: "it holds no private key" } : dkimPublicKeyOf(key);
}

function importDer(key: Buffer, type: "pkcs8" | "pkcs1"): KeyObject | undefined {
  try {
    return createPrivateKey({ key, format: "der", type });
  } catch {
    return undefined;
  }
}
