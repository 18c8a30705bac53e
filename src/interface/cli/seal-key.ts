/** The key under which private keys are sealed: from where it comes, and its first making. */
import { totpBinding } from "../../access/login.ts";
import { createSecretBox } from "../../access/secret-box.ts";
import type { DkimKey } from "../../keys/key.ts";
import {
  type MasterKey,
  newMasterKeyText,
  openSealedKey,
  otherSealKey,
  readMasterKey,
} from "../../keys/sealing.ts";
import { providerBinding } from "../../publish/provider-store.ts";
import { UsageError } from "./exit-code.ts";
import { visible } from "./terminal.ts";
import type { OpenedState, Tools } from "./tools.ts";

const CREDENTIAL = "zonepost-seal-key";

export interface SealKeyOptions {
  readonly sealKey?: string;
}

const sealKeyBeside = (directory: string): string => `${directory}/seal.key`;

/**
 * `--seal-key`, then ZONEPOST_SEAL_KEY, then systemd's credential, then `seal.key` beside the keys; undefined where there
 * is none of these.
 */
export function findSealKey(
  { sealKey }: SealKeyOptions,
  directory: string,
  tools: Tools,
): MasterKey | undefined {
  const { ZONEPOST_SEAL_KEY: inEnvironment, CREDENTIALS_DIRECTORY: credentials } = tools.environment;
  if (sealKey !== undefined) return readSealKeyFile(sealKey, tools);
  if (inEnvironment) return parse(new TextEncoder().encode(inEnvironment), "ZONEPOST_SEAL_KEY");
  const places = [...(credentials ? [`${credentials}/${CREDENTIAL}`] : []), sealKeyBeside(directory)];
  const there = places.find((path) => tools.fileExists(path));
  return there === undefined ? undefined : readSealKeyFile(there, tools);
}

/** What a state knows of its key: whether a key is the right one, and whether there is anything to open. */
export interface SealKnown {
  /** As the state remembers it (SealStore.known). */
  readonly id?: string | undefined;
  readonly secret?: SealedSecret | undefined;
}

/** As `findSealKey`; made where nothing is sealed yet. */
export function openSealKey(
  options: SealKeyOptions,
  directory: string,
  keys: readonly DkimKey[],
  tools: Tools,
  known: SealKnown = {},
): MasterKey {
  const found = findSealKey(options, directory, tools);
  if (found !== undefined) return fitting(found, keys, known, tools);
  const path = sealKeyBeside(directory);
  if (known.id !== undefined || known.secret !== undefined || keys.length > 0) {
    throw new UsageError(
      `the seal key is not there (${path}), and without it neither the ${keys.length} private keys nor what else is sealed can be opened: bring it back from a backup or from another node, or name it with --seal-key`,
    );
  }
  tools.writePrivateFile(path, newMasterKeyText(tools.randomOctets), { overwrite: false });
  tools.terminal.err(
    `${visible(`Made a seal key: ${path}. It opens every private key; keep a copy apart from backups of the keys.`)}\n`,
  );
  return readSealKeyFile(path, tools);
}

/** A code of a user, or a provider's credentials. */
export interface SealedSecret {
  readonly whose: string;
  readonly sealed: string;
  readonly boundTo: string;
}

/** The first there is: states from before they remembered their key may have such, and no private key that names it. */
export async function anySealedSecret({
  access,
  providers,
}: Pick<OpenedState, "access" | "providers">): Promise<SealedSecret | undefined> {
  for (const { id, name, sealedTotpSecret: sealed } of await access.users())
    if (sealed !== undefined) return { whose: `the user ${name}`, sealed, boundTo: totpBinding(id) };
  const [provider] = await providers.list();
  return (
    provider && {
      whose: `the provider ${provider.id}`,
      sealed: provider.sealed,
      boundTo: providerBinding(provider.id),
    }
  );
}

export function requireOpens(
  master: MasterKey,
  { whose, sealed, boundTo }: SealedSecret,
  random: Tools["randomOctets"],
): void {
  if (createSecretBox(master.key, random).open(sealed, boundTo) === undefined)
    throw new UsageError(
      `what is sealed here of ${whose} does not open with the seal key at hand (${master.id}): bring seal.key from where it was entered, such as another node, or from its backup`,
    );
}

export function readSealKeyFile(path: string, tools: Tools): MasterKey {
  let octets: Uint8Array;
  try {
    octets = tools.readOctets(path);
  } catch (error) {
    throw new UsageError(`cannot read the seal key ${path}: ${(error as Error).message}`);
  }
  return parse(octets, path);
}

function parse(octets: Uint8Array, where: string): MasterKey {
  const master = readMasterKey(octets);
  if (!master.ok) throw new UsageError(`${where}: ${master.problem}`);
  return master.value;
}

/** All lies under one seal key: another one is refused before anything is sealed under it. */
function fitting(
  master: MasterKey,
  keys: readonly DkimKey[],
  { id, secret }: SealKnown,
  { randomOctets }: Tools,
): MasterKey {
  if (id !== undefined && id !== master.id) throw new UsageError(otherSealKey(id, master));
  if (id === undefined && secret !== undefined) requireOpens(master, secret, randomOctets);
  const newest = keys.at(-1);
  if (newest === undefined) return master;
  const opened = openSealedKey(newest.sealed, newest, master);
  if (opened.status === "other-master-key") throw new UsageError(opened.problem);
  return master;
}
