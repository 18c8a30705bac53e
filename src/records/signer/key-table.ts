/** KeyTable and SigningTable, which OpenDKIM brought up and dkimpy-milter and rspamd read too. */
import { parseDkimSelector } from "../../standards/dkim/selector.ts";
import { parseDomainName } from "../../standards/dns/name.ts";
import {
  type Collection,
  type ConfiguredKey,
  contentLines,
  type Place,
  quote,
  SENDER_DOMAIN,
  type Senders,
} from "./configuration.ts";
import { publicHalfOf } from "./key-file.ts";

export interface TableRow {
  readonly key: string;
  readonly value: string;
  readonly place: Place;
}

export interface Table {
  readonly rows: readonly TableRow[];
  /** Keys of SigningTable rows are globs of whole addresses (refile), and not looked up as they are. */
  readonly isGlob: boolean;
}

/** A data set: `file:`, `refile:`, a path, `csl:` or a list with commas. Databases are not looked into. */
export function readDataSet(text: string, place: Place, collection: Collection): Table | undefined {
  const [, type, rest] = /^([a-z]+):(.*)$/i.exec(text) ?? [undefined, undefined, text];
  switch (type?.toLowerCase()) {
    case "file":
    case "refile":
      return readTableFile(rest!, type!.toLowerCase() === "refile", place, collection);
    case "csl":
      return { rows: listRows(rest!, place), isGlob: false };
    case undefined:
      return /^\.{0,2}\//.test(text)
        ? readTableFile(text, false, place, collection)
        : { rows: listRows(text, place), isGlob: false };
    default:
      collection.hidden(place, `${quote(text)} is not looked into: only files and lists are`);
      return undefined;
  }
}

export function readTableFile(
  file: string,
  isGlob: boolean,
  place: Place,
  collection: Collection,
): Table | undefined {
  const read = collection.read(file.trim(), place);
  if (read === undefined) return undefined;
  const rows = [...contentLines(read.text, read.path)].map(({ line, place: at }) => {
    const [, key = "", value = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
    return { key, value, place: at };
  });
  return { rows, isGlob };
}

/** "a=b, c=d", or bare words. */
function listRows(text: string, place: Place): TableRow[] {
  return text.split(",").flatMap((item) => {
    const [key = "", ...value] = item.trim().split("=");
    return key === "" ? [] : [{ key: key.trim(), value: value.join("=").trim(), place }];
  });
}

export type KeyTable = Map<string, ConfiguredKey[]>;

/** `name domain:selector:key`; the selector may be left out where there is a default. */
export function readKeyTable(
  { rows }: Table,
  collection: Collection,
  defaultSelector?: string,
  keys: KeyTable = new Map(),
): KeyTable {
  for (const { key: name, value, place } of rows) {
    const parts = value.split(":").map((part) => part.trim());
    const [domain = "", selector, key] =
      parts.length === 2 && defaultSelector !== undefined ? [parts[0], defaultSelector, parts[1]] : parts;
    if (!selector || !key) {
      collection.hidden(place, "this line is not `name domain:selector:key`");
      continue;
    }
    const made = configuredKey(domain, selector, key, place, collection);
    if (made !== undefined) keys.set(name, [...(keys.get(name) ?? []), made]);
  }
  return keys;
}

/** `%` is the sender's domain, in the signing domain and in the path. */
export function configuredKey(
  domain: string,
  selector: string,
  key: string,
  place: Place,
  collection: Collection,
): ConfiguredKey | undefined {
  const parsed = parseDkimSelector(selector);
  if (!parsed.ok) {
    collection.hidden(place, `${quote(selector)} is no selector`);
    return undefined;
  }
  const name = domain === SENDER_DOMAIN ? undefined : parseDomainName(domain);
  if (name !== undefined && !name.ok) {
    collection.hidden(place, `${quote(domain)} is not a domain name: ${name.problem}`);
    return undefined;
  }
  return {
    signingDomain: name?.value ?? SENDER_DOMAIN,
    dkimSelector: parsed.value,
    key: /^\.{0,2}\//.test(key)
      ? { file: collection.resolve(key.replaceAll("%", "$domain")) }
      : { half: publicHalfOf(key) },
    place,
  };
}

/** Adds a rule for every row; a table of literal keys is tried from the most to the least specific one. */
export function addSigningTable({ rows, isGlob }: Table, keys: KeyTable, collection: Collection): void {
  const placed = rows.flatMap((row) => {
    const senders = isGlob ? globSenders(row.key) : literalSenders(row.key);
    if (senders !== undefined) return [{ row, senders }];
    collection.note(
      row.place,
      "this pattern matches no address: write *@ in front of a domain for all its mail",
    );
    return [];
  });
  if (!isGlob) placed.sort((one, other) => rank(one.senders) - rank(other.senders));
  for (const { row, senders } of placed) {
    const [name = ""] = row.value.split(/[\s:]/);
    if (name === SENDER_DOMAIN) {
      for (const [domain, found] of keys) {
        const isMeant = parseDomainName(domain).ok && globMatches(senders.host, domain.toLowerCase());
        if (isMeant) collection.add({ senders: { ...senders, host: domain.toLowerCase() }, keys: found });
      }
      continue;
    }
    const found = keys.get(name);
    if (found !== undefined) collection.add({ senders, keys: found });
    else
      collection.hidden(row.place, `${quote(row.key)} names the key ${quote(name)}, which no KeyTable has`);
  }
}

/** A glob of whole addresses; without an @ it has to reach across it with a star. */
function globSenders(pattern: string): Senders | undefined {
  const text = pattern.toLowerCase();
  const at = text.lastIndexOf("@");
  if (at >= 0) return { local: text.slice(0, at), host: text.slice(at + 1) };
  return text.startsWith("*") ? { local: "*", host: text } : undefined;
}

/** `user@host`, `host`, `user@.domain`, `.domain` (all below it), `user@*`, `*`. */
function literalSenders(key: string): Senders {
  const text = key.toLowerCase();
  const at = text.lastIndexOf("@");
  const host = text.slice(at + 1);
  return { local: at < 0 ? "*" : text.slice(0, at), host: host.startsWith(".") ? `*${host}` : host };
}

function rank({ local, host }: Senders): number {
  const MAX_LABELS = 128;
  const group = host === "*" ? 2 : host.startsWith("*.") ? 1 : 0;
  const isWhole = local === "*" ? 1 : 0;
  const depth = group === 1 ? MAX_LABELS - host.split(".").length : 0;
  return (group * 2 + isWhole) * MAX_LABELS + depth;
}

/** `*` stands for any characters. Never looks at a character more often than the glob is long. */
export function globMatches(glob: string, text: string): boolean {
  let [at, from, star, retry] = [0, 0, -1, 0];
  while (from < text.length) {
    if (glob[at] === "*") {
      star = at++;
      retry = from;
    } else if (at < glob.length && glob[at] === text[from]) {
      at++;
      from++;
    } else if (star >= 0) {
      at = star + 1;
      from = ++retry;
    } else return false;
  }
  while (glob[at] === "*") at++;
  return at === glob.length;
}
