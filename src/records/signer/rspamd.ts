/** rspamd's dkim_signing.conf, from local.d, from a dump, or whole with its section. */
import { parseDkimSelector } from "../../standards/dkim/selector.ts";
import { parseDomainName } from "../../standards/dns/name.ts";
import {
  type Collection,
  type ConfiguredKey,
  contentLines,
  type Place,
  quote,
  SENDER_DOMAIN,
} from "./configuration.ts";
import { addSigningTable, readKeyTable, readTableFile, type Table } from "./key-table.ts";
import { isUclObject, parseUcl, type UclEntry, type UclObject, type UclValue } from "./ucl.ts";

const DEFAULT_SELECTOR = "dkim";
const DEFAULT_PATH = "/var/lib/rspamd/dkim/$domain.$selector.key";
const DIRECTORIES: Readonly<Record<string, string>> = {
  DBDIR: "/var/lib/rspamd",
  CONFDIR: "/etc/rspamd",
  LOCAL_CONFDIR: "/etc/rspamd",
};

interface Settings {
  readonly collection: Collection;
  readonly entries: ReadonlyMap<string, UclEntry>;
}

interface Found {
  readonly value: string;
  readonly place: Place;
}
interface KeySource {
  readonly selector?: Found;
  readonly path?: Found;
}

/** Returns whether the registrable domain signs for those below it. */
export function readRspamd(text: string, collection: Collection): boolean {
  const settings = readSettings(text, collection);
  const esld = textOf(settings, "use_esld");
  const usesOrganizationalDomain = esld === undefined || isOn(esld.value);
  const enabled = textOf(settings, "enabled");
  if (enabled !== undefined && !isOn(enabled.value)) {
    collection.note(enabled.place, "enabled is off: nothing is signed");
    return usesOrganizationalDomain;
  }
  if (settings.entries.has("signing_table") && settings.entries.has("key_table")) {
    addTables(settings);
    return false;
  }
  addDomains(settings);
  return usesOrganizationalDomain;
}

const isOn = (value: string) => /^(true|yes|on)$/i.test(value);

/** Of entries with one name the last counts, but sections of domains add up. */
function readSettings(text: string, collection: Collection): Settings {
  const reading = parseUcl(text);
  const { path } = collection;
  if (reading.problem !== undefined) {
    collection.hidden({ path, line: reading.problem.line }, reading.problem.problem);
  }
  const section = reading.entries.filter(({ key, value }) => key === "dkim_signing" && isUclObject(value));
  const all = section.length === 0 ? reading.entries : section.flatMap(({ value }) => entriesOf(value));
  const entries = new Map<string, UclEntry>();
  for (const entry of all) {
    const known = entries.get(entry.key);
    if (entry.key === ".include") {
      const what = `${quote(String(entry.value))} is not followed: name that file too`;
      collection.hidden({ path, line: entry.line }, what);
    } else if (entry.key === "domain" && known !== undefined) {
      entries.set(entry.key, {
        ...known,
        value: { entries: [...entriesOf(known.value), ...entriesOf(entry.value)] },
      });
    } else entries.set(entry.key, entry);
  }
  return { collection, entries };
}

function entriesOf(value: UclValue): readonly UclEntry[] {
  if (isUclObject(value)) return value.entries;
  return typeof value === "string" ? [] : value.flatMap(entriesOf);
}

function textOf({ entries, collection }: Settings, key: string): Found | undefined {
  return foundText(entries.get(key), collection);
}

function foundText(entry: UclEntry | undefined, { path }: Collection): Found | undefined {
  if (typeof entry?.value !== "string") return undefined;
  const value = entry.value.replace(/\$\{(\w+)\}/g, (whole, name: string) => DIRECTORIES[name] ?? whole);
  return { value, place: { path, line: entry.line } };
}

/** OpenDKIM's tables, which are maps of globs here. */
function addTables(settings: Settings): void {
  const [signing, keys] = ["signing_table", "key_table"].map((key) => readMap(key, settings));
  if (signing === undefined || keys === undefined) return;
  const selector = textOf(settings, "selector")?.value;
  const isGlob = signing.rows.every(({ key }) => key.includes("@") || key.startsWith("*"));
  addSigningTable(
    { ...signing, isGlob },
    readKeyTable(keys, settings.collection, selector),
    settings.collection,
  );
}

/** A file with a key and a value in each line, or an array of such lines; globs count as globs either way. */
function readMap(name: string, { entries, collection }: Settings): Table | undefined {
  const entry = entries.get(name);
  if (entry === undefined) return undefined;
  const place = { path: collection.path, line: entry.line };
  if (typeof entry.value === "string") {
    const file = /^(?:(?:glob|hash|map);)?(?:file:\/\/)?(\.{0,2}\/.*)$/.exec(
      foundText(entry, collection)!.value,
    );
    if (file !== null) return readTableFile(file[1]!, true, place, collection);
  } else if (!isUclObject(entry.value)) {
    const lines = entry.value.filter((item) => typeof item === "string");
    const rows = [...contentLines(lines.join("\n"), collection.path)].map(({ line }) => {
      const [key = "", ...value] = line.split(/\s+/);
      return { key, value: value.join(" "), place };
    });
    return { rows, isGlob: true };
  }
  collection.hidden(place, `${name} is not looked into: only files and plain lists are`);
  return undefined;
}

