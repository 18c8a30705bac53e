/** Weeks that came before: what is wrong today has begun some time, and other things were wrong once. */

import type { AccessStore } from "../access/access-store.ts";
import { auditEntry, timedId } from "../access/audit.ts";
import type { RandomOctets } from "../access/password.ts";
import { CATALOGUE } from "../check/catalogue.ts";
import { type DomainReport, type Finding, summarize } from "../check/finding.ts";
import type { Plan } from "../publish/planned.ts";
import type { ApplyRecord, PublishStore } from "../publish/publish-store.ts";
import { type DomainName, domainName } from "../standards/dns/name.ts";
import { toCharacterStrings } from "../standards/dns/record.ts";
import { recordCheck } from "../watch/record-check.ts";
import { DEFAULT_SCHEDULE } from "../watch/schedule.ts";
import type { WatchStore } from "../watch/watch-store.ts";
import { EXPIRED_DAYS_AGO, type PastTrouble } from "./domain.ts";

const HOUR_MILLISECONDS = 3_600_000;
const DAY_MILLISECONDS = 24 * HOUR_MILLISECONDS;
const WEEKS_BEFORE = 6;
/** A second look at what is new comes this much later. */
const CONFIRM_MILLISECONDS = 300_000;

/** What begins at a moment that can be seen. */
const BEGAN_DAYS_AGO: Readonly<Partial<Record<string, number>>> = {
  "certificate-expired": EXPIRED_DAYS_AGO,
};

/** When something that is wrong today was first seen: what is wrong with one record began together, at every start the same. */
function firstSeen({ code, owner, observed }: Finding, now: Date): number {
  const known = BEGAN_DAYS_AGO[code];
  if (known !== undefined) return now.getTime() - known * DAY_MILLISECONDS;
  const record = `${owner} ${observed.split("\n", 1)[0]}`;
  const sum = [...record].reduce((total, letter) => (total * 31 + letter.charCodeAt(0)) % 9973, 7);
  const share = sum / 9973;
  return now.getTime() - DAY_MILLISECONDS - share * (WEEKS_BEFORE * 7 - 2) * DAY_MILLISECONDS;
}

function pastFinding(domain: DomainName, { code, label, observed }: PastTrouble): Finding {
  const { severity, expected, why, reference } = CATALOGUE[code];
  const owner = label === "" ? domain : domainName(`${label}.${domain}`);
  return {
    code,
    severity,
    owner,
    observed,
    expected,
    why,
    reference,
    fix: null,
    verify: `dig ANY ${owner}`,
  };
}

/**
 * Records what was seen today, after what checks of the last weeks would have recorded: through the same comparison as
 * every check, so that history and state agree.
 */
export async function recordWithHistory(
  report: DomainReport,
  past: readonly PastTrouble[],
  watch: WatchStore,
  now: Date,
): Promise<void> {
  const began = now.getTime() - WEEKS_BEFORE * 7 * DAY_MILLISECONDS;
  const spans = [
    ...report.findings.map((finding) => ({
      finding,
      from: finding.severity === "ok" || finding.severity === "unknown" ? began : firstSeen(finding, now),
      to: Number.POSITIVE_INFINITY,
    })),
    ...past.map((trouble) => ({
      finding: pastFinding(report.domain, trouble),
      from: now.getTime() - trouble.fromDaysAgo * DAY_MILLISECONDS,
      to: now.getTime() - trouble.toDaysAgo * DAY_MILLISECONDS,
    })),
  ];
  const turns = new Set(
    spans.flatMap(({ from, to }) => [from, from + CONFIRM_MILLISECONDS, to, to + CONFIRM_MILLISECONDS]),
  );
  const moments = [began, ...turns].filter((at) => at < now.getTime()).sort((one, other) => one - other);
  for (const at of [...moments, now.getTime()]) {
    const findings = spans.filter(({ from, to }) => from <= at && at < to).map(({ finding }) => finding);
    const seen = { ...report, findings, summary: summarize(findings) };
    const times = { startedAt: new Date(at), endedAt: new Date(at) };
    await recordCheck(seen, times, { store: watch, schedule: DEFAULT_SCHEDULE, tell: async () => {} });
  }
}

