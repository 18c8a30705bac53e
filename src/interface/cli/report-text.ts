/** A report as people read it on a terminal: grouped by record, worst first, the fix ready to copy. */
import { CATALOGUE, GROUPS } from "../../check/catalogue.ts";
import type { Change, DomainReport, Finding, Fix } from "../../check/finding.ts";
import { SEVERITIES, type Severity } from "../../check/severity.ts";
import { hostFormLine } from "../../records/dns-host.ts";
import { formLine } from "../../records/form.ts";
import { type Style, type Terminal, visible, wrap } from "./terminal.ts";

const MARKS: Readonly<Record<Severity, { readonly mark: string; readonly colour: keyof Style }>> = {
  error: { mark: "✗", colour: "red" },
  unknown: { mark: "?", colour: "magenta" },
  warning: { mark: "!", colour: "yellow" },
  notice: { mark: "·", colour: "blue" },
  ok: { mark: "✓", colour: "green" },
};

/** `showFine`: what is fine in full, also in groups that have problems. `hideNotices`: problems alone. */
export function reportText(
  report: DomainReport,
  { showFine, hideNotices }: { readonly showFine: boolean; readonly hideNotices?: boolean },
  terminal: Terminal,
): string {
  const { style } = terminal;
  const groups = Map.groupBy(report.findings, ({ code }) => CATALOGUE[code].group);
  const order = [...groups.entries()].sort(([, some], [, others]) => worst(some) - worst(others));
  const shown = new Set<string>();
  const blocks = order.flatMap(([group, findings]) => {
    const problems = findings.filter(
      ({ severity }) => severity !== "ok" && !(hideNotices && severity === "notice"),
    );
    if (problems.length === 0) return [];
    return [
      [style.bold(GROUPS[group]), ...problems.map((finding) => findingText(finding, shown, terminal))].join(
        "\n",
      ),
    ];
  });
  const isFine = (findings: readonly Finding[]) =>
    findings.every(({ severity }) => severity === "ok" || severity === "notice");
  const fine = order.flatMap(([group, findings]) =>
    (showFine || isFine(findings) ? findings : [])
      .filter(({ severity }) => severity === "ok")
      .map((finding) => fineLine(GROUPS[group], finding, showFine, terminal)),
  );
  const heading = `${style.bold(visible(report.domain))}  ${summaryText(report, style)}`;
  return `${[heading, ...blocks, ...(fine.length > 0 ? [fine.join("\n")] : [])].join("\n\n")}\n`;
}

/** Some findings in full, without groups around them. */
export function findingsText(findings: readonly Finding[], terminal: Terminal): string {
  const shown = new Set<string>();
  return findings.map((finding) => findingText(finding, shown, terminal)).join("\n");
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
const LABEL_WIDTH = 11;

/** `shown` remembers the fixes printed so far: the same one is not printed twice. */
function findingText(finding: Finding, shown: Set<string>, terminal: Terminal): string {
  const { style, columns } = terminal;
  const { mark, colour } = MARKS[finding.severity];
  const lines = [
    `  ${style[colour](mark)} ${style.bold(visible(finding.owner))}  ${style.dim(finding.code)}`,
  ];
  const width = columns - INDENT.length - LABEL_WIDTH;
  const field = (label: string, text: string) => {
    const body = text.includes("\n") ? text.split("\n") : wrap(text, width).split("\n");
    lines.push(
      ...body.map((line, at) => `${INDENT}${style.dim((at === 0 ? label : "").padEnd(LABEL_WIDTH))}${line}`),
    );
  };
  const why = `${finding.why.replace(/\s*\((RFC|draft)[^)]*\)\.?$/, "")} (${finding.reference})`;
  field("observed", visible(middleCut(finding.observed, 3 * width)));
  if (finding.severity !== "notice") field("expected", visible(finding.expected));
  field("why", visible(why));
  if (finding.fix !== null) {
    const key = JSON.stringify(finding.fix.changes);
    const again = finding.fix.changes.length > 0 && shown.has(key);
    shown.add(key);
    field("fix", visible(finding.fix.summary) + (again ? " (the change shown above)" : ""));
    if (!again) lines.push(...fixLines(finding.fix, width, style));
    if (finding.fix.request !== undefined) field("to send", `\n${visible(finding.fix.request)}\n`);
  }
  field("see", visible(finding.verify));
  return lines.join("\n");
}

/** What goes, in red and short; what comes, in green and whole, ready to copy; and the same for a form. */
function fixLines({ changes }: Fix, width: number, style: Style): string[] {
  const indent = INDENT + " ".repeat(LABEL_WIDTH);
  const created = changes.filter(({ action }) => action === "create");
  return [
    ...changes.map(({ action, zoneText }) =>
      action === "create"
        ? indent + style.green(`+ ${visible(zoneText)}`)
        : indent + style.red(`- ${visible(middleCut(zoneText, width - 2))}`),
    ),
    ...formLines(created, width, style),
  ];
}

/** In the words of the zone's DNS host where that is known, with what it cannot hold. */
function formLines(created: readonly Change[], width: number, style: Style): string[] {
  const labelled = (label: string, text: string) =>
    `${INDENT}${style.dim(label.padEnd(LABEL_WIDTH))}${visible(text)}`;
  const [first] = created;
  if (!first?.host)
    return created.map(({ form }, at) => labelled(at === 0 ? "in a form" : "", formLine(form)));
  return created.flatMap(({ form, host }, at) => [
    ...(at === 0 ? [labelled("in a form", `of ${host?.name}:`)] : []),
    labelled("", host === null ? formLine(form) : hostFormLine(host.fields)),
    ...(host?.cannotStore ? wrap(host.cannotStore, width).split("\n") : []).map(
      (line) => INDENT + " ".repeat(LABEL_WIDTH) + style.yellow(visible(line)),
    ),
  ]);
}

/** Long texts without their middle: what people look at are the two ends. */
function middleCut(text: string, room: number): string {
  if (text.length <= room || text.includes("\n")) return text;
  const half = Math.floor((room - 3) / 2);
  return `${text.slice(0, half)} … ${text.slice(-half)}`;
}

function fineLine(group: string, finding: Finding, full: boolean, { style, columns }: Terminal): string {
  const text = `${style.green("✓")} ${group}: `;
  const observed = visible(finding.observed).replaceAll("\n", " ");
  const room = columns - group.length - 4;
  return text + (full || observed.length <= room ? observed : `${observed.slice(0, room - 1)}…`);
}

/** One line for each problem, for scripts and mails. */
/** Without the line of carets that points into the one above it. */
function oneLine(text: string): string {
  return text.replace(/\n *\^+$/, "").replaceAll("\n", " ");
}

export function quietLines({ domain, findings }: DomainReport, { style }: Terminal): string {
  return findings
    .filter(({ severity }) => severity === "error" || severity === "unknown" || severity === "warning")
    .map(({ severity, code, owner, observed }) => {
      const { colour } = MARKS[severity];
      return `${visible(domain)}: ${style[colour](severity)} ${code} ${visible(owner)}: ${oneLine(visible(observed))}\n`;
    })
    .join("");
}
