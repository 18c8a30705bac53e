/** `zonepost serve`: the server, from its settings to its end. */
import { readServerSettings, type ServerConfiguration } from "../../config/server-settings.ts";
import { loadDescriptionPieces, readInteger } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { loadSettings, settingsFileOf } from "./settings-file.ts";
import { stateDirectory } from "./state-directory.ts";
import { table, visible, wrap } from "./terminal.ts";
import type { DescribedFile, ServeHandle, ServeJob, Tools } from "./tools.ts";

const MAX_DOMAINS = 10_000_000;

export interface ServeOptions {
  readonly settings?: string;
  readonly state?: string;
  readonly demo?: boolean;
  readonly config?: string;
  readonly allowRemoved?: string;
  readonly json?: boolean;
}

export async function runServe(options: ServeOptions, tools: Tools): Promise<ExitCode> {
  const settings = options.demo ? demoSettings(tools) : loadSettings(options.settings, tools);
  if (tools.startServer === undefined) throw new UsageError("this build of zonepost has no server in it");
  const { terminal } = tools;
  const ending = new AbortController();
  const job: ServeJob = {
    signal: ending.signal,
    settings,
    settingsFile: options.demo ? undefined : settingsFileOf(options.settings, tools),
    directory: options.demo ? undefined : stateDirectory(options.state, tools),
    logLine: (line) => terminal.err(line),
    ...loadFile(options, tools, readAllowed(options)),
  };
  const say = (level: "info" | "error", msg: string) =>
    terminal.err(`${JSON.stringify({ level, time: tools.now().getTime(), msg })}\n`);
  const started = Promise.withResolvers<ServeHandle>();
  const reloadOnce = async () => {
    const { reload } = await started.promise;
    try {
      const next = { settings: loadSettings(options.settings, tools), ...loadFile(options, tools) };
      const { sentences, failure } = await reload(next);
      for (const sentence of sentences) say("info", sentence);
      if (failure !== undefined)
        say("error", `it ended there, the rest is as before; mend this and reload again: ${failure}`);
    } catch (error) {
      say("error", `nothing of it was taken over, all is as before: ${(error as Error).message}`);
    }
  };
  // One after the other: two that come at once must not take turns.
  let reloading: Promise<void> = Promise.resolve();
  // Heard from the first moment on: who is told to stop or reload while the server begins must not die of it.
  const stopListening = options.demo
    ? () => {}
    : tools.onReload(() => {
        reloading = reloading.then(reloadOnce);
      });
  const interrupted = tools.untilInterrupted().then(() => ending.abort(new Error("zonepost is told to end")));
  try {
    const server = await tools.startServer(job);
    if (server === undefined) {
      if (!options.json) terminal.out("Told to end before it had begun: what was taken in stays.\n");
      return EXIT.ok;
    }
    started.resolve(server);
    tellStarted(server, options, tools);
    await interrupted;
    stopListening();
    await reloading;
    if (!options.json) terminal.out("Stopping: what is under way is brought to its end.\n");
    await server.stop();
  } finally {
    stopListening();
  }
  return EXIT.ok;
}

function tellStarted(
  { url, setupSecret, accounts }: ServeHandle,
  { json }: ServeOptions,
  { terminal }: Tools,
): void {
  if (json) {
    terminal.out(
      `${JSON.stringify({ url, setupSecret: setupSecret ?? null, ...(accounts && { accounts }) })}\n`,
    );
    return;
  }
  terminal.out(`Zonepost serves ${terminal.style.bold(visible(url))}\n`);
  if (accounts !== undefined) terminal.out(demoText(accounts, terminal));
  if (setupSecret !== undefined) {
    const words =
      "There is no administrator yet. Whoever opens this link within an hour becomes it, with a name and a password of theirs:";
    // A fragment is not sent: the secret stands in no log.
    terminal.out(`${wrap(words, terminal.columns)}\n\n  ${visible(`${url}/setup#${setupSecret}`)}\n\n`);
  }
}

/** Said of the file as it is at the start: of one that is read again later nobody has said it. */
const readAllowed = ({ allowRemoved }: ServeOptions): Pick<DescribedFile, "allowedRemoved"> =>
  allowRemoved === undefined
    ? {}
    : { allowedRemoved: readInteger(allowRemoved, "--allow-removed", 0, MAX_DOMAINS) };

function loadFile(
  { config }: ServeOptions,
  tools: Tools,
  allowed: Pick<DescribedFile, "allowedRemoved"> = {},
): Pick<ServeJob, "description"> {
  if (config === undefined) return {};
  const name = config.slice(config.lastIndexOf("/") + 1);
  return { description: { name, pieces: loadDescriptionPieces(config, tools), ...allowed } };
}

/** From the environment alone: a file may name keys, zones and hosts that are real. */
function demoSettings({ environment }: Tools): ServerConfiguration {
  const { ZONEPOST_LISTEN, ZONEPOST_LOG = "warn" } = environment;
  const read = readServerSettings(undefined, { ZONEPOST_LISTEN, ZONEPOST_LOG });
  const isLocal = /^(?:127\.|\[::1\])/.test(ZONEPOST_LISTEN || "127.");
  if (!isLocal)
    throw new UsageError(
      "ZONEPOST_LISTEN: the demo's passwords are known to everybody, so it listens on loopback alone, as at 127.0.0.1:8025",
    );
  if (read.ok) return read.settings;
  throw new UsageError(read.problems.map(({ where, problem }) => `${where}: ${problem}`).join("\n"));
}

function demoText(accounts: NonNullable<ServeHandle["accounts"]>, terminal: Tools["terminal"]): string {
  const rows = accounts.map(({ name, role, password }) => [name, password, role]);
  const text =
    "This is the demo: its domains, name servers and mail servers are its own, no packet leaves this machine, and nothing stays when it ends. Log in as:";
  return `${wrap(text, terminal.columns)}\n\n${table(["NAME", "PASSWORD", "ROLE"], rows, terminal.style)}\n\n`;
}
