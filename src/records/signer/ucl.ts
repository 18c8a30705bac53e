/** The configuration language of rspamd, as far as settings need it: objects, arrays, texts, comments. */
import { quote } from "./configuration.ts";

export type UclValue = string | UclObject | readonly UclValue[];

export interface UclEntry {
  readonly key: string;
  readonly value: UclValue;
  /** Counted from 1. */
  readonly line: number;
}

export interface UclObject {
  readonly entries: readonly UclEntry[];
}

export interface UclProblem {
  readonly line: number;
  readonly problem: string;
}

export interface UclReading {
  /** What stands before the first mistake. */
  readonly entries: readonly UclEntry[];
  readonly problem?: UclProblem;
}

const MAX_DEPTH = 32;
const BLANK = /\s/;
/** Where a bare word or value ends. */
const END_OF_KEY = /[\s={}[\];,:"'#]/;
const END_OF_VALUE = /[\n;,{}[\]]/;

export function parseUcl(text: string): UclReading {
  const scanner = new Scanner(text);
  const entries: UclEntry[] = [];
  const problem = scanner.read(entries);
  return problem === undefined ? { entries } : { entries, problem };
}

export const isUclObject = (value: UclValue): value is UclObject =>
  typeof value === "object" && !Array.isArray(value);

class Mistake extends Error {}

class Scanner {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** The outermost object may stand in braces, as JSON does. */
  read(entries: UclEntry[]): UclProblem | undefined {
    try {
      this.#skipBlank();
      const isBraced = this.#peek() === "{";
      if (isBraced) this.#next();
      this.#readEntries(entries, isBraced, 0);
      return undefined;
    } catch (error) {
      if (!(error instanceof Mistake)) throw error;
      return { line: this.#line, problem: error.message };
    }
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #next(): string {
    const character = this.#text[this.#at++]!;
    if (character === "\n") this.#line++;
    return character;
  }

  #skipBlank(also = ""): void {
    for (let character = this.#peek(); character !== undefined; character = this.#peek()) {
      if (BLANK.test(character) || also.includes(character)) this.#next();
      else if (character === "#") this.#skipTo("\n");
      else if (this.#text.startsWith("/*", this.#at)) {
        this.#skipTo("*/");
        this.#at = Math.min(this.#at + 2, this.#text.length);
      } else return;
    }
  }

  #skipTo(end: string): void {
    const found = this.#text.indexOf(end, this.#at);
    const stop = found < 0 ? this.#text.length : found;
    while (this.#at < stop) this.#next();
  }

  #readEntries(entries: UclEntry[], isBraced: boolean, depth: number): void {
    if (depth > MAX_DEPTH) throw new Mistake(`more than ${MAX_DEPTH} braces in one another`);
    for (;;) {
      this.#skipBlank(";,");
      const character = this.#peek();
      if (character === undefined) {
        if (isBraced) throw new Mistake("a closing brace is missing");
        return;
      }
      if (character === "}") {
        if (!isBraced) throw new Mistake("a closing brace too many");
        this.#next();
        return;
      }
      entries.push(this.#readEntry(depth));
    }
  }

  #readEntry(depth: number): UclEntry {
    const line = this.#line;
    if (this.#peek() === ".") {
      const start = this.#at;
      this.#skipTo("\n");
      return { key: ".include", value: this.#text.slice(start, this.#at).replace(/;\s*$/, ""), line };
    }
    const key = this.#readWord();
    this.#skipBlank();
    if (this.#peek() === "=" || this.#peek() === ":") {
      this.#next();
      this.#skipBlank();
    } else if (this.#peek() !== "{" && this.#peek() !== "[" && this.#peek() !== undefined) {
      // `section "name" { … }` is `section { name { … } }`.
      const name = this.#readWord();
      this.#skipBlank();
      if (this.#peek() !== "{") throw new Mistake(`${quote(key)} is followed by no value`);
      const value = { entries: [{ key: name, value: this.#readValue(depth + 1), line }] };
      return { key, value, line };
    }
    return { key, value: this.#readValue(depth), line };
  }

  #readWord(): string {
    const quote = this.#peek();
    if (quote === '"' || quote === "'") return this.#readQuoted();
    const start = this.#at;
    while (this.#at < this.#text.length && !END_OF_KEY.test(this.#peek()!)) this.#next();
    if (this.#at === start) throw new Mistake(`"${this.#peek() ?? "the end"}" stands where a name belongs`);
    return this.#text.slice(start, this.#at);
  }

  #readQuoted(): string {
    const quote = this.#next();
    let value = "";
    for (;;) {
      if (this.#peek() === undefined) throw new Mistake("a quotation mark is missing");
      const character = this.#next();
      if (character === quote) return value;
      value += character === "\\" && this.#peek() !== undefined ? this.#next() : character;
    }
  }

  #readValue(depth: number): UclValue {
    const character = this.#peek();
    if (character === undefined) throw new Mistake("a value is missing");
    if (character === "{") {
      this.#next();
      const entries: UclEntry[] = [];
      this.#readEntries(entries, true, depth + 1);
      return { entries };
    }
    if (character === "[") return this.#readArray(depth + 1);
    if (character === '"' || character === "'") return this.#readQuoted();
    if (this.#text.startsWith("<<", this.#at)) return this.#readHeredoc();
    const start = this.#at;
    // `$` opens names such as ${DBDIR}, whose braces belong to the value.
    while (this.#at < this.#text.length && !END_OF_VALUE.test(this.#peek()!)) {
      if (this.#next() === "$" && this.#peek() === "{") this.#skipTo("}");
      else continue;
      if (this.#peek() === "}") this.#next();
    }
    return this.#text
      .slice(start, this.#at)
      .replace(/\s#.*$/, "")
      .trim();
  }

  #readArray(depth: number): UclValue[] {
    if (depth > MAX_DEPTH) throw new Mistake(`more than ${MAX_DEPTH} brackets in one another`);
    this.#next();
    const values: UclValue[] = [];
    for (;;) {
      this.#skipBlank(";,");
      if (this.#peek() === undefined) throw new Mistake("a closing bracket is missing");
      if (this.#peek() === "]") {
        this.#next();
        return values;
      }
      const before = this.#at;
      values.push(this.#readValue(depth));
      if (this.#at === before) throw new Mistake("a closing brace stands where a bracket belongs");
    }
  }

  /** `<<EOD`, lines, `EOD`. */
  #readHeredoc(): string {
    const [opening, mark] = /^<<([A-Z]{1,40})\n/.exec(this.#text.slice(this.#at, this.#at + 50)) ?? [];
    if (opening === undefined) throw new Mistake("<< is followed by no mark such as EOD");
    const start = this.#at + opening.length;
    const end = this.#text.indexOf(`\n${mark}`, start - 1);
    if (end < 0) throw new Mistake(`the text never ends: ${mark} is missing`);
    const stop = end + 1 + mark!.length;
    while (this.#at < stop) this.#next();
    return this.#text.slice(start, Math.max(start, end));
  }
}
