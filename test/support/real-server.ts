/** Starting real server programs for tests, and the one rule for where they are missing. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, chmodSync, constants, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "vitest";

/** As `describe`. Where a program is missing: a failure under CI=true, else skipped with a word about it. */
export function describeWithServers(
  programs: readonly string[],
  title: string,
  tests: () => void,
  { asRoot = false } = {},
): void {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  const lacks = [
    ...(missing.length > 0 ? [`${missing.join(", ")} not installed`] : []),
    ...(asRoot && !isRoot ? ["only root may do this"] : []),
  ];
  if (lacks.length === 0) {
    describe(title, tests);
    return;
  }
  const complaint = `${title}: ${lacks.join("; ")}`;
  if (process.env["CI"] === "true") {
    it(title, () => {
      throw new Error(complaint);
    });
    return;
  }
  process.stderr.write(`\n*** SKIPPED *** ${complaint}\n\n`);
  describe.skip(title, tests);
}

/** Servers live here, which is not on everybody's path; Dovecot's protocols are packages of their own. */
const SERVER_FOLDERS = [
  "/usr/local/sbin",
  "/usr/sbin",
  "/sbin",
  ...["postfix/sbin", "postfix", "dovecot"].flatMap((each) => [`/usr/lib/${each}`, `/usr/libexec/${each}`]),
];

/** The path of a program. */
export function findProgram(program: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...SERVER_FOLDERS, ...postgresFolders()];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

/** Debian keeps PostgreSQL's programs apart by version; the newest first. */
function postgresFolders(): string[] {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root)
    ? readdirSync(root).sort((one, other) => Number(other) - Number(one))
    : [];
  return versions.map((version) => join(root, version, "bin"));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export const isRoot = process.getuid?.() === 0;

/** A directory that servers under their own users can enter. */
export function makeServerDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `zonepost-${name}-`));
  chmodSync(directory, 0o755);
  return directory;
}

/** Hands a directory with all it holds to the server's user; nothing to do where the tests run as a mere user. */
export function giveTo(user: string, directory: string): void {
  if (isRoot) execFileSync("chown", ["-R", `${user}:${user}`, directory]);
}

export interface RunningServer {
  readonly pid: number;
  /** Ends the program and removes its directory. */
  stop(): Promise<void>;
}

export interface ServerProgram {
  readonly program: string;
  /** In the foreground, so that the process is ours to end. */
  readonly arguments: readonly string[];
  readonly directory: string;
  /** A network namespace to run in; that of the tests where absent. */
  readonly namespace?: string | undefined;
  /** A minute where absent. */
  readonly readyWithinMilliseconds?: number | undefined;
  /** Asked until it is true. */
  readonly isReady: (server: StartingServer) => boolean | Promise<boolean>;
}

export interface StartingServer {
  readonly pid: number;
  /** What it has said so far, its last 8000 characters. */
  readonly words: string;
}

const READY_WITHIN_MILLISECONDS = 60_000;
const STOP_WITHIN_MILLISECONDS = 20_000;

/** Rejects with the program's own words where it ends, or is not ready in time. */
export async function startServer({
  program,
  arguments: args,
  directory,
  namespace,
  readyWithinMilliseconds = READY_WITHIN_MILLISECONDS,
  isReady,
}: ServerProgram): Promise<RunningServer> {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  // `ip netns exec` becomes the program: the process is still ours to end.
  const command =
    namespace === undefined ? [path, ...args] : ["ip", "netns", "exec", namespace, path, ...args];
  const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  let words = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      words = (words + chunk).slice(-8_000);
    });
  }
  const killAtExit = () => child.kill("SIGKILL");
  process.on("exit", killAtExit);
  const stop = async () => {
    process.off("exit", killAtExit);
    await end(child);
    rmSync(directory, { recursive: true, force: true });
  };
  const giveUpAt = performance.now() + readyWithinMilliseconds;
  while (!(await isReady({ pid: child.pid!, words }))) {
    const isOver = child.exitCode !== null || child.signalCode !== null;
    if (isOver || performance.now() > giveUpAt) {
      await stop();
      throw new Error(`${program} ${isOver ? "ended" : "is not ready"}:\n${words}`);
    }
    await sleep(20);
  }
  return { pid: child.pid!, stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MILLISECONDS);
  await exited;
  clearTimeout(timer);
}
