/**
 * Macro strings (RFC 7208 §7): parsed once, with the record, and expanded per message. A `MacroString` is
 * known to be right, so expansion cannot fail.
 */
import { type DomainName, MAX_NAME_OCTETS, nameFromLabels } from "../dns/name.ts";
import type { Parsed } from "../dns/parsed.ts";

export type MacroLetter = "s" | "l" | "o" | "d" | "i" | "p" | "h" | "c" | "r" | "t" | "v";

export interface MacroString {
  /** As written in the record. */
  readonly text: string;
  readonly parts: readonly MacroPart[];
}

export type MacroPart = LiteralPart | ExpandedPart;

/** `%%`, `%_` and `%-` are literals too: they do not depend on the message. */
export interface LiteralPart {
  readonly kind: "literal";
  readonly text: string;
}

export interface ExpandedPart {
  readonly kind: "macro";
  readonly letter: MacroLetter;
  /** An upper-case letter: the value is URL-escaped (§7.3). */
  readonly escaped: boolean;
  /** How many right-hand parts stay; undefined keeps all. */
  readonly keep: number | undefined;
  readonly reversed: boolean;
  /** The characters that split the value; "." where none is written. */
  readonly delimiters: string;
}

/**
 * Where a macro string stands decides what may be in it: `%{c}`, `%{r}` and `%{t}` only make sense in an
 * explanation (§7.2), and only there is a plain space a character like others (§7.1). The value of an unknown
 * modifier is held to the grammar alone, since its meaning is not ours to know.
 */
export type MacroContext = "domain" | "explanation" | "unknown-modifier";

const ONLY_IN_EXPLANATIONS = "crt";
const MACRO = /%(?:\{([a-zA-Z])(\d*)([rR]?)([-.+,/_=]*)\}|([%_-]))/y;
const LITERALS: Readonly<Record<string, string>> = { "%": "%", _: " ", "-": "%20" };

export function parseMacroString(text: string, context: MacroContext): Parsed<MacroString> {
  const parts: MacroPart[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] !== "%") {
      const literal = literalAt(text, at, context);
      if (literal === "") return { ok: false, problem: strangeCharacter(text, at), offset: at };
      parts.push({ kind: "literal", text: literal });
      at += literal.length;
      continue;
    }
    MACRO.lastIndex = at;
    const found = MACRO.exec(text);
    if (found === null) return { ok: false, problem: brokenMacro(text, at), offset: at };
    const part = readMacro(found, context);
    if (!part.ok) return { ...part, offset: at };
    parts.push(part.value);
    at = MACRO.lastIndex;
  }
  return { ok: true, value: { text, parts } };
}

/** §7.1 macro-literal: visible ASCII except "%"; an explain-string has spaces too. */
function literalAt(text: string, at: number, context: MacroContext): string {
  const literal = context === "explanation" ? /[ -$&-~]+/y : /[!-$&-~]+/y;
  literal.lastIndex = at;
  return literal.exec(text)?.[0] ?? "";
}

function readMacro(found: RegExpExecArray, context: MacroContext): Parsed<MacroPart> {
  const [, letter, digits, reverse, delimiters, special] = found;
  if (letter === undefined) return { ok: true, value: { kind: "literal", text: LITERALS[special!]! } };
  const lower = letter.toLowerCase();
  if (!"slodiphcrtv".includes(lower)) return { ok: false, problem: `there is no macro letter "${letter}"` };
  if (context === "domain" && ONLY_IN_EXPLANATIONS.includes(lower)) {
    return { ok: false, problem: `%{${letter}} may only stand in the text that exp= points to` };
  }
  if (digits !== "" && Number(digits) === 0) return { ok: false, problem: "a macro cannot keep 0 parts" };
  return {
    ok: true,
    value: {
      kind: "macro",
      letter: lower as MacroLetter,
      escaped: letter !== lower,
      keep: digits === "" ? undefined : Number(digits),
      reversed: reverse !== "",
      delimiters: delimiters || ".",
    },
  };
}

