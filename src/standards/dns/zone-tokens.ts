/** The words of zone text (RFC 1035 §5.1): entries, quoted strings, parentheses, comments, escapes. */
import { readEscape } from "./name.ts";
import type { Parsed } from "./parsed.ts";
import { type OctetString, textToOctets } from "./record.ts";

export interface Token {
  /** As written: escapes kept, the quotes around it left out. */
  readonly text: string;
  readonly quoted: boolean;
  /** Nothing stands between this and the token before: `alpn="h2"` is two tokens that touch. */
  readonly touches: boolean;
  /** Where the token (with its quote) starts in the text, counted from 0. */
  readonly offset: number;
}

/** One entry: a line, or several where parentheses join them. */
export interface Entry {
  readonly tokens: readonly Token[];
  /** White space before the first token: the owner is the last one stated. */
  readonly startsBlank: boolean;
  /** Where the next entry starts. */
  readonly next: number;
  readonly unclosed?: true;
  /** The first thing that cannot be read; the tokens are then not to be trusted. */
  readonly fault?: { readonly problem: string; readonly offset: number };
}

/**
 * Reads the entry that starts at `from`. A string or an escape that its line does not finish spoils only
 * that line; a parenthesis that is never closed spoils only the line it opens on, so that one missing
 * character does not hide the rest of the text.
 */
export function readEntry(text: string, from: number): Entry {
  const tokens: Token[] = [];
  const open: number[] = [];
  let fault: Entry["fault"];
  let at = from;
  let afterToken = -1;
  const startsBlank = text[from] === " " || text[from] === "\t";
  while (at < text.length) {
    const char = text[at]!;
    if (char === "\n") {
      at++;
      if (open.length === 0) return { tokens, startsBlank, next: at, ...(fault && { fault }) };
    } else if (char === " " || char === "\t" || char === "\r") {
      at++;
    } else if (char === ";") {
      at = lineEnd(text, at);
    } else if (char === "(") {
      open.push(at++);
    } else if (char === ")") {
      if (open.pop() === undefined)
        fault ??= { problem: "a parenthesis closes that none opened", offset: at };
      at++;
    } else {
      const end = char === '"' ? quotedEnd(text, at) : plainEnd(text, at);
      if (end < 0) {
        const problem = char === '"' ? "the string's line ends before its quote" : "an escape ends the line";
        fault ??= { problem, offset: at };
        at = lineEnd(text, at);
        continue;
      }
      const quoted = char === '"';
      const written = quoted ? text.slice(at + 1, end - 1) : text.slice(at, end);
      tokens.push({ text: written, quoted, touches: afterToken === at, offset: at });
      at = end;
      afterToken = end;
    }
  }
  const unclosed = open[0];
  if (unclosed === undefined) return { tokens, startsBlank, next: at, ...(fault && { fault }) };
  // a string left open on the same line may have swallowed the closing parenthesis
  const end = lineEnd(text, unclosed);
  if (fault === undefined || fault.offset > end) {
    fault = { problem: "the parenthesis is never closed", offset: unclosed };
  }
  return { tokens, startsBlank, next: end + 1, unclosed: true, fault };
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end < 0 ? text.length : end;
}

/** Behind the closing quote; -1 where the line ends first (BIND refuses strings over several lines). */
function quotedEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const char = text[at];
    if (char === '"') return at + 1;
    if (char === "\n") return -1;
    if (char === "\\" && text[at + 1] !== "\n") at++;
  }
  return -1;
}

function plainEnd(text: string, from: number): number {
  let at = from;
  for (; at < text.length && !' \t\r\n();"'.includes(text[at]!); at++) {
    if (text[at] !== "\\") continue;
    at++;
    if (at >= text.length || text[at] === "\n" || text[at] === "\r") return -1;
  }
  return at;
}

/** What a token's text stands for: escapes resolved, characters beyond ASCII as UTF-8. */
export function unescapeText(text: string): Parsed<OctetString> {
  const octets = textToOctets(text);
  if (!octets.includes("\\")) return { ok: true, value: octets };
  let value = "";
  for (let at = 0; at < octets.length; at++) {
    if (octets[at] !== "\\") {
      value += octets[at];
      continue;
    }
    const escaped = readEscape(octets, at);
    if (escaped === undefined) return { ok: false, problem: "a broken escape", offset: at };
    value += String.fromCharCode(escaped.octet);
    at += escaped.length - 1;
  }
  return { ok: true, value };
}

/** The inside of a quoted string: quotes and backslashes escaped, octets beyond printable ASCII as `\DDD`. */
export function escapeText(value: OctetString): string {
  return value.replace(/["\\]|[^\x20-\x7e]/g, (char) =>
    char === '"' || char === "\\" ? `\\${char}` : decimalEscape(char),
  );
}

export function decimalEscape(char: string): string {
  return `\\${String(char.charCodeAt(0)).padStart(3, "0")}`;
}

export function quoteText(value: OctetString): string {
  return `"${escapeText(value)}"`;
}
