/** opendkim.conf and dkimpy-milter.conf: a setting a line, with the same names in both. */
import {
  type Collection,
  type ConfiguredKey,
  contentLines,
  type Place,
  quote,
  SENDER_DOMAIN,
} from "./configuration.ts";
import { addSigningTable, configuredKey, type KeyTable, readDataSet, readKeyTable } from "./key-table.ts";

interface Setting {
  readonly value: string;
  readonly place: Place;
}
type Settings = ReadonlyMap<string, Setting>;

const MAX_INCLUDE_DEPTH = 5;

/** Returns which rules apply: the first that matches, or with MultipleSignatures all. */
export function readOpenDkim(text: string, collection: Collection): "first" | "all" {
  const settings = new Map<string, Setting>();
  readSettings(text, collection.path, settings, collection, 0);
  const mode = settings.get("mode");
  if (mode !== undefined && !/s/i.test(mode.value)) {
    collection.note(mode.place, `Mode ${quote(mode.value)}: it verifies mail and signs none`);
    return "first";
  }
  if (hasKeyTable(settings)) readTables(settings, collection);
  else readPlainKeys(settings, collection);
  return isOn(settings.get("multiplesignatures")) ? "all" : "first";
}

/** The last setting of a name counts. */
function readSettings(
  text: string,
  path: string,
  settings: Map<string, Setting>,
  collection: Collection,
  depth: number,
): void {
  for (const { line, place } of contentLines(text, path)) {
    const [, name = "", value = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
    if (name.toLowerCase() !== "include") {
      settings.set(name.toLowerCase(), { value, place });
    } else if (depth >= MAX_INCLUDE_DEPTH) {
      collection.hidden(place, `${quote(value)} is not read: included too deep`);
    } else {
      const included = collection.read(value, place);
      if (included !== undefined) readSettings(included.text, included.path, settings, collection, depth + 1);
    }
  }
}

const isOn = (setting: Setting | undefined) => /^[ty1]/i.test(setting?.value ?? "");

const hasKeyTable = (settings: Settings) => settings.has("keytable") || settings.has("keytableed25519");

function readTables(settings: Settings, collection: Collection): void {
  const signing = settings.get("signingtable");
  const keys: KeyTable = new Map();
  let place: Place | undefined;
  for (const name of ["keytable", "keytableed25519"]) {
    const setting = settings.get(name);
    if (setting === undefined) continue;
    place = setting.place;
    const table = readDataSet(setting.value, setting.place, collection);
    if (table !== undefined) readKeyTable(table, collection, undefined, keys);
  }
  if (signing === undefined) {
    collection.note(place!, "there is a KeyTable and no SigningTable, which says whose mail is signed");
    return;
  }
  const table = readDataSet(signing.value, signing.place, collection);
  if (table !== undefined) addSigningTable(table, keys, collection);
}

/** Domain, Selector and KeyFile; dkimpy-milter has a second pair for Ed25519. */
function readPlainKeys(settings: Settings, collection: Collection): void {
  const domain = settings.get("domain");
  if (domain === undefined) {
    const old = settings.get("keylist") ?? settings.get("signingtable");
    if (old !== undefined)
      collection.hidden(old.place, "there is no KeyTable, which says where the keys are");
    return;
  }
  const names = readDataSet(domain.value, domain.place, collection);
  const pairs = [
    ["selector", "keyfile"],
    ["selectored25519", "keyfileed25519"],
  ].flatMap(([selectorName, fileName]) => {
    const selector = settings.get(selectorName!);
    const file = settings.get(fileName!);
    if (selector === undefined && file === undefined) return [];
    if (selector !== undefined && file !== undefined) return [{ selector, file }];
    const [lone, missing] = selector === undefined ? [file!, "Selector"] : [selector, "KeyFile"];
    collection.note(lone.place, `${quote(lone.value)} stands alone: the ${missing} for it is missing`);
    return [];
  });
  for (const { key: name } of names?.rows ?? []) {
    const keyed = pairs.flatMap(({ selector, file }): ConfiguredKey[] => {
      const path = /^\.{0,2}\//.test(file.value) ? file.value : `./${file.value}`;
      const signingDomain = name.includes("*") ? SENDER_DOMAIN : name;
      const key = configuredKey(signingDomain, selector.value, path, selector.place, collection);
      return key === undefined ? [] : [key];
    });
    const host = name.toLowerCase().replace(/\.$/, "");
    if (keyed.length === 0) continue;
    collection.add({ senders: { local: "*", host }, keys: keyed });
    if (isOn(settings.get("subdomains"))) {
      collection.add({ senders: { local: "*", host: `*.${host}` }, keys: keyed });
    }
  }
}
