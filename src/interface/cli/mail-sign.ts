/** `zonepost mail sign`: DKIM signatures on top of a message out of a file. */
import type { Command } from "commander";
import { Option } from "commander";
import { readPrivateKey } from "../../keys/private-text.ts";
import { signingKey } from "../../keys/rotation.ts";
import type { SavedMessage } from "../../milter/saved-message.ts";
import { BodyHasher } from "../../standards/dkim/body-hash.ts";
import type { Canonicalization } from "../../standards/dkim/canonical.ts";
import { DkimSigner, type SigningKey } from "../../standards/dkim/sign.ts";
import { indexFields } from "../../standards/dkim/signed-fields.ts";
import { type DomainName, forDisplay } from "../../standards/dns/name.ts";
import { authorDomainsOf } from "../../standards/message/address-list.ts";
import type { HeaderField } from "../../standards/message/header-field.ts";
import { readDomain, readFileNamed, readInteger, readSelector } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { type KeysOptions, openKey, withKeys } from "./keys-state.ts";
import { readMailFile, troubleIn } from "./mail-file.ts";
import { visible } from "./terminal.ts";
import type { Tools } from "./tools.ts";

export interface MailSignOptions extends KeysOptions {
  readonly key?: string;
  readonly domain?: string;
  readonly selector?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly canonicalization: string;
  readonly expiresAfter?: number;
}

const CANONICALIZATIONS = ["relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple"] as const;
const MAX_DAYS = 3_650;

export function addMailSign(
  command: (name: string, description: string) => Command,
  tools: Tools,
  finish: (code: ExitCode) => void,
): void {
  command("sign", "put DKIM signatures on top of a saved mail")
    .argument("<file>", "the message; - is standard input")
    .option("--domain <name>", "who signs (default: the domain in From)")
    .option("--key <file>", "a private key that you answer for, instead of those that are kept here")
    .option("-s, --selector <name>", "with --key: its selector")
    .option("-o, --out <file>", "where to write the signed message (default: standard output)")
    .option("--force", "overwrite that file")
    .addOption(
      new Option("--canonicalization <how>", "how header and body are looked at: c=")
        .choices([...CANONICALIZATIONS])
        .default("relaxed/relaxed"),
    )
    .option("--expires-after <days>", "the signature is good for so long (default: for ever)", (text) =>
      readInteger(text, "--expires-after", 1, MAX_DAYS),
    )
    .option(
      "--state <dir>",
      "where the keys lie (default: /var/lib/zonepost as root, else below ~/.local/state)",
    )
    .option("--seal-key <file>", "what the private keys are sealed under (default: as for zonepost keys)")
    .addHelpText(
      "after",
      "The message is written as SMTP transmits it: every line ends with CRLF, and no other octet is changed.",
    )
    .action(async (file, options) => finish(await runMailSign(file, options, tools)));
}

export async function runMailSign(file: string, options: MailSignOptions, tools: Tools): Promise<ExitCode> {
  if (options.json && options.out === undefined) {
    throw new UsageError("--json needs --out: the signed message and JSON do not go to the same place");
  }
  const message = await readMailFile(file, tools);
  if (message.summary.header.exceeded.length > 0) {
    throw new UsageError(
      "the header of this message is larger than what is read here: nothing was signed",
      EXIT.errors,
    );
  }
  const domain = options.domain === undefined ? authorDomain(message) : readDomain(options.domain);
  const keys =
    options.key === undefined
      ? await keptKeys(domain, options, tools)
      : [namedKey(options.key, domain, options, tools)];
  const signatures = await sign(message, keys, options, tools);
  const octets = transmitted([...signatures, ...message.fields], message.body);
  const warnings = troubleIn(message);
  for (const text of warnings) tools.terminal.err(`${tools.terminal.style.yellow("!")} ${visible(text)}\n`);
  if (options.out === undefined) tools.outOctets(octets);
  else write(options.out, octets, options.force ?? false, tools);
  const facts = keys.map(({ signingDomain, dkimSelector, keyType }) => ({
    signingDomain,
    dkimSelector,
    keyType,
  }));
  if (options.json) tools.terminal.out(`${JSON.stringify({ signatures: facts, warnings }, null, 2)}\n`);
  else
    for (const { signingDomain, dkimSelector, keyType } of facts)
      tools.terminal.err(
        visible(`Signed as ${forDisplay(signingDomain)} with the ${keyType} key ${dkimSelector}.\n`),
      );
  return warnings.length > 0 ? EXIT.warnings : EXIT.ok;
}

