/** What a process has: its input, its signals, files to list. */
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UsageError } from "../interface/cli/exit-code.ts";

export async function readStdinOctets(maxOctets: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of process.stdin) {
    octets += chunk.length;
    if (octets > maxOctets) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** More than any folder of keys holds. */
const MAX_LISTED_FILES = 10_000;

export function listFiles(folder: string): readonly string[] | undefined {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return undefined;
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.replace(/\/+$/, "").length + 1));
  if (found.length > MAX_LISTED_FILES)
    throw new UsageError(`${folder} holds more than ${MAX_LISTED_FILES} files`);
  return found.sort();
}

export function onReload(act: () => void): () => void {
  process.on("SIGHUP", act);
  return () => process.off("SIGHUP", act);
}

export async function untilInterrupted(): Promise<void> {
  await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
}

/** What is typed is not shown. */
export async function askSecret(question: string): Promise<string> {
  process.stderr.write(question);
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: unseen, terminal: true });
  try {
    return await lines.question("");
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}

export async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(question)).trim();
  } finally {
    lines.close();
  }
}
