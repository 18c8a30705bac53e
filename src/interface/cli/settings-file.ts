/** The server's settings, as `serve` and whoever works on its state read them. */
import { readServerSettings, type ServerConfiguration } from "../../config/server-settings.ts";
import { closest } from "../../records/closest.ts";
import { readFileNamed } from "./argument.ts";
import { UsageError } from "./exit-code.ts";
import { visible } from "./terminal.ts";
import type { Tools } from "./tools.ts";

const USUAL_FILE = "zonepost-server.yaml";
const MAX_PROBLEMS = 20;

/** In the database that the server's settings name, where they name one: whoever took the other would see an empty state. */
export const openStateOf = (
  directory: string,
  tools: Tools,
  settings?: string,
): ReturnType<Tools["openState"]> => tools.openState(directory, loadSettings(settings, tools).database);

/** Undefined where none is named, and none is in this folder. */
export const settingsFileOf = (named: string | undefined, tools: Tools): string | undefined =>
  named ?? (tools.fileExists(USUAL_FILE) ? USUAL_FILE : undefined);

/** What is named, or the usual file of this folder, or what is usual. Refuses what cannot be read, line by line. */
export function loadSettings(named: string | undefined, tools: Tools): ServerConfiguration {
  const file = settingsFileOf(named, tools);
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
  "database",
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
