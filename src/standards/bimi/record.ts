/**
 * The BIMI assertion record (draft-brand-indicators-for-message-identification): where a domain's logo is,
 * and the evidence that the domain may use it. Receivers must not mend anything, so reading is strict.
 */
import { type DomainName, isHostName, parseDomainName, prepend } from "../dns/name.ts";
import type { Parsed } from "../dns/parsed.ts";
import type { Remark } from "../dns/remark.ts";
import { splitTags, type Tag } from "../dns/tag-list.ts";

export interface BimiRecord {
  /** `l`: the logo, SVG over HTTPS; undefined declines. */
  readonly location: string | undefined;
  /** `a`: the evidence document (a Verified or Common Mark Certificate), over HTTPS. */
  readonly evidence: string | undefined;
  /** `avp`: whose picture receivers should show where a sender has one of his own. */
  readonly avatarPreference: "brand" | "personal";
  /** `lps`, as it stands in the record: selectors from the local parts of senders. */
  readonly localPartSelectors: string | undefined;
}

/** An explicit "no logo", for sub-domains of a domain that has one: both l= and a= are empty. */
export const DECLINED: BimiRecord = {
  location: undefined,
  evidence: undefined,
  avatarPreference: "brand",
  localPartSelectors: undefined,
};

/** `default._bimi.<domain>`; other selectors are named by the BIMI-Selector header field. */
export function bimiOwner(domain: DomainName, bimiSelector = "default"): DomainName {
  return prepend(`${bimiSelector}._bimi`, domain);
}

export function isDeclined({ location, evidence }: BimiRecord): boolean {
  return location === undefined && evidence === undefined;
}

export function isBimiRecord(text: string): boolean {
  return /^v[ \t]*=[ \t]*BIMI1[ \t]*(?:;|$)/.test(text);
}

export function parseBimiRecord(text: string): Parsed<BimiRecord> {
  const fault = remarksOnBimi(text).find(({ severity }) => severity === "error");
  if (fault !== undefined) return { ok: false, problem: fault.message, offset: fault.offset ?? 0 };
  const { tags } = splitTags(text);
  const read = (name: string) => tags.find((tag) => tag.name === name)?.value || undefined;
  return {
    ok: true,
    value: {
      location: read("l"),
      evidence: read("a"),
      avatarPreference: read("avp") === "personal" ? "personal" : "brand",
      localPartSelectors: read("lps"),
    },
  };
}

export function formatBimiRecord(record: BimiRecord): string {
  const { location, evidence, avatarPreference, localPartSelectors } = record;
  const tags: readonly (readonly [string, string | undefined])[] = [
    ["v", "BIMI1"],
    ["l", location ?? ""],
    ["a", evidence ?? (location === undefined ? "" : undefined)],
    ["lps", localPartSelectors],
    ["avp", avatarPreference === "brand" ? undefined : avatarPreference],
  ];
  return `${tags.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])).join("; ")};`;
}

const DRAFT = "draft-brand-indicators-for-message-identification";

export function remarksOnBimi(text: string): Remark[] {
  if (!isBimiRecord(text)) {
    const message = "a BIMI record must begin with v=BIMI1, in this case";
    return [{ code: "bimi-version", severity: "error", message, reference: DRAFT, offset: 0 }];
  }
  const { tags, emptyAt } = splitTags(text);
  // Backwards, so that the first of each name is what stays.
  const firsts = new Map(tags.toReversed().map((tag) => [tag.name, tag]));
  const [l, a] = [firsts.get("l"), firsts.get("a")];
  return [
    ...emptyAt.map((offset) => ({
      ...remark("bimi-syntax", "error", "an empty part between two semicolons makes the record invalid"),
      offset,
    })),
    ...tags.flatMap((tag) => tagRemarks(tag, firsts.get(tag.name) === tag)),
    ...(l === undefined ? [missingLocation(text)] : []),
    ...(l?.value === undefined ? [] : togetherRemarks(l, a)),
  ];
}

function remark(code: string, severity: Remark["severity"], message: string, tag?: Tag): Remark {
  const plain = { code, severity, message, reference: DRAFT };
  return tag === undefined ? plain : { ...plain, offset: tag.offset, length: tag.text.length };
}

function missingLocation(text: string): Remark {
  const message = "l= is required; to decline, write it empty: v=BIMI1; l=; a=;";
  return { ...remark("bimi-location", "error", message), offset: text.trimEnd().length };
}

function tagRemarks(tag: Tag, isFirst: boolean): Remark[] {
  if (tag.value === undefined || !/^[A-Za-z][A-Za-z0-9_]*$/.test(tag.name)) {
    const message = `"${tag.text.slice(0, 60)}" is not of the form tag=value, which makes the record invalid`;
    return [remark("bimi-syntax", "error", message, tag)];
  }
  if (!isFirst) return [remark("bimi-duplicate-tag", "error", `${tag.name}= stands twice`, tag)];
  switch (tag.name) {
    case "v":
    case "lps":
      return [];
    case "l":
      return tag.value === "" ? [] : [...uriRemarks(tag, tag.value), ...formatRemarks(tag, tag.value)];
    case "a":
      return tag.value === "" ? [] : uriRemarks(tag, tag.value);
    case "avp": {
      if (tag.value === "brand" || tag.value === "personal") return [];
      const message = `avp= is brand or personal, not "${tag.value.slice(0, 40)}"; some receivers refuse the record`;
      return [remark("bimi-avatar-preference", "warning", message, tag)];
    }
    default:
      return [
        remark(
          "bimi-unknown-tag",
          "notice",
          `receivers ignore the unknown tag "${tag.name.slice(0, 40)}"`,
          tag,
        ),
      ];
  }
}

function uriRemarks(tag: Tag, value: string): Remark[] {
  const problem = uriProblem(value);
  return problem === undefined ? [] : [remark("bimi-uri", "error", `${tag.name}=: ${problem}`, tag)];
}

function uriProblem(value: string): string | undefined {
  if (value.includes(",")) return "only one address is allowed, and a comma within it is written %2C";
  if (/^http:/i.test(value)) return "the address must begin with https:";
  if (!/^https:\/\/[\x21-\x7e]+$/i.test(value) || !URL.canParse(value)) return "this is no https: address";
  const host = parseDomainName(new URL(value).hostname);
  return host.ok && isHostName(host.value) ? undefined : "the address needs the full name of a host";
}

function formatRemarks(tag: Tag, value: string): Remark[] {
  if (!URL.canParse(value) || /\.svgz?$/i.test(new URL(value).pathname)) return [];
  const message = "the logo must be SVG (Tiny Portable/Secure), and its address end in .svg";
  return [remark("bimi-format", "error", message, tag)];
}

function togetherRemarks(l: Tag, a: Tag | undefined): Remark[] {
  const hasEvidence = a?.value !== undefined && a.value !== "";
  if (l.value === "") {
    if (hasEvidence) return [remark("bimi-evidence-alone", "warning", "a= without l= shows no logo", a)];
    return [remark("bimi-declined", "notice", "the record says that no logo is to be shown", l)];
  }
  if (hasEvidence) return [];
  const message =
    "without a= (a mark certificate) Gmail and Apple show no logo; other receivers decide by reputation";
  return [remark("bimi-no-evidence", "notice", message, l)];
}
