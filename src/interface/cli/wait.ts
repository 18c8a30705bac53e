/** `zonepost wait`: follows a change from the name servers to the resolvers, until it is visible everywhere. */
import type { World } from "../../check/context.ts";
import { answerText } from "../../check/context.ts";
import {
  type Arrival,
  arrivalAtResolver,
  arrivalAtServers,
  arrivalOf,
  type Bound,
  begin,
  cacheBound,
  type Goal,
  heldUntil,
  type Look,
  observe,
  type Progress,
  pauseSeconds,
  type Seen,
  timeText,
  type Verdict,
  verdictOf,
  type Want,
} from "../../check/propagation.ts";
import { derive, derivedFor } from "../../records/derive.ts";
import type { DomainName } from "../../standards/dns/name.ts";
import { ROOT } from "../../standards/dns/name.ts";
import { formatRdata, parseRdata } from "../../standards/dns/rdata-text.ts";
import {
  octetsToText,
  type Rdata,
  type RecordType,
  toCharacterStrings,
  txtText,
  typeOf,
} from "../../standards/dns/record.ts";
import { readTxt } from "../../standards/dns/txt-rendering.ts";
import { loadDescription, readDomain, readRecordType } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";
import { type ViewOptions, viewSettings } from "./view-options.ts";

export interface WaitOptions extends ViewOptions {
  readonly config?: string;
  readonly absent?: boolean;
  readonly changed?: boolean;
  readonly once?: boolean;
  /** In seconds, as the three below. */
  readonly timeout: number;
  readonly interval?: number;
  readonly oldTtl?: number;
  readonly json?: boolean;
}

export async function runWait(
  nameText: string,
  typeText: string | undefined,
  values: readonly string[],
  options: WaitOptions,
  tools: Tools,
): Promise<ExitCode> {
  const goals = readGoals(nameText, typeText, values, options, tools);
  const opened = await tools.openWorld({ ...viewSettings(options, tools), freshResolverAnswers: true });
  const { terminal } = tools;
  const clear = () => {
    if (terminal.isInteractive) terminal.err("\r\u001b[K");
  };
  const startedAt = tools.now().getTime();
  const elapsed = () => (tools.now().getTime() - startedAt) / 1000;
  try {
    let progress: readonly Progress[] = [];
    for (let round = 0; ; round++) {
      progress = await lookAgain(goals, progress, opened.world, options, tools);
      const isOver = progress.every((each) => verdictOf(each) === "visible");
      const pause = options.interval ?? pauseSeconds(round);
      if (isOver || options.once || elapsed() + pause > options.timeout) break;
      if (terminal.isInteractive) terminal.err(`\r\u001b[K${progressLine(progress, terminal.columns)}`);
      await tools.sleep(pause * 1000);
    }
    clear();
    const result = resultOf(progress, elapsed());
    terminal.out(options.json ? `${JSON.stringify(result, null, 2)}\n` : waitText(progress, result, tools));
    return { visible: EXIT.ok, waiting: EXIT.warnings, unknown: EXIT.unknown }[result.verdict];
  } finally {
    clear();
    await opened.close();
  }
}

function readGoals(
  nameText: string,
  typeText: string | undefined,
  values: readonly string[],
  options: WaitOptions,
  tools: Tools,
): readonly Goal[] {
  const name = readDomain(nameText);
  if (options.config !== undefined && values.length === 0)
    return derivedGoals(name, typeText, options, tools);
  if (typeText === undefined) {
    throw new UsageError(
      `name a record type, as in \`zonepost wait ${name} TXT\`, or give --config to wait for all records of ${name}`,
    );
  }
  if (options.changed && (options.absent || values.length > 0)) {
    throw new UsageError("--changed waits for any other answer; it goes with no value and not with --absent");
  }
  const type = readRecordType(typeText);
  const wanted = values.map((value) => readValue(type, value));
  return [{ name, type, want: wantOf(wanted, options) }];
}

function wantOf(values: readonly Rdata[], { absent, changed }: WaitOptions): Want {
  if (absent) return { kind: "absent", values };
  if (values.length > 0) return { kind: "values", values };
  return { kind: changed ? "changed" : "published" };
}

/** As zone files write it; names are whole, and TXT may come without quotes. */
function readValue(type: RecordType, text: string): Rdata {
  if (type === "TXT") return { type, strings: toCharacterStrings(readTxt(text).value) };
  const data = parseRdata(type, text, ROOT);
  if (!data.ok) throw new UsageError(`"${text}" is no ${type} data: ${data.problem}`);
  return data.value;
}

