/** `zonepost mail authenticate`: a message out of a file, judged as a receiver judges it. */
import type { Command } from "commander";
import {
  authenticateSavedMessage,
  type SavedAuthentication,
  savedResultsOf,
} from "../../milter/authenticate-saved.ts";
import type { MailOrigin } from "../../milter/authentication.ts";
import { type ExplainedResult, explainAuthentication } from "../../milter/explain-authentication.ts";
import { traceOrigin } from "../../milter/received-origin.ts";
import type { SavedMessage } from "../../milter/saved-message.ts";
import { formatAuthenticationResults } from "../../standards/auth-results/header.ts";
import { diagnoseDkim } from "../../standards/dkim/diagnose.ts";
import type { DkimDiagnosis } from "../../standards/dkim/diagnosis.ts";
import { parseAddress } from "../../standards/dns/address.ts";
import { unfolded } from "../../standards/message/header-field.ts";
import { formatTerm } from "../../standards/spf/record.ts";
import { readTime } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { readMailFile, troubleIn } from "./mail-file.ts";
import { visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import { addViewOptions, receiversResolver, type ViewOptions, viewSettings } from "./view-options.ts";

export interface MailAuthenticateOptions extends ViewOptions {
  readonly ip?: string;
  readonly helo?: string;
  readonly mailFrom?: string;
  /** Commander's name for --no-trace. */
  readonly trace: boolean;
  readonly authservId: string;
  readonly at?: string;
  readonly json?: boolean;
}

export function addMailAuthenticate(
  command: (name: string, description: string) => Command,
  tools: Tools,
  finish: (code: ExitCode) => void,
): void {
  addViewOptions(
    command("authenticate", "judge a saved mail as a receiver does: SPF, DKIM, ARC, PTR and DMARC, in words"),
  )
    .argument("<file>", "the message as it came (.eml); - is standard input")
    .option("--ip <address>", "from where it came (default: what the Received fields on top tell)")
    .option("--helo <name>", "how the client called itself (default: as above)")
    .option(
      "--mail-from <address>",
      "the envelope sender; empty for a bounce (default: the Return-Path field)",
    )
    .option("--no-trace", "guess none of these from the message")
    .option("--authserv-id <name>", "who you are in the Authentication-Results field", "localhost")
    .option(
      "--at <time>",
      "judge as at this time, as 2026-11-21T06:00:00Z, where signatures have expired since",
    )
    .addHelpText(
      "after",
      "Here 0: DMARC and all else pass; 1: DMARC passes and something else does not, or the domain has no DMARC policy; 2: DMARC fails, or From names nobody to ask; 3: could not tell.",
    )
    .action(async (file, options) => finish(await runMailAuthenticate(file, options, tools)));
}

type PartOfOrigin = keyof MailOrigin;

interface FoundOrigin {
  readonly origin: Partial<MailOrigin>;
  /** Those that were guessed. */
  readonly guessed: readonly PartOfOrigin[];
}

export async function runMailAuthenticate(
  file: string,
  options: MailAuthenticateOptions,
  tools: Tools,
): Promise<ExitCode> {
  const now = options.at === undefined ? tools.now() : readTime(options.at, "--at");
  const given = readOrigin(options);
  const message = await readMailFile(file, tools);
  const found = options.trace ? withTrace(given, message) : { origin: given, guessed: [] };
  const opened = await tools.openWorld(viewSettings(options, tools));
  try {
    const authentication = await authenticateSavedMessage(
      found.origin,
      message,
      receiversResolver(opened.world),
      now,
    );
    const diagnoses = authentication.dkim.map((one) => diagnoseDkim(one, message));
    const explained = explainAuthentication(authentication, diagnoses);
    const field = formatAuthenticationResults({
      authservId: options.authservId,
      results: savedResultsOf(authentication),
    });
    const trouble = troubleIn(message);
    if (options.json) {
      const facts = jsonOf(found, authentication, explained, diagnoses);
      const json = { ...facts, trouble, authenticationResults: unfolded(field) };
      tools.terminal.out(`${JSON.stringify(json, null, 2)}\n`);
    } else {
      tools.terminal.out(textOf(found, message, explained, trouble, field, tools));
    }
    return exitCodeFor(authentication, explained, message);
  } finally {
    await opened.close();
  }
}

function readOrigin({ ip, helo, mailFrom }: MailAuthenticateOptions): Partial<MailOrigin> {
  const address = ip === undefined ? undefined : parseAddress(ip);
  if (address?.ok === false) throw new UsageError(`--ip: ${address.problem}`);
  return {
    ...(address !== undefined && { clientIp: address.value }),
    ...(helo !== undefined && { helo }),
    ...(mailFrom !== undefined && { mailFrom: mailFrom.replace(/^<(.*)>$/, "$1") }),
  };
}

/** What was not said is taken from the message; a HELO name only where the address is from there too, or the same. */
function withTrace(given: Partial<MailOrigin>, { fields }: SavedMessage): FoundOrigin {
  const { origin } = traceOrigin(fields);
  const isOtherClient = given.clientIp !== undefined && given.clientIp.text !== origin.clientIp?.text;
  const { helo: tracedHelo, ...rest } = origin;
  const traced: Partial<MailOrigin> =
    isOtherClient || tracedHelo === undefined ? rest : { ...rest, helo: tracedHelo };
  const guessed = (["clientIp", "helo", "mailFrom"] as const).filter(
    (part) => given[part] === undefined && traced[part] !== undefined,
  );
  return { origin: { ...traced, ...given }, guessed };
}

/** Nothing is bad where nothing was to be checked; what nobody knows does not count against what is known. */
function exitCodeFor(
  { dmarc }: SavedAuthentication,
  explained: readonly ExplainedResult[],
  { summary }: SavedMessage,
): ExitCode {
  if (summary.header.exceeded.length > 0) return EXIT.unknown;
  if (dmarc.status === "no-author-domain") return EXIT.errors;
  if (dmarc.status === "open") return EXIT.unknown;
  switch (dmarc.outcome.result) {
    case "fail":
    case "permerror":
      return EXIT.errors;
    case "temperror":
      return EXIT.unknown;
    case "none":
      return EXIT.warnings;
    case "pass":
      return explained.some(({ verdict }) => verdict === "bad") ? EXIT.warnings : EXIT.ok;
    default:
      return dmarc.outcome.result satisfies never;
  }
}

const NAMES = { dmarc: "DMARC", spf: "SPF", dkim: "DKIM", arc: "ARC", iprev: "PTR" } as const;

function textOf(
  found: FoundOrigin,
  { fields }: SavedMessage,
  explained: readonly ExplainedResult[],
  trouble: readonly string[],
  authenticationResults: string,
  { terminal }: Tools,
): string {
  const { style, columns } = terminal;
  const field = (key: string) => {
    const value = fields.find((one) => one.key === key)?.value;
    return value === undefined ? [] : [`  ${key.padEnd(9)} ${shown(unfolded(value), columns)}`];
  };
  const marks = {
    good: style.green("✓"),
    plain: style.dim("·"),
    bad: style.red("✗"),
    unknown: style.magenta("?"),
  };
  const lines = [
    ...field("from"),
    ...field("subject"),
    ...originLines(found),
    "",
    ...trouble.map((text) => wrap(visible(`! ${text}`), columns)),
    ...explained.flatMap(({ mechanism, result, verdict, sentences, details }) => [
      `${marks[verdict]} ${style.bold(NAMES[mechanism])}  ${result}`,
      wrap(visible(sentences.join(" ")), columns, "    "),
      ...details.map((line) => style.dim(`      ${shown(line, columns - 6)}`)),
    ]),
    "",
    `Authentication-Results:${visible(authenticationResults.replaceAll("\r\n", "\n"))}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** One line of the message; its octets are most likely UTF-8. */
function shown(text: string, columns: number): string {
  const isOctets = /^[\0-\xff]*$/.test(text) && /[\x80-\xff]/.test(text);
  const line = visible(isOctets ? Buffer.from(text, "latin1").toString("utf8") : text).replace(
    /[\t\n]/g,
    " ",
  );
  const most = Math.max(40, columns);
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}

function originLines({ origin, guessed }: FoundOrigin): readonly string[] {
  const parts: readonly (readonly [PartOfOrigin, string, string | undefined])[] = [
    ["clientIp", "client", origin.clientIp?.text],
    ["helo", "helo", origin.helo],
    ["mailFrom", "mail from", origin.mailFrom === undefined ? undefined : `<${origin.mailFrom}>`],
  ];
  return parts.map(([part, name, value]) => {
    const how =
      value === undefined ? "not known" : guessed.includes(part) ? `${value} (guessed ${FROM[part]})` : value;
    return `  ${name.padEnd(9)} ${visible(how)}`;
  });
}

const FROM = {
  clientIp: "from a Received field",
  helo: "from a Received field",
  mailFrom: "from Return-Path",
} as const;

function jsonOf(
  { origin, guessed }: FoundOrigin,
  authentication: SavedAuthentication,
  explained: readonly ExplainedResult[],
  diagnoses: readonly (readonly DkimDiagnosis[])[],
): object {
  const { spf, dkim, arc, iprev, dmarc, skippedSignatures } = authentication;
  const { clientIp, helo, mailFrom } = origin;
  return {
    origin: { clientIp: clientIp?.text ?? null, helo: helo ?? null, mailFrom: mailFrom ?? null, guessed },
    results: explained,
    spf:
      spf === undefined
        ? null
        : { ...spf, trail: spf.trail.map(({ domain, term }) => ({ domain, term: formatTerm(term) })) },
    dkim: dkim.map(({ result, signature, key, isTesting, cause, problem }, at) => ({
      result,
      signingDomain: signature?.signingDomain ?? null,
      dkimSelector: signature?.dkimSelector ?? null,
      algorithm: signature === undefined ? null : `${signature.keyType}-${signature.hash}`,
      signedFields: signature?.signedFields ?? null,
      signedAt: signature?.signedAt ?? null,
      expiresAt: signature?.expiresAt ?? null,
      modulusBits: key?.keyType === "rsa" ? key.modulusBits : null,
      isTesting,
      cause: cause ?? null,
      problem: problem ?? null,
      diagnoses: diagnoses[at] ?? [],
    })),
    skippedSignatures,
    arc,
    iprev: iprev ?? null,
    dmarc:
      dmarc.status === "no-author-domain"
        ? { result: "permerror", problem: dmarc.problem }
        : {
            result: dmarc.status === "open" ? null : dmarc.outcome.result,
            authorDomain: dmarc.authorDomain,
            organizationalDomain: dmarc.outcome.organizationalDomain ?? null,
            disposition: dmarc.status === "open" ? null : dmarc.outcome.disposition,
            policy:
              dmarc.outcome.discovery.status === "found"
                ? {
                    foundAt: dmarc.outcome.discovery.foundAt,
                    tag: dmarc.outcome.discovery.policyTag,
                    policy: dmarc.outcome.discovery.policy,
                    requested: dmarc.outcome.discovery.requested,
                    text: dmarc.outcome.discovery.text,
                  }
                : null,
            identifiers: dmarc.outcome.identifiers,
            problem: dmarc.problem ?? dmarc.outcome.problem ?? null,
          },
  };
}
