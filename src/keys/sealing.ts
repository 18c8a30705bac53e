/**
 * Private keys at rest: sealed with AES-256-GCM under one master key. A sealed key is bound to its domain and selector:
 * put beside another's, it does not open.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createSecretKey,
  type KeyObject,
} from "node:crypto";
import type { Parsed } from "../standards/dns/parsed.ts";
import type { KeyName } from "./key-name.ts";

declare const sealed: unique symbol;
/** `zonepost-sealed-1.MASTER.NONCE.CIPHERTEXT.CHECK`, each part in the base64 of URLs. */
export type SealedKey = string & { readonly [sealed]: "SealedKey" };

/** 32 octets; shows nothing of itself when it is printed. */
export interface MasterKey {
  readonly key: KeyObject;
  /** Tells master keys apart, and nothing else about them. */
  readonly id: string;
}

const VERSION = "zonepost-sealed-1";
const MASTER_OCTETS = 32;
/** NIST SP 800-38D §5.2.1.1: the nonce that GCM takes as it is. */
const NONCE_OCTETS = 12;
const TAG_OCTETS = 16;
const ID_OCTETS = 8;
const CHECK_OCTETS = 8;
/** RSA with 16,384 bits, sealed, is shorter. */
const MAX_SEALED_CHARACTERS = 16_384;

/** Octets that nobody can foretell: `randomBytes` of node:crypto, or a test's own. */
export type RandomOctets = (count: number) => Uint8Array;

/** 32 octets as they are, in hex or in base64. No problem repeats a piece of the source. */
export function readMasterKey(source: Uint8Array): Parsed<MasterKey> {
  const octets = masterOctets(source);
  if (octets === undefined) {
    return {
      ok: false,
      problem: `a seal key is 32 random octets, as they are, as 64 hex digits or in base64 (openssl rand -base64 32 makes one); this has ${source.length} octets and is none of these`,
    };
  }
  if (octets.every((octet) => octet === octets[0])) {
    return {
      ok: false,
      problem: "all 32 octets of the seal key are the same; make a random one (openssl rand -base64 32)",
    };
  }
  const id = createHmac("sha256", octets).update("zonepost: which seal key").digest().subarray(0, ID_OCTETS);
  return { ok: true, value: { key: createSecretKey(octets), id: id.toString("base64url") } };
}

function masterOctets(source: Uint8Array): Uint8Array | undefined {
  if (source.length === MASTER_OCTETS) return source;
  if (source.length > 200) return undefined;
  const text = Buffer.from(source).toString("latin1").trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex");
  return /^[A-Za-z0-9+/]{43}=?$|^[A-Za-z0-9_-]{43}=?$/.test(text) ? Buffer.from(text, "base64") : undefined;
}

/** A new master key, as the text of its file. */
export function newMasterKeyText(random: RandomOctets): string {
  return `${Buffer.from(random(MASTER_OCTETS)).toString("base64")}\n`;
}

export function sealKey(
  privateKey: KeyObject,
  name: KeyName,
  master: MasterKey,
  random: RandomOctets,
): SealedKey {
  const nonce = random(NONCE_OCTETS);
  if (nonce.length !== NONCE_OCTETS) throw new RangeError(`a nonce has ${NONCE_OCTETS} octets`);
  const cipher = createCipheriv("aes-256-gcm", master.key, nonce);
  cipher.setAAD(boundTo(name, master.id));
  const plain = privateKey.export({ format: "der", type: "pkcs8" });
  const octets = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  plain.fill(0);
  const parts = [VERSION, master.id, Buffer.from(nonce).toString("base64url"), octets.toString("base64url")];
  return [...parts, checkOf(parts)].join(".") as SealedKey;
}

/** No part may hold a NUL, so no two names make the same octets. */
const boundTo = ({ signingDomain, dkimSelector }: KeyName, masterId: string): Buffer =>
  Buffer.from([VERSION, masterId, signingDomain, dkimSelector].join("\0"), "utf8");

