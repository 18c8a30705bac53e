/** From the name of a key to a key that can verify (RFC 6376 §6.1.2), each made ready once. */
import { createPublicKey, type KeyObject } from "node:crypto";
import type { DomainName } from "../dns/name.ts";
import { txtText } from "../dns/record.ts";
import type { Resolver } from "../dns/resolver.ts";
import { type ActiveDkimKeyRecord, parseDkimKey } from "./key-record.ts";
import { type DkimSelector, tryDkimOwner } from "./selector.ts";

export interface UsableKey {
  readonly record: ActiveDkimKeyRecord;
  readonly publicKey: KeyObject;
}

export type KeyFault =
  | "key-unavailable"
  | "key-missing"
  | "key-revoked"
  | "key-syntax"
  | "key-too-short"
  | "key-too-large";

export type KeyLookup =
  /** At least one, and at most two: DNS leaves open which of several records counts. */
  | { readonly status: "found"; readonly keys: readonly UsableKey[] }
  | { readonly status: "unusable"; readonly cause: KeyFault; readonly problem: string };

/** RFC 8301 §3.2. */
const MIN_RSA_BITS = 1_024;
/** Twice what verifiers have to take (RFC 8301 §3.2). */
const MAX_RSA_BITS = 8_192;
/** 65,537 is what everyone uses; a long exponent makes verifying as dear as signing. */
const MAX_RSA_EXPONENT = 2n ** 33n;
const MAX_RECORDS = 8;
const MAX_KEYS_AT_A_NAME = 2;

type Reading = { readonly key: UsableKey } | { readonly cause: KeyFault; readonly problem: string };

/** Remembers keys by the text of their record, so that a change in DNS is a different key. */
export class DkimKeyRing {
  readonly #readings = new Map<string, Reading>();
  readonly #maxKeys: number;

  constructor(maxKeys = 4_096) {
    this.#maxKeys = maxKeys;
  }

  async lookup(
    dkimSelector: DkimSelector,
    signingDomain: DomainName,
    resolver: Resolver,
  ): Promise<KeyLookup> {
    const owner = tryDkimOwner(dkimSelector, signingDomain);
    if (owner === undefined)
      return unusable("key-missing", "the name of the key is longer than names may be");
    const answer = await resolver.lookup(owner, "TXT");
    if (answer.status === "unknown") return unusable("key-unavailable", `${owner} TXT: ${answer.detail}`);
    if (answer.status === "absent") return unusable("key-missing", `there is no key at ${owner}`);
    const readings = answer.records.slice(0, MAX_RECORDS).map(({ data }) => this.#read(txtText(data)));
    const keys = readings.flatMap((reading) => ("key" in reading ? [reading.key] : []));
    if (keys.length > 0) return { status: "found", keys: keys.slice(0, MAX_KEYS_AT_A_NAME) };
    const [first] = readings;
    if (first === undefined || "key" in first) return unusable("key-missing", `there is no key at ${owner}`);
    return unusable(first.cause, `${owner}: ${first.problem}`);
  }

  #read(text: string): Reading {
    const known = this.#readings.get(text);
    if (known !== undefined) return known;
    const reading = readKey(text);
    // The oldest goes first: a Map keeps the order in which it was filled.
    if (this.#readings.size >= this.#maxKeys) this.#readings.delete(this.#readings.keys().next().value!);
    this.#readings.set(text, reading);
    return reading;
  }
}

function unusable(cause: KeyFault, problem: string): KeyLookup {
  return { status: "unusable", cause, problem };
}

function readKey(text: string): Reading {
  const parsed = parseDkimKey(text);
  if (parsed.status === "revoked")
    return { cause: "key-revoked", problem: "the key was revoked (p= is empty)" };
  if (parsed.status === "invalid") return { cause: "key-syntax", problem: parsed.problem };
  const { record } = parsed;
  const { key } = record;
  if (key.keyType === "rsa" && key.modulusBits < MIN_RSA_BITS)
    return { cause: "key-too-short", problem: `RSA with ${key.modulusBits} bits proves nothing any more` };
  if (key.keyType === "rsa" && (key.modulusBits > MAX_RSA_BITS || key.publicExponent > MAX_RSA_EXPONENT))
    return {
      cause: "key-too-large",
      problem: `RSA with ${key.modulusBits} bits costs more than it is worth here`,
    };
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key.spki), format: "der", type: "spki" });
    return { key: { record, publicKey } };
  } catch {
    return { cause: "key-syntax", problem: "p= holds numbers that are no key" };
  }
}
