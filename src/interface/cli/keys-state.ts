/** What every command of keys begins with: the state, the keys in it, and names that people give. */
import type { DkimKey } from "../../keys/key.ts";
import { keyOwner } from "../../keys/key-record-shapes.ts";
import type { KeyStore } from "../../keys/key-store.ts";
import { type MasterKey, openSealedKey, otherSealKey } from "../../keys/sealing.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import { readDomain, readSelector } from "./argument.ts";
import { UsageError } from "./exit-code.ts";
import { anySealedSecret, openSealKey, type SealKeyOptions } from "./seal-key.ts";
import { openStateOf } from "./settings-file.ts";
import { stateDirectory } from "./state-directory.ts";
import type { OpenedState, Tools } from "./tools.ts";

export interface KeysOptions extends SealKeyOptions {
  readonly state?: string;
  readonly json?: boolean;
}

export interface OpenedKeys {
  readonly store: KeyStore;
  /** Where the state lies. */
  readonly directory: string;
  readonly sealKey: () => Promise<MasterKey>;
  readonly state: OpenedState;
}

export async function withKeys<T>(
  options: KeysOptions,
  tools: Tools,
  act: (opened: OpenedKeys) => T | Promise<T>,
): Promise<T> {
  const directory = stateDirectory(options.state, tools).replace(/(?<=.)\/+$/, "");
  const state = await openStateOf(directory, tools);
  try {
    const store = state.keys;
    let master: Promise<MasterKey> | undefined;
    return await act({
      state,
      store,
      directory,
      sealKey: () => {
        master ??= openFitting(options, directory, state, tools);
        return master;
      },
    });
  } finally {
    await state.close();
  }
}

async function openFitting(
  options: SealKeyOptions,
  directory: string,
  state: OpenedState,
  tools: Tools,
): Promise<MasterKey> {
  const { keys, seal } = state;
  const id = await seal.known();
  const secret = id === undefined ? await anySealedSecret(state) : undefined;
  const master = openSealKey(options, directory, await keys.list(), tools, { id, secret });
  const known = await seal.remember(master.id);
  if (known !== master.id) throw new UsageError(otherSealKey(known, master));
  return master;
}

/** The keys of the named domains, or all. */
export async function keysOf(names: readonly string[], { store }: OpenedKeys): Promise<readonly DkimKey[]> {
  if (names.length === 0) return store.list();
  return (await Promise.all(namedDomains(names).map((domain) => store.list(domain)))).flat();
}

export const namedDomains = (names: readonly string[]): readonly DomainName[] => [
  ...new Set(names.map(readDomain)),
];

/** One key, named in full, or the only one of its domain for which `isMeant` holds. */
export async function oneKey(
  name: string,
  selector: string | undefined,
  { store }: OpenedKeys,
  isMeant: (key: DkimKey) => boolean = ({ state }) => state !== "removed",
): Promise<DkimKey> {
  const domain = readDomain(name);
  const keys = await store.list(domain);
  if (keys.length === 0) {
    throw new UsageError(`there is no key of ${domain}: zonepost keys generate ${domain} makes one`);
  }
  const wanted = selector === undefined ? undefined : readSelector(selector);
  const found = keys.filter((key) => (wanted === undefined ? isMeant(key) : key.dkimSelector === wanted));
  if (found.length === 1) return found[0]!;
  const selectors = keys.map(({ dkimSelector, state }) => `${dkimSelector} (${state})`).join(", ");
  throw new UsageError(
    found.length === 0 && wanted !== undefined
      ? `${domain} has no key "${wanted}"; there are ${selectors}`
      : `which key of ${domain}? Name it with --selector; there are ${selectors}`,
  );
}

export function openKey(key: DkimKey, master: MasterKey) {
  const opened = openSealedKey(key.sealed, key, master);
  if (opened.status !== "opened") throw new UsageError(opened.problem);
  return opened.privateKey;
}

/** For JSON: nothing of the private half, sealed or not. */
export function keyFacts(key: DkimKey) {
  const { signingDomain, dkimSelector, state, times, sighting, createdAt, lastSignedAt, barred } = key;
  return {
    owner: keyOwner(key),
    signingDomain,
    dkimSelector,
    state,
    barred,
    createdAt,
    lastSignedAt,
    times,
    sighting,
  };
}
