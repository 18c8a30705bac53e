/** The week in one message: how the domains are, what came, what went. */

import { SEVERITIES } from "../check/severity.ts";
import type { DomainName } from "../standards/dns/name.ts";
import { type AlertChannel, type AlertMessage, isWithin } from "./alert.ts";
import type { DomainState, FindingEvent, KnownEvent, WatchStore } from "./watch-store.ts";

const WEEK_MILLISECONDS = 7 * 86_400_000;
const PAGE = 1000;
const MAX_PAGES = 200;
const MAX_WORST = 20;
const MAX_CODES = 20;

/** What all digests of one Monday are made of. */
export interface Week {
  readonly from: Date;
  readonly overview: Awaited<ReturnType<WatchStore["overview"]>>;
  readonly errors: readonly { readonly domain: DomainName; readonly count: number }[];
  /** The newest first. */
  readonly events: readonly Pick<FindingEvent, "domain" | "kind" | "code">[];
  /** There were more than are read. */
  readonly areErrorsCut: boolean;
  readonly areEventsCut: boolean;
}

/** Page by page; `rest` lets others have their turn. */
export async function readWeek(
  watch: Pick<WatchStore, "overview" | "history" | "states">,
  now: Date,
  rest: () => Promise<void>,
): Promise<Week> {
  const from = new Date(now.getTime() - WEEK_MILLISECONDS);
  const overview = await watch.overview({});
  const errors: { domain: DomainName; count: number }[] = [];
  let areErrorsCut = true;
  let after: DomainState | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await watch.states({ worst: "error" }, { limit: PAGE, ...(after && { after }) });
    errors.push(...page.map(({ domain, counts }) => ({ domain, count: counts.error ?? 0 })));
    after = page.at(-1);
    areErrorsCut = page.length === PAGE;
    if (!areErrorsCut) break;
    await rest();
  }
  const events: Pick<FindingEvent, "domain" | "kind" | "code">[] = [];
  let areEventsCut = true;
  let before: KnownEvent | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await watch.history({}, { limit: PAGE, ...(before && { before }) });
    const ofWeek = page.filter(({ at }) => at >= from);
    events.push(...ofWeek.map(({ domain, kind, code }) => ({ domain, kind, code })));
    before = page.at(-1);
    areEventsCut = ofWeek.length === PAGE;
    if (!areEventsCut) break;
    await rest();
  }
  return { from, overview, errors, events, areErrorsCut, areEventsCut };
}

/** Goes out in quiet weeks too: who hears nothing knows then that the watch is alive. */
export function digestMessage(channel: AlertChannel, week: Week, id: string, now: Date): AlertMessage {
  const { domains } = channel;
  const { overview, areErrorsCut, areEventsCut } = week;
  const isOurs = isWithin(domains);
  const events = week.events.filter(({ domain }) => isOurs(domain));
  const worst = week.errors.filter(({ domain }) => isOurs(domain));
  // What was not read may hold more.
  const least = areErrorsCut ? "at least " : "";
  const lines: string[] = [];
  if (domains === undefined) {
    const counts = [...SEVERITIES, "unchecked" as const].flatMap((severity) => {
      const count = overview[severity] ?? 0;
      return count === 0 ? [] : [`${WORDS[severity]} ${count}`];
    });
    lines.push(`Domains by their worst finding: ${counts.join(", ") || "there are none"}.`);
  }
  const cut = areEventsCut ? ` (of the last ${week.events.length} events of all domains)` : "";
  lines.push(
    `Since ${week.from.toISOString().slice(0, 10)}${cut}: ${
      events.filter(({ kind }) => kind === "appeared").length
    } findings came, ${events.filter(({ kind }) => kind === "gone").length} went.`,
  );
  const codes = [...Map.groupBy(events, ({ kind, code }) => `${kind} ${code}`)]
    .sort(([, one], [, other]) => other.length - one.length)
    .slice(0, MAX_CODES);
  for (const [what, same] of codes) {
    const names = [...new Set(same.map(({ domain }) => domain))];
    lines.push(
      `  ${what}: ${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`,
    );
  }
  if (worst.length > 0) {
    lines.push("Domains with errors:");
    for (const { domain, count } of worst.slice(0, MAX_WORST)) lines.push(`  ${domain}: ${count}`);
    if (worst.length > MAX_WORST) lines.push(`  and ${least}${worst.length - MAX_WORST} more`);
  }
  const title =
    worst.length === 0 && !areErrorsCut
      ? "no domain with errors"
      : `${least}${worst.length} domains with errors`;
  return {
    id,
    kind: "digest",
    severity: "ok",
    createdAt: now.toISOString(),
    title: `the week: ${title}`,
    groups: [],
    omittedGroups: 0,
    text: lines.join("\n"),
  };
}

const WORDS = {
  error: "error",
  unknown: "could not be told",
  warning: "warning",
  notice: "notice",
  ok: "fine",
  unchecked: "not yet checked",
} as const;
