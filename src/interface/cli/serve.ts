/** `zonepost serve`: the server, from its settings to its end. */
import { readServerSettings, type ServerConfiguration } from "../../config/server-settings.ts";
import { closest } from "../../records/closest.ts";
import { readFileNamed } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { stateDirectory } from "./state-directory.ts";
import { visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";

export interface ServeOptions {
  readonly settings?: string;
  readonly state?: string;
  readonly json?: boolean;
}

const USUAL_FILE = "zonepost-server.yaml";
const MAX_PROBLEMS = 20;

export async function runServe(options: ServeOptions, tools: Tools): Promise<ExitCode> {
  const settings = loadSettings(options, tools);
  if (tools.startServer === undefined) throw new UsageError("this build of zonepost has no server in it");
  const { terminal } = tools;
  const { url, setupSecret, stop } = await tools.startServer({
    settings,
    directory: stateDirectory(options.state, tools),
    logLine: (line) => terminal.err(line),
  });
  if (options.json) terminal.out(`${JSON.stringify({ url, setupSecret: setupSecret ?? null })}\n`);
  else {
    terminal.out(
      `Zonepost serves ${terminal.style.bold(visible(url))}; the API is at ${visible(url)}/api/docs.\n`,
    );
    if (setupSecret !== undefined) {
      const body = JSON.stringify({ secret: setupSecret, name: "admin", password: "…" });
      terminal.out(
        `${wrap("There is no administrator yet. Whoever shows this secret within an hour becomes it, with a name and a password of theirs:", terminal.columns)}\n\n` +
          `  curl ${visible(url)}/api/setup -H 'content-type: application/json' -d '${visible(body)}'\n\n`,
      );
    }
  }
  await tools.untilInterrupted();
  if (!options.json) terminal.out("Stopping: what is under way is brought to its end.\n");
  await stop();
  return EXIT.ok;
}

function loadSettings({ settings: named }: ServeOptions, tools: Tools): ServerConfiguration {
  const file = named ?? (tools.fileExists(USUAL_FILE) ? USUAL_FILE : undefined);
  const text = file === undefined ? undefined : readFileNamed(file, tools);
  const read = readServerSettings(text, tools.environment);
  if (read.ok) return read.settings;
  const lines = read.problems.slice(0, MAX_PROBLEMS).map(({ where, line, problem }) => {
    const place = line === undefined ? "" : `${file}:${line}: `;
    return visible(`${place}${where}: ${problem}${hint(where)}`);
  });
  throw new UsageError(lines.join("\n"));
}

const NAMES = [
  "listen",
  "url",
  "tls",
  "trustedProxies",
  "sealKey",
  "session",
  "identityProvider",
  "dns",
  "check",
  "publish",
  "watch",
  "alerts",
  "log",
];

function hint(where: string): string {
  const near = NAMES.includes(where) ? undefined : closest(where, NAMES);
  return near === undefined ? "" : ` (did you mean ${near}?)`;
}
