/** A check whose result is remembered: compared with what was known, told where it is news, and written beside it. */
import type { DomainReport, Finding } from "../check/finding.ts";
import { type News, newsOf } from "./alert.ts";
import { areSame, type Compared, compareFindings } from "./compare.ts";
import { nextCheck, type ScheduleSettings } from "./schedule.ts";
import type { CheckResult, DomainState, WatchStore } from "./watch-store.ts";

export interface RecordTools {
  readonly store: WatchStore;
  readonly schedule: ScheduleSettings;
  /** Durable when it resolves; told again under the same key, it replaces what it said. */
  readonly tell: (key: string, news: readonly News[]) => Promise<void>;
}

export interface Recorded extends Compared {
  readonly isBlind: boolean;
}

/** Who else checks the domain at the same time may be first: then it is compared with what they found. */
const MAX_TRIES = 3;

/** Undefined where the domain is not watched (any more), or others were first each time. */
export async function recordCheck(
  { domain, findings }: Pick<DomainReport, "domain" | "findings">,
  { startedAt, endedAt }: { readonly startedAt: Date; readonly endedAt: Date },
  { store, schedule, tell }: RecordTools,
): Promise<Recorded | undefined> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await store.state(domain);
    if (before === undefined) return undefined;
    const known = await store.findings(domain);
    const { worst, counts, ...compared } = compareFindings(before, known, { findings }, endedAt);
    const isBlind = isBlindCheck(findings);
    const regular = nextCheck(
      {
        domain,
        checkedAt: endedAt,
        previousCheckAt: before.checkedAt,
        needsConfirmation: compared.needsConfirmation,
        isBlind,
        wasBlind: isBlindCheck(known.map(({ finding }) => finding)),
      },
      schedule,
    );
    // Who asked for a look after this one began, is not served by it.
    const isAsked = before.nextCheckAt > startedAt && before.nextCheckAt < regular;
    const nextCheckAt = isAsked ? before.nextCheckAt : regular;
    const state: DomainState = { ...before, checkedAt: endedAt, nextCheckAt, worst, counts };
    const news = newsOf(compared.news);
    // Its own: another check that ends at the same time takes back what it said, and no more.
    const key = `${domain} ${before.revision} ${startedAt.getTime()} ${endedAt.getTime()}`;
    // First told, then written down: what is told twice has the same ids; what is told never could be lost.
    if (news.length > 0) await tell(key, news);
    const kept = areSame(known, compared.findings) ? "as-before" : compared.findings;
    const written: CheckResult = { state, findings: kept, events: compared.events };
    if ((await store.record(written)) === "recorded") return { ...compared, state, isBlind };
    // Whoever came first has told it under a key of theirs; a person may just have said that they know.
    if (news.length > 0) await tell(key, []);
  }
  return undefined;
}

/** The zone itself could not be asked: nothing was found out. */
const isBlindCheck = (findings: readonly Finding[]): boolean =>
  findings.some(
    ({ severity, code }) => severity === "unknown" && (code.startsWith("zone-") || code === "dns-no-answer"),
  ) && !findings.some(({ severity, code }) => severity === "ok" && !code.startsWith("name-"));
