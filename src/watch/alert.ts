/** News made into messages: for whom, how many, and when. Pure; words are in alert-text.ts. */
import { createHash } from "node:crypto";
import type { Finding } from "../check/finding.ts";
import { SEVERITIES, type Severity } from "../check/severity.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { NewsEvent } from "./compare.ts";
import type { QuietHours } from "./quiet-hours.ts";

/** One thing that people are to hear of a domain. Plain JSON: it outlives the process. */
export interface News {
  /** The same for the same event, whoever saw it and however often it is told. */
  readonly id: string;
  readonly domain: DomainName;
  /** `changed`: worse than it was told; `eased`: less bad, and still there. */
  readonly kind: "appeared" | "changed" | "eased" | "gone";
  /** Of the finding: its code and owner name. */
  readonly key: string;
  readonly finding: Finding;
  /** Of what is not new: the severity that was told last. */
  readonly before?: Severity;
  /** ISO 8601, as `at`. Since when it has been there. */
  readonly since: string;
  readonly at: string;
}

export interface AlertChannel {
  readonly id: string;
  readonly target: AlertTarget;
  /** What is less severe is not told here. */
  readonly minimumSeverity: "error" | "warning" | "notice";
  readonly quietHours?: QuietHours;
  /** Findings as severe as this are told in quiet hours as well. */
  readonly loudSeverity?: "error" | "warning";
  /** These domains and what lies below them; all where absent. */
  readonly domains?: readonly DomainName[];
  readonly weeklyDigest?: boolean;
}

export type AlertTarget =
  | { readonly kind: "email"; readonly from: string; readonly to: string }
  | { readonly kind: "webhook"; readonly url: string; readonly secret: { reveal(): string } }
  | { readonly kind: "ntfy"; readonly url: string; readonly token?: { reveal(): string } }
  | { readonly kind: "slack"; readonly url: string };

/** What one channel is told at once. */
export interface AlertMessage {
  /** The same at each attempt, so that receivers can tell a second copy. */
  readonly id: string;
  readonly kind: "news" | "digest";
  readonly severity: Severity;
  readonly createdAt: string;
  readonly title: string;
  /** The worst `MAX_GROUPS`, with all that is to be said of them. */
  readonly groups: readonly AlertGroup[];
  /** Groups that are not among these. */
  readonly omittedGroups: number;
  /** What those are, in short. */
  readonly further?: readonly FurtherGroup[];
  /** Of a digest: its own text. */
  readonly text?: string;
}

/** One cause: the same finding in the same words, with all domains that have it. */
export interface AlertGroup {
  readonly kind: News["kind"];
  readonly finding: Finding;
  /** In the order of names; fewer than there are only where a message would become too large. */
  readonly domains: readonly DomainName[];
  readonly domainCount: number;
  readonly since: string;
}

/** Findings of one kind, whatever was seen, and the domains that have one of them. */
export interface FurtherGroup {
  readonly kind: News["kind"];
  readonly severity: Severity;
  readonly code: Finding["code"];
  readonly domains: readonly DomainName[];
  readonly domainCount: number;
}

export const MAX_GROUPS = 20;
/** Of all names in a message: some ten thousand, and less than half of what a webhook may get. */
const MAX_NAMES_CHARACTERS = 400_000;

const weight = (severity: Severity): number => SEVERITIES.length - SEVERITIES.indexOf(severity);

export const isAsSevereAs = (severity: Severity, minimum: Severity): boolean =>
  severity !== "unknown" && weight(severity) >= weight(minimum);

