/** What is known of a signing program's configuration: for whose mail it uses which selector and key. */

import type { DkimPublicKey } from "../../standards/dkim/public-key.ts";
import type { DkimSelector } from "../../standards/dkim/selector.ts";
import type { Parsed } from "../../standards/dns/parsed.ts";

export type SignerFormat = "opendkim" | "dkimpy-milter" | "rspamd" | "amavisd";

/** "refused" is a file that is there and may not be read, as key files often are. */
export type FileRead =
  | { readonly status: "read"; readonly text: string }
  | { readonly status: "absent" | "refused"; readonly problem: string };
export type ReadFile = (path: string) => FileRead;

/** Where a thing stands: "/etc/opendkim.conf", line 12. */
export interface Place {
  readonly path: string;
  /** Counted from 1. */
  readonly line: number;
}

export interface SignerProblem {
  readonly place: Place;
  readonly problem: string;
}

/** Addresses in From, as two globs in lower case; a local part of "*" stands for all of a domain's mail. */
export interface Senders {
  readonly local: string;
  readonly host: string;
}

/** The sender's own domain, in a key's signing domain. */
export const SENDER_DOMAIN = "%";

export interface ConfiguredKey {
  /** The d= of signatures, or `SENDER_DOMAIN`. */
  readonly signingDomain: string;
  readonly dkimSelector: DkimSelector;
  /** A path in which `$domain` and `$selector` stand for themselves; or the key's public half, or why there is none. */
  readonly key: { readonly file: string } | { readonly half: Parsed<DkimPublicKey> };
  readonly place: Place;
}

export interface SigningRule {
  readonly senders: Senders;
  readonly keys: readonly ConfiguredKey[];
  /** Signs only for the domains for which the key file is there. */
  readonly needsKeyFile?: boolean;
}

export interface SignerConfiguration {
  readonly format: SignerFormat;
  readonly path: string;
  /** In the order in which they are tried. */
  readonly rules: readonly SigningRule[];
  /** `all` rules that match sign, or the `first` one. */
  readonly applies: "first" | "all";
  /** The registrable domain is put in the place of the sender's domain. */
  readonly usesOrganizationalDomain: boolean;
  readonly problems: readonly SignerProblem[];
  /** False where something could not be read that may name more domains and keys. */
  readonly isComplete: boolean;
}

const MAX_PROBLEMS = 50;
const MAX_RULES = 200_000;
const MAX_FILES = 50;
/** More than the tables of a hundred thousand domains need. */
const MAX_FILE_CHARACTERS = 32 * 1024 * 1024;

/** What the readers of the formats put together. */
export class Collection {
  readonly path: string;
  readonly rules: SigningRule[] = [];
  readonly problems: SignerProblem[] = [];
  isComplete = true;
  readonly #readFile: ReadFile;
  #filesLeft = MAX_FILES;

  constructor(path: string, readFile: ReadFile) {
    this.path = path;
    this.#readFile = readFile;
  }

  /** Something that takes nothing away from what is known. */
  note(place: Place, problem: string): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ place, problem });
  }

  /** Something behind which more domains and keys may be. */
  hidden(place: Place, problem: string): void {
    this.isComplete = false;
    this.note(place, problem);
  }

  add(rule: SigningRule): void {
    if (this.rules.length < MAX_RULES) this.rules.push(rule);
    else if (this.isComplete) {
      const place = rule.keys[0]?.place ?? { path: this.path, line: 1 };
      this.hidden(place, `only the first ${MAX_RULES} senders are looked at`);
    }
  }

  /** Relative names stand beside the configuration. */
  resolve(file: string): string {
    return file.startsWith("/") ? file : `${folderOf(this.path)}${file.replace(/^\.\//, "")}`;
  }

  /** A file that the configuration names; undefined, with a word on it, where it cannot be had. */
  read(file: string, place: Place): { readonly path: string; readonly text: string } | undefined {
    const path = this.resolve(file);
    if (this.#filesLeft-- <= 0) {
      this.hidden(place, `${path} is not read: the configuration names more than ${MAX_FILES} files`);
      return undefined;
    }
    const read = this.#readFile(path);
    if (read.status === "read" && read.text.includes("PRIVATE KEY-----")) {
      this.hidden(place, `${path} is a private key; a table or a configuration belongs here`);
      return undefined;
    }
    if (read.status === "read" && read.text.length <= MAX_FILE_CHARACTERS) return { path, text: read.text };
    this.hidden(
      place,
      read.status === "read" ? `${path} is too large` : `cannot read ${path}: ${read.problem}`,
    );
    return undefined;
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** What a file holds in the place of a name may be long, and a key in the wrong place is not repeated. */
export function quote(text: string): string {
  const MAX = 80;
  if (/[A-Za-z0-9+/=]{40}/.test(text)) return `a text of ${text.length} characters`;
  return `"${text.length > MAX ? `${text.slice(0, MAX)}…` : text}"`;
}

/** Every line with its number, without comment and blanks around; empty ones are left out. */
export function* contentLines(
  text: string,
  path: string,
): Generator<{ readonly line: string; readonly place: Place }> {
  let number = 0;
  for (const raw of text.split("\n")) {
    number++;
    const line = raw.replace(/#.*/, "").trim();
    if (line !== "") yield { line, place: { path, line: number } };
  }
}
