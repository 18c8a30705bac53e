/**
 * The value of Authentication-Results (RFC 8601 §2.2), read and written. Reading forgives what is in use beyond the
 * grammar: values that lack their quotes, UTF-8, semicolons at the end, and words such as "action=none", which are
 * passed over. Writing is strict, and nothing that goes in can end the field or reach beyond its place.
 */
import type { Parsed, Refused } from "../dns/parsed.ts";
import type { OctetText } from "../message/header-field.ts";
import { MIME_TOKEN_OCTETS, octetSet, StructuredText } from "../message/structured-text.ts";

export interface AuthenticationResults {
  readonly authservId: OctetText;
  /** Absent means 1. */
  readonly version?: number;
  /** Empty for "none": nothing was checked. */
  readonly results: readonly AuthenticationResult[];
}

export interface AuthenticationResult {
  /** In lower case, as all names here: "spf", "dkim". */
  readonly method: string;
  readonly version?: number;
  /** "pass", "fail" and so on: RFC 8601 §2.7 has them for each method. */
  readonly result: string;
  readonly reason?: OctetText;
  /** The first between the result and its properties, without the outer parentheses. */
  readonly comment?: OctetText;
  readonly properties: readonly ResultProperty[];
}

export interface ResultProperty {
  /** "smtp", "header", "policy", "body" or another. */
  readonly ptype: string;
  readonly property: string;
  readonly value: OctetText;
}

/** RFC 8601 §2.2: this specification is version 1. */
export const AUTHRES_VERSION = 1;

const MAX_RESULTS = 100;
const MAX_PROPERTIES = 100;

/** RFC 5321 §4.1.2 "Keyword"; underscores are in use. */
const KEYWORD_OCTETS = octetSet((_, character) => /[a-z0-9_-]/i.test(character));
const DIGITS = octetSet((_, character) => /[0-9]/.test(character));
/** What stands without quotes where a value belongs: also base64, addresses and lists of words. */
const BARE_OCTETS = octetSet(
  (octet, character) => octet > 0x20 && octet !== 0x7f && !';()"'.includes(character),
);

export function parseAuthenticationResults(value: OctetText): Parsed<AuthenticationResults> {
  const text = new StructuredText(value);
  const head = readHead(text);
  if ("ok" in head) return head;
  const results: AuthenticationResult[] = [];
  let isNone = false;
  while (text.take(";")) {
    const refused = text.skipBlanks();
    if (refused !== undefined) return refused;
    if (text.isAtEnd) break;
    if (text.text[text.at] === ";") continue;
    if (isNone) return text.refuse('there is more behind "none"');
    const result = readResult(text);
    if ("ok" in result) return result;
    if (!("none" in result)) results.push(result);
    else if (results.length === 0) isNone = true;
    else return text.refuse('"none" stands behind results');
    if (results.length > MAX_RESULTS) return text.refuse(`there are more than ${MAX_RESULTS} results`);
  }
  if (!text.isAtEnd) return text.refuse("a semicolon or the end belongs here");
  if (results.length === 0 && !isNone) return text.refuse('neither results nor "none"');
  return { ok: true, value: { ...head, results } };
}

export type AuthenticationResultsHead = Omit<AuthenticationResults, "results">;

/** The authserv-id and the version; the place is behind them. */
export function readHead(text: StructuredText): AuthenticationResultsHead | Refused {
  const before = text.skipBlanks();
  if (before !== undefined) return before;
  const authservId = text.text[text.at] === '"' ? text.quotedString() : text.run(MIME_TOKEN_OCTETS);
  if (typeof authservId !== "string" && !authservId.ok) return authservId;
  if (authservId === "") return text.refuse("an authserv-id belongs here");
  const behind = text.skipBlanks();
  if (behind !== undefined) return behind;
  const version = readVersion(text);
  if (version !== undefined && typeof version !== "number") return version;
  const id = typeof authservId === "string" ? authservId : authservId.value;
  return version === undefined ? { authservId: id } : { authservId: id, version };
}