/** Everything that the description wants of the domain, or at one name of it. */
function derivedGoals(
  name: DomainName,
  typeText: string | undefined,
  options: WaitOptions,
  tools: Tools,
): readonly Goal[] {
  const description = loadDescription(options.config!, tools);
  const derived = derive(description);
  const type = typeText === undefined ? undefined : readRecordType(typeText);
  const records =
    type === undefined
      ? derivedFor(name, derived, description).records
      : derived.records.filter(({ record }) => record.name === name && typeOf(record.data) === type);
  if (records.length === 0) {
    throw new UsageError(`${options.config} wants ${type ? `no ${type} record at` : "no record of"} ${name}`);
  }
  const groups = Map.groupBy(records, ({ record }) => `${record.name} ${typeOf(record.data)}`);
  return [...groups.values()].map((group) => ({
    name: group[0]!.record.name,
    type: typeOf(group[0]!.record.data),
    want: wantOf(
      group.map(({ record }) => record.data),
      options,
    ),
  }));
}

/** How many goals are looked at together. */
const CONCURRENCY = 16;

async function lookAgain(
  goals: readonly Goal[],
  before: readonly Progress[],
  world: World,
  options: WaitOptions,
  tools: Tools,
): Promise<readonly Progress[]> {
  const after: Progress[] = [];
  const queue = goals.entries();
  const work = async () => {
    for (const [at, goal] of queue) {
      const earlier = before[at];
      // What was visible everywhere stays so; it is not asked for again.
      after[at] =
        earlier !== undefined && verdictOf(earlier) === "visible"
          ? earlier
          : await lookAt(goal, earlier, world, options, tools);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, goals.length) }, work));
  return after;
}

/**
 * Name servers first. A resolver that is asked too early would remember the absence, and be the reason for the wait:
 * it is asked once every name server that answers has the record.
 */
async function lookAt(
  goal: Goal,
  before: Progress | undefined,
  { authoritative, recursive }: World,
  { oldTtl }: WaitOptions,
  tools: Tools,
): Promise<Progress> {
  const { name, type } = goal;
  const answers = await authoritative.askEveryServer(name, type);
  const own = await authoritative.findZone(name);
  const zone = own.status === "absent" ? await authoritative.findZone(own.closest) : own;
  const negativeTtls =
    zone.status === "found"
      ? zone.zone.servers.flatMap(({ negativeTtlSeconds }) => negativeTtlSeconds ?? [])
      : [];
  const look: Look = {
    at: tools.now(),
    servers: answers.map(({ server, answer }) => ({ from: `${server.name} (${server.address})`, answer })),
    resolvers: undefined,
    negativeTtlSeconds: negativeTtls.length === 0 ? undefined : Math.max(...negativeTtls),
  };
  const seen = before === undefined ? begin(goal, look, oldTtl) : observe(before, look);
  if (arrivalAtServers(seen) !== "yes") return seen;
  const resolvers = await Promise.all(
    recursive.map(async (view) => ({ from: view.label, answer: await view.lookup(name, type) })),
  );
  return { ...seen, last: { ...look, at: tools.now(), resolvers } };
}

export interface WaitRow {
  readonly from: string;
  readonly kind: "name server" | "resolver";
  readonly arrived: Arrival;
  /** Record data as zone text, or what there is instead, in words. */
  readonly answer: readonly string[];
  /** For a resolver with the old answer: by its own TTL. */
  readonly mayBeCachedUntil: string | null;
}

export interface WaitRecord {
  readonly name: DomainName;
  readonly type: RecordType;
  readonly wanted: readonly string[];
  readonly waitsFor: Want["kind"];
  readonly verdict: Verdict;
  readonly resolversAsked: boolean;
  readonly oldTtlSeconds: number | null;
  /** When every cache must have let go of the old answer, where that can be said. */
  readonly mayBeCachedUntil: string | null;
  readonly bound: string;
  readonly seen: readonly WaitRow[];
}

export interface WaitResult {
  readonly verdict: Verdict;
  readonly seconds: number;
  readonly records: readonly WaitRecord[];
}