/**
 * Two applies of the past that lead to what is published now: first everything, with a DMARC policy that only watches,
 * then the policy of today. `plan`: from an empty zone to the zone as it is.
 */
export async function recordApplies(
  plan: Plan,
  store: PublishStore,
  now: Date,
  random: RandomOctets,
): Promise<void> {
  const { zone } = plan;
  const policy = domainName(`_dmarc.${zone}`);
  const isPolicy = (one: { readonly name: DomainName }) => one.name === policy;
  const after = plan.steps.flatMap(({ changes }) => changes).find(isPolicy)?.after;
  if (after === undefined) return;
  const watching = {
    ...after,
    data: [
      { type: "TXT" as const, strings: toCharacterStrings(`v=DMARC1; p=none; rua=mailto:dmarc@${zone}`) },
    ],
  };
  const others = plan.ownedAfter.filter((one) => !isPolicy(one));
  const ownedFirst = [
    ...others,
    { name: policy, type: "TXT" as const, value: `TXT v=DMARC1; p=none; rua=mailto:dmarc@${zone}` },
  ];
  const firstSteps = plan.steps.map(({ changes }) =>
    changes.map((each) => (isPolicy(each) ? { ...each, after: watching } : each)),
  );
  const secondSteps = [[{ name: policy, type: "TXT" as const, before: watching, after }]];
  await recordApply({ steps: firstSteps, ownedBefore: [], ownedAfter: ownedFirst }, 40);
  await recordApply({ steps: secondSteps, ownedBefore: ownedFirst, ownedAfter: plan.ownedAfter }, 12);

  async function recordApply(
    what: Pick<ApplyRecord, "steps" | "ownedBefore" | "ownedAfter">,
    daysAgo: number,
  ): Promise<void> {
    const startedAt = new Date(now.getTime() - daysAgo * DAY_MILLISECONDS);
    const id = timedId(startedAt, random);
    const held = { holder: "", heldUntil: startedAt };
    await store.begin({ ...what, ...held, id, zone, startedAt, state: "running", stepsDone: 0 });
    await store.stepDone(id, what.steps.length);
    await store.finish(id, what.ownedAfter);
  }
}

/** Days ago, who, what, to what; and what is said of it. */
type Row = readonly [
  daysAgo: number,
  actor: string,
  action: string,
  target: string,
  details?: Readonly<Record<string, unknown>>,
];
const told = (daysAgo: number, severity: string, title: string): Row => [
  daysAgo,
  "system",
  "alert.told",
  "ops",
  { title, severity, kind: "news" },
];

export async function recordAudit(
  domains: readonly DomainName[],
  published: readonly DomainName[],
  access: AccessStore,
  now: Date,
  random: RandomOctets,
): Promise<void> {
  const rows: readonly Row[] = [
    [42, "system", "user.create", "demo"],
    [42, "demo", "servers.change", "servers"],
    ...domains.map((domain, at): Row => [41.9 - at / 50, "demo", "domain.create", domain]),
    ...published.flatMap((zone): Row[] => [
      [40, "demo", "zone.apply.done", zone],
      [12, "demo", "zone.apply.done", zone],
    ]),
    told(40.9, "error", "example.org: error: ptr-missing"),
    told(40, "ok", "example.org: solved: ptr-missing"),
    told(24, "error", "example.org: error: spf-several-records"),
    told(19, "warning", "example.net: warning: smtp-timeout"),
    [41, "demo", "user.create", "olga"],
    [35, "demo", "user.create", "rita"],
    [20, "olga", "login.failed", "olga"],
    [20, "olga", "login", "olga"],
    [6, "demo", "key.create", "s202611._domainkey.library.example"],
    [2, "olga", "domain.check", "florist.example"],
    [0.02, "demo", "key.create", "s202611._domainkey.school.example"],
  ];
  for (const [daysAgo, actor, action, target, details = {}] of rows.toSorted(
    ([one], [other]) => other - one,
  )) {
    const at = new Date(now.getTime() - daysAgo * DAY_MILLISECONDS);
    const address = actor === "system" ? undefined : "127.0.0.1";
    await access.audit(auditEntry({ actor, address, action, target, details }, at, random));
  }
}
