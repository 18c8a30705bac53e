/** `zonepost serve` as a process of its own, and a client that is logged in. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { get as getPlainly } from "node:http";
import { get as getSecurely } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";

export interface Served {
  readonly url: string;
  readonly process: ChildProcess;
  /** What it has said so far. */
  readonly out: () => string;
  readonly err: () => string;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
}

export interface LoggedIn {
  /** "zonepost-session=…" */
  readonly cookie: string;
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: never }>;
}

const START_WITHIN_MILLISECONDS = 90_000;

export interface ServeOptions {
  readonly nodeWords?: readonly string[];
  /** Where it listens, where that is not for us to say. */
  readonly url?: string;
  /** The sources where absent. */
  readonly program?: string;
}

/** Resolves when it is ready. */
export async function serve(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  { nodeWords = [], url: given, program = "src/main.ts" }: ServeOptions = {},
): Promise<Served> {
  const port = given === undefined ? await freePort() : Number(new URL(given).port);
  const child = spawn(process.execPath, [...nodeWords, program, "serve", ...words], {
    env: { PATH: process.env["PATH"], ZONEPOST_LISTEN: `127.0.0.1:${port}`, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (octets: Buffer) => {
    out += octets.toString();
  });
  child.stderr.on("data", (octets: Buffer) => {
    err += octets.toString();
  });
  const exited = once(child, "exit");
  const closed = once(child, "close");
  const url = given ?? `http://127.0.0.1:${port}`;
  const giveUpAt = performance.now() + START_WITHIN_MILLISECONDS;
  while (!(await isReady(url))) {
    const hasEnded = child.exitCode !== null || child.signalCode !== null;
    if (hasEnded || performance.now() > giveUpAt) {
      child.kill("SIGKILL");
      // What it said last is heard by then.
      await closed;
      throw new Error(`zonepost serve does not start:\n${out}${err}`);
    }
    await sleep(20);
  }
  return {
    url,
    process: child,
    out: () => out,
    err: () => err,
    async stop() {
      child.kill("SIGTERM");
      const [code] = await exited;
      return code as number | null;
    },
  };
}

function isReady(url: string): Promise<boolean> {
  const get = url.startsWith("https:") ? getSecurely : getPlainly;
  return new Promise((resolve) => {
    get(`${url}/readyz`, { rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    }).once("error", () => resolve(false));
  });
}

export async function logIn(url: string, name: string, password: string): Promise<LoggedIn> {
  const answer = await fetch(`${url}/api/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, password }),
  });
  if (!answer.ok) throw new Error(`login: ${answer.status} ${await answer.text()}`);
  const [cookie = ""] = answer.headers.getSetCookie().map((each) => each.split(";", 1)[0]!);
  const { csrfToken } = (await answer.json()) as { csrfToken: string };
  return {
    cookie,
    async ask(method, path, body) {
      const asked = await fetch(`${url}${path}`, {
        method,
        headers: {
          cookie,
          "x-csrf-token": csrfToken,
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await asked.text();
      return { status: asked.status, body: (text === "" ? undefined : JSON.parse(text)) as never };
    },
  };
}

/** Until the job has ended; its result. */
export async function jobDone(client: LoggedIn, job: string): Promise<unknown> {
  for (;;) {
    const { body } = await client.ask("GET", `/api/jobs/${job}`);
    const { state, result } = body as { state: string; result: unknown };
    if (state === "done") return result;
    if (state === "failed") throw new Error(JSON.stringify(result));
    await sleep(50);
  }
}
