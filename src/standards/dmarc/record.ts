/**
 * The DMARC Policy Record (RFC 9989 §4.7, §4.8): text to what receivers act on, and back.
 *
 * Reading is as forgiving as the standard and no more: the version must be there and right, anything broken
 * behind it falls back to its default. Writing is strict, and pleases receivers of RFC 7489 (historic) too:
 * p directly behind v.
 */
import { type DomainName, parseDomainName } from "../dns/name.ts";
import type { Parsed } from "../dns/parsed.ts";
import { splitTags, type Tag } from "../dns/tag-list.ts";

export type DmarcPolicy = "none" | "quarantine" | "reject";
export type AlignmentMode = "relaxed" | "strict";

/** `0` all mechanisms fail to align, `1` any does; `d` a DKIM, `s` an SPF failure, aligned or not (§4.7 fo). */
export type FailureOption = "0" | "1" | "d" | "s";

export interface DmarcRecord {
  /**
   * What receivers act on (§4.10.1): `p`; or `none` where a policy tag is missing or invalid but reports are
   * asked for. Undefined where they are not: then the record only marks a place in the tree, and no DMARC
   * applies.
   */
  readonly policy: DmarcPolicy | undefined;
  /** `sp`, for existing sub-domains; undefined falls back to `policy`. */
  readonly subdomainPolicy: DmarcPolicy | undefined;
  /** `np`, for sub-domains that do not exist; undefined falls back to `sp`, then `policy`. */
  readonly nonexistentPolicy: DmarcPolicy | undefined;
  /** `t=y`: policies act one level lower. */
  readonly testing: boolean;
  /** `psd`: a public suffix (`y`), surely an Organizational Domain (`n`), or as the tree walk finds (`u`). */
  readonly psd: "y" | "n" | "u";
  readonly dkimAlignment: AlignmentMode;
  readonly spfAlignment: AlignmentMode;
  /** `rua`, syntactically valid URIs without the obsolete size limits. */
  readonly aggregateUris: readonly string[];
  /** `ruf`, likewise. */
  readonly failureUris: readonly string[];
  /** `fo`; receivers ignore it without `ruf`. */
  readonly failureOptions: readonly FailureOption[];
}

/** A record that says nothing but "watch": the start for records built by hand. */
export const MONITORING: DmarcRecord = {
  policy: "none",
  subdomainPolicy: undefined,
  nonexistentPolicy: undefined,
  testing: false,
  psd: "u",
  dkimAlignment: "relaxed",
  spfAlignment: "relaxed",
  aggregateUris: [],
  failureUris: [],
  failureOptions: ["0"],
};

/**
 * Whether a TXT text is a DMARC Policy Record at all (§4.8 dmarc-version): nothing in front of "v", the value
 * in exactly this case. The letter of the tag itself has no case in the grammar.
 */
export function isDmarcRecord(text: string): boolean {
  return /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text.replace(/^V/, "v"));
}

/** Refused where receivers discard the text (§4.10 step 2). What they forgive is told by `remarksOnDmarcText`. */
export function parseDmarcRecord(text: string): Parsed<DmarcRecord> {
  if (!isDmarcRecord(text)) return { ok: false, problem: "a DMARC record begins with v=DMARC1", offset: 0 };
  const tags = readKnownTags(text);
  const aggregateUris = readUris(tags.get("rua")).uris;
  const policies = effectivePolicies(tags, aggregateUris.length > 0);
  const record: DmarcRecord = {
    ...policies,
    testing: readLetter(tags.get("t"), ["y", "n"]) === "y",
    psd: readLetter(tags.get("psd"), ["y", "n", "u"]) ?? "u",
    dkimAlignment: readLetter(tags.get("adkim"), ["r", "s"]) === "s" ? "strict" : "relaxed",
    spfAlignment: readLetter(tags.get("aspf"), ["r", "s"]) === "s" ? "strict" : "relaxed",
    aggregateUris,
    failureUris: readUris(tags.get("ruf")).uris,
    failureOptions: readFailureOptions(tags.get("fo")) ?? ["0"],
  };
  return { ok: true, value: record };
}

/** The tags of the registry (§9) by name; of a tag that stands twice the first counts. */
export const KNOWN_TAGS = ["v", "p", "sp", "np", "t", "psd", "adkim", "aspf", "rua", "ruf", "fo"] as const;
export type KnownTag = (typeof KNOWN_TAGS)[number];

export function knownTag(tag: Tag): KnownTag | undefined {
  return KNOWN_TAGS.find((name) => name === tag.name.toLowerCase() && tag.value !== undefined);
}

function readKnownTags(text: string): ReadonlyMap<KnownTag, string> {
  const values = new Map<KnownTag, string>();
  for (const tag of splitTags(text).tags) {
    const name = knownTag(tag);
    if (name !== undefined && !values.has(name)) values.set(name, tag.value!);
  }
  return values;
}

