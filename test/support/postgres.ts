/** A PostgreSQL of the tests' own: a cluster in a directory, on a socket of loopback, run as its user. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { freePort } from "./free-port.ts";
import { findProgram, isRoot, makeServerDirectory } from "./real-server.ts";

export interface RunningPostgres {
  /** A new, empty database. */
  createDatabase(name: string): Promise<string>;
  url(database: string): string;
  /** As kill -9 of its first process: ends at once, and stays so until `start`, which repairs what was left. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const START_WITHIN_MILLISECONDS = 60_000;

export async function startPostgres(): Promise<RunningPostgres> {
  const directory = makeServerDirectory("postgres");
  const data = join(directory, "data");
  const port = await freePort();
  if (isRoot) execFileSync("chown", ["postgres", directory]);
  execFileSync(
    ...asPostgres("initdb", [
      "-D",
      data,
      "-A",
      "trust",
      "-U",
      "postgres",
      "--no-sync",
      "-E",
      "UTF8",
      "--locale=C.UTF-8",
    ]),
    {
      stdio: "ignore",
      cwd: "/",
    },
  );
  // One user is asked for a password, so that a wrong one can be tried.
  const hba = join(data, "pg_hba.conf");
  writeFileSync(hba, `host all asked 127.0.0.1/32 scram-sha-256\n${readFileSync(hba, "utf8")}`);
  const url = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`;
  let server: ChildProcess | undefined;

  const start = async () => {
    const options = ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1"];
    const more = [`unix_socket_directories=${directory}`, "shared_buffers=64MB", "max_connections=100"];
    let words = "";
    const begin = () => {
      const child = spawn(...asPostgres("postgres", [...options, ...more.flatMap((each) => ["-c", each])]), {
        stdio: ["ignore", "ignore", "pipe"],
        cwd: "/",
      });
      child.stderr?.on("data", (chunk) => {
        words = (words + chunk).slice(-4_000);
      });
      server = child;
      return child;
    };
    let child = begin();
    const giveUpAt = performance.now() + START_WITHIN_MILLISECONDS;
    while (!(await answers(url("postgres")))) {
      if (performance.now() > giveUpAt) throw new Error(`postgres does not start:\n${words}`);
      await sleep(25);
      // While processes of one that was killed still end, it does not begin.
      if (child.exitCode !== null) child = begin();
    }
  };

  const end = async (signal: NodeJS.Signals) => {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    // Its own children notice that it is gone, and end.
    child.kill(signal);
    await exited;
  };
  process.on("exit", () => server?.kill("SIGKILL"));
  await start();
  return {
    url,
    start,
    kill: () => end("SIGKILL"),
    async createDatabase(name) {
      await run(url("postgres"), `CREATE DATABASE ${name}`);
      return url(name);
    },
    stop: async () => {
      await end("SIGINT");
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** setpriv becomes the program, so that the process is ours to end. */
function asPostgres(name: string, words: readonly string[]): [program: string, words: string[]] {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return isRoot
    ? ["setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", path, ...words]]
    : [path, [...words]];
}

async function answers(url: string): Promise<boolean> {
  try {
    await run(url, "SELECT 1");
    return true;
  } catch {
    return false;
  }
}

export async function run(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return (await client.query(statement)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}
