/**
 * The tokens of structured header values (RFC 5322 §3.2): blanks, comments, quoted strings, runs of characters.
 * Each octet is looked at once; nothing is ever read again.
 */
import type { Refused } from "../dns/parsed.ts";
import type { OctetText } from "./header-field.ts";

/** Comments in comments; people write none at all. */
const MAX_COMMENT_DEPTH = 32;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const BACKSLASH = 0x5c;

/** Which octets a token may hold: one row for each of the 256. */
export type OctetSet = Uint8Array;

export function octetSet(contains: (octet: number, character: string) => boolean): OctetSet {
  return Uint8Array.from({ length: 256 }, (_, octet) =>
    contains(octet, String.fromCharCode(octet)) ? 1 : 0,
  );
}

/** RFC 5322 §3.2.3, with the octets of UTF-8 as RFC 6532 §3.2 adds them. */
export const ATOM_OCTETS = octetSet(
  (octet, character) => octet > 0x20 && octet !== 0x7f && !'()<>[]:;@\\,."'.includes(character),
);

/** RFC 2045 §5.1, with the octets of UTF-8. */
export const MIME_TOKEN_OCTETS = octetSet(
  (octet, character) => octet > 0x20 && octet !== 0x7f && !'()<>@,;:\\"/[]?='.includes(character),
);

export interface Quoted {
  readonly ok: true;
  /** Without the quotation marks, quoted pairs resolved, folds unfolded. */
  readonly value: OctetText;
}

export class StructuredText {
  readonly text: OctetText;
  at = 0;
  /** What the first comment passed by `skipBlanks` says; undefined where there was none. */
  comment: OctetText | undefined;

  constructor(text: OctetText) {
    this.text = text;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** The octet at the place; NaN at the end. */
  get octet(): number {
    return this.text.charCodeAt(this.at);
  }

  refuse(problem: string, offset = this.at): Refused {
    return { ok: false, problem, offset };
  }

  /** Passes the character where it stands here. */
  take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  /** As many octets of the set as follow; empty where none does. */
  run(octets: OctetSet): OctetText {
    const from = this.at;
    while (octets[this.text.charCodeAt(this.at)] === 1) this.at++;
    return this.text.slice(from, this.at);
  }

  /** CFWS of RFC 5322 §3.2.2, or nothing; a bare LF or CR is a blank like others. */
  skipBlanks(): Refused | undefined {
    this.comment = undefined;
    for (;;) {
      const { octet } = this;
      if (octet === SPACE || octet === TAB || octet === CR || octet === LF) {
        this.at++;
      } else if (octet === OPEN) {
        const from = this.at;
        const refused = this.#skipComment();
        if (refused !== undefined) return refused;
        this.comment ??= withoutPairs(this.text.slice(from + 1, this.at - 1));
      } else {
        return undefined;
      }
    }
  }

  #skipComment(): Refused | undefined {
    const from = this.at;
    let depth = 0;
    for (; this.at < this.text.length; this.at++) {
      switch (this.text.charCodeAt(this.at)) {
        case BACKSLASH:
          this.at++;
          break;
        case OPEN:
          depth++;
          if (depth > MAX_COMMENT_DEPTH)
            return this.refuse(`comments are nested deeper than ${MAX_COMMENT_DEPTH}`);
          break;
        case CLOSE:
          depth--;
          if (depth === 0) {
            this.at++;
            return undefined;
          }
      }
    }
    this.at = this.text.length;
    return this.refuse("a comment has no end", from);
  }

  /** A quoted string (RFC 5322 §3.2.4); the place is at its first quotation mark. */
  quotedString(): Quoted | Refused {
    const from = this.at;
    for (this.at++; this.at < this.text.length; this.at++) {
      const { octet } = this;
      if (octet === BACKSLASH) this.at++;
      else if (octet === QUOTE) {
        this.at++;
        return { ok: true, value: withoutPairs(this.text.slice(from + 1, this.at - 1)) };
      }
    }
    this.at = this.text.length;
    return this.refuse("a quoted string has no end", from);
  }
}

/** Quoted pairs as the character that they quote; line ends are no part of the text (RFC 5322 §3.2.2). */
function withoutPairs(text: OctetText): OctetText {
  return /[\\\r\n]/.test(text) ? text.replace(/\\([\s\S])|[\r\n]/g, "$1") : text;
}
