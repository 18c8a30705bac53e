/** One check beside the last: what is news, what is only a maybe, and what may be told. */
import type { DomainReport, Finding } from "../check/finding.ts";
import { SEVERITIES, type Severity } from "../check/severity.ts";
import { blindness } from "./blindness.ts";
import type { CheckResult, DomainState, FindingEvent, KnownFinding } from "./watch-store.ts";

export interface Compared extends CheckResult {
  readonly findings: readonly KnownFinding[];
  /** What people are to hear of: confirmed, new or worse, and acknowledged by nobody; or gone after it was told. */
  readonly news: readonly FindingEvent[];
  /** Something is seen for the first time: a second look is wanted soon. */
  readonly needsConfirmation: boolean;
}

/** "code owner", with a number behind it where a domain has several of the kind. */
export function keyFindings(findings: readonly Finding[]): readonly (readonly [string, Finding])[] {
  const seen = new Map<string, number>();
  return findings.map((finding) => {
    const plain = `${finding.code} ${finding.owner}`;
    const count = (seen.get(plain) ?? 0) + 1;
    seen.set(plain, count);
    return [count === 1 ? plain : `${plain} ${count}`, finding];
  });
}

/** Findings that are told; `ok` is for looking at, and what could not be found out is no news. */
const isTold = (severity: Severity): boolean =>
  severity === "error" || severity === "warning" || severity === "notice";

/** Whether they say the same of the domain, in the same order. */
export function areSame(some: readonly KnownFinding[], others: readonly KnownFinding[]): boolean {
  return (
    some.length === others.length &&
    some.every((one, at) => {
      const other = others[at]!;
      return (
        one.key === other.key &&
        one.since.getTime() === other.since.getTime() &&
        one.confirmed === other.confirmed &&
        one.acknowledgedBy === other.acknowledgedBy &&
        JSON.stringify(one.finding) === JSON.stringify(other.finding)
      );
    })
  );
}

/** Towards the worst. */
const weight = (severity: Severity): number => -SEVERITIES.indexOf(severity);

/**
 * A finding is told when a second check has seen it. One that was known and is not seen any more is gone, unless its
 * group of checks could not be carried out this time: then it stays as it was, and nothing is said.
 */
export function compareFindings(
  before: DomainState,
  known: readonly KnownFinding[],
  { findings }: Pick<DomainReport, "findings">,
  now: Date,
): Omit<Compared, "state"> & { readonly worst: Severity; readonly counts: DomainState["counts"] } {
  const old = new Map(known.map((one) => [one.key, one]));
  const events: FindingEvent[] = [];
  const news: FindingEvent[] = [];
  const event = (kind: FindingEvent["kind"], { code, owner, severity, observed }: Finding): FindingEvent => ({
    domain: before.domain,
    at: now,
    kind,
    code,
    owner,
    severity,
    observed,
  });
  let needsConfirmation = false;

  const current = keyFindings(findings).map(([key, finding]): KnownFinding => {
    const was = old.get(key);
    old.delete(key);
    if (!isTold(finding.severity)) return { key, finding, since: was?.since ?? now, confirmed: true };
    if (was === undefined || !isTold(was.finding.severity)) {
      events.push(event("appeared", finding));
      needsConfirmation = true;
      return { key, finding, since: now, confirmed: false };
    }
    const isOther = was.finding.observed !== finding.observed || was.finding.severity !== finding.severity;
    const isWorse = weight(finding.severity) > weight(was.finding.severity);
    if (isOther) events.push(event("changed", finding));
    // What somebody knows of stays known for as long as it is the same.
    const acknowledged = was.acknowledgedBy !== undefined && !isOther;
    if (!was.confirmed) news.push(event("appeared", finding));
    else if (isWorse) news.push(event("changed", finding));
    return {
      key,
      finding,
      since: was.since,
      confirmed: true,
      ...(acknowledged && { acknowledgedBy: was.acknowledgedBy! }),
    };
  });

  const isUntold = blindness({ domain: before.domain, findings });
  const kept: KnownFinding[] = [];
  for (const was of old.values()) {
    if (!isTold(was.finding.severity)) continue;
    if (isUntold(was.finding)) {
      kept.push(was);
      continue;
    }
    const gone = event("gone", was.finding);
    events.push(gone);
    if (was.confirmed && was.acknowledgedBy === undefined) news.push(gone);
  }

  const all = [...current, ...kept];
  const counts: Partial<Record<Severity, number>> = {};
  for (const { finding } of all) counts[finding.severity] = (counts[finding.severity] ?? 0) + 1;
  const worst = SEVERITIES.find((severity) => (counts[severity] ?? 0) > 0) ?? "ok";
  return { findings: all, events, news, needsConfirmation, worst, counts };
}
