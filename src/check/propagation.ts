/**
 * Whether a change is visible everywhere yet, and until when caches may hold what was there before (R55, R56).
 * Pure: what was seen and when is handed in, look by look.
 */
import type { DomainName } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { type Rdata, type RecordType, txtText } from "../standards/dns/record.ts";
import type { Answer } from "../standards/dns/resolver.ts";
import { answerText } from "./context.ts";

/**
 * `values` each of them is there · `published` any record, the same at every name server · `changed` another answer
 * than at the first look · `absent` none of the values, or nothing at all where none is named.
 */
export type Want =
  | { readonly kind: "values"; readonly values: readonly Rdata[] }
  | { readonly kind: "published" }
  | { readonly kind: "changed" }
  | { readonly kind: "absent"; readonly values: readonly Rdata[] };

export interface Goal {
  readonly name: DomainName;
  readonly type: RecordType;
  readonly want: Want;
}

export interface Seen {
  /** "ns1.example.org (192.0.2.53)", "9.9.9.9" */
  readonly from: string;
  readonly answer: Answer;
}

/** One round of questions. */
export interface Look {
  readonly at: Date;
  readonly servers: readonly Seen[];
  /** Undefined: not asked, because a name server still lacks the record and the absence would be remembered. */
  readonly resolvers: readonly Seen[] | undefined;
  /** The zone's negative TTL, by its SOA. */
  readonly negativeTtlSeconds: number | undefined;
}

/** What is known of a goal after some looks. */
export interface Progress {
  readonly goal: Goal;
  /** What everybody said at first, where they all agreed. */
  readonly firstAnswer: string | undefined;
  /** How long caches may keep what was there before; undefined where it was not seen, nor told. */
  readonly oldTtlSeconds: number | undefined;
  /** The first look at which every name server that answered had it: until then a cache may have taken the old answer. */
  readonly arrivedAt: Date | undefined;
  readonly last: Look;
}

export type Arrival = "yes" | "no" | "unknown";

export function begin(goal: Goal, look: Look, toldOldTtlSeconds?: number): Progress {
  const told = look.servers.filter(({ answer }) => answer.status !== "unknown");
  const texts = new Set(told.map(({ answer }) => answerText(answer)));
  const [firstAnswer] = texts.size === 1 ? texts : [];
  const fresh = { goal, firstAnswer, oldTtlSeconds: toldOldTtlSeconds, arrivedAt: undefined, last: look };
  return observe(fresh, look);
}

export function observe(progress: Progress, look: Look): Progress {
  const old = look.servers.filter(({ answer }) => arrivalOf(answer, progress) === "no");
  const ttls = old.flatMap(({ answer }) => ttlOf(answer) ?? look.negativeTtlSeconds ?? []);
  const known = progress.oldTtlSeconds === undefined ? ttls : [...ttls, progress.oldTtlSeconds];
  const arrival = arrivalAtServers(progress, look.servers);
  return {
    ...progress,
    last: look,
    oldTtlSeconds: known.length === 0 ? undefined : Math.max(...known),
    // A server that goes back to the old answer (a restart, another of a pool) begins it anew.
    arrivedAt:
      arrival === "yes" ? (progress.arrivedAt ?? look.at) : arrival === "no" ? undefined : progress.arrivedAt,
  };
}

/** For how long the answer may be kept: the RRset's TTL, or that of the absence (RFC 2308 §5). */
function ttlOf(answer: Answer): number | undefined {
  if (answer.status === "found") return Math.max(...answer.records.map(({ ttlSeconds }) => ttlSeconds));
  return answer.status === "absent" ? answer.negativeTtlSeconds : undefined;
}

/** Whether one answer is the new one. */
export function arrivalOf(
  answer: Answer,
  { goal, firstAnswer }: Pick<Progress, "goal" | "firstAnswer">,
): Arrival {
  if (answer.status === "unknown") return "unknown";
  const held = new Set(answer.status === "found" ? answer.records.map(({ data }) => comparable(data)) : []);
  const { want } = goal;
  const isThere = (): boolean => {
    switch (want.kind) {
      case "values":
        return want.values.every((value) => held.has(comparable(value)));
      case "published":
        return held.size > 0;
      case "changed":
        return firstAnswer === undefined || answerText(answer) !== firstAnswer;
      case "absent":
        return want.values.length === 0
          ? held.size === 0
          : !want.values.some((value) => held.has(comparable(value)));
      default:
        return want satisfies never;
    }
  };
  return isThere() ? "yes" : "no";
}