/** Nine digits at most, and the blanks behind them. */
function readVersion(text: StructuredText): number | undefined | Refused {
  const { at } = text;
  const digits = text.run(DIGITS);
  if (digits === "") return undefined;
  if (digits.length > 9) return text.refuse("a version of too many digits", at);
  return text.skipBlanks() ?? Number(digits);
}

function readResult(text: StructuredText): AuthenticationResult | { readonly none: true } | Refused {
  const { at } = text;
  const method = text.run(KEYWORD_OCTETS).toLowerCase();
  if (method === "") return text.refuse("the name of a method belongs here");
  const blanks = text.skipBlanks();
  if (blanks !== undefined) return blanks;
  let version: number | undefined;
  if (text.take("/")) {
    const read = text.skipBlanks() ?? readVersion(text);
    if (read === undefined) return text.refuse("the version of a method belongs here");
    if (typeof read !== "number") return read;
    version = read;
  }
  if (!text.take("=")) {
    return method === "none" && version === undefined
      ? { none: true }
      : text.refuse(`the method "${method}" has no result`, at);
  }
  const gap = text.skipBlanks();
  if (gap !== undefined) return gap;
  const result = text.run(KEYWORD_OCTETS).toLowerCase();
  if (result === "") return text.refuse(`the method "${method}" has no result`, at);
  const details = readDetails(text);
  if ("ok" in details) return details;
  return version === undefined ? { method, result, ...details } : { method, version, result, ...details };
}

/** Reason, comment and properties. */
function readDetails(text: StructuredText): Omit<AuthenticationResult, "method" | "result"> | Refused {
  const properties: ResultProperty[] = [];
  let reason: OctetText | undefined;
  let comment: OctetText | undefined;
  for (;;) {
    const blanks = text.skipBlanks();
    if (blanks !== undefined) return blanks;
    if (properties.length === 0) comment ??= text.comment;
    if (text.isAtEnd || text.text[text.at] === ";") break;
    const name = readName(text);
    if ("ok" in name) return name;
    const value = readValue(text);
    if (typeof value !== "string") return value;
    const { ptype, property } = name;
    if (ptype !== undefined) properties.push({ ptype, property, value });
    else if (property === "reason") reason ??= value;
    if (properties.length > MAX_PROPERTIES) {
      return text.refuse(`a result has more than ${MAX_PROPERTIES} properties`);
    }
  }
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(comment === undefined ? {} : { comment }),
    properties,
  };
}

/** "ptype.property=", or a word and "=". */
function readName(text: StructuredText): { ptype?: string; property: string } | Refused {
  const { at } = text;
  const first = text.run(KEYWORD_OCTETS).toLowerCase();
  if (first === "") return text.refuse("a property, a semicolon or the end belongs here");
  let blanks = text.skipBlanks();
  if (blanks !== undefined) return blanks;
  if (text.take("=")) return { property: first };
  if (!text.take(".")) return text.refuse(`"${first}" has no value`, at);
  blanks = text.skipBlanks();
  if (blanks !== undefined) return blanks;
  const property = text.run(KEYWORD_OCTETS).toLowerCase();
  blanks = text.skipBlanks();
  if (blanks !== undefined) return blanks;
  return property !== "" && text.take("=")
    ? { ptype: first, property }
    : text.refuse(`"${first}.${property}" has no value`, at);
}

/** A local part in quotes keeps them, so that the value is an address. */
function readValue(text: StructuredText): OctetText | Refused {
  const blanks = text.skipBlanks();
  if (blanks !== undefined) return blanks;
  const { at } = text;
  if (text.text[at] !== '"') return text.run(BARE_OCTETS);
  const quoted = text.quotedString();
  if (!quoted.ok) return quoted;
  if (text.text[text.at] !== "@") return quoted.value;
  text.run(BARE_OCTETS);
  return text.text.slice(at, text.at).replace(/[\r\n]/g, "");
}

