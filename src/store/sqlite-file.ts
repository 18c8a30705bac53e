/** The file of SQLite: made for its owner alone, saved while it is written to, and brought back. */
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { LATEST_LAYOUT, statementsFrom } from "./migrations/all.ts";
import { SQLITE_WORDS } from "./migrations/migration.ts";
import { whenFree } from "./sqlite-dialect.ts";
import { StoreTrouble, tellSqlite } from "./trouble.ts";

export function newerLayout(place: string, layout: number): StoreTrouble {
  return new StoreTrouble(
    "newer",
    `${place} was written by a newer version of zonepost (layout ${layout}, this one knows ${LATEST_LAYOUT}): run that version, or bring back an older backup`,
  );
}

/** Opens the file, or makes it: 0600, in a directory of 0700; and brings an older layout up to date. */
export async function openSqliteFile(path: string): Promise<DatabaseSync> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite gives its log files the rights of the file itself.
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
  // Waiting is done in whenFree, and not inside of SQLite, where it would hold up everything else in the process.
  const database = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
  try {
    await whenFree(() => database.exec("PRAGMA journal_mode = WAL"));
    database.exec("PRAGMA synchronous = FULL");
    if (layoutOf(database) !== LATEST_LAYOUT) await layOut(database, path);
    return database;
  } catch (error) {
    database.close();
    throw tellSqlite(path)(error);
  }
}

/** Nothing of it is ever on a disk. */
export async function openSqliteMemory(): Promise<DatabaseSync> {
  const database = new DatabaseSync(":memory:", { timeout: 0, enableForeignKeyConstraints: true });
  await layOut(database, "the store in memory");
  return database;
}

const layoutOf = (database: DatabaseSync): number =>
  Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);

async function layOut(database: DatabaseSync, path: string): Promise<void> {
  await whenFree(() => database.exec("BEGIN IMMEDIATE"));
  try {
    const layout = layoutOf(database);
    if (layout > LATEST_LAYOUT) throw newerLayout(path, layout);
    for (const statement of statementsFrom(layout, SQLITE_WORDS)) database.exec(statement);
    database.exec(`PRAGMA user_version = ${LATEST_LAYOUT}`);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** All pages in one step, which sees one moment, and which no writer makes begin anew. */
const ALL_PAGES = 0x7fff_ffff;

/**
 * A copy as of one moment, whatever is written meanwhile; nothing is at `target` before it is whole. Where there is no
 * file, of the open database itself.
 */
export async function backUpSqlite(source: string | DatabaseSync, target: string): Promise<void> {
  if (existsSync(target))
    throw new StoreTrouble("refused", `${target} is there already; nothing was written. Name another file`);
  const unfinished = `${target}.unfinished`;
  try {
    await copyTo(source, unfinished);
    // Fails where somebody else was faster.
    linkSync(unfinished, target);
    syncDirectory(target);
  } catch (error) {
    throw tellFile(target)(error);
  } finally {
    removeFiles(unfinished);
  }
}

async function copyTo(source: string | DatabaseSync, target: string): Promise<void> {
  removeFiles(target);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  closeSync(openSync(target, "wx", 0o600));
  // A connection of its own, so that the store is free meanwhile.
  const own =
    typeof source === "string" ? new DatabaseSync(source, { timeout: 5_000, readOnly: true }) : undefined;
  try {
    await backup(own ?? (source as DatabaseSync), target, { rate: ALL_PAGES });
  } finally {
    own?.close();
  }
  const copy = new DatabaseSync(target, { timeout: 0 });
  try {
    // One file, without a log beside it.
    copy.exec("PRAGMA journal_mode = DELETE");
  } finally {
    copy.close();
  }
  await inThread(CHECK_AND_SYNC, target);
}

/** As text: a program that is shipped as one has no file to start a thread from. */
const CHECK_AND_SYNC = `
const { closeSync, fsyncSync, openSync } = require("node:fs");
const { DatabaseSync } = require("node:sqlite");
const { parentPort, workerData } = require("node:worker_threads");
const database = new DatabaseSync(workerData, { readOnly: true });
const [row] = database.prepare("PRAGMA integrity_check(1)").all();
database.close();
const file = openSync(workerData, "r");
fsyncSync(file);
closeSync(file);
parentPort.postMessage(String(row?.integrity_check));`;

/** To read a file of a gigabyte takes ten seconds, in which everybody else would wait. */
async function inThread(code: string, path: string): Promise<void> {
  const result = await new Promise<string>((resolve, reject) => {
    new Worker(code, { eval: true, workerData: path, execArgv: [] })
      .once("message", resolve)
      .once("error", reject)
      .once("exit", () => reject(new Error("the thread ended without a word")));
  });
  requireWhole(result, path);
}

export interface Restored {
  /** The store as it was before; undefined where there was none. */
  readonly before: string | undefined;
}

/**
 * Puts a backup in the place of the store, in one step. Refuses what is not whole, and where another process has the
 * store open.
 */
export async function restoreSqlite(file: string, path: string): Promise<Restored> {
  if (!existsSync(file)) throw new StoreTrouble("refused", `${file} is not there; nothing was changed`);
  try {
    assertStore(file);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const unfinished = `${path}.unfinished`;
    try {
      await copyTo(file, unfinished);
      giveToOwnerOf(existsSync(path) ? path : dirname(path), unfinished);
      return putInPlace(unfinished, path);
    } finally {
      removeFiles(unfinished);
    }
  } catch (error) {
    const told = tellFile(file)(error);
    if (told === error || !(told instanceof StoreTrouble) || told.kind !== "damaged") throw told;
    const what = "it is damaged, or no store of zonepost; nothing was changed. Take another backup";
    throw new StoreTrouble("damaged", `${file}: ${what}`, { cause: error });
  }
}

/**
 * An administrator restores; the service runs as a user of its own, and has to open it. That user may write in the
 * directory, and have put a way to somebody else's file in the place of ours: it is not followed.
 */
export function giveToOwnerOf(place: string, file: string): void {
  const { uid, gid } = statSync(place);
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile() || found.nlink !== 1)
      throw new StoreTrouble(
        "refused",
        `${file} is no longer the file that was written; nothing was changed`,
      );
    fchownSync(descriptor, uid, gid);
  } catch (error) {
    // Whoever may not give files away is the one who opens it.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") throw error;
  } finally {
    closeSync(descriptor);
  }
}

