/** Writes docs/reference/ from the code that it describes; test/docs.test.ts holds it current. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { CATALOGUE, type CatalogueEntry, GROUPS } from "../src/check/catalogue.ts";
import { settingsJsonSchema, VARIABLES } from "../src/config/server-settings.ts";
import { createProgram } from "../src/interface/cli/program.ts";
import { createStyle } from "../src/interface/cli/terminal.ts";
import type { Tools } from "../src/interface/cli/tools.ts";
import { descriptionJsonSchema } from "../src/records/description.ts";
import { DNS_HOSTS } from "../src/records/dns-hosts.ts";

const GENERATED = "<!-- Written by `npm run docs`; edit the code instead. -->";

/** Every file of docs/reference/ with its content. */
export function referenceFiles(): ReadonlyMap<string, string> {
  return new Map([
    ["findings.md", findingsReference()],
    ["cli.md", cliReference()],
    ["dns-hosts.md", dnsHostsReference()],
    ["configuration.md", configurationReference(descriptionJsonSchema())],
    ["server.md", serverReference(settingsJsonSchema() as Schema)],
    ["zonepost.schema.json", `${JSON.stringify(descriptionJsonSchema(), null, 2)}\n`],
  ]);
}

function page(title: string, ...parts: readonly string[]): string {
  return `${[`# ${title}`, GENERATED, ...parts].join("\n\n")}\n`;
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replace(/[|\\]/g, "\\$&").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n");
}

function findingsReference(): string {
  const groups = Object.entries(GROUPS).flatMap(([group, title]) => {
    const entries: [string, CatalogueEntry][] = Object.entries(CATALOGUE);
    const rows = entries
      .filter(([, entry]) => entry.group === group)
      .map(([code, { severity, expected, why, reference }]) => [
        `\`${code}\``,
        severity,
        expected,
        why,
        reference,
      ]);
    if (rows.length === 0) return [];
    return `## ${title}\n\n${table(["code", "severity", "expected", "why", "source"], rows)}`;
  });
  const introduction = [
    "What `zonepost check`, `zonepost lint` and `zonepost explain` can say. Codes are permanent: scripts may rely on",
    "them. The severity is the usual one; a finding says another where the circumstances ask for it. `unknown` means",
    "that a lookup failed, and that nothing is said of what is published.",
  ];
  return page("Findings", introduction.join("\n"), ...groups);
}

function dnsHostsReference(): string {
  const rows = DNS_HOSTS.map(({ id, name, nameServers, form, store, note }) => {
    const refused = [
      ...Object.entries(store?.types ?? {}).flatMap(([type, stored]) => (stored === false ? [type] : [])),
      ...(store?.nullMx === false ? ["MX “.”"] : []),
      ...(store?.nullSrv === false ? ["SRV “.”"] : []),
      ...(store?.maxTxtOctets === undefined ? [] : [`TXT beyond ${store.maxTxtOctets} octets`]),
      ...(store?.dnssec === false ? ["DNSSEC"] : []),
    ];
    const sources = [...(form?.sources ?? []), ...(store?.sources ?? [])];
    const shown = new Map(sources.map(({ url, certainty }) => [url, `[${certainty}](${url})`]));
    return [
      `\`${id}\``,
      note === undefined ? name : `${name} (${note})`,
      nameServers.map((pattern) => `\`${pattern}\``).join(" "),
      refused.join(", "),
      [...shown.values()].join(", "),
    ];
  });
  const introduction = [
    "Who hosts DNS, as `zonepost check` recognises it by the name servers, and `zonepost records --dns-host <id>` knows",
    "its form. What a host does not hold is said only where it is known: an empty cell is no promise. Sources are",
    "`documented` (read there), `declared` (by DNSControl, which drives the API) or `known` (not looked up).",
  ];
  return page(
    "DNS hosts",
    introduction.join("\n"),
    table(["id", "host", "name servers", "does not hold", "sources"], rows),
  );
}

/** Characters in a line of help, whatever terminal the reference is written on. */
const HELP_WIDTH = 100;

function cliReference(): string {
  let written = "";
  const nowhere = () => {
    throw new Error("writing the reference runs no command");
  };
  const tools: Tools = {
    terminal: {
      out: (text) => {
        written += text;
      },
      err: nowhere,
      isInteractive: false,
      outIsScreen: false,
      style: createStyle(false),
      columns: HELP_WIDTH,
    },
    environment: {},
    now: nowhere,
    sleep: nowhere,
    readFile: nowhere,
    fileExists: nowhere,
    writeFile: nowhere,
    appendFile: nowhere,
    readOctets: nowhere,
    writePrivateFile: nowhere,
    listFiles: nowhere,
    randomOctets: nowhere,
    holders: { own: "", isGone: nowhere },
    makeKeyPair: nowhere,
    readStdin: nowhere,
    readStdinOctets: nowhere,
    outOctets: nowhere,
    ask: undefined,
    isAdministrator: false,
    onReload: nowhere,
    openState: nowhere,
    restoreState: nowhere,
    openProvider: nowhere,
    openWorld: nowhere,
    startNameServer: nowhere,
    startTrap: nowhere,
    startMailSink: nowhere,
    openSubmission: nowhere,
    askSecret: undefined,
    serveMilter: nowhere,
    untilInterrupted: nowhere,
    organizationalDomain: nowhere,
  };
  const helpOf = (command: Command): string => {
    written = "";
    command.configureHelp({ ...command.configureHelp(), helpWidth: HELP_WIDTH }).outputHelp();
    return `\`\`\`text\n${written.trimEnd()}\n\`\`\``;
  };
  const sections = (command: Command, name: string): string[] => [
    `## ${name}\n\n${helpOf(command)}`,
    ...command.commands.flatMap((each) => sections(each, `${name} ${each.name()}`)),
  ];
  const program = createProgram(tools, nowhere);
  return page("Command line", ...sections(program, program.name()));
}

