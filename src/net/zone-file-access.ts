/** A zone file on this host's disk: read whole, and replaced whole. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, renameSync } from "node:fs";
import { type FileHandle, open, realpath, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ZoneFileAccess, ZoneFileReading, ZoneFileReplacing } from "../publish/zone-file-access.ts";

export interface ZoneFileAccessOptions {
  readonly path: string;
  /**
   * A program and its arguments that judges the new text before it is put in place, such as `named-checkzone`,
   * `example.org`, `{}`; "{}" is the path of the new text.
   */
  readonly check?: readonly [program: string, ...args: string[]] | undefined;
  /** A program and its arguments that tells the name server to load the new text, such as `rndc`, `reload`. */
  readonly reload?: readonly [program: string, ...args: string[]] | undefined;
  readonly checkTimeoutMilliseconds?: number;
  readonly maxOctets?: number;
}

const MAX_OCTETS = 16 * 2 ** 20;
const NEW_FILE_MODE = 0o644;

export function createZoneFileAccess(options: ZoneFileAccessOptions): ZoneFileAccess {
  return {
    path: options.path,
    read: () => read(options),
    replace: (expected, text) => replace(expected, text, options),
  };
}

async function read({ path, maxOctets = MAX_OCTETS }: ZoneFileAccessOptions): Promise<ZoneFileReading> {
  try {
    const target = await realpath(path);
    // BIND's name for it
    const journal = `${target}.jnl`;
    if ((await statOf(journal)) !== undefined) return { status: "dynamic", journal };
    const handle = await open(target, "r");
    try {
      const about = await handle.stat();
      if (!about.isFile()) return failed("it is not a file");
      if (about.size > maxOctets) return failed(`it is longer than ${maxOctets} octets`);
      return { status: "read", text: decode(await handle.readFile()) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT") return { status: "absent" };
    return failure(error);
  }
}

/** In a way that gives back the same octets; BOM and all. */
function decode(octets: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    throw new Error("it is not UTF-8; write octets beyond ASCII as \\DDD");
  }
}

async function replace(
  expected: string | undefined,
  text: string,
  { path, check, reload, checkTimeoutMilliseconds = 30_000 }: ZoneFileAccessOptions,
): Promise<ZoneFileReplacing> {
  let temporary: string | undefined;
  try {
    // The file that a symbolic link leads to, lest the link become a file
    const target = expected === undefined ? path : await realpath(path);
    const about = await statOf(target);
    temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString("hex")}.new`);
    const handle = await open(temporary, "wx", NEW_FILE_MODE);
    try {
      await handle.writeFile(text);
      if (about !== undefined) await takeAfter(handle, about);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (check !== undefined) {
      const problem = await complaintOf(check, temporary, checkTimeoutMilliseconds);
      if (problem !== undefined) return { status: "rejected", detail: problem };
    }
    // Nothing of ours comes between these two: no other change can be lost but one within this very moment.
    if (currentText(target) !== expected) return { status: "changed" };
    renameSync(temporary, target);
    temporary = undefined;
    await syncFolder(dirname(target));
    const problem = reload && (await complaintOf(reload, target, checkTimeoutMilliseconds));
    return problem === undefined ? { status: "replaced" } : { status: "not-loaded", detail: problem };
  } catch (error) {
    return failure(error);
  } finally {
    if (temporary !== undefined) await unlink(temporary).catch(() => undefined);
  }
}

function currentText(path: string): string | undefined {
  try {
    return decode(readFileSync(path));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Mode and owner of the old file, so that the server can read the new one too; only root may give files away. */
async function takeAfter(
  handle: FileHandle,
  about: { readonly mode: number; readonly uid: number; readonly gid: number },
): Promise<void> {
  const own = await handle.stat();
  if (own.uid !== about.uid || own.gid !== about.gid) {
    await handle.chown(about.uid, about.gid).catch((error: unknown) => {
      if (codeOf(error) !== "EPERM") throw error;
      return handle.chown(own.uid, about.gid).catch(() => undefined);
    });
  }
  await handle.chmod(about.mode & 0o7777);
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** So that the new name outlives a power cut; some file systems know nothing of it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

const MAX_COMPLAINT_CHARACTERS = 2_000;

/** What the program says where it ends with anything but 0. */
function complaintOf(
  [program, ...args]: readonly [string, ...string[]],
  file: string,
  timeout: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let words = "";
    const child = spawn(
      program,
      args.map((each) => (each === "{}" ? file : each)),
      { stdio: ["ignore", "pipe", "pipe"], timeout, killSignal: "SIGKILL" },
    );
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        words = (words + chunk).slice(0, MAX_COMPLAINT_CHARACTERS);
      });
    }
    child.on("error", (error) => resolve(`${program} cannot be run: ${error.message}`));
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(undefined);
      const how = code === null ? `${program} was ended by ${signal}` : `${program} ended with ${code}`;
      resolve(words.trim() === "" ? how : words.trim().replaceAll(file, "the new text"));
    });
  });
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function failed(detail: string): { status: "failed"; detail: string; isForbidden: boolean } {
  return { status: "failed", detail, isForbidden: false };
}

function failure(error: unknown) {
  const code = codeOf(error);
  const isForbidden = code === "EACCES" || code === "EPERM" || code === "EROFS";
  const detail = error instanceof Error ? error.message.replace(/, .*$/s, "") : String(error);
  return { ...failed(detail), isForbidden };
}