/** RFC 5322 §2.1.1: lines should have no more than this. */
const LINE_OCTETS = 78;
const FIELD_NAME = "Authentication-Results:";
/** With every character escaped, a value still fits into the 998 octets of a line. */
const MAX_VALUE_OCTETS = 400;
const MAX_KEYWORD_OCTETS = 64;

/**
 * The value with its leading blank, folded with CRLF: each result on a line of its own. What has no place in a header
 * is made harmless: line ends and tabs become blanks, other control characters and all beyond ASCII "?"; values are
 * cut after 400 octets.
 */
export function formatAuthenticationResults({
  authservId,
  version,
  results,
}: AuthenticationResults): OctetText {
  const head = ` ${formatValue(authservId)}${formatVersion(" ", version)};`;
  if (results.length === 0) return `${head} none`;
  const last = results.length - 1;
  const lines = results.map((result, at) => formatResult(result, at === last ? "" : ";"));
  const isShort =
    results.length === 1 && FIELD_NAME.length + head.length + 1 + lines[0]!.length <= LINE_OCTETS;
  return isShort ? `${head} ${lines[0]}` : `${head}\r\n\t${lines.join("\r\n\t")}`;
}

function formatResult(result: AuthenticationResult, end: "" | ";"): string {
  const { method, version, comment, reason, properties } = result;
  const words = [
    `${formatKeyword(method)}${formatVersion("/", version)}=${formatKeyword(result.result)}`,
    ...(comment === undefined ? [] : [`(${harmless(comment).replace(/[()\\]/g, "\\$&")})`]),
    ...(reason === undefined ? [] : [`reason=${formatValue(reason)}`]),
    ...properties.map(
      ({ ptype, property, value }) =>
        `${formatKeyword(ptype)}.${formatKeyword(property)}=${formatPropertyValue(value)}`,
    ),
  ];
  return fold(words, end);
}

/** Between words the fold is a tab of its own; within one it stands before a blank that belongs to the text. */
function fold(words: readonly string[], end: "" | ";"): string {
  let folded = "";
  let column = 1;
  for (const [at, word] of words.entries()) {
    const pieces = word.split(/(?<! )(?= )/);
    if (at === words.length - 1) pieces.push(pieces.pop()! + end);
    for (const [place, piece] of pieces.entries()) {
      const isInner = place > 0;
      const blank = isInner || at === 0 ? "" : " ";
      if (column > 1 && column + blank.length + piece.length > LINE_OCTETS) {
        folded += isInner ? `\r\n${piece}` : `\r\n\t${piece}`;
        column = piece.length + (isInner ? 0 : 1);
      } else {
        folded += blank + piece;
        column += blank.length + piece.length;
      }
    }
  }
  return folded;
}

function formatVersion(before: string, version: number | undefined): string {
  return version !== undefined && /^\d{1,9}$/.test(String(version)) ? `${before}${version}` : "";
}

/** Names come from tables; what is none becomes one that nobody knows. */
function formatKeyword(text: string): string {
  const keyword = text
    .slice(0, MAX_KEYWORD_OCTETS)
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "-");
  return keyword === "" ? "-" : keyword;
}

const TOKEN = /^[!#$%&'*+.^_`{|}~0-9A-Za-z-]+$/;
/** RFC 8601 §2.2: what stands for an address must be one, and not in quotes as a whole. */
const ADDRESS =
  /^(?:[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*|"(?:[^"\\]|\\.)*")?@[\w-]+(?:\.[\w-]+)*$/;

function formatPropertyValue(value: OctetText): string {
  const text = harmless(value);
  return ADDRESS.test(text) ? text : quotedUnlessToken(text);
}

function formatValue(value: OctetText): string {
  return quotedUnlessToken(harmless(value));
}

function quotedUnlessToken(text: string): string {
  return TOKEN.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function harmless(text: OctetText): string {
  return text
    .slice(0, MAX_VALUE_OCTETS)
    .replace(/[\t\r\n]/g, " ")
    .replace(/[^ -~]/g, "?");
}
