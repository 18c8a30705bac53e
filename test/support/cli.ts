/** The command line without a process: what it prints is caught, its files lie in memory, nothing is sent anywhere. */
import type { ExitCode } from "../../src/interface/cli/exit-code.ts";
import { runCli } from "../../src/interface/cli/program.ts";
import { createStyle } from "../../src/interface/cli/terminal.ts";
import type { Tools } from "../../src/interface/cli/tools.ts";
import { generateDkimKeyPair } from "../../src/keys/generate.ts";
import { ALONE } from "./holders.ts";

export interface CliSetup {
  /** By path, as the command names them. */
  readonly files?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** What a person types, one a question; without it nobody is there to be asked. */
  readonly answers?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly isInteractive?: boolean;
  readonly colours?: boolean;
  /** Anything else that the command is to find, such as `openWorld`. */
  readonly tools?: Partial<Tools>;
}

export interface CliRun {
  readonly exitCode: ExitCode;
  readonly out: string;
  readonly err: string;
  /** All files after the run, those of the setup among them. */
  readonly files: Readonly<Record<string, string>>;
  readonly questions: readonly string[];
}

/** `await zonepost(["records", "--config", "a.yaml"], { files: { "a.yaml": "…" } })` */
export async function zonepost(words: readonly string[], setup: CliSetup = {}): Promise<CliRun> {
  const { tools, caught } = fakeTools(setup);
  const exitCode = await runCli(words, tools);
  return { exitCode, ...caught() };
}

/** The tools alone, for tests that call a command's function; `caught` is what has come of them so far. */
export function fakeTools(setup: CliSetup = {}): { tools: Tools; caught: () => Omit<CliRun, "exitCode"> } {
  const out: string[] = [];
  const err: string[] = [];
  const questions: string[] = [];
  const files = new Map(Object.entries(setup.files ?? {}));
  const answers = setup.answers && [...setup.answers];
  const tools: Tools = {
    terminal: {
      out: (text) => out.push(text),
      err: (text) => err.push(text),
      isInteractive: setup.isInteractive ?? false,
      outIsScreen: setup.isInteractive ?? false,
      style: createStyle(setup.colours ?? false),
      columns: setup.columns ?? 100,
    },
    environment: setup.environment ?? {},
    now: () => new Date("2026-11-21T12:00:00Z"),
    sleep: async () => {},
    readFile: (path) => files.get(path) ?? fail("ENOENT", `no such file or directory, open '${path}'`),
    fileExists: (path) => files.has(path),
    writeFile: (path, content, { overwrite }) => {
      if (!overwrite && files.has(path)) fail("EEXIST", `file already exists, open '${path}'`);
      files.set(path, typeof content === "string" ? content : Buffer.from(content).toString("latin1"));
    },
    appendFile: (path, content) => files.set(path, (files.get(path) ?? "") + content),
    readOctets: (path) =>
      Buffer.from(files.get(path) ?? fail("ENOENT", `no such file or directory, open '${path}'`)),
    writePrivateFile: (path, content, { overwrite }) => {
      if (!overwrite && files.has(path)) fail("EEXIST", `file already exists, open '${path}'`);
      files.set(path, content);
    },
    listFiles: (folder) => {
      const inside = [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
      return inside.length === 0 ? undefined : inside.map((path) => path.slice(folder.length + 1)).sort();
    },
    holders: ALONE,
    randomOctets: (count) => Uint8Array.from({ length: count }, () => Math.floor(Math.random() * 256)),
    makeKeyPair: generateDkimKeyPair,
    readStdin: async () => setup.stdin ?? "",
    readStdinOctets: async (maxOctets) => {
      const octets = Buffer.from(setup.stdin ?? "");
      return octets.length > maxOctets ? undefined : octets;
    },
    outOctets: (octets) => out.push(Buffer.from(octets).toString("utf8")),
    ask:
      answers &&
      (async (question) => {
        questions.push(question);
        return answers.shift() ?? fail("EOF", `nobody answers "${question}"`);
      }),
    organizationalDomain: () => undefined,
    isAdministrator: false,
    openState: async () => fail("EACCES", "this test opens no state"),
    restoreState: async () => fail("EACCES", "this test restores no state"),
    openProvider: async () => fail("ENETDOWN", "this test opens no provider"),
    openWorld: async () => fail("ENETDOWN", "this test opens no world"),
    startNameServer: async () => fail("ENETDOWN", "this test starts no name server"),
    startTrap: async () => fail("ENETDOWN", "this test starts no trap"),
    startMailSink: async () => fail("ENETDOWN", "this test starts no mail server"),
    openSubmission: () => fail("ENETDOWN", "this test hands no mail in"),
    askSecret: undefined,
    serveMilter: async () => fail("ENETDOWN", "this test serves no milter"),
    untilInterrupted: async () => {},
    onReload: () => () => {},
    ...setup.tools,
  };
  const caught = () => ({
    out: out.join(""),
    err: err.join(""),
    files: Object.fromEntries(files),
    questions,
  });
  return { tools, caught };
}

function fail(code: string, message: string): never {
  throw Object.assign(new Error(`${code}: ${message}`), { code });
}
