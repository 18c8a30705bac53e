/** `zonepost spf tree` and `zonepost spf test`. */
import { parseAddress } from "../../standards/dns/address.ts";
import { evaluateSpf, SPF_LIMITS } from "../../standards/spf/evaluate.ts";
import { formatTerm } from "../../standards/spf/record.ts";
import { remarksOnSpfTree } from "../../standards/spf/remarks.ts";
import { lookupSpfTree, type SpfNode, type SpfTree, type TreeTerm } from "../../standards/spf/tree.ts";
import { readDomain } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { remarkText } from "./remark-text.ts";
import { type Style, visible } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import { type ViewOptions, viewSettings } from "./view-options.ts";

type SpfOptions = ViewOptions & { readonly json?: boolean };

export async function runSpfTree(domainText: string, options: SpfOptions, tools: Tools): Promise<ExitCode> {
  const domain = readDomain(domainText);
  const opened = await tools.openWorld(viewSettings(options, tools));
  try {
    const tree = await lookupSpfTree(domain, opened.world.authoritative);
    const remarks = remarksOnSpfTree(tree);
    if (options.json) tools.terminal.out(`${JSON.stringify({ ...treeJson(tree), remarks }, null, 2)}\n`);
    else tools.terminal.out(treeText(tree, tools));
    if (tree.root.state === "unknown" || tree.unknowns.length > 0) return EXIT.unknown;
    if (remarks.some(({ severity }) => severity === "error")) return EXIT.errors;
    return remarks.some(({ severity }) => severity === "warning") ? EXIT.warnings : EXIT.ok;
  } finally {
    await opened.close();
  }
}

function treeJson(tree: SpfTree): object {
  const node = (at: SpfNode): object => {
    if (at.state !== "record") return at;
    return {
      domain: at.domain,
      text: at.text,
      lookups: at.lookupTerms,
      terms: at.terms.map(({ term, ignored, lookupTerms, target, node: below, found }) => ({
        term: term.text,
        lookups: lookupTerms,
        ignored,
        target: target ?? null,
        ...(found && { addresses: found.addresses.map(({ text }) => text) }),
        ...(below && { leadsTo: node(below) }),
      })),
    };
  };
  return {
    lookups: tree.lookupTerms,
    lookupLimit: SPF_LIMITS.lookupTerms,
    voidLookups: tree.voidLookups.map(({ domain, term, name }) => ({ domain, term: term.text, name })),
    complete: tree.complete,
    tree: node(tree.root),
  };
}

function treeText(tree: SpfTree, { terminal }: Tools): string {
  const { style } = terminal;
  const over = tree.lookupTerms > SPF_LIMITS.lookupTerms;
  const cost = `${tree.complete ? "" : "at least "}${tree.lookupTerms} of ${SPF_LIMITS.lookupTerms} lookups`;
  const lines = [`${style.bold(visible(tree.root.domain))}  ${over ? style.red(cost) : style.green(cost)}`];
  if (tree.root.state === "record") lines.push(...termLines(tree.root.terms, "", style));
  else lines.push(`└─ ${deadEndText(tree.root, style)}`);
  lines.push(...remarksOnSpfTree(tree).map((remark) => remarkText(remark, terminal)));
  return `${lines.join("\n")}\n`;
}

function termLines(terms: readonly TreeTerm[], indent: string, style: Style): string[] {
  return terms.flatMap(({ term, ignored, lookupTerms, node, found }, at) => {
    const last = at === terms.length - 1;
    const cost = ignored ? "ignored" : lookupTerms === 0 ? "" : `${lookupTerms}`;
    const addresses = found?.addresses.map(({ text }) => text) ?? [];
    const shown =
      addresses.slice(0, 4).join(", ") + (addresses.length > 4 ? `, … (${addresses.length})` : "");
    const line = `${indent}${last ? "└─" : "├─"} ${visible(term.text)}${cost ? style.yellow(`  ${cost}`) : ""}${shown ? style.dim(`  → ${shown}`) : ""}`;
    const below = `${indent}${last ? "   " : "│  "}`;
    if (node === undefined) return [line];
    if (node.state !== "record") return [line, `${below}└─ ${deadEndText(node, style)}`];
    return [line, ...termLines(node.terms, below, style)];
  });
}

