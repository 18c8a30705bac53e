/** `zonepost lint`: the mistakes in a zone file, or in records pasted from a tutorial, before they are published. */
import type { Summary } from "../../check/finding.ts";
import { summarize } from "../../check/finding.ts";
import { type LintReport, lintZoneText } from "../../check/lint.ts";
import { readDomain, readFileNamed, readNetworks } from "./argument.ts";
import { EXIT, type ExitCode, exitCodeOf, UsageError } from "./exit-code.ts";
import { reportText } from "./report-text.ts";
import { visible } from "./terminal.ts";
import type { Tools } from "./tools.ts";

export interface LintOptions {
  readonly origin?: string;
  readonly assumePublic: readonly string[];
  readonly json?: boolean;
}

export async function runLint(file: string, options: LintOptions, tools: Tools): Promise<ExitCode> {
  const text = file === "-" ? await tools.readStdin() : readFileNamed(file, tools);
  if (text.trim() === "")
    throw new UsageError("there is nothing to look at; give a zone file, or paste records");
  const origin = options.origin === undefined ? undefined : readDomain(options.origin);
  const report = await lintZoneText(text, origin, {
    now: tools.now(),
    organizationalDomain: tools.organizationalDomain,
    options: { dkimSelectors: [], assumePublic: readNetworks("--assume-public", options.assumePublic) },
  });
  const summary = summaryOf(report);
  tools.terminal.out(
    options.json ? `${JSON.stringify(jsonOf(report, summary), null, 2)}\n` : lintText(report, summary, tools),
  );
  return report.unreadable.length > 0 ? EXIT.errors : exitCodeOf([summary]);
}

function summaryOf({ findings, unreadable }: LintReport): Summary {
  const summary = summarize(findings);
  if (unreadable.length === 0) return summary;
  const lines =
    unreadable.length === 1
      ? "1 line that is no zone text"
      : `${unreadable.length} lines that are no zone text`;
  return {
    ...summary,
    errors: summary.errors + unreadable.length,
    sentence: `${lines}; ${summary.sentence}`,
  };
}

function jsonOf({ origin, records, unreadable, findings }: LintReport, summary: Summary): object {
  return { origin: origin ?? null, records: records.length, summary, unreadable, findings };
}

function lintText(
  { origin, records, unreadable, findings }: LintReport,
  summary: Summary,
  { terminal }: Tools,
): string {
  const { style } = terminal;
  const lines = unreadable.map(
    ({ line, problem }) => `  ${style.red("✗")} line ${line}: ${visible(problem)}`,
  );
  const read = style.dim(
    `${records.length === 1 ? "1 record" : `${records.length} records`} read${origin ? `, in the zone ${origin}` : ""}`,
  );
  if (origin === undefined)
    return `${[read, ...lines, "give --origin to have the records checked"].join("\n")}\n`;
  const body = reportText({ domain: origin, summary, findings }, { showFine: false }, terminal);
  return `${[read, ...lines].join("\n")}\n\n${body}`;
}
