/** What is wrong, risky or obsolete in the text of a DMARC record. */
import { octetsToText } from "../dns/record.ts";
import type { Remark } from "../dns/remark.ts";
import { splitTags, type Tag } from "../dns/tag-list.ts";
import {
  isDmarcRecord,
  isWeaker,
  type KnownTag,
  knownTag,
  parseDmarcRecord,
  readFailureOptions,
  readLetter,
  readPolicy,
  readUris,
} from "./record.ts";

/** Whether a TXT text means to be a DMARC record, rightly written or not. */
export function looksLikeDmarc(text: string): boolean {
  return isDmarcRecord(text) || versionMistake(octetsToText(text)) !== undefined;
}

export function remarksOnDmarcText(text: string): Remark[] {
  if (!isDmarcRecord(text)) return [versionRemark(text)];
  const { tags, emptyAt } = splitTags(text);
  const known = firstOfEach(tags);
  return [
    ...letterCaseRemarks(tags),
    ...emptyRemarks(text, emptyAt, known.has("rua")),
    ...tags.flatMap((tag) => tagRemarks(tag, known)),
    ...policyRemarks(text, tags, known),
    ...reportRemarks(known),
  ];
}

function firstOfEach(tags: readonly Tag[]): ReadonlyMap<KnownTag, Tag> {
  const known = new Map<KnownTag, Tag>();
  for (const tag of tags) {
    const name = knownTag(tag);
    if (name !== undefined && !known.has(name)) known.set(name, tag);
  }
  return known;
}

function remark(
  code: string,
  severity: Remark["severity"],
  reference: string,
  message: string,
  tag?: Pick<Tag, "offset" | "text">,
): Remark {
  const plain = { code, severity, message, reference };
  return tag === undefined ? plain : { ...plain, offset: tag.offset, length: tag.text.length };
}

function versionRemark(text: string): Remark {
  const why = versionMistake(octetsToText(text)) ?? "it does not begin with v=DMARC1";
  const message = `receivers ignore the whole record: ${why}`;
  return { ...remark("dmarc-version", "error", "RFC 9989 §4.7", message), offset: 0 };
}