function deadEndText(node: Exclude<SpfNode, { state: "record" }>, style: Style): string {
  switch (node.state) {
    case "absent":
      return style.red(`${visible(node.domain)} has no SPF record`);
    case "several":
      return style.red(`${visible(node.domain)} has ${node.texts.length} SPF records`);
    case "broken":
      return style.red(`${visible(node.text)}: ${visible(node.problem)}`);
    case "loop":
      return style.red(`back to ${visible(node.domain)}: a loop`);
    case "not-followed":
      return style.yellow("not followed any further");
    case "unknown":
      return style.magenta(`could not tell: ${node.unknown.cause}: ${visible(node.unknown.detail)}`);
    default:
      return node satisfies never;
  }
}

export interface SpfTestOptions extends SpfOptions {
  readonly ip: string;
  readonly mailFrom?: string;
  readonly helo?: string;
}

/** RFC 7208's results as exit codes: pass is fine, a refusal an error, a lookup that failed "could not tell". */
const EXIT_OF = {
  pass: EXIT.ok,
  neutral: EXIT.warnings,
  softfail: EXIT.warnings,
  none: EXIT.warnings,
  fail: EXIT.errors,
  permerror: EXIT.errors,
  temperror: EXIT.unknown,
} as const;

export async function runSpfTest(
  domainText: string,
  options: SpfTestOptions,
  tools: Tools,
): Promise<ExitCode> {
  const domain = readDomain(domainText);
  const address = parseAddress(options.ip);
  if (!address.ok) throw new UsageError(`--ip: ${address.problem}`);
  // The domain under test is that of the reverse-path; an empty --mail-from is a bounce, judged by HELO.
  const mailFrom =
    options.mailFrom ??
    (options.helo === undefined
      ? `postmaster@${domain}`
      : options.helo === domain
        ? ""
        : `postmaster@${domain}`);
  const opened = await tools.openWorld(viewSettings(options, tools));
  try {
    const outcome = await evaluateSpf(
      { clientIp: address.value, mailFrom, helo: options.helo ?? domain, now: tools.now() },
      opened.world.authoritative,
    );
    const trail = outcome.trail.map((step) => ({ domain: step.domain, term: formatTerm(step.term) }));
    if (options.json) {
      const result = {
        result: outcome.result,
        explanation: outcome.explanation ?? null,
        lookups: outcome.lookupTerms,
        voidLookups: outcome.voidLookups,
        identity: outcome.identity,
        domain: outcome.domain ?? null,
        problem: outcome.problem ?? null,
        trail,
      };
      tools.terminal.out(`${JSON.stringify(result, null, 2)}\n`);
    } else {
      const { style } = tools.terminal;
      const paint = {
        [EXIT.ok]: style.green,
        [EXIT.warnings]: style.yellow,
        [EXIT.errors]: style.red,
        [EXIT.unknown]: style.magenta,
      }[EXIT_OF[outcome.result]];
      const lines = [
        `${paint(style.bold(outcome.result))}  mail from ${visible(mailFrom) || "<>"} sent by ${address.value.text} (HELO ${visible(options.helo ?? domain)})`,
        ...trail.map((step) => `  ${visible(step.domain)}: ${visible(step.term)}`),
        ...(outcome.problem === undefined ? [] : [`  ${visible(outcome.problem)}`]),
        ...(outcome.explanation === undefined
          ? []
          : [`  the publisher explains: ${visible(outcome.explanation)}`]),
        style.dim(
          `  ${outcome.lookupTerms} of ${SPF_LIMITS.lookupTerms} lookups, ${outcome.voidLookups} found nothing`,
        ),
      ];
      tools.terminal.out(`${lines.join("\n")}\n`);
    }
    return EXIT_OF[outcome.result];
  } finally {
    await opened.close();
  }
}