/** Against damage alone; it is no secret and proves nothing. */
const checkOf = (parts: readonly string[]): string =>
  createHash("sha256").update(parts.join(".")).digest().subarray(0, CHECK_OCTETS).toString("base64url");

export type Opened =
  | { readonly status: "opened"; readonly privateKey: KeyObject }
  /** Whole, and sealed under another master key. */
  | { readonly status: "other-master-key"; readonly problem: string }
  /** Not the text that was once written. */
  | { readonly status: "damaged"; readonly problem: string }
  /** Whole by its check, and yet it is not this key's: taken from another's place, or changed on purpose. */
  | { readonly status: "foreign"; readonly problem: string };

export function openSealedKey(text: string, name: KeyName, master: MasterKey): Opened {
  const whose = `the private key of ${name.dkimSelector}._domainkey.${name.signingDomain}`;
  const parts = text.length > MAX_SEALED_CHARACTERS ? [] : text.split(".");
  const [version = "", id = "", nonceText = "", octetsText = "", check] = parts;
  const nonce = Buffer.from(nonceText, "base64url");
  const octets = Buffer.from(octetsText, "base64url");
  const isWhole =
    parts.length === 5 &&
    check === checkOf(parts.slice(0, 4)) &&
    nonce.length === NONCE_OCTETS &&
    octets.length > TAG_OCTETS;
  if (!isWhole) {
    return { status: "damaged", problem: `${whose} is damaged: bring it back from a backup` };
  }
  if (version !== VERSION) {
    return { status: "damaged", problem: `${whose} is sealed in a way that this version does not know` };
  }
  if (id !== master.id) {
    return {
      status: "other-master-key",
      problem: `${whose} was sealed under another seal key (${id}) than the one at hand (${master.id}): give the right one`,
    };
  }
  const plain = decipher(nonce, octets, boundTo(name, id), master.key);
  const privateKey = plain && readPkcs8(plain);
  plain?.fill(0);
  return privateKey === undefined
    ? {
        status: "foreign",
        problem: `${whose} does not open, though it is whole: it was sealed for another domain or selector, or was changed`,
      }
    : { status: "opened", privateKey };
}

function decipher(
  nonce: Uint8Array,
  octets: Uint8Array,
  bound: Buffer,
  key: KeyObject,
): Uint8Array | undefined {
  const cipherText = octets.subarray(0, octets.length - TAG_OCTETS);
  const decipherer = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_OCTETS });
  decipherer.setAAD(bound);
  decipherer.setAuthTag(octets.subarray(octets.length - TAG_OCTETS));
  try {
    return Buffer.concat([decipherer.update(cipherText), decipherer.final()]);
  } catch {
    return undefined;
  }
}

function readPkcs8(octets: Uint8Array): KeyObject | undefined {
  try {
    return createPrivateKey({ key: Buffer.from(octets), format: "der", type: "pkcs8" });
  } catch {
    return undefined;
  }
}

export type Resealed =
  | { readonly status: "resealed"; readonly sealed: SealedKey }
  | Exclude<Opened, { status: "opened" }>;

/** `known`: the id of the key that a state remembers (SealStore). */
export const otherSealKey = (known: string, { id }: MasterKey): string =>
  `all that is kept here was sealed under another seal key (${known}) than the one at hand (${id}): bring seal.key from where the state was begun, such as another node, or from its backup. Where nodes have sealed under keys of their own, zonepost keys reseal --old-seal-key puts all under one`;

/** The same private key under a new master key. */
export function resealKey(
  text: string,
  name: KeyName,
  from: MasterKey,
  to: MasterKey,
  random: RandomOctets,
): Resealed {
  const opened = openSealedKey(text, name, from);
  if (opened.status !== "opened") return opened;
  return { status: "resealed", sealed: sealKey(opened.privateKey, name, to, random) };
}
