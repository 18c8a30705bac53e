/** The DKIM-Signature field (RFC 6376 §3.5), taken apart as strictly as §6.1.1 asks for. */
import { type DomainName, isWithin, labelCount, parseDomainName } from "../dns/name.ts";
import { splitTags } from "../dns/tag-list.ts";
import type { OctetText } from "../message/header-field.ts";
import type { Canonicalization } from "./canonical.ts";
import { decodeBase64, isTagName, shortened } from "./key-record.ts";
import type { DkimPublicKey } from "./public-key.ts";
import { type DkimSelector, parseDkimSelector } from "./selector.ts";

export const DKIM_SIGNATURE = "dkim-signature";

export interface DkimSignature {
  /** `a`: rsa-sha1 is read as well, and never verified (RFC 8301 §3.1). */
  readonly keyType: DkimPublicKey["keyType"];
  readonly hash: "sha1" | "sha256";
  /** `b` */
  readonly signature: Uint8Array;
  /** `bh` */
  readonly bodyHash: Uint8Array;
  /** `c` */
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  readonly signingDomain: DomainName;
  readonly dkimSelector: DkimSelector;
  /** `i`, decoded; "@" and d= where there is none. */
  readonly agentId: string;
  /** `h`, in lower case, in the order of the field. */
  readonly signedFields: readonly string[];
  /** `l`: so many octets of the canonical body are signed; undefined means all. */
  readonly bodyLength: number | undefined;
  /** `t` and `x`. */
  readonly signedAt: Date | undefined;
  readonly expiresAt: Date | undefined;
  /** `z`, as it stands there: what the signer saw, for people who look for what was changed. */
  readonly copiedFields: string | undefined;
}

/** What stands in the way of reading a signature. The words are for programs and logs, and stay as they are. */
export type SignatureFault =
  | "signature-syntax"
  | "signature-version"
  | "signature-algorithm"
  | "signature-canonicalization"
  | "signature-query"
  | "signature-missing-tag"
  | "signature-domain"
  | "from-not-signed";

export interface UnreadableSignature {
  readonly ok: false;
  readonly cause: SignatureFault;
  readonly problem: string;
}

export type TagValues = ReadonlyMap<string, string>;

/** The tags of a signature, each once; values unfolded at their ends only. */
export function readSignatureTags(value: OctetText): { ok: true; value: TagValues } | UnreadableSignature {
  const { tags, emptyAt } = splitTags(value);
  if (emptyAt.length > 0) return syntax("two semicolons follow each other");
  const values = new Map<string, string>();
  for (const tag of tags) {
    if (tag.value === undefined) return syntax(`"${shortened(tag.text)}" is no tag: there is no "=" in it`);
    if (!isTagName(tag.name)) return syntax(`"${shortened(tag.name)}" is no tag name`);
    if (values.has(tag.name)) return syntax(`${tag.name}= stands twice`);
    if (CONTROL.test(tag.value)) return syntax(`${tag.name}= holds control characters`);
    values.set(tag.name, tag.value);
  }
  return { ok: true, value: values };
}

/** Other than blanks and the line ends of folds. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|\n(?![ \t])|(?<!\r)\n/;

function syntax(problem: string): UnreadableSignature {
  return { ok: false, cause: "signature-syntax", problem };
}

const REQUIRED = ["v", "a", "b", "bh", "d", "h", "s"] as const;

export function parseDkimSignature(
  value: OctetText,
): { readonly ok: true; readonly value: DkimSignature } | UnreadableSignature {
  const read = readSignatureTags(value);
  if (!read.ok) return read;
  const tags = read.value;
  const missing = REQUIRED.find((name) => !tags.has(name));
  if (missing !== undefined) return unreadable("signature-missing-tag", `there is no ${missing}=`);
  if (tags.get("v") !== "1")
    return unreadable("signature-version", `v=${shortened(tags.get("v")!)} is not version 1`);
  const body = parseBodyTags(tags);
  if (!body.ok) return body;
  const { signingDomain } = body.value;

  if (!body.value.signedFields.includes("from"))
    return unreadable("from-not-signed", "h= leaves out From, which has to be signed");
  const methods = tags
    .get("q")
    ?.split(":")
    .map((method) => method.trim().toLowerCase());
  if (methods !== undefined && !methods.includes("dns/txt"))
    return unreadable("signature-query", "q= names no way to the key but ways that nobody knows");
  const agent = parseAgent(tags.get("i"), signingDomain);
  if (!agent.ok) return agent;
  return { ok: true, value: { ...body.value, agentId: agent.value, copiedFields: tags.get("z") } };
}

/** What a DKIM-Signature and an ARC-Message-Signature (RFC 8617 §4.1.2) have in common. */
export type BodySignature = Omit<DkimSignature, "agentId" | "copiedFields">;

