/** `zonepost init`: a description to start with, from flags or from a few questions. */
import { parseDescription } from "../../records/description.ts";
import { formatStarter, type Starter, usualHost } from "../../records/starter.ts";
import { readDkimPublicKey } from "../../standards/dkim/key-source.ts";
import { parseDkimSelector } from "../../standards/dkim/selector.ts";
import { type IpAddress, parseAddress } from "../../standards/dns/address.ts";
import { type DomainName, isHostName, parseDomainName } from "../../standards/dns/name.ts";
import type { Parsed } from "../../standards/dns/parsed.ts";
import { readDomain, readFileNamed } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import type { Tools } from "./tools.ts";

export interface InitOptions {
  readonly domain: readonly string[];
  readonly host?: string;
  readonly address?: readonly string[];
  readonly selector?: string;
  readonly dkimKey?: string;
  /** False for --no-mail. */
  readonly mail: boolean;
  readonly postfix: string;
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export async function runInit(options: InitOptions, tools: Tools): Promise<ExitCode> {
  if (options.output !== "-" && !options.force && tools.fileExists(options.output)) {
    throw new UsageError(
      `${options.output} exists already; name another file with --output, or overwrite it with --force`,
    );
  }
  const starter = await readStarter(options, tools);
  const text = formatStarter(starter);
  const checked = parseDescription(text);
  if (!checked.ok) throw new TypeError(`the starter is no description: ${checked.problems[0]?.problem}`);
  if (options.output === "-") {
    tools.terminal.out(text);
    return EXIT.ok;
  }
  write(options, text, tools);
  if (options.json)
    tools.terminal.out(`${JSON.stringify({ file: options.output, domains: starter.domains })}\n`);
  else tools.terminal.out(`${closingWords(options.output, starter, tools)}\n`);
  return EXIT.ok;
}

function write({ output, force }: InitOptions, text: string, tools: Tools): void {
  try {
    tools.writeFile(output, text, { overwrite: force ?? false });
  } catch (error) {
    throw new UsageError(`cannot write ${output}: ${(error as Error).message}`);
  }
}

function closingWords(file: string, starter: Starter, { terminal: { style } }: Tools): string {
  const flag = file === "zonepost.yaml" ? "" : ` --config ${file}`;
  const [domain] = starter.domains;
  return [
    `${style.green("✓")} ${file} describes ${starter.domains.join(", ")}.`,
    "",
    `  ${style.bold(`zonepost records${flag}`)}             every record it asks for, each with its reason`,
    `  ${style.bold(`zonepost check ${domain} --config ${file}`)}   what the world sees of it`,
  ].join("\n");
}

async function readStarter(options: InitOptions, tools: Tools): Promise<Starter> {
  const given = options.domain.map(readDomain);
  const domains = given.length > 0 ? given : [await askDomain(tools)];
  if (!options.mail) return { domains };
  const host = await readHost(options, domains[0]!, tools);
  const addresses = await readAddresses(options, host, tools);
  const dkim = readDkim(options, tools);
  return { domains, server: { host, addresses }, ...(dkim && { dkim }) };
}

/** R88: people know their addresses before they know their domain. */
async function askDomain(tools: Tools): Promise<DomainName> {
  return await askUntil("What comes after the @ of your mail addresses? ", "--domain", tools, (text) => {
    const name = parseDomainName(text.slice(text.lastIndexOf("@") + 1));
    if (!name.ok) return name;
    return isHostName(name.value)
      ? name
      : { ok: false, problem: `"${text}" is not a domain such as example.org` };
  });
}

/** R3: the flag, then the server's own configuration, then a question. */
async function readHost(options: InitOptions, domain: DomainName, tools: Tools): Promise<DomainName> {
  const configured = options.host ?? tools.environment["MAILNAME"] ?? postfixHostName(options.postfix, tools);
  if (configured !== undefined) {
    const host = readHostName(configured);
    if (!host.ok) throw new UsageError(`--host: ${host.problem}`);
    return host.value;
  }
  const usual = usualHost(domain);
  return await askUntil(`What is your mail server called? [${usual}] `, "--host", tools, (text) =>
    readHostName(text === "" ? usual : text),
  );
}

function readHostName(text: string): Parsed<DomainName> {
  if (parseAddress(text).ok)
    return { ok: false, problem: `"${text}" is an address; a mail server needs a host name` };
  const name = parseDomainName(text);
  if (!name.ok) return { ok: false, problem: `"${text}" is not a host name: ${name.problem}` };
  return isHostName(name.value)
    ? name
    : { ok: false, problem: `"${text}" is not a full host name such as mail.example.org` };
}

/** `myhostname` of main.cf, where it is written out; the last setting counts, as in Postfix. */
function postfixHostName(directory: string, tools: Tools): string | undefined {
  const path = `${directory}/main.cf`;
  if (!tools.fileExists(path)) return undefined;
  const settings = [...readFileNamed(path, tools).matchAll(/^myhostname[ \t]*=[ \t]*(\S+)[ \t]*$/gm)];
  const value = settings.at(-1)?.[1];
  return value?.includes("$") ? undefined : value;
}

async function readAddresses(options: InitOptions, host: DomainName, tools: Tools): Promise<IpAddress[]> {
  if (options.address !== undefined) {
    return options.address.map((text) => {
      const address = parseAddress(text);
      if (!address.ok) throw new UsageError(`--address: ${address.problem}`);
      return address.value;
    });
  }
  return await askUntil(
    `Which addresses does ${host} have? (IPv4 and IPv6, with spaces between) `,
    "--address",
    tools,
    (text) => {
      const parsed = text
        .split(/[\s,]+/)
        .filter((word) => word !== "")
        .map(parseAddress);
      const wrong = parsed.find((address) => !address.ok);
      if (wrong !== undefined && !wrong.ok) return wrong;
      const addresses = parsed.flatMap((address) => (address.ok ? [address.value] : []));
      return addresses.length > 0
        ? { ok: true, value: addresses }
        : { ok: false, problem: "a server has at least one address" };
    },
  );
}

function readDkim(options: InitOptions, tools: Tools): Starter["dkim"] {
  const selector = parseDkimSelector(options.selector ?? "default");
  if (!selector.ok) throw new UsageError(`--selector: ${selector.problem}`);
  if (options.dkimKey === undefined) return undefined;
  const source = readFileNamed(options.dkimKey, tools);
  const key = readDkimPublicKey(source);
  if (!key.ok) throw new UsageError(`--dkim-key ${options.dkimKey}: ${key.problem}`);
  return { selector: selector.value, publicKey: Buffer.from(key.value.spki).toString("base64") };
}

const MAX_TRIES = 5;

/** Asks again, with the reason, until the answer is right; without a person it says which option to give. */
async function askUntil<T>(
  question: string,
  option: string,
  tools: Tools,
  read: (text: string) => Parsed<T>,
): Promise<T> {
  if (tools.ask === undefined) throw new UsageError(`${option} is missing, and nobody is here to be asked`);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const answer = read((await tools.ask(question)).trim());
    if (answer.ok) return answer.value;
    tools.terminal.err(`  ${answer.problem}\n`);
  }
  throw new UsageError(`no usable answer; give ${option}`);
}