function resultOf(progress: readonly Progress[], seconds: number): WaitResult {
  const verdicts = progress.map(verdictOf);
  const verdict = verdicts.includes("waiting")
    ? "waiting"
    : verdicts.includes("unknown")
      ? "unknown"
      : "visible";
  return { verdict, seconds: Math.round(seconds), records: progress.map(recordOf) };
}

function recordOf(progress: Progress): WaitRecord {
  const { goal, last, oldTtlSeconds } = progress;
  const { want } = goal;
  const bound: Bound = cacheBound(progress);
  const row = (kind: WaitRow["kind"], seen: Seen): WaitRow => ({
    from: seen.from,
    kind,
    arrived: kind === "resolver" ? arrivalAtResolver(seen, progress) : arrivalOf(seen.answer, progress),
    answer:
      seen.answer.status === "unknown"
        ? [`${seen.answer.cause}: ${seen.answer.detail}`]
        : answerText(seen.answer).split("\n"),
    mayBeCachedUntil: (kind === "resolver" && heldUntil(seen, progress)?.toISOString()) || null,
  });
  return {
    name: goal.name,
    type: goal.type,
    wanted: "values" in want ? want.values.map(dataText) : [],
    waitsFor: want.kind,
    verdict: verdictOf(progress),
    resolversAsked: last.resolvers !== undefined,
    oldTtlSeconds: oldTtlSeconds ?? null,
    mayBeCachedUntil: bound.until?.toISOString() ?? null,
    bound: bound.text,
    seen: [
      ...last.servers.map((seen) => row("name server", seen)),
      ...(last.resolvers ?? []).map((seen) => row("resolver", seen)),
    ],
  };
}

const dataText = (data: Rdata): string =>
  data.type === "TXT" ? octetsToText(txtText(data)) : formatRdata(data);

function progressLine(progress: readonly Progress[], columns: number): string {
  const open = progress.filter((each) => verdictOf(each) !== "visible");
  const [first] = open;
  if (first === undefined) return "";
  const { servers, resolvers = [] } = first.last;
  const count = (rows: readonly Arrival[]) =>
    `${rows.filter((arrival) => arrival === "yes").length} of ${rows.length}`;
  const atServers = count(servers.map(({ answer }) => arrivalOf(answer, first)));
  const atResolvers = count(resolvers.map((seen) => arrivalAtResolver(seen, first)));
  const more = open.length > 1 ? `, and ${open.length - 1} more` : "";
  const where = first.last.resolvers === undefined ? "" : `, ${atResolvers} resolvers`;
  return visible(`${first.goal.name} ${first.goal.type}: ${atServers} name servers${where}${more}`).slice(
    0,
    columns - 1,
  );
}

const VERDICT_WORDS: Readonly<Record<Verdict, string>> = {
  visible: "visible everywhere",
  waiting: "not visible everywhere",
  unknown: "could not be told",
};

function waitText(progress: readonly Progress[], result: WaitResult, { terminal }: Tools): string {
  const { style, columns } = terminal;
  const paint = { visible: style.green, waiting: style.yellow, unknown: style.magenta };
  const mark = { yes: style.green("✓"), no: style.yellow("·"), unknown: style.magenta("?") };
  const blocks = result.records.map((record, at) => {
    const heading = `${style.bold(visible(`${record.name} ${record.type}`))}  ${paint[record.verdict](VERDICT_WORDS[record.verdict])}`;
    if (record.verdict === "visible" && result.records.length > 1) return heading;
    const rows = record.seen.flatMap(({ from, kind, arrived, answer, mayBeCachedUntil }) => [
      `  ${mark[arrived]} ${kind} ${style.bold(visible(from))}`,
      ...answer.map((line) => `      ${visible(line)}`),
      ...(mayBeCachedUntil === null
        ? []
        : [style.dim(`      may be cached until ${timeText(new Date(mayBeCachedUntil))}`)]),
    ]);
    const nobody =
      record.seen.length === 0 ? [`  ${mark.unknown} no name server of its zone could be found`] : [];
    const early = record.resolversAsked
      ? []
      : [
          wrap(
            "Resolvers are not asked before every name server has it: they would remember the old answer.",
            columns,
            "  ",
          ),
        ];
    const { until } = cacheBound(progress[at]!);
    const isPast = until !== undefined && record.verdict === "visible" && until <= progress[at]!.last.at;
    const bound = isPast ? [] : [wrap(record.bound, columns, "  ")];
    return [heading, ...rows, ...nobody, ...early, ...bound].join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}