/** All tags of a `BodySignature` but for `v` and `i`; required tags that are missing are faults here as well. */
export function parseBodyTags(
  tags: TagValues,
): { readonly ok: true; readonly value: BodySignature } | UnreadableSignature {
  const core = parseSignatureCore(tags);
  if (!core.ok) return core;
  const bodyHash = decodeBase64(tags.get("bh") ?? "");
  if (bodyHash === undefined) return syntax("bh= is not base64");
  const canonicalization = parseCanonicalization(tags.get("c"));
  if (canonicalization === undefined)
    return unreadable(
      "signature-canonicalization",
      `c=${shortened(tags.get("c")!)} is no canonicalisation that is known`,
    );
  // A name that is left empty names no field, and so selects none.
  const signedFields = (tags.get("h") ?? "")
    .split(":")
    .map((name) => withoutFolds(name).trim().toLowerCase())
    .filter((name) => name !== "");
  if (signedFields.length === 0) return syntax("h= names no field");
  const odd = signedFields.find((name) => !/^[!-9;-~]+$/.test(name));
  if (odd !== undefined) return syntax(`h= holds "${shortened(odd)}", which is no field name`);
  const length = tags.get("l");
  if (length !== undefined && !/^\d{1,76}$/.test(length)) return syntax("l= is not a number of octets");
  const expires = parseTime(tags.get("x"));
  if (expires === "bad") return syntax("x= is not a time in seconds");
  const { signedAt } = core.value;
  if (expires !== undefined && signedAt !== undefined && expires.getTime() <= signedAt.getTime())
    return syntax("x= is not later than t=");
  return {
    ok: true,
    value: {
      ...core.value,
      bodyHash,
      ...canonicalization,
      signedFields,
      bodyLength: length === undefined ? undefined : Number(length),
      expiresAt: expires,
    },
  };
}

/** What every signature of this family has, the ARC-Seal among them (RFC 8617 §4.1.3). */
export type SignatureCore = Pick<
  DkimSignature,
  "keyType" | "hash" | "signature" | "signingDomain" | "dkimSelector" | "signedAt"
>;

export function parseSignatureCore(
  tags: TagValues,
): { readonly ok: true; readonly value: SignatureCore } | UnreadableSignature {
  const algorithm = /^(rsa|ed25519)-(sha1|sha256)$/.exec(tags.get("a") ?? "");
  const [, keyType, hash] = algorithm ?? [];
  if (keyType === undefined || (keyType === "ed25519" && hash === "sha1"))
    return unreadable(
      "signature-algorithm",
      `a=${shortened(tags.get("a") ?? "")} is no algorithm that is known`,
    );
  const signature = decodeBase64(tags.get("b") ?? "");
  if (signature === undefined) return syntax("b= is not base64");
  const domain = parseDomainName(fromUtf8(tags.get("d") ?? ""));
  if (!domain.ok) return unreadable("signature-domain", `d=: ${domain.problem}`);
  if (labelCount(domain.value) < 1) return unreadable("signature-domain", "d= is the root");
  const selector = parseDkimSelector(asciiSelector(fromUtf8(tags.get("s") ?? "")));
  if (!selector.ok) return unreadable("signature-domain", `s=: ${selector.problem}`);
  const signedAt = parseTime(tags.get("t"));
  if (signedAt === "bad") return syntax("t= is not a time in seconds");
  return {
    ok: true,
    value: {
      keyType: keyType as DkimSignature["keyType"],
      hash: hash as DkimSignature["hash"],
      signature,
      signingDomain: domain.value,
      dkimSelector: selector.value,
      signedAt,
    },
  };
}

function unreadable(cause: SignatureFault, problem: string): UnreadableSignature {
  return { ok: false, cause, problem };
}

/** One name alone is that of the header; the body is simple then (§3.5). */
function parseCanonicalization(
  value: string | undefined,
): Pick<DkimSignature, "headerCanonicalization" | "bodyCanonicalization"> | undefined {
  const parts = /^(simple|relaxed)(?:\/(simple|relaxed))?$/.exec(value ?? "simple");
  if (parts === null) return undefined;
  return {
    headerCanonicalization: parts[1] as Canonicalization,
    bodyCanonicalization: (parts[2] ?? "simple") as Canonicalization,
  };
}

/** Twelve digits are the most that §3.5 allows; a Date holds them. */
function parseTime(value: string | undefined): Date | undefined | "bad" {
  if (value === undefined) return undefined;
  return /^\d{1,12}$/.test(value) ? new Date(Number(value) * 1_000) : "bad";
}

function parseAgent(
  value: string | undefined,
  signingDomain: DomainName,
): { ok: true; value: string } | UnreadableSignature {
  if (value === undefined) return { ok: true, value: `@${signingDomain}` };
  const text = fromUtf8(decodeQuotedPrintable(value));
  const at = text.lastIndexOf("@");
  const domain = parseDomainName(text.slice(at + 1));
  if (at < 0 || !domain.ok) return syntax(`i=${shortened(text)} is no address`);
  if (!isWithin(domain.value, signingDomain))
    return unreadable("signature-domain", `i= names ${domain.value}, which is not within d=${signingDomain}`);
  return { ok: true, value: text };
}

/** The domain behind the "@" of an agentId that was parsed. */
export function agentDomain(agentId: string): DomainName | undefined {
  const domain = parseDomainName(agentId.slice(agentId.lastIndexOf("@") + 1));
  return domain.ok ? domain.value : undefined;
}

/** dkim-quoted-printable (§2.11): blanks and folds do not count. */
export function decodeQuotedPrintable(text: OctetText): OctetText {
  return text
    .replace(/[ \t\r\n]/g, "")
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Internationalised mail writes U-labels, as UTF-8 (RFC 8616 §5). */
function fromUtf8(text: OctetText): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, "latin1").toString("utf8") : text;
}

function asciiSelector(text: string): string {
  if (!/[^\0-\x7f]/.test(text)) return text;
  const name = parseDomainName(text);
  return name.ok ? name.value : text;
}

const withoutFolds = (text: string): string => text.replace(/\r\n/g, "");

/** The value with that of its b= taken out, blanks around it and all (§3.7). */
export function withoutSignatureData(value: OctetText): OctetText {
  const tag = splitTags(value).tags.find(({ name }) => name === "b");
  if (tag?.value === undefined) return value;
  const start = value.indexOf("=", tag.offset) + 1;
  const end = value.indexOf(";", start);
  return value.slice(0, start) + (end < 0 ? "" : value.slice(end));
}
