/** `zonepost troubleshoot`: from a symptom, or from a pasted bounce, to the first cause and its fix. */
import { type Bounce, commandsFor, domainToCheck, findingsFor, readBounce } from "../../check/bounce.ts";
import { PROVIDER_NAMES } from "../../check/bounce-causes.ts";
import type { Finding } from "../../check/finding.ts";
import { summarize } from "../../check/finding.ts";
import {
  type Diagnosis,
  groupsOf,
  type StepResult,
  SYMPTOMS,
  type Symptom,
  troubleshoot,
} from "../../check/troubleshoot.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import { readDomain, readFileNamed } from "./argument.ts";
import { checkOneDomain } from "./domain-check.ts";
import { EXIT, type ExitCode, exitCodeOf, UsageError } from "./exit-code.ts";
import { findingsText } from "./report-text.ts";
import { type Terminal, visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import type { WorldOptions } from "./world-options.ts";

export const SYMPTOM_NAMES = Object.keys(SYMPTOMS) as readonly Symptom[];

export interface TroubleshootOptions extends WorldOptions {
  readonly symptom?: Symptom;
  /** A file; standard input where the option has no value. */
  readonly bounce?: string | true;
  readonly json?: boolean;
}

export async function runTroubleshoot(
  name: string | undefined,
  options: TroubleshootOptions,
  tools: Tools,
): Promise<ExitCode> {
  if (options.bounce !== undefined) return runBounce(name, options.bounce, options, tools);
  if (name === undefined)
    throw new UsageError(
      "name a domain, as in `zonepost troubleshoot example.org --symptom not-received`, or give --bounce",
    );
  const domain = readDomain(name);
  const symptom = options.symptom ?? (await askSymptom(tools));
  const report = await checkOneDomain(domain, options, tools, groupsOf(symptom));
  const diagnosis = troubleshoot(symptom, report, { described: options.config !== undefined });
  const { terminal } = tools;
  terminal.out(
    options.json
      ? `${JSON.stringify({ domain, ...diagnosis }, null, 2)}\n`
      : diagnosisText(domain, diagnosis, terminal),
  );
  return exitCodeOf([summarize(diagnosis.steps.flatMap(({ finding }) => finding ?? []))]);
}

async function askSymptom({ ask }: Tools): Promise<Symptom> {
  const choices = SYMPTOM_NAMES.map((name, at) => `${at + 1} ${name} (${SYMPTOMS[name]})`);
  if (ask === undefined)
    throw new UsageError(`say what goes wrong with --symptom: ${SYMPTOM_NAMES.join(", ")}`);
  const answer = (await ask(`What goes wrong?\n  ${choices.join("\n  ")}\n`)).trim();
  const chosen = SYMPTOM_NAMES[Number(answer) - 1] ?? SYMPTOM_NAMES.find((name) => name === answer);
  if (chosen === undefined)
    throw new UsageError(`"${answer}" is none of 1 to ${SYMPTOM_NAMES.length}; or give --symptom`);
  return chosen;
}

function diagnosisText(domain: DomainName, { symptom, steps, cause }: Diagnosis, terminal: Terminal): string {
  const { style } = terminal;
  const heading = `${style.bold(visible(domain))}: ${SYMPTOMS[symptom]}`;
  const unknown = steps.flatMap(({ state, finding }) => (state === "unknown" && finding ? [finding] : []));
  const verdict =
    cause !== undefined
      ? style.red("This can be the cause; mend it, then look again:")
      : unknown.length > 0
        ? style.magenta("No cause was found, but some of it could not be told:")
        : style.green("Nothing here brings it about, as far as can be seen from here.");
  const told = findingsText(cause === undefined ? unknown : [cause], terminal);
  const blocks = [heading, steps.map((step) => stepText(step, terminal)).join("\n"), verdict];
  return `${[...blocks, ...(told === "" ? [] : [told])].join("\n\n")}\n`;
}

function stepText({ title, state }: StepResult, { style }: Terminal): string {
  const mark = {
    fine: style.green("✓"),
    cause: style.red("✗"),
    unknown: style.magenta("?"),
    "not-run": style.dim("–"),
  }[state];
  const note = state === "not-run" ? style.dim("  not looked at") : "";
  return `  ${mark} ${title}${note}`;
}

async function runBounce(
  name: string | undefined,
  file: string | true,
  options: TroubleshootOptions,
  tools: Tools,
): Promise<ExitCode> {
  const text = file === true || file === "-" ? await tools.readStdin() : readFileNamed(file, tools);
  const bounce = readBounce(text);
  if (bounce === undefined)
    throw new UsageError(
      "no refusal was found in this text; paste the bounce, or the mail server's log line, with its code (such as 550 5.7.26)",
    );
  const domain = name === undefined ? domainToCheck(bounce) : readDomain(name);
  const isChecked = domain !== undefined && bounce.cause !== undefined && bounce.cause.checks.length > 0;
  const report = isChecked ? await checkOneDomain(domain, options, tools) : undefined;
  const findings = report && bounce.cause ? findingsFor(bounce.cause, report) : undefined;
  const { terminal } = tools;
  terminal.out(
    options.json
      ? `${JSON.stringify(bounceJson(bounce, domain, findings), null, 2)}\n`
      : bounceText(bounce, domain, findings, terminal),
  );
  if (bounce.cause === undefined) return EXIT.unknown;
  return findings === undefined ? EXIT.ok : exitCodeOf([summarize(findings)]);
}

function bounceJson(
  bounce: Bounce,
  domain: DomainName | undefined,
  findings: readonly Finding[] | undefined,
): object {
  const { cause, address, ...rest } = bounce;
  return {
    ...rest,
    address: address?.text ?? null,
    cause: cause === undefined ? null : { id: cause.id, checks: cause.checks, about: cause.about },
    advice: cause?.advice ?? null,
    see: commandsFor(bounce, domain),
    domain: domain ?? null,
    findings: findings ?? null,
  };
}

function bounceText(
  bounce: Bounce,
  domain: DomainName | undefined,
  findings: readonly Finding[] | undefined,
  terminal: Terminal,
): string {
  const { style, columns } = terminal;
  const { replyCode, enhancedCode, lasts, host, provider, address, cause, meaning, reference, words } =
    bounce;
  const who = provider === undefined ? host : `${PROVIDER_NAMES[provider]}${host ? ` (${host})` : ""}`;
  const codes = [replyCode, enhancedCode].filter((code) => code !== undefined).join(" ");
  const field = (label: string, text: string | undefined) =>
    text === undefined || text === ""
      ? []
      : [`  ${style.dim(label.padEnd(10))}${wrap(visible(text), columns, " ".repeat(12)).trimStart()}`];
  const reading = [
    ...field("code", codes),
    ...field("said by", who),
    ...field("lasts", lasts === "unknown" ? undefined : LASTS[lasts]),
    ...field("address", address?.text),
    ...field("words", words.length > 400 ? `${words.slice(0, 400)} …` : words),
    ...field("means", `${meaning} (${reference})`),
    ...field("do", cause?.isHarmless ? `Nothing. ${cause.advice}` : cause?.advice),
    ...field("see", commandsFor(bounce, domain).join("\n")),
  ];
  return `${[
    `${style.bold("Refused")}${cause === undefined ? "" : `  ${style.dim(cause.id)}`}`,
    reading.join("\n"),
    checkedText(bounce, domain, findings, terminal),
  ]
    .filter((part) => part !== "")
    .join("\n\n")}\n`;
}

const LASTS = {
  permanent: "for good: the mail came back",
  temporary: "for now: the server goes on trying",
} as const;

function checkedText(
  { cause }: Bounce,
  domain: DomainName | undefined,
  findings: readonly Finding[] | undefined,
  terminal: Terminal,
): string {
  const { style, columns } = terminal;
  if (cause === undefined || cause.checks.length === 0) return "";
  if (findings === undefined || domain === undefined)
    return wrap(
      `The text does not name the ${cause.about}'s domain; \`zonepost troubleshoot DOMAIN --bounce\` looks at it.`,
      columns,
    );
  if (findings.length === 0)
    return style.green(`${visible(domain)} shows nothing of the kind now; perhaps it was mended since.`);
  return `${style.bold(visible(domain))}\n\n${findingsText(findings.slice(0, MAX_FINDINGS), terminal)}`;
}

/** The likeliest stand first. */
const MAX_FINDINGS = 5;
