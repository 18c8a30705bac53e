/** The settings as people may see them: where a secret lies, and never what it is. */
import { readServerSettings, type ServerConfiguration, VARIABLES } from "./server-settings.ts";

export interface ShownSetting {
  /** "listen", "watch.intervalMinutes", "alerts.channels[0].kind" */
  readonly name: string;
  readonly value: string;
  /** `secret`: the value says where it lies · `usual`: nobody has said anything else. */
  readonly kind: "said" | "usual" | "secret";
  /** What sets it in place of the file: "ZONEPOST_LOG". */
  readonly variable: string | undefined;
}

const MAX_SHOWN = 500;

export function shownSettings(settings: ServerConfiguration): readonly ShownSetting[] {
  const usual = readServerSettings(undefined, {});
  const usualValues = new Map(usual.ok ? flat(usual.settings).map(({ name, value }) => [name, value]) : []);
  const variables = new Map(Object.entries(VARIABLES).map(([variable, at]) => [at.join("."), variable]));
  return flat(settings)
    .slice(0, MAX_SHOWN)
    .map(({ name, value, isSecret }) => ({
      name,
      value,
      kind: isSecret ? "secret" : usualValues.get(name) === value ? "usual" : "said",
      variable: variables.get(isSecret ? `${name}.file` : name),
    }));
}

interface Flat {
  readonly name: string;
  readonly value: string;
  readonly isSecret: boolean;
}

function flat(whole: object): readonly Flat[] {
  return Object.entries(whole).flatMap(([name, value]) => flatOf(name, value));
}

function flatOf(name: string, value: unknown): readonly Flat[] {
  const one = (text: string, isSecret = false): readonly Flat[] => [{ name, value: text, isSecret }];
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return one(shownText(name, value));
  if (typeof value !== "object") return one(String(value));
  const source = secretSourceOf(value);
  if (source !== undefined) return one(source, true);
  if (name === "listen") return one(listenText(value as ServerConfiguration["listen"]));
  if (!Array.isArray(value))
    return Object.entries(value).flatMap(([inner, each]) => flatOf(`${name}.${inner}`, each));
  if (value.every((each) => typeof each !== "object"))
    return value.length === 0 ? [] : one(value.map((each) => shownText(name, String(each))).join(", "));
  return value.flatMap((each, at) => flatOf(`${name}[${at}]`, each));
}

const listenText = ({ address, port }: ServerConfiguration["listen"]): string =>
  `${address.includes(":") ? `[${address}]` : address}:${port}`;

/** An object that says where a secret lies, and no more. */
function secretSourceOf(value: object): string | undefined {
  const [entry, ...more] = Object.entries(value).filter(([, each]) => each !== undefined);
  if (entry === undefined || more.length > 0 || typeof entry[1] !== "string") return undefined;
  switch (entry[0]) {
    case "file":
      return `in the file ${entry[1]}`;
    case "env":
      return `in the environment variable ${entry[1]}`;
    case "credential":
      return `in systemd's credential ${entry[1]}`;
    default:
      return undefined;
  }
}

/** Whoever knows a receiver's whole address may write there; a name and a password may stand in any. */
function shownText(name: string, text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return text;
  const { origin, pathname } = new URL(text);
  const isWhole = pathname === "/" || !name.startsWith("alerts.");
  return isWhole ? `${origin}${pathname === "/" ? "" : pathname}` : `${origin}/…`;
}