function authorDomain({ fields }: SavedMessage): DomainName {
  const authors = authorDomainsOf(fields);
  if (authors.status === "one") return authors.domain;
  throw new UsageError(`who signs? ${authors.problem}; say it with --domain`, EXIT.errors);
}

/** Those of the state that have come so far as to sign, RSA first. */
function keptKeys(
  domain: DomainName,
  options: MailSignOptions,
  tools: Tools,
): Promise<readonly SigningKey[]> {
  if (options.selector !== undefined)
    throw new UsageError("--selector goes with --key; of the keys kept here, those sign that may");
  return withKeys(options, tools, async ({ store, sealKey }) => {
    const all = await store.list(domain);
    const ready = (["rsa", "ed25519"] as const).flatMap((keyType) => {
      const key = signingKey(all.filter(({ publicKey }) => publicKey.keyType === keyType));
      return key === undefined ? [] : [key];
    });
    if (ready.length === 0) {
      const name = forDisplay(domain);
      const there = all.map(({ dkimSelector, state }) => `${dkimSelector} is ${state}`).join(", ");
      throw new UsageError(
        all.length === 0
          ? `there is no key of ${name}: zonepost keys generate ${name} makes one, or name one with --key`
          : `no key of ${name} may sign (${there}): a key signs once every name server shows it and no cache holds anything else; zonepost keys rotate ${name} looks, and names the next step`,
        EXIT.errors,
      );
    }
    const master = await sealKey();
    const keys = ready.map((key) => ({
      signingDomain: key.signingDomain,
      dkimSelector: key.dkimSelector,
      keyType: key.publicKey.keyType,
      privateKey: openKey(key, master),
    }));
    // Where another program has just changed a key, that one's word counts.
    for (const before of ready)
      await store.change([{ before, after: { ...before, lastSignedAt: tools.now() } }]);
    return keys;
  });
}

/** Whether it is published is for the user to know. */
function namedKey(
  path: string,
  signingDomain: DomainName,
  { selector }: MailSignOptions,
  tools: Tools,
): SigningKey {
  if (selector === undefined)
    throw new UsageError("--key needs --selector: the name under which its public half is published");
  const pair = readPrivateKey(readFileNamed(path, tools));
  if (!pair.ok) throw new UsageError(`${path}: ${pair.problem}`);
  const { publicKey, privateKey } = pair.value;
  return { signingDomain, dkimSelector: readSelector(selector), keyType: publicKey.keyType, privateKey };
}

function sign(
  { fields, body }: SavedMessage,
  keys: readonly SigningKey[],
  { canonicalization, expiresAfter }: MailSignOptions,
  tools: Tools,
): Promise<readonly HeaderField[]> {
  const [header = "relaxed", ofBody = "relaxed"] = canonicalization.split("/") as Canonicalization[];
  const hasher = new BodyHasher();
  const signer = new DkimSigner(indexFields(fields), hasher, {
    headerCanonicalization: header,
    bodyCanonicalization: ofBody,
    ...(expiresAfter !== undefined && { expiresAfterSeconds: expiresAfter * 86_400 }),
    now: tools.now(),
  });
  hasher.update(body);
  hasher.finish();
  return signer.finish(keys);
}

function transmitted(fields: readonly HeaderField[], body: Buffer): Buffer {
  const header = fields.map(({ name, value }) => `${name}:${value}\r\n`).join("");
  return Buffer.concat([Buffer.from(`${header}\r\n`, "latin1"), body]);
}

function write(path: string, octets: Uint8Array, overwrite: boolean, tools: Tools): void {
  try {
    tools.writeFile(path, octets, { overwrite });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "EEXIST" ? "it is there already; --force overwrites it" : message;
    throw new UsageError(`cannot write ${path}: ${why}`);
  }
}