export function hashOf(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

export function newsOf(events: readonly NewsEvent[]): readonly News[] {
  return events.flatMap(({ domain, kind, key, finding, before, ...times }) => {
    const since = times.since.toISOString();
    const id = hashOf(domain, key, kind, since, finding.severity);
    const news = { id, domain, key, finding, since, at: times.at.toISOString() };
    if (kind === "changed" && before !== undefined) return asTurned(news, before);
    return [{ ...news, kind, ...(before !== undefined && { before }) }];
  });
}

/** The news beside what people have heard: worse, less bad, or none. */
export function asTurned(news: Omit<News, "kind" | "before">, before: Severity): readonly News[] {
  const rise = weight(news.finding.severity) - weight(before);
  return rise === 0 ? [] : [{ ...news, kind: rise > 0 ? "changed" : "eased", before }];
}

/** What has eased is for those who will hear no more of it; what is gone for those who have heard of it. */
export function isFor({ minimumSeverity, domains }: AlertChannel): (news: News) => boolean {
  const isOurs = isWithin(domains);
  const isToldHere = (severity: Severity) => isAsSevereAs(severity, minimumSeverity);
  return ({ kind, domain, finding: { severity }, before = severity }) => {
    if (!isOurs(domain)) return false;
    if (kind === "eased") return isToldHere(before) && !isToldHere(severity);
    return isToldHere(kind === "gone" ? before : severity);
  };
}

/** Whether a name is one of these or below one; for all, where there are no names. */
export function isWithin(names: readonly DomainName[] | undefined): (domain: DomainName) => boolean {
  if (names === undefined) return () => true;
  const wanted = new Set<string>(names);
  return (domain) => {
    for (let dot = -1; ; ) {
      if (wanted.has(domain.slice(dot + 1))) return true;
      dot = domain.indexOf(".", dot + 1);
      if (dot < 0) return false;
    }
  };
}

/** The latest word on each finding; nothing of what came and went before anybody heard of it. */
export function condense(news: readonly News[]): readonly News[] {
  const latest = new Map<string, { first: News; last: News }>();
  for (const one of news.toSorted((x, y) => (x.at < y.at ? -1 : x.at > y.at ? 1 : 0))) {
    const key = `${one.domain} ${one.key}`;
    const known = latest.get(key);
    latest.set(key, { first: known?.first ?? one, last: one });
  }
  return [...latest.values()].flatMap(({ first, last }) => {
    if (first === last) return [last];
    if (first.kind === "appeared") return last.kind === "gone" ? [] : [asNew(last)];
    const heard = first.before ?? (first.kind === "gone" ? first.finding.severity : undefined);
    if (last.kind === "gone" || heard === undefined)
      return [{ ...last, ...(heard !== undefined && { before: heard }) }];
    // It was told, went, and is back.
    const isAnother = first.kind === "gone" && first.finding.observed !== last.finding.observed;
    return isAnother ? [asNew(last)] : asTurned(last, heard);
  });
}

const asNew = ({ before: _before, ...news }: News): News => ({ ...news, kind: "appeared" });

/** Of condensed news; undefined where there is nothing to say. The same news makes a message of the same id. */
export function messageOf(channel: AlertChannel, news: readonly News[], now: Date): AlertMessage | undefined {
  const told = news.filter(isFor(channel));
  const groups = groupsOf(told);
  if (groups.length === 0) return undefined;
  const worst = groups.find(({ kind }) => kind !== "gone")?.finding.severity ?? "ok";
  const shown = groups.slice(0, MAX_GROUPS);
  const further = groups.slice(MAX_GROUPS);
  const shorts = inShort(further);
  const all = [...shown, ...shorts].map(({ domains }) => domains);
  const named = namesWithin(MAX_NAMES_CHARACTERS, all);
  return {
    id: hashOf(channel.id, ...told.map(({ id, at }) => `${id} ${at}`).sort()),
    kind: "news",
    severity: worst,
    createdAt: now.toISOString(),
    title: titleOf(groups),
    groups: shown.map((group, at) => ({ ...group, domains: named[at]! })),
    omittedGroups: further.length,
    ...(further.length > 0 && {
      further: shorts.map((short, at) => ({ ...short, domains: named[shown.length + at]! })),
    }),
  };
}

/** Groups without what was seen; those of one kind become one. */
export function inShort(groups: readonly AlertGroup[]): readonly FurtherGroup[] {
  const same = Map.groupBy(groups, ({ kind, finding }) => `${kind} ${finding.severity} ${finding.code}`);
  return [...same.values()].map((some) => {
    const { kind, finding } = some[0]!;
    const domains = [...new Set(some.flatMap((group) => group.domains))].sort();
    // Of names that were left out nobody knows how many are the same.
    const domainCount = Math.max(domains.length, ...some.map((group) => group.domainCount));
    return { kind, severity: finding.severity, code: finding.code, domains, domainCount };
  });
}

/** As many of the names as there is room for: short lists whole, long ones share what they leave, each has one at least. */
function namesWithin(
  characters: number,
  lists: readonly (readonly DomainName[])[],
): readonly (readonly DomainName[])[] {
  const taken = [...lists];
  const shortestFirst = lists.map((names, at) => ({ names, at }));
  shortestFirst.sort((one, other) => one.names.length - other.names.length);
  let left = characters;
  for (const [before, { names, at }] of shortestFirst.entries()) {
    let share = left / (lists.length - before);
    left -= share;
    const end = names.findIndex((name, place) => {
      share -= name.length + 3;
      return share < 0 && place > 0;
    });
    if (end >= 0) taken[at] = names.slice(0, end);
    else left += Math.max(0, share);
  }
  return taken;
}

/** What there is before what is solved; the worst first, then by how many domains have it. */
function groupsOf(news: readonly News[]): readonly AlertGroup[] {
  const causes = Map.groupBy(news, ({ kind, domain, finding }) => {
    // Of a cause outside of the domain, such as a server for many, owner and words are the same.
    const isOwn = finding.owner === domain || finding.owner.endsWith(`.${domain}`);
    const owner = isOwn ? `${finding.owner.slice(0, -domain.length)}DOMAIN` : finding.owner;
    const observed = finding.observed.replaceAll(domain, "DOMAIN").slice(0, 500);
    return JSON.stringify([kind, finding.code, finding.severity, owner, observed]);
  });
  return [...causes.values()]
    .map((same): AlertGroup => {
      const domains = [...new Set(same.map(({ domain }) => domain))].sort();
      const [first] = same.toSorted((x, y) => (x.domain < y.domain ? -1 : 1));
      const { kind, finding } = first!;
      const since = same.map((one) => one.since).sort()[0]!;
      return { kind, finding, domains, domainCount: domains.length, since };
    })
    .sort(
      (x, y) =>
        Number(x.kind === "gone") - Number(y.kind === "gone") ||
        weight(y.finding.severity) - weight(x.finding.severity) ||
        y.domainCount - x.domainCount ||
        (x.finding.code < y.finding.code ? -1 : 1),
    );
}

function titleOf(groups: readonly AlertGroup[]): string {
  const [first] = groups;
  const { kind, finding, domains, domainCount } = first!;
  const where = domainCount === 1 ? domains[0]! : `${domainCount} domains`;
  const now = `${kind === "eased" ? "now " : ""}${finding.severity}`;
  const what = kind === "gone" ? `solved: ${finding.code}` : `${now}: ${finding.code}`;
  const more = groups.length > 1 ? `, and ${groups.length - 1} more` : "";
  return `${where}: ${what}${more}`;
}
