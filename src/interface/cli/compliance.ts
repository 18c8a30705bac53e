/** `zonepost compliance`: the sender rules of the large receivers, each with what a domain shows of it. */
import { type JudgedRule, judgeCompliance, providerName, type RuleVerdict } from "../../check/compliance.ts";
import { readDomain } from "./argument.ts";
import { checkOneDomain } from "./domain-check.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { type Style, type Terminal, visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import type { WorldOptions } from "./world-options.ts";

export interface ComplianceOptions extends WorldOptions {
  readonly json?: boolean;
}

export async function runCompliance(
  name: string,
  options: ComplianceOptions,
  tools: Tools,
): Promise<ExitCode> {
  const domain = readDomain(name);
  const rules = judgeCompliance(await checkOneDomain(domain, options, tools));
  const { terminal } = tools;
  terminal.out(
    options.json
      ? `${JSON.stringify({ domain, rules: rules.map(ruleJson) }, null, 2)}\n`
      : `${[terminal.style.bold(visible(domain)), ...textOf(rules, terminal)].join("\n\n")}\n`,
  );
  return exitCode(rules);
}

/** A rule for everybody that is broken is an error, one for bulk senders a warning: few domains send that much. */
function exitCode(rules: readonly JudgedRule[]): ExitCode {
  const broken = rules.filter(({ verdict }) => verdict === "not-met");
  if (broken.some(({ appliesTo }) => appliesTo === "all")) return EXIT.errors;
  if (rules.some(({ verdict }) => verdict === "could-not-tell")) return EXIT.unknown;
  return broken.length > 0 ? EXIT.warnings : EXIT.ok;
}

function ruleJson({ judgement: _, why, ...rule }: JudgedRule): object {
  return { ...rule, why: why ?? null };
}

const MARKS: Readonly<Record<RuleVerdict, readonly [string, keyof Style]>> = {
  met: ["✓", "green"],
  "not-met": ["✗", "red"],
  "could-not-tell": ["?", "magenta"],
  "not-visible": ["·", "dim"],
};
const WHOM = { all: "every sender", bulk: "bulk senders" } as const;

function textOf(rules: readonly JudgedRule[], terminal: Terminal): string[] {
  const { style } = terminal;
  return [...Map.groupBy(rules, ({ provider }) => provider)].map(([provider, own]) =>
    [
      `${style.bold(providerName(provider))}  ${style.dim(own[0]!.source)}`,
      ...own.map((rule) => ruleText(rule, terminal)),
    ].join("\n"),
  );
}

function ruleText({ verdict, rule, appliesTo, why, evidence }: JudgedRule, terminal: Terminal): string {
  const { style, columns } = terminal;
  const [mark, colour] = MARKS[verdict];
  const said =
    verdict === "not-visible"
      ? [`cannot be seen from outside: ${why}`]
      : [
          ...(why === undefined ? [] : [why]),
          ...evidence
            .slice(0, MAX_EVIDENCE)
            .map(({ code, owner, observed }) => `${owner}: ${shorten(observed)} (${code})`),
        ];
  return [
    `  ${style[colour](mark)} ${rule}  ${style.dim(WHOM[appliesTo])}`,
    ...said.map((text) => style.dim(wrap(visible(text), columns, "      "))),
  ].join("\n");
}

const MAX_EVIDENCE = 3;

function shorten(observed: string): string {
  const line = observed.replaceAll("\n", " ");
  return line.length > 160 ? `${line.slice(0, 160)} …` : line;
}
