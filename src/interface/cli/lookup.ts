/** `zonepost lookup`: what every name server and resolver answers, side by side. */
import { type LookupRow, lookupSideBySide } from "../../check/side-by-side.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import type { RecordType } from "../../standards/dns/record.ts";
import { readDomain, readRecordType } from "./argument.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { visible } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import { type ViewOptions, viewSettings } from "./view-options.ts";

export interface LookupResult {
  readonly name: DomainName;
  readonly type: RecordType;
  readonly zone: DomainName | null;
  readonly agree: boolean;
  readonly answers: readonly Omit<LookupRow, "hasWanted">[];
}

export async function runLookup(
  nameText: string,
  typeText: string,
  options: ViewOptions & { readonly json?: boolean },
  tools: Tools,
): Promise<ExitCode> {
  const type = readRecordType(typeText);
  const name = readDomain(nameText);
  const opened = await tools.openWorld(viewSettings(options, tools));
  try {
    const zone = await opened.world.authoritative.findZone(name);
    const { agree, answers } = await lookupSideBySide(name, type, opened.world, tools.now);
    const result: LookupResult = {
      name,
      type,
      zone: zone.status === "found" ? zone.zone.apex : null,
      agree,
      answers: answers.map(({ hasWanted: _nothing, ...row }) => row),
    };
    tools.terminal.out(
      options.json ? `${JSON.stringify(result, null, 2)}\n` : lookupText(result, zoneDetail(zone), tools),
    );
    if (answers.every(({ status }) => status === "unknown")) return EXIT.unknown;
    return result.agree ? EXIT.ok : EXIT.warnings;
  } finally {
    await opened.close();
  }
}

function zoneDetail(zone: { readonly status: string; readonly detail?: string }): string | undefined {
  return zone.status === "unknown" ? zone.detail : undefined;
}

function lookupText(result: LookupResult, zoneProblem: string | undefined, { terminal }: Tools): string {
  const { style } = terminal;
  const verdict = result.answers.every(({ status }) => status === "unknown")
    ? style.magenta("nobody answered")
    : result.agree
      ? style.green("all agree")
      : style.yellow("they do not agree");
  const lines = [
    `${style.bold(`${visible(result.name)} ${result.type}`)}  ${verdict}${result.zone === null ? "" : style.dim(`  zone ${result.zone}`)}`,
  ];
  if (zoneProblem !== undefined)
    lines.push(`  ${style.magenta("?")} the name servers could not be found: ${visible(zoneProblem)}`);
  for (const row of result.answers) {
    const mark =
      row.status === "unknown"
        ? style.magenta("?")
        : row.status === "found"
          ? style.green("✓")
          : style.blue("·");
    lines.push(
      "",
      `  ${mark} ${row.kind} ${style.bold(visible(row.from))}${row.secure ? style.green("  DNSSEC validated") : ""}`,
    );
    for (const text of row.records) lines.push(`      ${visible(text)}`);
    if (row.detail !== "") lines.push(`      ${visible(row.detail)}`);
    if (row.ttlSeconds !== null) {
      const until = row.mayBeCachedUntil!.slice(0, 16).replace("T", " ");
      lines.push(style.dim(`      TTL ${row.ttlSeconds} s; may be cached until ${until} UTC`));
    }
  }
  return `${lines.join("\n")}\n`;
}
