/**
 * Domain names (RFC 1034 §3.1, RFC 1035 §2.3.4 and §5.1).
 *
 * A `DomainName` is a checked string: lower case, A-labels, no trailing dot, the root written as ".".
 * Any octet may stand inside a label; octets that are not plain text are written as RFC 1035 §5.1 escapes
 * (`\.` for a dot inside a label, `\DDD` for an octet by its decimal value), so that two equal names are
 * equal strings and labels survive the way to the wire and back.
 */
import { domainToASCII, domainToUnicode } from "node:url";
import type { Parsed } from "./parsed.ts";

declare const checked: unique symbol;
export type DomainName = string & { readonly [checked]: "DomainName" };

export const ROOT = "." as DomainName;

/** RFC 1035 §2.3.4: limits in octets; a name counts its length octets and the root's zero. */
export const MAX_LABEL_OCTETS = 63;
export const MAX_NAME_OCTETS = 255;

/** Labels of allowed length that the wire, zone text and we write in the same way, without the final dot. */
const PLAIN = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
/** The first label's length octet and the root's zero have no character. */
const MAX_PLAIN_CHARACTERS = MAX_NAME_OCTETS - 2;

const DOT = 0x2e;
const BACKSLASH = 0x5c;
/** Characters that zone text reads as something else, and that are therefore written with a backslash. */
const ESCAPED = new Set([...'"().;\\@$'].map((c) => c.charCodeAt(0)));

/**
 * Reads a domain name in presentation form, with or without the final dot. Escapes are understood; names
 * with letters beyond ASCII become A-labels (UTS 46, as RFC 5890 asks of applications).
 */
export function parseDomainName(text: string): Parsed<DomainName> {
  if (text === "" || text === ".") {
    return text === "." ? { ok: true, value: ROOT } : { ok: false, problem: "the name is empty" };
  }
  // Nearly every name is plain, and needs no octets to be seen as right
  if (text.length <= MAX_PLAIN_CHARACTERS && PLAIN.test(text)) return { ok: true, value: text as DomainName };
  const ascii = /[^\0-\x7f]/.test(text) ? toAscii(text) : text;
  if (ascii === undefined)
    return { ok: false, problem: `"${text}" is not a valid internationalised domain name` };
  const labels = splitLabels(ascii);
  return labels.ok ? nameFromLabels(labels.value) : labels;
}

/** A name known to be right (a constant, or one that was checked before); throws on anything else. */
export function domainName(text: string): DomainName {
  const parsed = parseDomainName(text);
  if (!parsed.ok) throw new TypeError(`"${text}" is not a domain name: ${parsed.problem}`);
  return parsed.value;
}

/** Puts wire labels (octets, any value) into a name; letters A–Z are folded (RFC 4343 §3). */
export function nameFromLabels(labels: readonly Uint8Array[]): Parsed<DomainName> {
  let octets = 1;
  let text = "";
  for (const label of labels) {
    if (label.length === 0) return { ok: false, problem: "a label is empty" };
    if (label.length > MAX_LABEL_OCTETS) {
      return { ok: false, problem: `a label has ${label.length} octets; ${MAX_LABEL_OCTETS} are allowed` };
    }
    octets += label.length + 1;
    text += text === "" ? labelText(label) : `.${labelText(label)}`;
  }
  if (octets > MAX_NAME_OCTETS) {
    return { ok: false, problem: `the name has ${octets} octets; ${MAX_NAME_OCTETS} are allowed` };
  }
  return { ok: true, value: (text === "" ? "." : text) as DomainName };
}

/** One label's octets in presentation form. */
function labelText(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) text += OCTET_TEXT[octet];
  return text;
}

/** As `labelText`, as character codes at `at` in `into`; returns the place behind them. */
export function writeLabelText(
  octets: Uint8Array,
  from: number,
  to: number,
  into: Uint8Array,
  at: number,
): number {
  let next = at;
  for (let place = from; place < to; place++) {
    const text = OCTET_TEXT[octets[place]!]!;
    for (let digit = 0; digit < text.length; digit++) into[next++] = text.charCodeAt(digit);
  }
  return next;
}

/** The presentation form of each octet inside a label, letters folded to lower case. */
const OCTET_TEXT: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  if (octet >= 0x41 && octet <= 0x5a) return String.fromCharCode(octet + 0x20);
  if (octet < 0x21 || octet > 0x7e) return `\\${String(octet).padStart(3, "0")}`;
  return ESCAPED.has(octet) ? `\\${String.fromCharCode(octet)}` : String.fromCharCode(octet);
});

/** The labels of a name as octets, from the left; the root has none. */
export function labelsOf(name: DomainName): Uint8Array[] {
  if (name === ROOT) return [];
  const labels = splitLabels(name);
  if (!labels.ok) throw new TypeError(`"${name}" is not a domain name: ${labels.problem}`);
  return labels.value;
}