/** What keeps a text from being a DMARC record that means to be one; the particular before the general. */
const VERSION_MISTAKES: readonly (readonly [RegExp, string])[] = [
  [/^\s+v\s*=/i, "a blank stands in front of v=DMARC1"],
  [/^["'“”„‟‘’«»]/u, "quotation marks stand in front of v=DMARC1; they do not belong into the value"],
  [/^v\s*=\s*["'“”„‟‘’«»]/iu, "quotation marks surround the version; they do not belong into the value"],
  [
    /^v\s*=\s*DMARC1\s*\\/i,
    "a backslash stands before the semicolon; it belongs into zone files, not into the value",
  ],
  [/^v\s*=\s*DMARC1\s*[,:]/i, "tags are separated by semicolons, also behind v=DMARC1"],
  [/^v\s*=\s*DMARC1\s+\S/, "a semicolon is missing behind v=DMARC1"],
  [/^v\s*:\s*DMARC1/i, "a tag and its value are joined by =, not by a colon: v=DMARC1"],
  [/^v\s*=\s*DMARC1\s*(?:;|$)/i, "the version is case-sensitive and must be written DMARC1"],
  [/^v\s*=?\s*DMARC/i, "the version must be written v=DMARC1"],
  [/^DMARC1?\b/i, "v= is missing in front of DMARC1"],
  [/;\s*v\s*=\s*DMARC1/i, "v=DMARC1 must be the first tag"],
];

function versionMistake(text: string): string | undefined {
  if (!/dmarc/i.test(text)) return undefined;
  return VERSION_MISTAKES.find(([pattern]) => pattern.test(text))?.[1];
}

function letterCaseRemarks(tags: readonly Tag[]): Remark[] {
  return tags
    .filter((tag) => knownTag(tag) !== undefined && tag.name !== tag.name.toLowerCase())
    .map((tag) =>
      remark(
        "dmarc-tag-case",
        "warning",
        "RFC 9989 §4.8",
        `write "${tag.name.toLowerCase()}=": some receivers do not know "${tag.name}="`,
        tag,
      ),
    );
}

/** R69: doubled separators are the scar of a tag that a form or an editor swallowed. */
function emptyRemarks(text: string, emptyAt: readonly number[], hasReports: boolean): Remark[] {
  const first = emptyAt[0];
  if (first === undefined) return [];
  const separators = /;[\s;]*$/.exec(text.slice(0, emptyAt.at(-1)! + 1))?.[0].replace(/\s/g, "") ?? ";";
  const lost = hasReports ? "did a tag get lost?" : "did rua or ruf get lost?";
  const message = `"${separators}" separates nothing, as if tags were empty: ${lost}`;
  return [remark("dmarc-empty-tags", "warning", "RFC 9989 §4.8", message, { offset: first, text: ";" })];
}

/** Tags of RFC 7489 (historic) that are gone, and what became of them. */
const REMOVED: Readonly<Record<string, string>> = {
  pct: "pct is gone from DMARC and ignored; to test a policy, use t=y",
  rf: "rf is gone from DMARC and ignored; failure reports have one format",
  ri: "ri is gone from DMARC and ignored; reports come daily",
};

function tagRemarks(tag: Tag, known: ReadonlyMap<KnownTag, Tag>): Remark[] {
  const name = tag.name.toLowerCase();
  const removed = Object.hasOwn(REMOVED, name) ? REMOVED[name] : undefined;
  if (removed !== undefined) return [remark("dmarc-removed-tag", "notice", "RFC 9989 §9", removed, tag)];
  if (tag.value === undefined)
    return [remark("dmarc-syntax", "error", "RFC 9989 §4.8", syntaxMistake(tag), tag)];
  const standard = knownTag(tag);
  if (standard === undefined) {
    const message = `receivers ignore the unknown tag "${tag.name}"`;
    return [remark("dmarc-unknown-tag", "notice", "RFC 9989 §4.7", message, tag)];
  }
  if (known.get(standard) !== tag) {
    const message = `${standard}= stands twice; receivers disagree on which one counts, or on whether any does`;
    return [remark("dmarc-duplicate-tag", "error", "RFC 6376 §3.2", message, tag)];
  }
  return valueRemarks(standard, tag.value, tag);
}

function syntaxMistake({ text }: Tag): string {
  const shown = octetsToText(text);
  if (/^[a-z]+\s*:/i.test(shown) && !/^mailto:/i.test(shown)) {
    return `"${shown}" is ignored: a tag and its value are joined by =, so write "${shown.replace(/\s*:\s*/, "=")}"`;
  }
  return /^mailto:/i.test(shown)
    ? `"${shown}" is ignored: several addresses are separated by commas, not semicolons`
    : `"${shown}" is ignored: it is no tag with a value`;
}

const ALLOWED: Partial<Record<KnownTag, string>> = {
  p: "none, quarantine and reject",
  sp: "none, quarantine and reject",
  np: "none, quarantine and reject",
  t: "y and n",
  psd: "y, n and u",
  adkim: "r and s",
  aspf: "r and s",
  fo: "0, 1, d and s, joined by colons, 0 and 1 not together",
};

function valueRemarks(name: KnownTag, value: string, tag: Tag): Remark[] {
  switch (name) {
    case "v":
      return [];
    case "p":
    case "sp":
    case "np":
      return readPolicy(value) === undefined ? [invalidPolicy(name, value, tag)] : [];
    case "t":
      if (value.toLowerCase() === "y") {
        const message = "t=y asks receivers to act one level below the policy, as long as it stands";
        return [remark("dmarc-testing", "notice", "RFC 9989 §4.7", message, tag)];
      }
      return readLetter(value, ["n"]) === undefined ? [invalidValue(name, value, tag)] : [];
    case "psd":
      return readLetter(value, ["y", "n", "u"]) === undefined ? [invalidValue(name, value, tag)] : [];
    case "adkim":
    case "aspf":
      if (readLetter(value, ["r", "s"]) === undefined) return [invalidValue(name, value, tag)];
      return value.toLowerCase() === "s" ? [strictRemark(name, tag)] : [];
    case "fo":
      return readFailureOptions(value) === undefined ? [invalidValue(name, value, tag)] : [];
    case "rua":
    case "ruf":
      return uriRemarks(name, value, tag);
    default:
      return name satisfies never;
  }
}

function invalidPolicy(name: string, value: string, tag: Tag): Remark {
  const message = `${name}=${octetsToText(value)}${damage(value)} is invalid, and one invalid policy turns all of them into none, or DMARC off where there is no rua; valid are ${ALLOWED.p}`;
  return remark("dmarc-invalid-policy", "error", "RFC 9989 §4.10.1", message, tag);
}

function invalidValue(name: KnownTag, value: string, tag: Tag): Remark {
  const message = `${name}=${octetsToText(value)}${damage(value)} is invalid and ignored; valid are ${ALLOWED[name]}`;
  return remark("dmarc-invalid-value", "warning", "RFC 9989 §4.8", message, tag);
}

/** What happened to a value, where it shows. */
function damage(value: string): string {
  const text = octetsToText(value);
  if (/["'“”„‟‘’]/u.test(text)) return " (with quotation marks)";
  if (text.endsWith("\\")) return " (with a backslash)";
  if (/,\s*[a-z]+\s*=/i.test(text)) return " (with a comma where a semicolon belongs)";
  return /\s[a-z]+\s*=/i.test(text) ? " (with a semicolon missing)" : "";
}

function strictRemark(name: "adkim" | "aspf", tag: Tag): Remark {
  const what =
    name === "adkim" ? "signed with d= a sub-domain or the parent" : "sent with a sub-domain in MAIL FROM";
  const message = `${name}=s: mail ${what} no longer counts for this domain; sub-domain senders and many services break`;
  return remark("dmarc-strict-alignment", "warning", "RFC 9989 §4.4", message, tag);
}

function uriRemarks(name: "rua" | "ruf", value: string, tag: Tag): Remark[] {
  const { uris, invalid, limited } = readUris(value);
  const reference = "RFC 9989 §4.6";
  return [
    ...invalid.map((uri) => {
      const hint = /^[^\s:@]+@[^\s@]+$/.test(uri) ? `; write mailto:${uri}` : damage(uri);
      const message = `${name}: "${octetsToText(uri)}" is no report address and is ignored${hint}`;
      return remark("dmarc-invalid-uri", "error", reference, message, tag);
    }),
    ...uris
      .filter((uri) => !/^mailto:/i.test(uri))
      .map((uri) => {
        const message = `${name}: receivers need only support mailto:, and ignore ${uri}`;
        return remark("dmarc-not-mailto", "warning", reference, message, tag);
      }),
    ...limited.map((uri) => {
      const message = `${name}: the size limit in ${uri} is obsolete and ignored`;
      return remark("dmarc-obsolete-size", "notice", "RFC 9989 §4.8", message, tag);
    }),
    ...(uris.length === 0 && invalid.length === 0
      ? [remark("dmarc-invalid-uri", "error", reference, `${name}= names no address`, tag)]
      : []),
  ];
}

function policyRemarks(text: string, tags: readonly Tag[], known: ReadonlyMap<KnownTag, Tag>): Remark[] {
  const remarks: Remark[] = [];
  const p = known.get("p");
  if (p === undefined) {
    const parsed = parseDmarcRecord(text);
    const effect =
      parsed.ok && parsed.value.policy !== undefined
        ? "receivers act as if it were p=none"
        : "no DMARC applies at all";
    const message = `the policy p= is missing, so ${effect}`;
    remarks.push(remark("dmarc-policy-missing", "error", "RFC 9989 §4.10.1", message));
    return remarks;
  }
  if (tags[1] !== p) {
    const message =
      "p is not the second tag; RFC 9989 allows any order, older receivers want p directly behind v";
    remarks.push(remark("dmarc-p-not-second", "warning", "RFC 9989 §4.7", message, p));
  }
  const policy = readPolicy(p.value);
  if (policy === "none") {
    const message =
      "p=none only watches: forged mail is delivered; go on to quarantine when the reports are clean";
    remarks.push(remark("dmarc-policy-none", "warning", "RFC 9989 §5.1.7", message, p));
  }
  if (policy === undefined) return remarks;
  for (const [name, whom] of [
    ["sp", "sub-domains"],
    ["np", "sub-domains that do not exist"],
  ] as const) {
    const tag = known.get(name);
    const own = readPolicy(tag?.value);
    if (tag === undefined || own === undefined) continue;
    if (isWeaker(own, policy)) {
      const open = own === "none" ? "leaves open" : "protects less";
      const message = `${name}=${own} ${open} all ${whom}, while p=${policy} protects the domain itself`;
      remarks.push(remark("dmarc-weaker-subdomain-policy", "warning", "RFC 9989 §4.7", message, tag));
    } else if (own === (name === "np" ? (readPolicy(known.get("sp")?.value) ?? policy) : policy)) {
      const message = `${name}=${own} is redundant: it would be ${own} without it`;
      remarks.push(remark("dmarc-redundant-policy", "notice", "RFC 9989 §4.7", message, tag));
    }
  }
  return remarks;
}

function reportRemarks(known: ReadonlyMap<KnownTag, Tag>): Remark[] {
  const remarks: Remark[] = [];
  if (!known.has("rua")) {
    const message = "without rua no aggregate reports come, and nobody sees what is sent as this domain";
    remarks.push(remark("dmarc-rua-missing", "warning", "RFC 9989 §5.1.3", message));
  }
  const fo = known.get("fo");
  if (fo !== undefined && !known.has("ruf")) {
    const message = "fo has no effect without ruf";
    remarks.push(remark("dmarc-fo-without-ruf", "notice", "RFC 9989 §4.7", message, fo));
  }
  return remarks;
}
