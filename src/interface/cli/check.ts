/** `zonepost check`: domains in, findings with their fixes out. */
import { checkDomain } from "../../check/check.ts";
import type { CheckOptions } from "../../check/context.ts";
import type { DomainReport, Summary } from "../../check/finding.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import { readDomain, readFileNamed } from "./argument.ts";
import { type ExitCode, exitCodeOf, UsageError } from "./exit-code.ts";
import { quietLines, reportText } from "./report-text.ts";
import { loadSigners } from "./signer.ts";
import { visible } from "./terminal.ts";
import type { Tools, ViewSettings } from "./tools.ts";
import type { ViewOptions } from "./view-options.ts";
import { readCheckOptions, type WorldOptions, worldSettings } from "./world-options.ts";

export interface CheckCommandOptions extends ViewOptions, WorldOptions {
  readonly fromFile?: string;
  readonly signer: readonly string[];
  readonly concurrency: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly all?: boolean;
}

export async function runCheck(
  names: readonly string[],
  options: CheckCommandOptions,
  tools: Tools,
): Promise<ExitCode> {
  const signers = loadSigners(options.signer, tools);
  const checkOptions = {
    ...readCheckOptions(options, tools),
    signers: signers.map(({ signingOf }) => signingOf),
  };
  const signed = signers.flatMap((signer) => signer.domains);
  const domains = await readDomains(names, options, checkOptions, signed, tools);
  const settings = worldSettings(options, tools);
  const summaries: Summary[] = [];
  const lines = options.fromFile !== undefined;
  const shown: DomainReport[] = [];
  await checkAll(domains, settings, checkOptions, options, tools, (report) => {
    summaries.push(report.summary);
    if (options.json && lines) tools.terminal.out(`${JSON.stringify(report)}\n`);
    else if (options.json) shown.push(report);
    else tools.terminal.out(textOf(report, options, tools));
  });
  if (options.json && !lines) {
    // They finish in any order; the one in which they were named is the one to expect.
    shown.sort((x, y) => domains.indexOf(x.domain) - domains.indexOf(y.domain));
    tools.terminal.out(`${JSON.stringify(shown.length === 1 ? shown[0] : shown, null, 2)}\n`);
  }
  return exitCodeOf(summaries);
}

function textOf(report: DomainReport, options: CheckCommandOptions, { terminal }: Tools): string {
  return options.quiet
    ? quietLines(report, terminal)
    : reportText(report, { showFine: options.all ?? false }, terminal);
}

/** From the command line, from a file (`-` is standard input), or all of the description or of the signers. */
async function readDomains(
  names: readonly string[],
  options: CheckCommandOptions,
  { description }: CheckOptions,
  signed: readonly DomainName[],
  tools: Tools,
): Promise<readonly DomainName[]> {
  const listed = options.fromFile === undefined ? [] : await readListed(options.fromFile, tools);
  const domains = [...names.map(readDomain), ...listed];
  if (domains.length > 0) return [...new Set(domains)];
  if (description !== undefined && options.fromFile === undefined) {
    return description.domains.map(({ domain }) => domain);
  }
  if (signed.length > 0 && options.fromFile === undefined) return [...new Set(signed)];
  throw new UsageError(
    "name a domain to check, as in `zonepost check example.org`, or give --config or --from-file",
  );
}

/** How many bad lines are told at once. */
const MAX_BAD_LINES = 10;

/** One domain a line, `#` begins a comment. Bad lines are told with their numbers before anything is checked. */
async function readListed(path: string, tools: Tools): Promise<readonly DomainName[]> {
  const text = path === "-" ? await tools.readStdin() : readFileNamed(path, tools);
  const domains: DomainName[] = [];
  const bad: string[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const word = line.replace(/#.*/, "").trim();
    if (word === "") continue;
    try {
      domains.push(readDomain(word));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      bad.push(`${path === "-" ? "standard input" : path}:${at + 1}: ${error.message}`);
    }
  }
  if (bad.length > MAX_BAD_LINES)
    bad.splice(MAX_BAD_LINES, Infinity, `… and ${bad.length - MAX_BAD_LINES} more`);
  if (bad.length > 0) throw new UsageError(bad.join("\n"));
  return domains;
}

/** A bounded number at a time, each reported as soon as it is done. */
async function checkAll(
  domains: readonly DomainName[],
  settings: ViewSettings,
  checkOptions: CheckOptions,
  { concurrency, quiet, json }: CheckCommandOptions,
  tools: Tools,
  onReport: (report: DomainReport) => void,
): Promise<void> {
  const opened = await tools.openWorld(settings);
  const { terminal } = tools;
  const showProgress = terminal.isInteractive && !quiet && !json;
  const clear = () => {
    if (showProgress) terminal.err("\r\u001b[K");
  };
  let finished = 0;
  const queue = domains.values();
  const work = async () => {
    for (const domain of queue) {
      const report = await checkDomain(domain, opened.world, checkOptions, {
        onProgress: (done, of) => {
          if (!showProgress) return;
          const where = domains.length > 1 ? ` (${finished} of ${domains.length} domains)` : "";
          terminal.err(`\r\u001b[K${visible(domain)}: ${done} of ${of} checks done${where}`);
        },
      });
      finished++;
      clear();
      onReport(report);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, domains.length) }, work));
  } finally {
    clear();
    await opened.close();
  }
}
