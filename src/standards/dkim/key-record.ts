/**
 * The DKIM key record (RFC 6376 §3.6.1, RFC 8301, RFC 8463): what verifiers find at
 * `<selector>._domainkey.<domain>`.
 */
import type { Refused } from "../dns/parsed.ts";
import { splitTags, type Tag } from "../dns/tag-list.ts";
import { type DkimPublicKey, decodeDkimKey, encodeDkimKey, type UnreadableKey } from "./public-key.ts";

export interface DkimKeyRecord {
  /** `k`: the type that the record names, "rsa" where it names none. */
  readonly keyType: string;
  /** `p`; undefined where it is empty: the key is revoked. */
  readonly key: DkimPublicKey | undefined;
  /** `h`: the hashes that signatures may use; undefined allows all. Unknown ones are left out, as verifiers do. */
  readonly hashes: readonly DkimHash[] | undefined;
  /** `s`: "*", or the services the key is for: "email", "tlsrpt" (RFC 8460 §3). */
  readonly services: readonly string[];
  /** `t=y`: verifiers treat failing signatures like no signature. */
  readonly testing: boolean;
  /** `t=s`: the domain of i= must be that of d=, not a sub-domain of it. */
  readonly strictIdentity: boolean;
  /** `n`, as it stands in the record (quoted-printable). */
  readonly notes: string | undefined;
}

export type DkimHash = "sha1" | "sha256";

export interface ActiveDkimKeyRecord extends DkimKeyRecord {
  readonly keyType: DkimPublicKey["keyType"];
  readonly key: DkimPublicKey;
}

export type DkimKeyReading =
  | { readonly status: "valid"; readonly record: ActiveDkimKeyRecord }
  /** Verifiers fail every signature that names this key. */
  | { readonly status: "revoked"; readonly record: DkimKeyRecord }
  /** Verifiers find no key here. */
  | InvalidDkimKey;

export interface InvalidDkimKey extends Omit<Refused, "ok"> {
  readonly status: "invalid";
  /** The remark's code. */
  readonly code:
    | "dkim-syntax"
    | "dkim-duplicate-tag"
    | "dkim-stored-quotes"
    | "dkim-stored-backslash"
    | "dkim-version"
    | "dkim-missing-key"
    | "dkim-key-type"
    | "dkim-base64"
    | UnreadableKey["code"];
  /** How many characters are concerned, from `offset`. */
  readonly length: number;
}

/** A record for a key with nothing unusual about it. */
export function recordForKey(key: DkimPublicKey): ActiveDkimKeyRecord {
  return { ...DEFAULTS, keyType: key.keyType, key };
}

const DEFAULTS = {
  hashes: undefined,
  services: ["*"],
  testing: false,
  strictIdentity: false,
  notes: undefined,
} as const satisfies Partial<DkimKeyRecord>;

/** Keys stay with their selector when they are revoked; what else the record said does not matter any more. */
export const REVOKED: DkimKeyRecord = { ...DEFAULTS, keyType: "rsa", key: undefined };

