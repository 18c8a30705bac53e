/** `zonepost init`: a description to start with, from flags or from a few questions. */
import { parseDescription, readHostName, readMailDomain } from "../../records/description.ts";
import { formatStarter, type Starter, type StarterKey, usualHost } from "../../records/starter.ts";
import { readDkimPublicKey } from "../../standards/dkim/key-source.ts";
import { parseDkimSelector } from "../../standards/dkim/selector.ts";
import { type IpAddress, parseAddress } from "../../standards/dns/address.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import type { Parsed } from "../../standards/dns/parsed.ts";
import { readFileNamed } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { type LoadedSigner, loadSigners } from "./signer.ts";
import type { Tools } from "./tools.ts";

export interface InitOptions {
  readonly domain: readonly string[];
  readonly host?: string;
  readonly address?: readonly string[];
  readonly selector?: string;
  readonly dkimKey?: string;
  readonly signer: readonly string[];
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
  const next = [
    [`zonepost records${flag}`, "every record it asks for, each with its reason"],
    [`zonepost check ${starter.domains[0]} --config ${file}`, "what the world sees of it"],
  ] as const;
  const width = Math.max(...next.map(([command]) => command.length));
  return [
    `${style.green("✓")} ${file} describes ${starter.domains.join(", ")}.`,
    "",
    ...next.map(([command, what]) => `  ${style.bold(command.padEnd(width))}   ${what}`),
  ].join("\n");
}

async function readStarter(options: InitOptions, tools: Tools): Promise<Starter> {
  const dkim = readDkim(options, tools);
  const signers = loadSigners(options.signer, tools);
  const given = options.domain.map((text) => fromOption("--domain", readDomainOf(text)));
  const named = given.length > 0 ? given : signers.flatMap((signer) => signer.domains);
  const domains = named.length > 0 ? [...new Set(named)] : [await askDomain(tools)];
  if (!options.mail) return { domains, dkim };
  const host = await readHost(options, domains[0]!, tools);
  const addresses = await readAddresses(options, host, tools);
  const signing = new Map(domains.map((domain) => [domain, signerKeys(domain, signers)]));
  return { domains, server: { host, addresses }, dkim, signing };
}

/** A selector stands in a description once. */
function signerKeys(domain: DomainName, signers: readonly LoadedSigner[]): readonly StarterKey[] {
  const keys = new Map<string, StarterKey>();
  for (const { dkimSelector: selector, key } of signers.flatMap(({ signingOf }) => signingOf(domain).keys)) {
    if (keys.get(selector)?.publicKey !== undefined) continue;
    keys.set(selector, {
      selector,
      ...(key.ok && { publicKey: Buffer.from(key.value.spki).toString("base64") }),
    });
  }
  return [...keys.values()];
}

function fromOption<T>(option: string, parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new UsageError(`${option}: ${parsed.problem}`);
}

/** R88: people know their addresses before they know their domain. */
async function askDomain(tools: Tools): Promise<DomainName> {
  const question = "What comes after the @ of your mail addresses? ";
  return await askUntil(question, "--domain", tools, readDomainOf);
}

function readDomainOf(text: string): Parsed<DomainName> {
  return readMailDomain(text.trim().slice(text.trim().lastIndexOf("@") + 1));
}

/** R3: the flag, then the server's own configuration, then a question. */
async function readHost(options: InitOptions, domain: DomainName, tools: Tools): Promise<DomainName> {
  const read = (text: string) => readHostName(text, "a mail server");
  const configured = configuredHost(options, tools);
  if (configured !== undefined) return fromOption(configured.source, read(configured.text.trim()));
  const usual = usualHost(domain);
  const question = `What is your mail server called? [${usual}] `;
  return await askUntil(question, "--host", tools, (text) => read(text === "" ? usual : text));
}

function configuredHost(
  { host, postfix }: InitOptions,
  tools: Tools,
): { source: string; text: string } | undefined {
  if (host !== undefined) return { source: "--host", text: host };
  const mailName = tools.environment["MAILNAME"];
  if (mailName) return { source: "MAILNAME (--host overrules it)", text: mailName };
  const myHostname = postfixHostName(postfix, tools);
  if (myHostname === undefined) return undefined;
  return { source: `myhostname in ${postfix}/main.cf (--host overrules it)`, text: myHostname };
}

/** `myhostname` of main.cf, where it is written out; the last setting counts, as in Postfix. */
function postfixHostName(directory: string, tools: Tools): string | undefined {
  const path = `${directory}/main.cf`;
  if (!tools.fileExists(path)) return undefined;
  const settings = [...readFileNamed(path, tools).matchAll(/^myhostname[ \t]*=[ \t]*(\S+)[ \t]*$/gm)];
  const value = settings.at(-1)?.[1];
  return value?.includes("$") ? undefined : value;
}

async function readAddresses(
  options: InitOptions,
  host: DomainName,
  tools: Tools,
): Promise<readonly IpAddress[]> {
  if (options.address !== undefined)
    return fromOption("--address", readAddressList(options.address.join(" ")));
  const question = `Which addresses does ${host} have? (IPv4 and IPv6, with spaces between) `;
  return await askUntil(question, "--address", tools, readAddressList);
}

function readAddressList(text: string): Parsed<readonly IpAddress[]> {
  const addresses: IpAddress[] = [];
  for (const word of new Set(text.split(/[\s,]+/).filter((part) => part !== ""))) {
    const address = parseAddress(word);
    if (!address.ok) return address;
    addresses.push(address.value);
  }
  return addresses.length > 0
    ? { ok: true, value: addresses }
    : { ok: false, problem: "a server has at least one address" };
}

function readDkim({ selector: name = "default", dkimKey }: InitOptions, tools: Tools): Starter["dkim"] {
  const selector = fromOption("--selector", parseDkimSelector(name));
  if (dkimKey === undefined) return { selector };
  const key = fromOption(`--dkim-key ${dkimKey}`, readDkimPublicKey(readFileNamed(dkimKey, tools)));
  return { selector, publicKey: Buffer.from(key.spki).toString("base64") };
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
