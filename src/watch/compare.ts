/** One check beside the last: what is news, what is only a maybe, and what may be told. */
import type { FindingCode } from "../check/catalogue.ts";
import type { DomainReport, Finding } from "../check/finding.ts";
import { RUNS_OUT } from "../check/over-time.ts";
import { SEVERITIES, type Severity } from "../check/severity.ts";
import { blindness } from "./blindness.ts";
import type { CheckResult, DomainState, FindingEvent, KnownFinding } from "./watch-store.ts";

export interface Compared extends CheckResult {
  readonly findings: readonly KnownFinding[];
  /** What people are to hear of: confirmed, new or of another severity; or gone after it was told. */
  readonly news: readonly NewsEvent[];
  /** Something is seen for the first time: a second look is wanted soon. */
  readonly needsConfirmation: boolean;
}

/** What is there, and where it is gone what was known of it. */
export interface NewsEvent extends FindingEvent, Pick<KnownFinding, "key" | "since" | "finding"> {
  readonly kind: "appeared" | "changed" | "gone";
  /** Of what is not new: the severity that was told last. */
  readonly before?: Severity;
}

/** Findings that are told; `ok` is for looking at, and what could not be found out is no news. */
const isTold = (severity: Severity): boolean =>
  severity === "error" || severity === "warning" || severity === "notice";

/** What the last check has not seen any more is kept for the second look alone. */
export const isSeen = ({ missed }: KnownFinding): boolean => missed === undefined;

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
        one.told === other.told &&
        one.missed === other.missed &&
        one.acknowledgedBy === other.acknowledgedBy &&
        JSON.stringify(one.finding) === JSON.stringify(other.finding)
      );
    })
  );
}

/** Their words hold serials, or what a server or a provider answered this time. */
const CHANGING_WORDS: ReadonlySet<FindingCode> = new Set<FindingCode>([
  "zone-serials-differ",
  "zone-ns-mismatch",
  "dkim-rotation-stuck",
  "dkim-rotation-waits",
]);

/** Towards the worst. */
const weight = (severity: Severity): number => -SEVERITIES.indexOf(severity);

/**
 * What is new, of another severity, or gone is told when a second check in a row has seen it so. What could not be
 * looked at this time stays as it was, and nothing is said.
 */
export function compareFindings(
  before: DomainState,
  known: readonly KnownFinding[],
  { findings }: Pick<DomainReport, "findings">,
  now: Date,
): Omit<Compared, "state"> & { readonly worst: Severity; readonly counts: DomainState["counts"] } {
  const events: FindingEvent[] = [];
  const news: NewsEvent[] = [];
  const event = (kind: FindingEvent["kind"], { code, owner, severity, observed }: Finding): FindingEvent => ({
    domain: before.domain,
    at: now,
    kind,
    code,
    owner,
    severity,
    observed,
  });
  const tell = (kind: NewsEvent["kind"], { key, since, finding }: KnownFinding, told?: Severity): void => {
    const before = told === undefined ? {} : { before: told };
    news.push({ ...event(kind, finding), kind, key, since, finding, ...before });
  };
  let needsConfirmation = false;

  const matched = matchFindings(known, findings);
  const seen = new Set(matched.values());
  const unseen = known.filter((was) => !seen.has(was) && isTold(was.finding.severity));
  const newKey = keysBeside([...seen, ...unseen]);
  const current = findings.map((finding): KnownFinding => {
    const was = matched.get(finding);
    if (was === undefined || !isTold(was.finding.severity)) {
      const key = was?.key ?? newKey(finding);
      if (!isTold(finding.severity)) return { key, finding, since: was?.since ?? now, confirmed: true };
      events.push(event("appeared", finding));
      needsConfirmation = true;
      return { key, finding, since: now, confirmed: false };
    }
    if (!isTold(finding.severity)) return was;
    const { key, since, acknowledgedBy } = was;
    const isReworded = was.finding.observed !== finding.observed;
    if (isReworded || was.finding.severity !== finding.severity) events.push(event("changed", finding));
    const told = was.told ?? was.finding.severity;
    const rise = weight(finding.severity) - weight(told);
    const isSecondLook =
      was.missed === undefined && isAsFar(weight(was.finding.severity) - weight(told), rise);
    const isTurned = was.confirmed && rise !== 0 && isSecondLook;
    // What somebody knows of stays known for as long as it is the same, or less.
    const isAnother = isReworded && finding.subject === undefined && !CHANGING_WORDS.has(finding.code);
    const isKnown = acknowledgedBy !== undefined && !isAnother && !(isTurned && rise > 0);
    const isPending = was.confirmed && rise !== 0 && !isTurned;
    needsConfirmation ||= isPending;
    const is: KnownFinding = {
      key,
      finding,
      since,
      confirmed: true,
      ...(isPending && { told }),
      ...(isKnown && { acknowledgedBy }),
    };
    if (!was.confirmed) tell("appeared", is);
    else if (isTurned && !isKnown) tell("changed", is, told);
    return is;
  });

  const isOpen = blindness({ domain: before.domain, findings });
  const kept: KnownFinding[] = [];
  for (const was of unseen) {
    const { finding, confirmed, told = finding.severity, acknowledgedBy } = was;
    if (isOpen(finding)) {
      kept.push(was);
      continue;
    }
    if (confirmed && isSeen(was)) {
      needsConfirmation = true;
      kept.push({ ...was, missed: true });
      continue;
    }
    events.push(event("gone", finding));
    const isNews = confirmed && acknowledgedBy === undefined && !RUNS_OUT.has(finding.code);
    if (isNews) tell("gone", was, told);
  }

  const all = [...current, ...kept];
  const counts: Partial<Record<Severity, number>> = {};
  for (const { finding } of all.filter(isSeen))
    counts[finding.severity] = (counts[finding.severity] ?? 0) + 1;
  const worst = SEVERITIES.find((severity) => (counts[severity] ?? 0) > 0) ?? "ok";
  return { findings: all, events, news, needsConfirmation, worst, counts };
}