/** Whether a TXT text means to be a DKIM key, rightly written or not. */
export function looksLikeDkimKey(text: string): boolean {
  return /^[\s"(]*v\s*=\s*DKIM1/i.test(text) || /^[\s"(]*(?:[khgtns]\s*=[^;]*;\s*)*p\s*=\s*MI[GI]/.test(text);
}

export function parseDkimKey(text: string): DkimKeyReading {
  const { tags } = splitTags(text);
  const fault = damageOf(tags) ?? syntaxFault(tags) ?? versionFault(tags);
  if (fault !== undefined) return fault;
  const read = (name: string) => tags.find((tag) => tag.name === name)?.value;
  const p = tags.find((tag) => tag.name === "p");
  if (p === undefined) return missingKey(text, tags);
  const flags = colonList(read("t") ?? "");
  const hashes = read("h");
  const services = read("s");
  const record = {
    hashes: hashes === undefined ? undefined : colonList(hashes).filter(isHash),
    services: services === undefined ? DEFAULTS.services : colonList(services),
    testing: flags.includes("y"),
    strictIdentity: flags.includes("s"),
    notes: read("n"),
  };
  const keyType = read("k") ?? "rsa";
  if (p.value === "") return { status: "revoked", record: { ...record, keyType, key: undefined } };
  if (keyType !== "rsa" && keyType !== "ed25519") {
    const k = tags.find((tag) => tag.name === "k")!;
    const known = ["rsa", "ed25519"].find((type) => type === keyType.toLowerCase());
    const remedy = known === undefined ? "" : `; write k=${known}`;
    return invalid("dkim-key-type", `verifiers ignore keys of the unknown type "${keyType}"${remedy}`, k);
  }
  const octets = decodeBase64(p.value!);
  if (octets === undefined) return base64Fault(p);
  const key = decodeDkimKey(keyType, octets);
  if (key.ok) return { status: "valid", record: { ...record, keyType, key: key.value } };
  const problem =
    key.code === "dkim-key-cut-off"
      ? `the key is cut off after ${withoutBlanks(p.value!).length} characters: ${key.problem}${cutBy(text)}`
      : `p= holds no usable key: ${key.problem}`;
  return invalid(key.code, problem, p);
}

/** RFC 1035 §3.3: what fits into one character-string, and into many a form's field. */
const STRING_OCTETS = 255;

function cutBy(text: string): string {
  return text.length === STRING_OCTETS
    ? "; the whole text ends at 255 characters, where forms cut that cannot store more than one string"
    : "";
}

function invalid(code: InvalidDkimKey["code"], problem: string, tag: Tag): InvalidDkimKey {
  return { status: "invalid", code, problem, offset: tag.offset, length: tag.text.length || 1 };
}

/**
 * Quotes and backslashes belong to zone files, not into the value. Nothing but notes may hold them (their
 * qp-section takes any printable character), and base64 never does.
 */
function damageOf(tags: readonly Tag[]): InvalidDkimKey | undefined {
  for (const tag of tags) {
    if (tag.name === "n") continue;
    if (tag.text.includes('"')) {
      const problem = "quotation marks were stored as part of the value; they belong into zone files only";
      return invalid("dkim-stored-quotes", problem, tag);
    }
    if (tag.text.includes("\\")) {
      const problem = "a backslash was stored as part of the value; semicolons need none in DNS itself";
      return invalid("dkim-stored-backslash", problem, tag);
    }
  }
  return undefined;
}

/** RFC 6376 §3.2: a broken part or a second tag of one name makes the whole list invalid. */
function syntaxFault(tags: readonly Tag[]): InvalidDkimKey | undefined {
  const seen = new Set<string>();
  for (const tag of tags) {
    if (tag.value === undefined) {
      return invalid(
        "dkim-syntax",
        `"${shortened(tag.text)}" has no "="; a record is a list of tag=value`,
        tag,
      );
    }
    if (!isTagName(tag.name)) {
      return invalid("dkim-syntax", `"${shortened(tag.name)}" is no tag name`, tag);
    }
    if (seen.has(tag.name)) {
      return invalid("dkim-duplicate-tag", `${tag.name}= stands twice, which makes the record invalid`, tag);
    }
    seen.add(tag.name);
  }
  return undefined;
}

/** RFC 6376 §3.2 tag-name. */
export const isTagName = (name: string): boolean => /^[A-Za-z][A-Za-z0-9_]*$/.test(name);

/** For messages: long keys do not belong there. */
export const shortened = (text: string): string => (text.length > 24 ? `${text.slice(0, 20)}…` : text);

function versionFault(tags: readonly Tag[]): InvalidDkimKey | undefined {
  const at = tags.findIndex((tag) => tag.name === "v");
  const v = tags[at];
  if (v === undefined || (at === 0 && v.value === "DKIM1")) return undefined;
  if (at > 0) return invalid("dkim-version", "v= must be the first tag, or be left out", v);
  return invalid("dkim-version", `the version must be exactly DKIM1, not "${shortened(v.value!)}"`, v);
}

function missingKey(text: string, tags: readonly Tag[]): InvalidDkimKey {
  const wrongCase = tags.find((tag) => tag.name === "P");
  if (wrongCase !== undefined) {
    return invalid("dkim-missing-key", "P= is not p=: tag names are case-sensitive", wrongCase);
  }
  const problem = "there is no p=, so the record holds no key";
  return { status: "invalid", code: "dkim-missing-key", problem, offset: text.trimEnd().length, length: 1 };
}

/** Verifiers match these names exactly (§3.2: values are case-sensitive unless said otherwise). */
function colonList(value: string): string[] {
  return value
    .split(":")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function isHash(name: string): name is DkimHash {
  return name === "sha1" || name === "sha256";
}

/** RFC 6376 §2.10: white space may stand anywhere in base64. */
export const withoutBlanks = (value: string): string => value.replace(/[ \t\r\n]/g, "");

/** RFC 6376 §2.10 base64string; the padding is optional there. Undefined for anything else. */
export function decodeBase64(value: string): Uint8Array | undefined {
  const plain = withoutBlanks(value);
  return /^[A-Za-z0-9+/]+={0,2}$/.test(plain) ? Uint8Array.from(Buffer.from(plain, "base64")) : undefined;
}

function base64Fault(p: Tag): InvalidDkimKey {
  const at = p.value!.search(/[^A-Za-z0-9+/= \t\r\n]|=(?![=\s]*$)|^=/);
  const character = [...p.value!.slice(at)][0] ?? "=";
  const urlSafe = /[-_]/.test(character) ? "; it looks like the URL-safe variant" : "";
  const problem = `p= is not base64: "${character}" does not belong there${urlSafe}`;
  return {
    status: "invalid",
    code: "dkim-base64",
    problem,
    offset: p.valueOffset + Math.max(at, 0),
    length: 1,
  };
}

/**
 * `explicit` names the type of RSA keys too (`v=DKIM1; k=rsa; p=…`), which no verifier needs and some
 * checkers ask for; `short` leaves defaults out (`v=DKIM1; p=…`).
 */
export type DkimKeyShape = "explicit" | "short";

export function formatDkimKey(record: DkimKeyRecord, shape: DkimKeyShape = "explicit"): string {
  const namesType = record.keyType !== "rsa" || (shape === "explicit" && record.key !== undefined);
  const flags = [...(record.testing ? ["y"] : []), ...(record.strictIdentity ? ["s"] : [])];
  const services = record.services.join(":");
  const tags: readonly (readonly [string, string | undefined])[] = [
    ["v", "DKIM1"],
    ["h", record.hashes?.join(":")],
    ["k", namesType ? record.keyType : undefined],
    ["s", services === "*" ? undefined : services],
    ["t", flags.join(":") || undefined],
    ["n", record.notes],
    ["p", record.key === undefined ? "" : encodeDkimKey(record.key)],
  ];
  return tags.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])).join("; ");
}

/**
 * The text without what copying and forms put into it: quotes and their seams, backslashes, blanks in the
 * key. Undefined where there is nothing of the kind, or where the rest is still no key.
 */
export function repairDkimKey(text: string): string | undefined {
  const unquoted = damageOf(splitTags(text).tags) === undefined ? text : unquote(text);
  const p = splitTags(unquoted).tags.find((tag) => tag.name === "p");
  if (p?.value === undefined) return undefined;
  const end = p.valueOffset + p.value.length;
  const repaired = unquoted.slice(0, p.valueOffset) + withoutBlanks(p.value) + unquoted.slice(end);
  return repaired !== text && parseDkimKey(repaired).status === "valid" ? repaired : undefined;
}

function unquote(text: string): string {
  return text
    .replace(/\\(?=[";\\])/g, "")
    .replace(/"\s*"/g, "")
    .replace(/["\\]/g, "")
    .trim();
}
