/** `zonepost milter run` as it is run: a process of its own, inside a network namespace, with its workers. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { NetworkNamespace } from "./network-namespace.ts";
import { findProgram } from "./real-server.ts";

export interface MilterRunOptions {
  readonly namespace: NetworkNamespace;
  /** Holds zonepost.yaml and the state. */
  readonly directory: string;
  readonly description: string;
  readonly workers: number;
  readonly words: readonly string[];
}

export interface MilterRun {
  /** The first process; undefined while there is none. */
  readonly pid: number | undefined;
  /** One for each message, of all processes since the beginning. */
  readonly lines: readonly string[];
  /** What it said beside. */
  readonly said: () => string;
  readonly workerPids: () => readonly number[];
  /** Resolves once the settings are in force in every process, or `isWrong` and refused by every one. */
  reload(description: string, isWrong?: boolean): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves to its exit code, or the signal that ended it. */
  ended(): Promise<number | string>;
  /** Once it has ended. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

export const MAIN: string = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const WITHIN_MILLISECONDS = 20_000;

export async function startMilterRun(options: MilterRunOptions): Promise<MilterRun> {
  const { namespace, directory, description, workers } = options;
  const config = join(directory, "zonepost.yaml");
  writeFileSync(config, description);
  const lines: string[] = [];
  let said = "";
  let child: ChildProcess | undefined;
  let exited: Promise<unknown[]> | undefined;
  const count = (text: string) => said.split(text).length - 1;

  const until = async (isSo: () => boolean, what: string) => {
    const giveUpAt = performance.now() + WITHIN_MILLISECONDS;
    while (!isSo()) {
      if (child?.exitCode !== null || performance.now() > giveUpAt)
        throw new Error(`${what} in vain; it said:\n${said.slice(-4_000)}`);
      await sleep(20);
    }
  };
  const killAtExit = () => child?.kill("SIGKILL");
  process.on("exit", killAtExit);

  const start = async () => {
    const before = count("Listening at");
    const command = [
      MAIN,
      "milter",
      "run",
      "--config",
      config,
      "--workers",
      String(workers),
      ...options.words,
    ];
    child = spawn(findProgram("ip")!, ["netns", "exec", namespace.name, process.execPath, ...command], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    exited = once(child, "exit");
    let rest = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      const all = (rest + chunk.toString("utf8")).split("\n");
      rest = all.pop() ?? "";
      lines.push(...all);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString("utf8");
    });
    await until(() => count("Listening at") > before, "waited for the milter to listen");
  };
  const ended = async () => {
    const [code, signal] = (await exited) ?? [];
    child = undefined;
    return (code ?? signal) as number | string;
  };
  await start();
  return {
    get pid() {
      return child?.pid;
    },
    lines,
    said: () => said,
    workerPids: () => (child?.pid === undefined ? [] : childrenOf(child.pid)),
    async reload(next, isWrong = false) {
      const words = isWrong ? "the settings stay as they were" : "settings were read anew";
      const before = count(words);
      writeFileSync(config, next);
      child?.kill("SIGHUP");
      await until(() => count(words) >= before + workers, "waited for the settings");
    },
    kill: (signal) => child?.kill(signal),
    ended,
    startAgain: start,
    async stop() {
      process.off("exit", killAtExit);
      if (child === undefined) return;
      child.kill("SIGTERM");
      const timer = setTimeout(killAtExit, 5_000);
      await ended();
      clearTimeout(timer);
    },
  };
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
}

/** What a process has in memory, in MiB. */
export function residentMebibytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}