function splitLabels(text: string): Parsed<Uint8Array[]> {
  const labels: Uint8Array[] = [];
  let label: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (label.length === 0)
        return { ok: false, problem: `an empty label at character ${at + 1}`, offset: at };
      labels.push(Uint8Array.from(label));
      label = [];
    } else if (code === BACKSLASH) {
      const escaped = readEscape(text, at);
      if (escaped === undefined)
        return { ok: false, problem: `a broken escape at character ${at + 1}`, offset: at };
      label.push(escaped.octet);
      at += escaped.length - 1;
    } else if (code > 0x7f) {
      return { ok: false, problem: `a character beyond ASCII at ${at + 1}`, offset: at };
    } else {
      label.push(code);
    }
  }
  if (label.length > 0) labels.push(Uint8Array.from(label));
  return { ok: true, value: labels };
}

/** One RFC 1035 §5.1 escape at `at`: `\X` for a character, `\DDD` for an octet. */
export function readEscape(text: string, at: number): { octet: number; length: number } | undefined {
  const digits = /^\d{3}/.exec(text.slice(at + 1, at + 4))?.[0];
  if (digits !== undefined) {
    const octet = Number(digits);
    return octet <= 255 ? { octet, length: 4 } : undefined;
  }
  const next = text.charCodeAt(at + 1);
  return Number.isNaN(next) || next > 0x7f || (next >= 0x30 && next <= 0x39)
    ? undefined
    : { octet: next, length: 2 };
}

/** The labels as texts (escapes kept), from the left. */
export function labelTexts(name: DomainName): string[] {
  if (name === ROOT) return [];
  return name.includes("\\") ? labelsOf(name).map((label) => labelText(label)) : name.split(".");
}

export function labelCount(name: DomainName): number {
  return labelTexts(name).length;
}

/** The name without its left-most label; the root has no parent. */
export function parentOf(name: DomainName): DomainName | undefined {
  if (name === ROOT) return undefined;
  let dot = name.indexOf(".");
  while (isEscaped(name, dot)) dot = name.indexOf(".", dot + 1);
  return dot < 0 ? ROOT : (name.slice(dot + 1) as DomainName);
}

/** Whether the character is part of a label, because an odd number of backslashes stands before it. */
function isEscaped(name: DomainName, at: number): boolean {
  let from = at;
  while (from > 0 && name.charCodeAt(from - 1) === BACKSLASH) from--;
  return (at - from) % 2 === 1;
}

/** The name, its parent, and so on up to and with the root. */
export function ancestors(name: DomainName): DomainName[] {
  const chain: DomainName[] = [];
  for (let at: DomainName | undefined = name; at !== undefined; at = parentOf(at)) chain.push(at);
  return chain;
}

/** True for the name itself and everything below `ancestor`. */
export function isWithin(name: DomainName, ancestor: DomainName): boolean {
  if (ancestor === ROOT || name === ancestor) return true;
  const dot = name.length - ancestor.length - 1;
  return name.charCodeAt(dot) === DOT && name.endsWith(ancestor) && !isEscaped(name, dot);
}

/** `prefix` (one or more labels, such as "_dmarc") in front of `name`; undefined where it grows too long. */
export function tryPrepend(prefix: string, name: DomainName): DomainName | undefined {
  const parsed = parseDomainName(name === ROOT ? prefix : `${prefix}.${name}`);
  return parsed.ok ? parsed.value : undefined;
}

/** As `tryPrepend`, for prefixes that always fit; throws a RangeError where they do not. */
export function prepend(prefix: string, name: DomainName): DomainName {
  if (name.length < 180 && PLAIN.test(prefix) && prefix.length <= 40) {
    return (name === ROOT ? prefix : `${prefix}.${name}`) as DomainName;
  }
  const joined = tryPrepend(prefix, name);
  if (joined === undefined) throw new RangeError(`"${prefix}" in front of "${name}" is not a valid name`);
  return joined;
}

/** The name as a zone file or `dig` shows it: with the final dot. */
export function absolute(name: DomainName): string {
  return name === ROOT ? "." : `${name}.`;
}

/**
 * A host name in the sense of RFC 1123 §2.1: letters, digits and inner hyphens, at least two labels, the
 * last not all digits. Underscored and wildcard names are no host names.
 */
export function isHostName(name: DomainName): boolean {
  const labels = labelTexts(name);
  return (
    labels.length >= 2 &&
    labels.every((label) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1)!)
  );
}

/** Unicode to A-labels; undefined where UTS 46 refuses. Underscores and asterisks pass. */
function toAscii(text: string): string | undefined {
  const dots = text.replace(/[\u3002\uff0e\uff61]/g, ".");
  const labels = dots.split(".").map((label) => (/[^\0-\x7f]/.test(label) ? domainToASCII(label) : label));
  return labels.every((label, at) => label !== "" || at === labels.length - 1) ? labels.join(".") : undefined;
}

/** For people: A-labels as Unicode where that is safe to show; anything else as it stands. */
export function forDisplay(name: DomainName): string {
  if (!name.includes("xn--")) return name;
  return labelTexts(name)
    .map((label) => (label.startsWith("xn--") ? domainToUnicode(label) || label : label))
    .join(".");
}
