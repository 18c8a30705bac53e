/** Where the state lies: a file in its directory, or a database; and the key that it is sealed with. */
import { randomBytes } from "node:crypto";
import {
  createReadStream,
  type Dirent,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { UsageError } from "../interface/cli/exit-code.ts";
import { anySealedSecret, requireOpens } from "../interface/cli/seal-key.ts";
import type { OpenedState, ServeJob } from "../interface/cli/tools.ts";
import type { SavedState } from "../interface/http/parts.ts";
import { type MasterKey, newMasterKeyText, otherSealKey, readMasterKey } from "../keys/sealing.ts";
import type { SecretSource } from "../records/publish-settings.ts";
import type { OpenedStore } from "../store/open.ts";
import { readSecret } from "./secret-source.ts";

const storeFile = (directory: string): string => join(directory, "zonepost.db");

/** Undefined: a file of SQLite. The environment has the last word. */
export const databaseUrl = (database: SecretSource | undefined): string | undefined =>
  process.env["ZONEPOST_DATABASE"] || (database && readSecret(database, "database").reveal());

/** Keys are sealed by a key in the directory, wherever the rest lies. */
export async function openState(directory: string, database: SecretSource | undefined): Promise<OpenedStore> {
  const said = process.env["ZONEPOST_DATABASE"];
  const url = databaseUrl(database);
  try {
    const { openStore } = await import("../store/open.ts");
    return await openStore(url ? { kind: "postgres", url } : { kind: "sqlite", path: storeFile(directory) });
  } catch (error) {
    throw new UsageError(
      `${url ? (said ? "ZONEPOST_DATABASE" : "database") : `--state ${directory}`}: ${(error as Error).message}`,
    );
  }
}

export async function restoreState(
  file: string,
  directory: string,
  database: SecretSource | undefined,
): Promise<{ before: string | undefined }> {
  if (process.env["ZONEPOST_DATABASE"] || database)
    throw new UsageError(
      "the state lies in a database (ZONEPOST_DATABASE, or database in the settings): PostgreSQL is brought back with its own tools, pg_restore or psql",
    );
  const { restoreSqlite } = await import("../store/sqlite-file.ts");
  return restoreSqlite(file, storeFile(directory));
}

/** Beside its place first, so that nobody ever finds half of it. */
export function writePrivateFile(
  path: string,
  content: string,
  { overwrite }: { readonly overwrite: boolean },
): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!overwrite) {
    writeFileSync(path, content, { flag: "wx", mode: 0o600, flush: true });
    return;
  }
  const beside = `${path}.${randomBytes(6).toString("hex")}`;
  writeFileSync(beside, content, { flag: "wx", mode: 0o600, flush: true });
  renameSync(beside, path);
}

/** A name that nobody chooses; six characters come behind it. */
const SAVING = ".zonepost-saving-";
/** No backup takes as long. */
const UNFINISHED_MILLISECONDS = 3_600_000;

/** Of a process that ended in the middle of one; what another process is at, or what is somebody else's, stays. */
export function removeUnfinishedBackups(directory: string, now: Date): void {
  if (!existsSync(directory)) return;
  for (const { name } of readdirSync(directory, { withFileTypes: true }).filter(isSaving)) {
    const folder = join(directory, name);
    const changedAt = lastChange(folder);
    if (changedAt !== undefined && now.getTime() - changedAt > UNFINISHED_MILLISECONDS)
      rmSync(folder, { recursive: true, force: true });
  }
}

const isSaving = (entry: Dirent): boolean =>
  entry.isDirectory() && entry.name.startsWith(SAVING) && entry.name.length === SAVING.length + 6;

/** Undefined where it is gone meanwhile, or holds what is no copy of a store. */
function lastChange(folder: string): number | undefined {
  try {
    const files = readdirSync(folder, { withFileTypes: true });
    if (!files.every((file) => file.isFile() && /^zonepost\.db(?:$|[.-])/.test(file.name))) return undefined;
    const paths = [folder, ...files.map(({ name }) => join(folder, name))];
    return Math.max(...paths.map((path) => lstatSync(path).mtimeMs));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A copy beside the state, which goes as soon as it is open: what is sent then is gone with the connection. */
export async function saveState(state: OpenedStore, directory: string | undefined): Promise<SavedState> {
  const folder = mkdtempSync(join(directory ?? tmpdir(), SAVING));
  try {
    const path = join(folder, "zonepost.db");
    await state.backup(path);
    const fd = openSync(path, "r");
    return { octets: fstatSync(fd).size, content: createReadStream(path, { fd }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `seal.key` beside the state where the settings name none; made where there is nothing that it would have to open. */
export async function readServerSealKey(
  { sealKey }: Pick<ServeJob["settings"], "sealKey">,
  directory: string,
  state: Pick<OpenedState, "seal" | "access" | "providers">,
): Promise<MasterKey> {
  const { seal } = state;
  const path = join(directory, "seal.key");
  const before = await seal.known();
  const secret = before === undefined ? await anySealedSecret(state) : undefined;
  const isNew = sealKey === undefined && !existsSync(path);
  if (isNew) {
    if (before !== undefined || secret !== undefined)
      throw new UsageError(
        `the seal key is not there (${path}): bring it from another node or from a backup, or name it as sealKey`,
      );
    writePrivateFile(
      path,
      newMasterKeyText((count) => randomBytes(count)),
      { overwrite: false },
    );
  }
  const octets =
    sealKey === undefined
      ? readFileSync(path)
      : Buffer.from(readSecret(sealKey as SecretSource, "sealKey").reveal());
  const master = readMasterKey(octets);
  if (!master.ok) throw new UsageError(`the seal key: ${master.problem}`);
  if (secret !== undefined) requireOpens(master.value, secret, (count) => randomBytes(count));
  const known = await seal.remember(master.value.id);
  if (known === master.value.id) return master.value;
  // Another node was faster: nothing is sealed under ours.
  if (isNew) rmSync(path);
  throw new UsageError(`${sealKey === undefined ? path : "sealKey"}: ${otherSealKey(known, master.value)}`);
}