/** §4.10.1: one missing or invalid policy makes all of them `none`, or, without `rua`, no DMARC at all. */
function effectivePolicies(tags: ReadonlyMap<KnownTag, string>, hasReports: boolean) {
  const [policy, subdomainPolicy, nonexistentPolicy] = (["p", "sp", "np"] as const).map((name) =>
    readPolicy(tags.get(name)),
  );
  const isSound =
    policy !== undefined &&
    tags.has("sp") === (subdomainPolicy !== undefined) &&
    tags.has("np") === (nonexistentPolicy !== undefined);
  if (isSound) return { policy, subdomainPolicy, nonexistentPolicy };
  return {
    policy: hasReports ? ("none" as const) : undefined,
    subdomainPolicy: undefined,
    nonexistentPolicy: undefined,
  };
}

export function readPolicy(value: string | undefined): DmarcPolicy | undefined {
  return (["none", "quarantine", "reject"] as const).find((policy) => policy === value?.toLowerCase());
}

export function readLetter<L extends string>(
  value: string | undefined,
  letters: readonly L[],
): L | undefined {
  return letters.find((letter) => letter === value?.toLowerCase());
}

/** §4.8 dmarc-fo: each letter once, 0 and 1 not together. White space around the colons is forgiven. */
export function readFailureOptions(value: string | undefined): FailureOption[] | undefined {
  if (value === undefined) return undefined;
  const options = value.split(":").map((part) => readLetter(part.trim(), ["0", "1", "d", "s"] as const));
  const sound = options.filter((option) => option !== undefined);
  const isSound = sound.length === options.length && new Set(sound).size === sound.length;
  return isSound && !(sound.includes("0") && sound.includes("1")) ? sound : undefined;
}

/** More destinations than this are not read; receivers stop much earlier. */
const MAX_URIS = 50;

export interface ReportUris {
  readonly uris: readonly string[];
  readonly invalid: readonly string[];
  /** URIs that were written with an obsolete size limit such as "!10m". */
  readonly limited: readonly string[];
}

/** §4.8 dmarc-urilist; an unusable part is left out, the others stay. */
export function readUris(value: string | undefined): ReportUris {
  const uris: string[] = [];
  const invalid: string[] = [];
  const limited: string[] = [];
  for (const part of (value ?? "").split(",", MAX_URIS)) {
    const written = part.trim();
    const uri = written.replace(/![0-9]+[kmgt]?$/i, "");
    if (uri !== written) limited.push(written);
    if (isReportUri(uri)) uris.push(uri);
    else if (written !== "") invalid.push(written);
  }
  return { uris, invalid, limited };
}

/** RFC 3986 syntax as far as it matters here; "!" and "," must be percent-encoded (RFC 9989 §4.8). */
function isReportUri(uri: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:[\x22-\x2b\x2d-\x3a\x3c-\x7e]+$/i.test(uri)) return false;
  return !/^mailto:/i.test(uri) || reportDomain(uri) !== undefined;
}

/** The host that a report goes to: of the mail address, or of the URI's authority (RFC 9990 §4). */
export function reportDomain(uri: string): DomainName | undefined {
  const host =
    /^mailto:[^@?]+@([^@?]+)(?:\?.*)?$/i.exec(uri)?.[1] ??
    /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#@:]+)/i.exec(uri)?.[1];
  const name = host === undefined ? undefined : parseDomainName(host);
  return name?.ok ? name.value : undefined;
}

/**
 * Always v and p first, then one order; the removed tags never, and defaults only where `spelledOut` names
 * their tags.
 */
export function formatDmarcRecord(record: DmarcRecord, spelledOut: readonly KnownTag[] = []): string {
  const unlessDefault = (tag: KnownTag, value: string, byDefault: string) =>
    [tag, value !== byDefault || spelledOut.includes(tag) ? value : undefined] as const;
  const letter = { relaxed: "r", strict: "s" } as const;
  const tags: readonly (readonly [KnownTag, string | undefined])[] = [
    ["v", "DMARC1"],
    ["p", record.policy],
    ["sp", record.subdomainPolicy],
    ["np", record.nonexistentPolicy],
    unlessDefault("t", record.testing ? "y" : "n", "n"),
    unlessDefault("psd", record.psd, "u"),
    ["rua", formatUris(record.aggregateUris)],
    ["ruf", formatUris(record.failureUris)],
    unlessDefault("fo", record.failureOptions.join(":") || "0", "0"),
    unlessDefault("aspf", letter[record.spfAlignment], "r"),
    unlessDefault("adkim", letter[record.dkimAlignment], "r"),
  ];
  return tags.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])).join("; ");
}

/** The characters with a meaning of their own in the record are percent-encoded (§4.8 dmarc-uri). */
function formatUris(uris: readonly string[]): string | undefined {
  const encode = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return uris.map((uri) => uri.replace(/[,;!]/g, encode)).join(",") || undefined;
}

const STRENGTH: Readonly<Record<DmarcPolicy, number>> = { none: 0, quarantine: 1, reject: 2 };

export function isWeaker(one: DmarcPolicy, other: DmarcPolicy): boolean {
  return STRENGTH[one] < STRENGTH[other];
}

/** §4.7 t: what is really asked for while a record is tested, one level lower. */
export function inTesting(policy: DmarcPolicy): DmarcPolicy {
  return policy === "reject" ? "quarantine" : "none";
}
