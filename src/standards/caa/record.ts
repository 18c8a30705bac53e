/** CAA properties (RFC 8659 §4, RFC 8657, RFC 9495): which authorities may issue certificates for a name. */
import { type DomainName, domainName, readEscape } from "../dns/name.ts";
import type { Parsed } from "../dns/parsed.ts";
import { type OctetString, type RdataOf, textToOctets } from "../dns/record.ts";

export type CaaData = RdataOf<"CAA">;

export const ISSUER_TAGS = ["issue", "issuewild", "issuemail"] as const;
export type IssuerTag = (typeof ISSUER_TAGS)[number];

export type CaaProperty = IssuerProperty | IodefProperty | OtherProperty;

export interface IssuerProperty {
  readonly kind: "issuer";
  readonly tag: IssuerTag;
  readonly critical: boolean;
  /** Undefined allows nobody: an empty value, or one that breaks the grammar (§4.2). */
  readonly issuerDomain: DomainName | undefined;
  readonly parameters: readonly CaaParameter[];
  readonly isMalformed: boolean;
}

export interface CaaParameter {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
}

export interface IodefProperty {
  readonly kind: "iodef";
  readonly critical: boolean;
  readonly url: string;
}

export interface OtherProperty {
  readonly kind: "other";
  /** Lower case. */
  readonly tag: string;
  readonly critical: boolean;
}

/** §4.1: bit 0, the most significant one. */
export const CRITICAL_FLAG = 128;

export function readCaaProperty({ flags, tag, value }: CaaData): CaaProperty {
  const critical = (flags & CRITICAL_FLAG) !== 0;
  const name = tag.toLowerCase();
  const issuerTag = ISSUER_TAGS.find((known) => known === name);
  if (issuerTag !== undefined) {
    const read = readIssueValue(value);
    const issuer = read ?? { issuerDomain: undefined, parameters: [] };
    return { kind: "issuer", tag: issuerTag, critical, ...issuer, isMalformed: read === undefined };
  }
  return name === "iodef" ? { kind: "iodef", critical, url: value } : { kind: "other", tag: name, critical };
}

/** §4.2 label and parameter tag. */
const LABEL = "[A-Za-z0-9](?:-*[A-Za-z0-9])*";
const ISSUER = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const PARAMETER = new RegExp(`^(${LABEL})[ \\t]*=[ \\t]*([\\x21-\\x3a\\x3c-\\x7e]*)$`);
/** Names have 255 octets; a value that is much longer is none that an authority reads. */
const MAX_VALUE_CHARACTERS = 4096;

/** §4.2 issue-value; undefined where the value breaks the grammar. A semicolon behind the last parameter does. */
function readIssueValue(value: OctetString): Pick<IssuerProperty, "issuerDomain" | "parameters"> | undefined {
  if (value.length > MAX_VALUE_CHARACTERS) return undefined;
  const [issuer = "", ...rest] = value.split(";").map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ""));
  if (issuer !== "" && (issuer.length > 253 || !ISSUER.test(issuer))) return undefined;
  const written = rest.length === 1 && rest[0] === "" ? [] : rest;
  const parameters: CaaParameter[] = [];
  for (const part of written) {
    const [, name, parameter] = PARAMETER.exec(part) ?? [];
    if (name === undefined || parameter === undefined) return undefined;
    parameters.push({ name: name.toLowerCase(), value: parameter });
  }
  if (issuer.split(".").some((label) => label.length > 63)) return undefined;
  return { issuerDomain: issuer === "" ? undefined : domainName(issuer), parameters };
}

/** The value of an issuer property: `letsencrypt.org; accounturi=https://…`, or `;` for nobody. */
export function formatIssueValue(
  issuerDomain: DomainName | undefined,
  parameters: readonly CaaParameter[] = [],
): string {
  const written = parameters.map(({ name, value }) => `; ${name}=${value}`).join("");
  return issuerDomain === undefined ? written.trimStart() || ";" : `${issuerDomain}${written}`;
}

/** Reads the presentation form (§4.1.1): `0 issue "letsencrypt.org"`, the value quoted or without blanks. */
export function parseCaaText(text: string): Parsed<CaaData> {
  const [, flagText, tag, rest] = /^(\S+)\s+(\S+)\s+([\s\S]+)$/.exec(text.trim()) ?? [];
  if (flagText === undefined || tag === undefined || rest === undefined) {
    return { ok: false, problem: 'a CAA record is flags, tag and value, such as 0 issue "letsencrypt.org"' };
  }
  const flags = /^\d{1,3}$/.test(flagText) ? Number(flagText) : 256;
  if (flags > 255) return { ok: false, problem: `the flags are a number from 0 to 255, not "${flagText}"` };
  if (!/^[A-Za-z0-9]{1,255}$/.test(tag)) {
    return {
      ok: false,
      problem: `a tag has letters and digits only, unlike "${tag}"`,
      offset: text.indexOf(tag),
    };
  }
  const value = readValue(textToOctets(rest), text.lastIndexOf(rest));
  return value.ok ? { ok: true, value: { type: "CAA", flags, tag, value: value.value } } : value;
}

/** A character-string of RFC 1035 §5.1 without the limit of 255; beyond ASCII as UTF-8. */
function readValue(text: string, offset: number): Parsed<OctetString> {
  const isQuoted = text.startsWith('"');
  let value = "";
  for (let at = isQuoted ? 1 : 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === "\\") {
      const escaped = readEscape(text, at);
      if (escaped === undefined) return { ok: false, problem: "a broken escape", offset: offset + at };
      value += String.fromCharCode(escaped.octet);
      at += escaped.length - 1;
    } else if (character === '"') {
      if (isQuoted && at === text.length - 1) return { ok: true, value };
      return { ok: false, problem: "a quotation mark inside the value", offset: offset + at };
    } else if (!isQuoted && /\s/.test(character)) {
      return {
        ok: false,
        problem: "a value with blanks needs quotation marks around it",
        offset: offset + at,
      };
    } else {
      value += character;
    }
  }
  return isQuoted
    ? { ok: false, problem: "the closing quotation mark is missing", offset }
    : { ok: true, value };
}

export function formatCaaText({ flags, tag, value }: CaaData): string {
  const written = value.replace(/["\\]|[^\x20-\x7e]/g, (character) =>
    character === '"' || character === "\\"
      ? `\\${character}`
      : `\\${String(character.charCodeAt(0)).padStart(3, "0")}`,
  );
  return `${flags} ${tag} "${written}"`;
}
