/** A report as people read it on a terminal: grouped by record, worst first, the fix ready to copy. */
import { CATALOGUE, GROUPS } from "../../check/catalogue.ts";
import { type DomainReport, type Finding, SEVERITIES, type Severity } from "../../check/finding.ts";
import { formLine } from "../../records/form.ts";
import { type Style, type Terminal, visible, wrap } from "./terminal.ts";

const MARKS: Readonly<Record<Severity, { readonly mark: string; readonly colour: keyof Style }>> = {
  error: { mark: "✗", colour: "red" },
  unknown: { mark: "?", colour: "magenta" },
  warning: { mark: "!", colour: "yellow" },
  notice: { mark: "·", colour: "blue" },
  ok: { mark: "✓", colour: "green" },
};

/** `showFine` also shows the groups in which all is well, one line each. */
export function reportText(
  report: DomainReport,
  { showFine }: { readonly showFine: boolean },
  terminal: Terminal,
): string {
  const { style } = terminal;
  const groups = Map.groupBy(report.findings, ({ code }) => CATALOGUE[code].group);
  const order = [...groups.entries()].sort(([, some], [, others]) => worst(some) - worst(others));
  const troubled = order.filter(([, findings]) => findings.some(({ severity }) => severity !== "ok"));
  const fine = order.filter(([, findings]) => findings.every(({ severity }) => severity === "ok"));
  const blocks = troubled.map(([group, findings]) => {
    const problems = findings.filter(({ severity }) => severity !== "ok");
    return [style.bold(GROUPS[group]), ...problems.map((finding) => findingText(finding, terminal))].join(
      "\n",
    );
  });
  const fineLines = (showFine ? order : fine).flatMap(([group, findings]) =>
    findings
      .filter(({ severity }) => severity === "ok")
      .map((finding) => fineLine(GROUPS[group], finding, showFine, terminal)),
  );
  const heading = `${style.bold(visible(report.domain))}  ${summaryText(report, style)}`;
  return `${[heading, ...blocks, ...(fineLines.length > 0 ? [fineLines.join("\n")] : [])].join("\n\n")}\n`;
}

function worst(findings: readonly Finding[]): number {
  return Math.min(...findings.map(({ severity }) => SEVERITIES.indexOf(severity)));
}

function summaryText({ summary }: DomainReport, style: Style): string {
  const paint =
    summary.errors > 0
      ? style.red
      : summary.unknown > 0
        ? style.magenta
        : summary.warnings > 0
          ? style.yellow
          : style.green;
  return paint(summary.sentence);
}

const INDENT = "      ";
const LABEL_WIDTH = 10;

export function findingText(finding: Finding, terminal: Terminal): string {
  const { style, columns } = terminal;
  const { mark, colour } = MARKS[finding.severity];
  const lines = [
    `  ${style[colour](mark)} ${style.bold(visible(finding.owner))}  ${style.dim(finding.code)}`,
  ];
  const field = (label: string, text: string, keep = false) => {
    const body = keep
      ? visible(text).split("\n")
      : wrap(visible(text), columns, INDENT + " ".repeat(LABEL_WIDTH))
          .split("\n")
          .map((line) => line.trimStart());
    lines.push(
      ...body.map((line, at) => `${INDENT}${style.dim((at === 0 ? label : "").padEnd(LABEL_WIDTH))}${line}`),
    );
  };
  field("observed", finding.observed, finding.observed.includes("\n"));
  field("expected", finding.expected);
  field("why", `${finding.why.replace(/\s*\((RFC|draft)[^)]*\)\.?$/, "")} (${finding.reference})`);
  if (finding.fix !== null) {
    field("fix", finding.fix.summary);
    for (const { action, zoneText } of finding.fix.changes) {
      const line = `${action === "create" ? "+" : "-"} ${visible(zoneText)}`;
      lines.push(
        `${INDENT}${" ".repeat(LABEL_WIDTH)}${action === "create" ? style.green(line) : style.red(line)}`,
      );
    }
    const created = finding.fix.changes.filter(({ action }) => action === "create");
    for (const [at, { form }] of created.entries()) {
      lines.push(
        `${INDENT}${style.dim((at === 0 ? "in a form" : "").padEnd(LABEL_WIDTH))}${visible(formLine(form))}`,
      );
    }
    if (finding.fix.request !== undefined) field("to send", finding.fix.request, true);
  }
  field("see", finding.verify);
  return lines.join("\n");
}

function fineLine(group: string, finding: Finding, full: boolean, { style, columns }: Terminal): string {
  const text = `${style.green("✓")} ${group}: `;
  const observed = visible(finding.observed).replaceAll("\n", " ");
  const room = columns - group.length - 4;
  return text + (full || observed.length <= room ? observed : `${observed.slice(0, room - 1)}…`);
}

/** One line for each problem, for scripts and mails. */
export function quietLines({ domain, findings }: DomainReport, { style }: Terminal): string {
  return findings
    .filter(({ severity }) => severity === "error" || severity === "unknown" || severity === "warning")
    .map(({ severity, code, owner, observed }) => {
      const { colour } = MARKS[severity];
      return `${visible(domain)}: ${style[colour](severity)} ${code} ${visible(owner)}: ${visible(observed).replaceAll("\n", " ")}\n`;
    })
    .join("");
}
