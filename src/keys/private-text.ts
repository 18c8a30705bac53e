/** Private keys as the files of signing programs hold them, and back. */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { type DkimPublicKey, dkimPublicKeyOf } from "../standards/dkim/public-key.ts";
import type { Parsed } from "../standards/dns/parsed.ts";
import type { KeyPair } from "./generate.ts";

/** Files with one key are far smaller. */
const MAX_PRIVATE_CHARACTERS = 65_536;
/** All of an Ed25519 private key in PKCS #8 in front of its 32 octets (RFC 8410 §7). */
const ED25519_PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** PEM: PKCS #1 for RSA, which every signing program reads, and PKCS #8 for Ed25519, which has nothing else. */
export function privatePem(privateKey: KeyObject, algorithm: DkimPublicKey["keyType"]): string {
  const type = algorithm === "rsa" ? "pkcs1" : "pkcs8";
  return privateKey.export({ format: "pem", type }).toString();
}

/** The bare 32 octets of an Ed25519 key in base64, as dkimpy keeps them. */
export function privateSeed(privateKey: KeyObject): string {
  const octets = privateKey.export({ format: "der", type: "pkcs8" });
  return `${octets.subarray(-32).toString("base64")}\n`;
}

/** As rspamd keeps an Ed25519 key: the 32 octets and those of the public half, in base64. */
export function privateSeedAndPublic(privateKey: KeyObject): string {
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const half = createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-32);
  return Buffer.concat([seed, half]).toString("base64");
}

/** PEM of either kind, or what the two above write. No problem repeats a piece of the source. */
export function readPrivateKey(source: string): Parsed<KeyPair> {
  const text = source.trim();
  if (text.length > MAX_PRIVATE_CHARACTERS) return { ok: false, problem: "the file is too long for a key" };
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type:.*ENCRYPTED/m.test(text)) {
    return {
      ok: false,
      problem: "the key is encrypted with a passphrase: take that off first (openssl pkey)",
    };
  }
  if (text.includes("-----BEGIN PUBLIC KEY-----")) {
    return { ok: false, problem: "this is only the public half" };
  }
  const privateKey = text.includes("-----BEGIN ") ? readPem(text) : readSeed(text);
  if (privateKey === undefined)
    return { ok: false, problem: "there is no private key in it that can be read" };
  const publicKey = dkimPublicKeyOf(privateKey);
  return publicKey.ok ? { ok: true, value: { publicKey: publicKey.value, privateKey } } : publicKey;
}

function readPem(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}

function readSeed(text: string): KeyObject | undefined {
  if (!/^(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)$/.test(text)) return undefined;
  const key = Buffer.concat([ED25519_PKCS8_PREFIX, Buffer.from(text, "base64").subarray(0, 32)]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}
