/** A check whose result is remembered: compared with what was known, and written beside it. */
import type { DomainReport } from "../check/finding.ts";
import { type Compared, compareFindings } from "./compare.ts";
import type { DomainState, WatchStore } from "./watch-store.ts";

/** Who else checks the domain at the same time may be first: then it is compared with what they found. */
const MAX_TRIES = 3;

/** Undefined where the domain is not watched (any more), or others were first each time. */
export async function recordCheck(
  report: DomainReport,
  store: WatchStore,
  now: Date,
  nextCheckAt: (before: DomainState, needsConfirmation: boolean) => Date,
): Promise<Compared | undefined> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const before = await store.state(report.domain);
    if (before === undefined) return undefined;
    const { worst, counts, ...compared } = compareFindings(
      before,
      await store.findings(report.domain),
      report,
      now,
    );
    const state: DomainState = {
      ...before,
      checkedAt: now,
      nextCheckAt: nextCheckAt(before, compared.needsConfirmation),
      worst,
      counts,
    };
    const { findings, events } = compared;
    if ((await store.record({ state, findings, events })) === "recorded") return { ...compared, state };
  }
  return undefined;
}