/** As much of JSON Schema as the description uses. */
interface Schema {
  readonly description?: string;
  readonly type?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly const?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

function configurationReference(schema: Schema): string {
  const introduction = [
    "The keys of `zonepost.yaml`. `zonepost schema` prints [the same as JSON Schema](zonepost.schema.json), for",
    "editors that complete and check while you type:",
    "",
    "```yaml",
    "# yaml-language-server: $schema=zonepost.schema.json",
    "```",
  ];
  return page("Configuration", introduction.join("\n"), ...objectSections(schema, ""));
}

function serverReference(schema: Schema): string {
  const introduction = [
    "What `zonepost serve` takes from `zonepost-server.yaml`, or from the file that `--settings` names. All of it may be",
    "left out: then the server listens on this machine alone, with its state in SQLite. On SIGHUP `log`, `alerts` and the",
    "certificate are read again; everything else counts from the next start on. The log names what has changed and waits.",
    "",
    "A secret never stands here, but where it lies: in a file that holds nothing else, in an environment variable, or in",
    "a credential of systemd.",
  ];
  const environment = [
    "## The environment",
    "What is said here has the last word.",
    table(
      ["variable", "key"],
      [
        ...Object.entries(VARIABLES).map(([variable, path]) => [`\`${variable}\``, `\`${path.join(".")}\``]),
        ["`ZONEPOST_DATABASE`", "the URL of a PostgreSQL itself, in place of `database`"],
      ],
    ),
  ];
  return page(
    "The server's settings",
    introduction.join("\n"),
    ...new Set(objectSections(schema, "")),
    ...environment,
  );
}

/** One table an object, the objects inside it after it. */
function objectSections(schema: Schema, path: string): string[] {
  const properties = Object.entries(schema.properties ?? {}).filter(([key]) => key !== "$schema");
  const rows = properties.map(([key, property]) => [
    `\`${key}\`${schema.required?.includes(key) ? " (required)" : ""}`,
    typeText(property),
    defaultText(property),
    meaningOf(property),
  ]);
  const heading = path === "" ? "The file" : `\`${path}\``;
  return [
    `## ${heading}\n\n${table(["key", "value", "default", "meaning"], rows)}`,
    ...properties.flatMap(([key, property]) =>
      nestedObjects(property, path === "" ? key : `${path.replace(/ with .*/, "")}.${key}`).flatMap(
        ([at, object]) => objectSections(object, at),
      ),
    ),
  ];
}

/** Where a secret lies: the same everywhere. */
const isSecretSource = ({ properties }: Schema): boolean =>
  Object.keys(properties ?? {}).join() === "file,env,credential";

function nestedObjects(schema: Schema, path: string): [path: string, object: Schema][] {
  if (isSecretSource(schema)) return [];
  if (schema.properties !== undefined) return [[path, schema]];
  if (schema.items !== undefined) return nestedObjects(schema.items, `${path}[]`);
  const choices = (schema.oneOf ?? []).flatMap((each): [string, Schema][] => [
    [`${path} with ${choiceText(each)}`, each],
  ]);
  return [...choices, ...(schema.anyOf ?? []).flatMap((each) => nestedObjects(each, path))];
}

/** "provider: rfc2136": what tells one kind of object from the others. */
function choiceText({ properties = {} }: Schema): string {
  const [key, schema] = Object.entries(properties).find(([, one]) => one.const !== undefined) ?? [];
  return `${key}: ${schema?.const}`;
}

function typeText(schema: Schema): string {
  const { type, enum: words, items, anyOf, oneOf, const: only, minimum, maximum, format } = schema;
  if (only !== undefined) return `\`${only}\``;
  if (isSecretSource(schema)) return "`{ file: … }`, `{ env: … }` or `{ credential: … }`";
  if (oneOf !== undefined) return "object";
  if (anyOf !== undefined) return anyOf.map(typeText).join(" or ");
  if (words !== undefined) return words.map((word) => `\`${word}\``).join(" ");
  switch (type) {
    case "array":
      if (items?.type === "object" || items?.oneOf || Object.keys(items ?? {}).length === 0)
        return "list of objects";
      return items?.anyOf ? `list of (${typeText(items)})` : `list of ${typeText(items ?? {})}`;
    case "integer":
    case "number":
      return minimum !== undefined && maximum !== undefined ? `${minimum} to ${maximum}` : "number";
    case "string":
      return format === "uri" ? "URL" : "text";
    case "boolean":
      return "true or false";
    case "object":
      return "object";
    default:
      throw new TypeError(`the reference has no word for a value of type ${type}`);
  }
}

function defaultText({ default: value }: Schema): string {
  if (value === undefined || JSON.stringify(value) === "{}") return "";
  return `\`${JSON.stringify(value)}\``;
}

/** Its own description, else that of the values it is made of. */
function meaningOf({ description, items, anyOf }: Schema): string {
  const inner = [...(items ? [items] : []), ...(anyOf ?? [])];
  return description ?? inner.map(meaningOf).find((text) => text !== "") ?? "";
}

if (import.meta.main) {
  const folder = new URL("../docs/reference/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of referenceFiles()) {
    writeFileSync(new URL(name, folder), content);
    process.stdout.write(`${fileURLToPath(new URL(name, folder))}\n`);
  }
}
