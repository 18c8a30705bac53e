/** What is wrong or superfluous in CAA records. */
import type { Remark } from "../dns/remark.ts";
import { readMethods } from "./evaluate.ts";
import {
  type CaaData,
  CRITICAL_FLAG,
  type IodefProperty,
  type IssuerProperty,
  parseCaaText,
  readCaaProperty,
} from "./record.ts";

export function remarksOnCaaText(text: string): Remark[] {
  const parsed = parseCaaText(text);
  if (parsed.ok) return remarksOnCaa(parsed.value);
  const { problem, offset } = parsed;
  return [
    { ...remark("caa-syntax", "error", "RFC 8659 §4.1.1", problem), ...(offset !== undefined && { offset }) },
  ];
}

/** What one record shows. */
export function remarksOnCaa(data: CaaData): Remark[] {
  const property = readCaaProperty(data);
  const remarks = flagRemarks(data);
  if (data.tag !== data.tag.toLowerCase()) {
    const message = `tags are written in lower case: ${data.tag.toLowerCase()}`;
    remarks.push(remark("caa-tag-case", "notice", "RFC 8659 §4.1", message));
  }
  switch (property.kind) {
    case "issuer":
      return [...remarks, ...issuerRemarks(property, data.value)];
    case "iodef":
      return [...remarks, ...iodefRemarks(property)];
    case "other":
      return [...remarks, otherRemark(property.tag, property.critical)];
    default:
      return property satisfies never;
  }
}

/** What the whole set shows, beyond its records one by one. */
export function remarksOnCaaSet(records: readonly CaaData[]): Remark[] {
  const properties = records.map(readCaaProperty);
  const remarks: Remark[] = [];
  const issuers = properties.filter(({ kind }) => kind === "issuer");
  if (records.length > 0 && issuers.length === 0) {
    const message = "no record of the set names an issuer, so it restricts nobody";
    remarks.push(remark("caa-restricts-nobody", "notice", "RFC 8659 §3", message));
  }
  for (const tag of ["issue", "issuewild", "issuemail"] as const) {
    const own = issuers.filter((property) => property.kind === "issuer" && property.tag === tag);
    const names = own.flatMap((property) => (property.kind === "issuer" ? [property.issuerDomain] : []));
    if (names.includes(undefined) && names.some((name) => name !== undefined)) {
      const message = `${tag} ";" has no effect beside another ${tag}: permissions add up`;
      remarks.push(remark("caa-nobody-beside-issuer", "warning", "RFC 8659 §4.2", message));
    }
  }
  return remarks;
}

function remark(code: string, severity: Remark["severity"], reference: string, message: string): Remark {
  return { code, severity, message, reference };
}

function flagRemarks({ flags }: CaaData): Remark[] {
  const reserved = flags & ~CRITICAL_FLAG;
  if (reserved === 0) return [];
  const meant = flags === 1 ? "; critical is 128" : "";
  const message = `of the flags only 128 (critical) has a meaning, and the rest must be 0, unlike ${flags}${meant}`;
  return [remark("caa-reserved-flags", "warning", "RFC 8659 §4.1", message)];
}

/** Registered for other purposes; authorities that do not know them may ignore them. */
const OTHER_KNOWN_TAGS = ["contactemail", "contactphone", "issuevmc"];

function otherRemark(tag: string, critical: boolean): Remark {
  if (critical) {
    const message = `"${tag}" is critical, and authorities that do not know it must not issue at all`;
    return remark("caa-unknown-critical", "error", "RFC 8659 §4.5", message);
  }
  const known = OTHER_KNOWN_TAGS.includes(tag);
  const message = known
    ? `"${tag}" restricts no certificates for servers`
    : `authorities ignore the unknown tag "${tag}"; issue, issuewild, issuemail and iodef are the usual ones`;
  return remark(
    known ? "caa-other-purpose" : "caa-unknown-tag",
    known ? "notice" : "warning",
    "RFC 8659 §4.1",
    message,
  );
}

function issuerRemarks(
  { tag, isMalformed, issuerDomain, parameters }: IssuerProperty,
  value: string,
): Remark[] {
  if (isMalformed) {
    const message = `"${value.slice(0, 80)}" breaks the grammar, so this ${tag} allows nobody${malformedHint(value)}`;
    return [remark("caa-malformed", "error", "RFC 8659 §4.2", message)];
  }
  const remarks: Remark[] = [];
  const account = parameters.filter(({ name }) => name === "accounturi");
  if (account.length > 1) {
    const message = "two accounturi parameters can never be fulfilled; use two records";
    remarks.push(remark("caa-account", "error", "RFC 8657 §3", message));
  } else if (account[0] !== undefined && !URL.canParse(account[0].value)) {
    const message = `accounturi takes a URI, and "${account[0].value}" is none: nobody can fulfil it`;
    remarks.push(remark("caa-account", "error", "RFC 8657 §3", message));
  }
  for (const { value: methods } of parameters.filter(({ name }) => name === "validationmethods")) {
    if (readMethods(methods) !== undefined) continue;
    const message = `validationmethods takes names with commas between, such as dns-01,http-01, not "${methods}"`;
    remarks.push(remark("caa-validation-methods", "error", "RFC 8657 §4", message));
  }
  if (issuerDomain === undefined && parameters.length > 0) {
    const message = `parameters without an issuer have no effect: this ${tag} allows nobody`;
    remarks.push(remark("caa-parameters-alone", "warning", "RFC 8659 §4.2", message));
  }
  return remarks;
}

function malformedHint(value: string): string {
  if (/^\s*https?:/i.test(value)) return "; write the authority's domain, not a web address";
  if (/;\s*$/.test(value)) return "; take the last semicolon away";
  if (/\.\s*(?:;|$)/.test(value)) return "; the domain has no final dot here";
  return "";
}

function iodefRemarks({ url }: IodefProperty): Remark[] {
  if (/^mailto:[^@\s]+@[^@\s]+$/i.test(url) || (/^https?:\/\//i.test(url) && URL.canParse(url))) return [];
  const missing = /^[^:\s]+@[^:\s]+$/.test(url) ? "; write mailto: in front" : "";
  const message = `iodef takes a mailto:, http: or https: address, not "${url.slice(0, 80)}"${missing}`;
  return [remark("caa-iodef", "warning", "RFC 8659 §4.4", message)];
}
