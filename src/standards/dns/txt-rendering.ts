/**
 * One TXT value in the forms that name servers and providers' web forms want (R48), and the way back from
 * whatever people paste: zone lines, dig's output, a signer's key file, a bare value (R47, R49).
 */

import { readEscape } from "./name.ts";
import type { OctetString } from "./record.ts";
import { textToOctets, toCharacterStrings } from "./record.ts";
import type { Remark } from "./remark.ts";
import { decimalEscape, escapeText, quoteText } from "./zone-tokens.ts";

/**
 * `bind` strings of at most 255 octets, in parentheses, a line each · `strings` the same on one line ·
 * `quoted` one string, however long (for forms that cut it themselves) · `raw` no quotes around it.
 */
export const TXT_STYLES = ["raw", "quoted", "strings", "bind"] as const;
export type TxtStyle = (typeof TXT_STYLES)[number];

/** In every style `"` and `\` in the value are escaped, and octets beyond printable ASCII are `\DDD`. */
export function renderTxt(value: OctetString, style: TxtStyle): string {
  switch (style) {
    case "bind": {
      const strings = toCharacterStrings(value).map(quoteText);
      return strings.length === 1 ? `( ${strings[0]} )` : `(\n  ${strings.join("\n  ")}\n)`;
    }
    case "strings":
      return toCharacterStrings(value).map(quoteText).join(" ");
    case "quoted":
      return quoteText(value);
    case "raw": // a form cuts white space off both ends
      return escapeText(value).replace(/^ | $/g, decimalEscape);
    default:
      return style satisfies never;
  }
}

export interface PastedTxt {
  /** The strings joined, escapes resolved. */
  readonly value: OctetString;
  readonly remarks: readonly Remark[];
}

/** A zone line's owner, TTL, class and type, where quoted strings follow. */
const LINE_HEAD =
  /^\s*(?:;[^\n]*\n\s*)*[^\s"();][^\s"()]*\s+(?:\d\w*\s+)?(?:IN\s+)?(?:\d\w*\s+)?TXT\s+(?=["(])/i;
const STRINGS = /^[\s(]*(?:;[^\n]*\n[\s(]*)*"/;

/** Reads any rendering back, forgiving what it can and saying what it noticed. */
export function readTxt(pasted: string): PastedTxt {
  const notes = new Notes();
  const text = notes.straighten(pasted);
  const head = LINE_HEAD.exec(text);
  const from = head && STRINGS.test(text.slice(head[0].length)) ? head[0].length : 0;
  const value = STRINGS.test(text.slice(from)) ? readStrings(text, from, notes) : readRaw(text, notes);
  notes.judge(value);
  return { value, remarks: notes.remarks };
}

function readStrings(text: string, from: number, notes: Notes): OctetString {
  let value = "";
  let at = from;
  while (at < text.length) {
    const char = text[at]!;
    if (/[\s()]/.test(char)) {
      at++;
    } else if (char === ";") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
    } else if (char === '"') {
      const end = closingQuote(text, at + 1);
      if (end === text.length) notes.add("txt-open-quote", at);
      const string = resolved(text.slice(at + 1, end), at + 1, notes);
      if (string.length > 255) notes.add("txt-string-too-long", at, end - at);
      value += string;
      at = end + 1;
    } else {
      const end = at + /^[^\s()";]+/.exec(text.slice(at))![0].length;
      notes.add("txt-unquoted-part", at, end - at);
      value += resolved(text.slice(at, end), at, notes);
      at = end;
    }
  }
  return value;
}

function closingQuote(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return Math.min(at, text.length);
}

function readRaw(text: string, notes: Notes): OctetString {
  const start = text.length - text.trimStart().length;
  return resolved(text.trim(), start, notes);
}

/** Escapes resolved, line breaks taken out; a backslash that escapes nothing stays. */
function resolved(text: string, offset: number, notes: Notes): OctetString {
  let value = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "\n" || char === "\r") {
      notes.add("txt-line-break", offset + at);
      while (/\s/.test(text[at + 1] ?? "")) at++;
    } else if (char === "\\") {
      const escaped = readEscape(text, at);
      if (escaped === undefined) {
        notes.add("txt-broken-escape", offset + at);
        value += char;
        continue;
      }
      if (text[at + 1] === ";") notes.add("txt-escaped-semicolon", offset + at, 2);
      value += String.fromCharCode(escaped.octet);
      at += escaped.length - 1;
    } else {
      const whole = String.fromCodePoint(text.codePointAt(at)!);
      value += textToOctets(whole);
      at += whole.length - 1;
    }
  }
  return value;
}

const NOTES = {
  "txt-typographic-quotes": [
    "warning",
    "the quotes are typographic, as a word processor or web page makes them; read as plain ones",
  ],
  "txt-open-quote": ["warning", "the last quote is never closed; the end of the value may be lost"],
  "txt-string-too-long": [
    "notice",
    "a string of more than 255 octets: name servers refuse it, unless the provider's form cuts it in two",
  ],
  "txt-unquoted-part": ["warning", "a part stands outside the quotes; joined as if it were quoted"],
  "txt-line-break": ["warning", "a line break inside the value; taken out"],
  "txt-broken-escape": ["warning", "a backslash that escapes nothing; kept as part of the value"],
  "txt-escaped-semicolon": ["notice", "semicolons are written \\; as dig shows them; read as plain ones"],
  "txt-literal-backslash": [
    "error",
    "the value itself contains a backslash: receivers read it as data, and tags behind it break",
  ],
  "txt-inner-quotes": [
    "error",
    "the value itself contains quotes: a form that adds its own quotes stored these too",
  ],
} as const satisfies Record<string, readonly [Remark["severity"], string]>;

/** Each remark once, at the first place. */
class Notes {
  readonly remarks: Remark[] = [];

  add(code: keyof typeof NOTES, offset?: number, length?: number): void {
    if (this.remarks.some((remark) => remark.code === code)) return;
    const [severity, message] = NOTES[code];
    const place = { ...(offset !== undefined && { offset }), ...(length !== undefined && { length }) };
    this.remarks.push({ code, severity, message, reference: "RFC 1035 §5.1", ...place });
  }

  straighten(text: string): string {
    const curly = /[\u201c\u201d\u201e\u201f]/g;
    const first = text.search(curly);
    if (first < 0) return text;
    this.add("txt-typographic-quotes", first);
    return text.replace(curly, '"');
  }

  judge(value: OctetString): void {
    if (value.includes("\\")) this.add("txt-literal-backslash");
    if (value.includes('"')) this.add("txt-inner-quotes");
  }
}