function addDomains(settings: Settings): void {
  const { collection, entries } = settings;
  const domains = readDomainSections(settings);
  const [selectors, paths] = ["selector_map", "path_map"].map((name) => mapOf(readMap(name, settings)));
  const stored = ["use_redis", "use_vault"]
    .map((name) => textOf(settings, name))
    .find((setting) => setting !== undefined && isOn(setting.value));
  if (stored !== undefined) collection.hidden(stored.place, "keys in Redis or Vault are not looked into");
  const fallback: Required<KeySource> = {
    selector: textOf(settings, "selector") ?? atStart(DEFAULT_SELECTOR, collection),
    path: textOf(settings, "path") ?? atStart(DEFAULT_PATH, collection),
  };
  const signAs = fixedDomain(settings);
  const names = new Set([...domains.keys(), ...selectors!.keys(), ...paths!.keys()]);
  // Names before patterns, as the lookup has it.
  const ordered = [...names].sort((one, other) => Number(one.includes("*")) - Number(other.includes("*")));
  for (const name of ordered) {
    if (signAs !== undefined && name !== signAs) continue;
    const own = domains.get(name) ?? [];
    const sources = own.length > 0 ? own : [{}];
    const keys = sources.flatMap((source) => {
      const selector = source.selector ?? selectors!.get(name) ?? fallback.selector;
      const path = source.path ?? paths!.get(name) ?? fallback.path;
      return keyOf(
        name.includes("*") ? SENDER_DOMAIN : name,
        selector,
        path,
        stored !== undefined,
        collection,
      );
    });
    collection.add({ senders: { local: "*", host: signAs === undefined ? name : "*" }, keys });
  }
  const tries = entries.has("try_fallback") ? isOn(textOf(settings, "try_fallback")?.value ?? "") : true;
  if (!tries || stored !== undefined || names.has(signAs ?? "")) return;
  const keys = keyOf(signAs ?? SENDER_DOMAIN, fallback.selector, fallback.path, false, collection);
  collection.add({ senders: { local: "*", host: "*" }, keys, needsKeyFile: true });
}

const atStart = (value: string, { path }: Collection): Found => ({ value, place: { path, line: 1 } });

/** `use_domain` is mostly a word for where the domain is taken from, and may be a domain itself. */
function fixedDomain(settings: Settings): string | undefined {
  const named = textOf(settings, "use_domain")?.value;
  return named?.includes(".") ? named.toLowerCase() : undefined;
}

function readDomainSections({ entries, collection }: Settings): ReadonlyMap<string, readonly KeySource[]> {
  const domains = new Map<string, readonly KeySource[]>();
  for (const { key, value, line } of entriesOf(entries.get("domain")?.value ?? "")) {
    const name = parseDomainName(key);
    const host = name.ok ? name.value : key.toLowerCase();
    if ((!name.ok && !key.includes("*")) || !isUclObject(value)) {
      collection.hidden({ path: collection.path, line }, `${quote(key)} is no domain with its settings`);
      continue;
    }
    const sources = [value, ...value.entries.filter((entry) => entry.key === "selectors").flatMap(objectsOf)]
      .map((object) => sourceOf(object, collection))
      .filter(({ selector, path }) => selector !== undefined || path !== undefined);
    domains.set(host, [...(domains.get(host) ?? []), ...sources]);
  }
  return domains;
}

function objectsOf({ value }: UclEntry): UclObject[] {
  if (typeof value === "string") return [];
  return isUclObject(value) ? [value] : value.filter((item) => isUclObject(item));
}

function sourceOf({ entries }: UclObject, collection: Collection): KeySource {
  const find = (name: string) =>
    foundText(
      entries.findLast(({ key }) => key === name),
      collection,
    );
  const [selector, path] = [find("selector"), find("path")];
  return { ...(selector && { selector }), ...(path && { path }) };
}

function mapOf(table: Table | undefined): ReadonlyMap<string, Found> {
  const rows = table?.rows ?? [];
  return new Map(rows.map(({ key, value, place }) => [key.toLowerCase(), { value, place }]));
}

function keyOf(
  signingDomain: string,
  selector: Found,
  path: Found,
  isStored: boolean,
  collection: Collection,
): ConfiguredKey[] {
  const parsed = parseDkimSelector(selector.value);
  if (!parsed.ok) {
    collection.hidden(selector.place, `${quote(selector.value)} is no selector`);
    return [];
  }
  const key = isStored
    ? { half: { ok: false as const, problem: "it is kept in Redis or Vault" } }
    : { file: collection.resolve(path.value) };
  return [{ signingDomain, dkimSelector: parsed.value, key, place: selector.place }];
}