/** Whether the look before went as far from what was told, in the same direction. */
const isAsFar = (then: number, now: number): boolean => (now > 0 ? then >= now : then <= now);

/**
 * Each finding beside the one that was known of it: the same code, name and subject; where there are several of the
 * kind, first those in the same words, then in their order. What was kept before findings had subjects is found so too.
 */
function matchFindings(
  known: readonly KnownFinding[],
  findings: readonly Finding[],
): ReadonlyMap<Finding, KnownFinding> {
  const kindOf = ({ code, owner }: Finding) => `${code} ${owner}`;
  const free = Map.groupBy(known, ({ finding }) => kindOf(finding));
  const matched = new Map<Finding, KnownFinding>();
  for (const fits of FITS) {
    for (const finding of findings) {
      if (matched.has(finding)) continue;
      const candidates = free.get(kindOf(finding)) ?? [];
      // Where all is well now, what was told is gone.
      const at = candidates.findIndex(
        (was) => fits(was.finding, finding) && !(finding.severity === "ok" && isTold(was.finding.severity)),
      );
      if (at >= 0) matched.set(finding, candidates.splice(at, 1)[0]!);
    }
  }
  return matched;
}

type Fit = (was: Finding, is: Finding) => boolean;

const isOfSubject: Fit = (was, is) => was.subject === is.subject;
const isOfAnySubject: Fit = (was, is) => was.subject === undefined || is.subject === undefined;
const isSaidSo: Fit = (was, is) => was.observed === is.observed;
/** The closest first. */
const FITS: readonly Fit[] = [
  (was, is) => isOfSubject(was, is) && isSaidSo(was, is),
  isOfSubject,
  (was, is) => isOfAnySubject(was, is) && isSaidSo(was, is),
  isOfAnySubject,
];

const MAX_SUBJECT_CHARACTERS = 100;

/** "code owner", with the subject where there is one, and a number behind it where that is another's already. */
function keysBeside(known: readonly KnownFinding[]): (finding: Finding) => string {
  const taken = new Set(known.map(({ key }) => key));
  return ({ code, owner, subject }) => {
    const plain = [
      code,
      owner,
      ...(subject === undefined ? [] : [subject.slice(0, MAX_SUBJECT_CHARACTERS)]),
    ].join(" ");
    let key = plain;
    for (let count = 2; taken.has(key); count++) key = `${plain} ${count}`;
    taken.add(key);
    return key;
  };
}
