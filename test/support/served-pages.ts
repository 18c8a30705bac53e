/** The real server process with its pages, on SQLite in a temporary folder; what it asks stays on loopback. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { freePort } from "./free-port.ts";

import { PROJECT } from "./source-reader.ts";

export interface ServedPages {
  readonly url: string;
  /** The link for the first administrator; undefined where there are users. */
  readonly setupLink: string | undefined;
  readonly directory: string;
  readonly logged: string[];
  stop(): Promise<void>;
  /** As a crash does: nothing is brought to an end. */
  kill(): Promise<void>;
}

export interface ServedSettings {
  /** More of the settings file, as JSON. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Of a server before; a new one where absent. It is kept when it is named. */
  readonly directory?: string;
  readonly port?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startServedPages(given: ServedSettings = {}): Promise<ServedPages> {
  if (!existsSync(join(PROJECT, "dist/web/index.html")))
    throw new Error("the pages are not built: run npm run build, or npm test, which builds them first");
  const directory = given.directory ?? mkdtempSync(join(tmpdir(), "zonepost-pages-"));
  const settingsFile = join(directory, "server.yaml");
  const port = given.port ?? (await freePort());
  writeFileSync(
    settingsFile,
    JSON.stringify({
      listen: `127.0.0.1:${port}`,
      dns: { resolvers: ["127.0.0.1:9"] },
      log: "warn",
      ...given.settings,
    }),
  );
  const child: ChildProcess = spawn(
    process.execPath,
    ["src/main.ts", "serve", "--state", directory, "--settings", settingsFile, "--json"],
    {
      cwd: PROJECT,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1", ...given.environment },
    },
  );
  const logged: string[] = [];
  child.stderr!.on("data", (octets: Buffer) => logged.push(octets.toString()));
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const lines = createInterface({ input: child.stdout! });
  const first = await Promise.race([
    new Promise<string>((resolve) => lines.once("line", resolve)),
    exited.then(() => Promise.reject(new Error(`the server has ended: ${logged.join("")}`))),
  ]);
  const { url, setupSecret } = JSON.parse(first) as { url: string; setupSecret: string | null };
  return {
    url,
    setupLink: setupSecret === null ? undefined : `${url}/setup#${setupSecret}`,
    directory,
    logged,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    async stop() {
      child.kill("SIGTERM");
      await exited;
      if (given.directory === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What was under way at a server that has died is done by another a minute later; that minute passes here. */
export function letLeasesPass(directory: string): void {
  const state = new DatabaseSync(join(directory, "zonepost.db"));
  const { changes } = state
    .prepare("UPDATE job SET leased_until = 1 WHERE kind IN ('task', 'publish-task')")
    .run();
  state.close();
  if (changes !== 1) throw new Error(`${changes} jobs were under way, not one`);
}
