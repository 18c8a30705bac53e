/** A DKIM public key out of whatever people have at hand. */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import type { Parsed } from "../dns/parsed.ts";
import { decodeBase64, looksLikeDkimKey, parseDkimKey, repairDkimKey } from "./key-record.ts";
import { type DkimPublicKey, decodeDkimKey, dkimPublicKeyOf } from "./public-key.ts";

/** Files with keys are far smaller; what is larger is some other file. */
const MAX_SOURCE_CHARACTERS = 65_536;

/**
 * Reads a PEM public key, a PEM private key (of which only the public half is kept), the base64 of a
 * SubjectPublicKeyInfo or of 32 Ed25519 octets, the text of a key record, or the zone file lines that
 * signing programs print. No problem repeats a piece of the source: it may be a private key.
 */
export function readDkimPublicKey(source: string): Parsed<DkimPublicKey> {
  const text = source.trim();
  if (text === "") return { ok: false, problem: "the key is empty" };
  if (text.length > MAX_SOURCE_CHARACTERS) return { ok: false, problem: "the text is too long for a key" };
  if (text.includes("-----BEGIN ")) return readPem(text);
  const record = recordTextOf(text);
  return record === undefined ? readBase64(text) : readRecord(record);
}

function readPem(text: string): Parsed<DkimPublicKey> {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type:.*ENCRYPTED/m.test(text)) {
    return { ok: false, problem: "the private key is encrypted; give its public half" };
  }
  const isPrivate = / PRIVATE KEY-----/.test(text);
  const key = tryImport(() => (isPrivate ? createPrivateKey(text) : createPublicKey(text)));
  return key === undefined
    ? { ok: false, problem: `the PEM text is damaged or holds no ${isPrivate ? "private" : "public"} key` }
    : dkimPublicKeyOf(key);
}

function tryImport(read: () => KeyObject): KeyObject | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/**
 * The record in a text: the text itself, or the joined strings of a zone file's TXT line. A string that never
 * ends runs to the end of the text, so that hostile quotes cost no more than others.
 */
function recordTextOf(text: string): string | undefined {
  if (looksLikeDkimKey(text) && !/^[\s(]*"/.test(text)) return text;
  const strings = [...text.matchAll(/"((?:[^"\\]|\\.)*)(?:"|\\?$)/gs)].map(([, inner = ""]) =>
    inner.replace(/\\(.)/gs, "$1"),
  );
  const joined = strings.join("");
  if (looksLikeDkimKey(joined)) return joined;
  return /(?:^|;)\s*p\s*=/.test(text) ? text : undefined;
}

function readRecord(text: string): Parsed<DkimPublicKey> {
  const reading = parseDkimKey(repairDkimKey(text) ?? text);
  switch (reading.status) {
    case "valid":
      return { ok: true, value: reading.record.key };
    case "revoked":
      return { ok: false, problem: "the record revokes its key: p= is empty" };
    case "invalid":
      return { ok: false, problem: reading.problem };
    default:
      return reading satisfies never;
  }
}

function readBase64(text: string): Parsed<DkimPublicKey> {
  const octets = decodeBase64(text);
  if (octets === undefined) {
    return { ok: false, problem: "this is neither PEM nor base64 nor a DKIM record" };
  }
  if (octets.length === 32) return decodeDkimKey("ed25519", octets);
  const key = tryImport(() => createPublicKey({ key: Buffer.from(octets), format: "der", type: "spki" }));
  return key === undefined ? decodeDkimKey("rsa", octets) : dkimPublicKeyOf(key);
}
