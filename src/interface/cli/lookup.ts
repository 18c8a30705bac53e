/** `zonepost lookup`: what every name server and resolver answers, side by side. */
import { answerText } from "../../check/context.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import type { RecordType } from "../../standards/dns/record.ts";
import type { Answer } from "../../standards/dns/resolver.ts";
import { readDomain, readRecordType } from "./argument.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { visible } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import { type ViewOptions, viewSettings } from "./view-options.ts";

export interface LookupRow {
  readonly from: string;
  readonly kind: "name server" | "resolver";
  readonly status: Answer["status"];
  /** Record data as zone text; empty for anything but `found`. */
  readonly records: readonly string[];
  /** For `absent` and `unknown`, in words. */
  readonly detail: string;
  readonly ttlSeconds: number | null;
  /** When the last cache that asked just now must have let go. */
  readonly mayBeCachedUntil: string | null;
  readonly secure: boolean | null;
}

export interface LookupResult {
  readonly name: DomainName;
  readonly type: RecordType;
  readonly zone: DomainName | null;
  readonly agree: boolean;
  readonly answers: readonly LookupRow[];
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
    const { authoritative, recursive } = opened.world;
    const zone = await authoritative.findZone(name);
    const servers = await authoritative.askEveryServer(name, type);
    // Resolvers come second, so that a name that is not published yet is not planted into their caches as absent.
    const resolvers = await Promise.all(
      recursive.map(async (view) => ({ view, answer: await view.lookup(name, type) })),
    );
    const now = tools.now();
    const rows = [
      ...servers.map(({ server, answer }) =>
        rowOf(`${server.name} (${server.address})`, "name server", answer, now),
      ),
      ...resolvers.map(({ view, answer }) => rowOf(view.label, "resolver", answer, now)),
    ];
    const told = [...servers, ...resolvers].filter(({ answer }) => answer.status !== "unknown");
    const result: LookupResult = {
      name,
      type,
      zone: zone.status === "found" ? zone.zone.apex : null,
      agree: new Set(told.map(({ answer }) => answerText(answer))).size <= 1,
      answers: rows,
    };
    tools.terminal.out(
      options.json ? `${JSON.stringify(result, null, 2)}\n` : lookupText(result, zoneDetail(zone), tools),
    );
    if (told.length === 0) return EXIT.unknown;
    return result.agree ? EXIT.ok : EXIT.warnings;
  } finally {
    await opened.close();
  }
}

function zoneDetail(zone: { readonly status: string; readonly detail?: string }): string | undefined {
  return zone.status === "unknown" ? zone.detail : undefined;
}

function rowOf(from: string, kind: LookupRow["kind"], answer: Answer, now: Date): LookupRow {
  const ttlSeconds =
    answer.status === "found"
      ? Math.min(...answer.records.map((record) => record.ttlSeconds))
      : answer.status === "absent"
        ? (answer.negativeTtlSeconds ?? null)
        : null;
  return {
    from,
    kind,
    status: answer.status,
    records: answer.status === "found" ? answerText(answer).split("\n") : [],
    detail:
      answer.status === "found"
        ? ""
        : answer.status === "absent"
          ? answerText(answer)
          : `${answer.cause}: ${answer.detail}`,
    ttlSeconds,
    mayBeCachedUntil: ttlSeconds === null ? null : new Date(now.getTime() + ttlSeconds * 1000).toISOString(),
    secure: answer.status === "unknown" ? null : (answer.secure ?? null),
  };
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