function brokenMacro(text: string, at: number): string {
  const shown = text.slice(at, at + 2);
  return shown === "%{"
    ? "a macro is %{ a letter, digits, r and delimiters }, and this is not one"
    : `"${shown}" is no macro; a literal percent sign is written %%`;
}

function strangeCharacter(text: string, at: number): string {
  const code = text.codePointAt(at)!;
  if (code === 0x20) return "a space ends the term here";
  const shown = code > 0x20 && code !== 0x7f ? `"${String.fromCodePoint(code)}" ` : "";
  return `the character ${shown}(U+${code.toString(16).toUpperCase().padStart(4, "0")}) may not stand in an SPF record`;
}

/** §7.1 toplabel: letters, digits and inner hyphens, not digits alone. */
const ENDS_IN_TOPLABEL = /\.(?:[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])\.?$/i;

/** A domain-spec: a macro string that ends in a macro or in a dot and a top label (§7.1). */
export function parseDomainSpec(text: string): Parsed<MacroString> {
  if (text === "") return { ok: false, problem: "a domain name is missing", offset: 0 };
  const parsed = parseMacroString(text, "domain");
  if (!parsed.ok) return parsed;
  const ending = text.replace(/%(?:\{[^}]*\}|[%_-])/g, "\0");
  if (ending.endsWith("\0") || ENDS_IN_TOPLABEL.test(ending)) return parsed;
  return { ok: false, problem: `"${text}" is not a full domain name`, offset: 0 };
}

/** The domain-spec that stands for exactly this name. */
export function domainSpecOf(name: DomainName): MacroString {
  const parsed = parseDomainSpec(name.replaceAll("%", "%%"));
  if (!parsed.ok) throw new TypeError(`"${name}" cannot stand in an SPF record: ${parsed.problem}`);
  return parsed.value;
}

export function macroLetters(spec: MacroString): ReadonlySet<MacroLetter> {
  return new Set(spec.parts.flatMap((part) => (part.kind === "macro" ? [part.letter] : [])));
}

export function expandMacros(spec: MacroString, value: (letter: MacroLetter) => string): string {
  return spec.parts
    .map((part) => (part.kind === "literal" ? part.text : transform(part, value(part.letter))))
    .join("");
}

/** §7.3: split, reverse, keep the right-hand parts, join with dots, escape; in this order. */
function transform(macro: ExpandedPart, value: string): string {
  let parts = [""];
  for (const character of value) {
    if (macro.delimiters.includes(character)) parts.push("");
    else parts[parts.length - 1] += character;
  }
  // A macro without transformers leaves the value alone; "." split and joined by "." is the same.
  if (macro.reversed) parts.reverse();
  if (macro.keep !== undefined) parts = parts.slice(-macro.keep);
  const joined = parts.join(".");
  return macro.escaped ? urlEscape(joined) : joined;
}

/** RFC 3986 §2.3: all but the unreserved characters, octet by octet. */
function urlEscape(text: string): string {
  return text.replace(/[^A-Za-z0-9._~-]/gu, (character) =>
    Array.from(
      new TextEncoder().encode(character),
      (octet) => `%${octet.toString(16).toUpperCase().padStart(2, "0")}`,
    ).join(""),
  );
}

/** The longest name in presentation form: 255 octets less the first length octet and the root's. */
const MAX_NAME_CHARACTERS = MAX_NAME_OCTETS - 2;

/**
 * The name an expansion stands for. No escapes are understood in it (§4.8), one trailing dot is dropped, and
 * labels fall off the left until it fits (§7.3). Undefined where no query can be made of it: an empty label
 * or one of more than 63 octets.
 */
export function targetName(expansion: string): DomainName | undefined {
  let text = expansion.endsWith(".") ? expansion.slice(0, -1) : expansion;
  while (text.length > MAX_NAME_CHARACTERS && text.includes(".")) text = text.slice(text.indexOf(".") + 1);
  if (text === "") return undefined;
  const name = nameFromLabels(text.split(".").map((label) => new TextEncoder().encode(label)));
  return name.ok ? name.value : undefined;
}