/** TXT is what its strings say together, however they are cut. */
function comparable(data: Rdata): string {
  return data.type === "TXT" ? txtText(data) : formatRdata(data);
}

/**
 * Whether every name server that answers has it; then resolvers may be asked without harm. Where no value was
 * named, they also have to agree.
 */
export function arrivalAtServers(progress: Progress, servers = progress.last.servers): Arrival {
  const told = servers.filter(({ answer }) => answer.status !== "unknown");
  if (told.length === 0) return "unknown";
  if (told.some(({ answer }) => arrivalOf(answer, progress) === "no")) return "no";
  const needsAgreement = progress.goal.want.kind === "published" || progress.goal.want.kind === "changed";
  const texts = new Set(told.map(({ answer }) => answerText(answer)));
  return needsAgreement && texts.size > 1 ? "no" : "yes";
}

/** A resolver has it; where no value was named, if it says what the name servers say. */
export function arrivalAtResolver({ answer }: Seen, progress: Progress): Arrival {
  const arrival = arrivalOf(answer, progress);
  const { kind } = progress.goal.want;
  if (arrival !== "yes" || (kind !== "published" && kind !== "changed")) return arrival;
  const published = progress.last.servers.find((seen) => seen.answer.status !== "unknown");
  return published === undefined || answerText(published.answer) === answerText(answer) ? "yes" : "no";
}

/** `visible` everywhere · `waiting` somebody still has the old answer · `unknown` somebody did not answer, and nobody has the old one. */
export type Verdict = "visible" | "waiting" | "unknown";

export function verdictOf(progress: Progress): Verdict {
  const atServers = arrivalAtServers(progress);
  if (atServers !== "yes") return atServers === "no" ? "waiting" : "unknown";
  const arrivals = (progress.last.resolvers ?? []).map((seen) => arrivalAtResolver(seen, progress));
  if (arrivals.includes("no")) return "waiting";
  if (progress.last.resolvers === undefined || arrivals.includes("unknown")) return "unknown";
  return progress.last.servers.some(({ answer }) => answer.status === "unknown") ? "unknown" : "visible";
}

export interface Bound {
  /** When caches must have let go of the old answer; undefined where that cannot be said yet, or at all. */
  readonly until: Date | undefined;
  /** One sentence for people. */
  readonly text: string;
}

/** The upper bound for caches anywhere: what they took last, and for how long they may keep it. */
export function cacheBound(progress: Progress): Bound {
  const { oldTtlSeconds, arrivedAt, last } = progress;
  const atServers = arrivalAtServers(progress);
  const held = (last.resolvers ?? []).flatMap(({ answer, from }) => {
    const ttl = arrivalAtResolver({ answer, from }, progress) === "no" ? ttlOf(answer) : undefined;
    return ttl === undefined ? [] : [after(last.at, ttl)];
  });
  if (atServers !== "yes") {
    const text =
      oldTtlSeconds === undefined
        ? "How long caches may keep the old answer is not known yet."
        : `Once every name server has the new answer, caches may hold the old one for up to ${oldTtlSeconds} s more.`;
    return { until: undefined, text };
  }
  if (oldTtlSeconds === undefined) {
    const until = latest(held);
    const text = `What was there before was not seen, so the bound for other caches is not known (--old-ttl tells it${
      last.negativeTtlSeconds === undefined
        ? ""
        : `; where nothing was there, ${last.negativeTtlSeconds} s after the change`
    }).`;
    return { until, text };
  }
  const until = latest([after(arrivedAt ?? last.at, oldTtlSeconds), ...held])!;
  const text =
    until.getTime() <= last.at.getTime()
      ? "Every cache must have let go of the old answer by now."
      : `The old answer may be cached until ${timeText(until)}.`;
  return { until, text };
}

const after = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1000);

function latest(times: readonly Date[]): Date | undefined {
  return times.length === 0 ? undefined : new Date(Math.max(...times.map((time) => time.getTime())));
}

/** "2026-11-21 12:05:07 UTC" */
export function timeText(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Until when a resolver that has the old answer keeps it, by its own TTL. */
export function heldUntil(seen: Seen, progress: Progress): Date | undefined {
  if (arrivalAtResolver(seen, progress) !== "no") return undefined;
  const ttl = ttlOf(seen.answer);
  return ttl === undefined ? undefined : after(progress.last.at, ttl);
}

const FIRST_PAUSE_SECONDS = 2;
const LONGEST_PAUSE_SECONDS = 30;

/** The pause after the look with this number, counted from 0: 2 s, then half as long again each time, 30 s at most. */
export function pauseSeconds(look: number): number {
  return Math.min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 1.5 ** look);
}