function assertStore(file: string): void {
  const database = new DatabaseSync(file, { timeout: 5_000, readOnly: true });
  try {
    assertWhole(database, file);
    const layout = layoutOf(database);
    if (layout > LATEST_LAYOUT) throw newerLayout(file, layout);
    const hasKeys =
      database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'dkim_key'").get() !== undefined;
    if (layout === 0 || !hasKeys)
      throw new StoreTrouble(
        "refused",
        `${file} is a database, but no store of zonepost; nothing was changed`,
      );
  } finally {
    database.close();
  }
}

function assertWhole(database: DatabaseSync, file: string): void {
  const [row] = database.prepare("PRAGMA integrity_check(1)").all();
  requireWhole(String(row?.["integrity_check"]), file);
}

function requireWhole(result: string, file: string): void {
  if (result !== "ok")
    throw new StoreTrouble(
      "damaged",
      `${file} is not whole (${result}); nothing was changed. Take another backup`,
    );
}

function putInPlace(whole: string, path: string): Restored {
  if (!existsSync(path)) {
    removeFiles(path);
    renameSync(whole, path);
    syncDirectory(path);
    return { before: undefined };
  }
  const before = `${path}.before-restore`;
  let held: DatabaseSync | undefined;
  try {
    held = holdAlone(path);
    removeFiles(before);
    linkSync(path, before);
    renameSync(whole, path);
    syncDirectory(path);
    return { before };
  } finally {
    held?.close();
  }
}

/** Whoever has the file open keeps this from succeeding; its log is folded in, and nobody comes in behind. */
function holdAlone(path: string): DatabaseSync | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = DELETE");
    database.exec("BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database.close();
    const { errcode } = error as { readonly errcode?: number };
    const primary = (errcode ?? 0) & 0xff;
    if (primary === 5 || primary === 6) {
      throw new StoreTrouble(
        "busy",
        `${path} is open in another program; nothing was changed. Stop zonepost (the milter, the server), then restore`,
      );
    }
    // What is damaged may be replaced: that is what backups are for.
    if (primary === 11 || primary === 26) {
      removeLogs(path);
      return undefined;
    }
    throw error;
  }
}

const removeLogs = (path: string): void => {
  for (const ending of ["-wal", "-shm", "-journal"]) rmSync(path + ending, { force: true });
};

function removeFiles(path: string): void {
  rmSync(path, { force: true });
  removeLogs(path);
}

function syncDirectory(path: string): void {
  const descriptor = openSync(join(dirname(path), "."), "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const tellFile = (path: string) => (error: unknown) => {
  const told = tellSqlite(path)(error);
  const { code } = told as { readonly code?: unknown };
  if (told instanceof StoreTrouble || typeof code !== "string" || !/^E[A-Z]+$/.test(code)) return told;
  if (code === "EEXIST")
    return new StoreTrouble("refused", `${path} is there already; nothing was written. Name another file`);
  return new StoreTrouble(
    code === "ENOSPC" || code === "EDQUOT" ? "full" : "refused",
    `${path}: ${(told as Error).message}; nothing was changed`,
    { cause: error },
  );
};
