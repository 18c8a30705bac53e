/** The DNS Tree Walk (RFC 9989 §4.10) and what is found by it: the policy and the Organizational Domain. */
import { type DomainName, labelCount, labelTexts, parentOf, tryPrepend } from "../dns/name.ts";
import { txtText } from "../dns/record.ts";
import type { Resolver, Unknown } from "../dns/resolver.ts";
import { type DmarcPolicy, type DmarcRecord, inTesting, parseDmarcRecord } from "./record.ts";

/** One question of a walk, and what came of it. */
export interface DmarcQuery {
  readonly domain: DomainName;
  readonly result: DmarcQueryResult;
}

export type DmarcQueryResult =
  | { readonly status: "record"; readonly text: string; readonly record: DmarcRecord }
  /** `otherTexts`: TXT records at the name that are no DMARC records. */
  | {
      readonly status: "absent";
      readonly kind: "nxdomain" | "nodata";
      readonly otherTexts: readonly string[];
    }
  /** Several DMARC records are all discarded (§4.10 steps 2 and 6). */
  | { readonly status: "several"; readonly texts: readonly string[] }
  | Unknown;

export interface TreeWalk {
  readonly start: DomainName;
  /** From the start towards the root, ending where a `psd` tag ends the walk. */
  readonly queries: readonly DmarcQuery[];
}

/** The starting point, then at most seven labels and up (§4.10 steps 3, 4, 7): never more than eight names. */
export function treeWalkDomains(start: DomainName): DomainName[] {
  const kept = labelTexts(start).slice(-7);
  const domains = [start];
  const first = labelCount(start) >= 8 ? (kept.join(".") as DomainName) : parentOf(start);
  for (let at = first; at !== undefined && labelCount(at) > 0; at = parentOf(at)) domains.push(at);
  return domains;
}

/**
 * Asks all names of the walk at once, since each is independent of the others, and keeps what a walk in order
 * would have seen: an answer, or a failure, above the `psd` tag that ends it does not count.
 */
export async function walkTree(start: DomainName, resolver: Resolver): Promise<TreeWalk> {
  const all = await Promise.all(
    treeWalkDomains(start).map(
      async (domain): Promise<DmarcQuery> => ({ domain, result: await lookupDmarcRecord(domain, resolver) }),
    ),
  );
  const last = all.findIndex(({ result }) => result.status === "record" && result.record.psd !== "u");
  return { start, queries: last < 0 ? all : all.slice(0, last + 1) };
}

/** The one DMARC record at `_dmarc` below a domain. */
export async function lookupDmarcRecord(domain: DomainName, resolver: Resolver): Promise<DmarcQueryResult> {
  const owner = tryPrepend("_dmarc", domain);
  if (owner === undefined) return { status: "absent", kind: "nxdomain", otherTexts: [] };
  const answer = await resolver.lookup(owner, "TXT");
  if (answer.status === "unknown") return answer;
  if (answer.status === "absent") return { status: "absent", kind: answer.kind, otherTexts: [] };
  const all = answer.records.map(({ data }) => txtText(data));
  const found = all.flatMap((text) => {
    const parsed = parseDmarcRecord(text);
    return parsed.ok ? [{ text, record: parsed.value }] : [];
  });
  const [only, second] = found;
  if (only === undefined) return { status: "absent", kind: "nodata", otherTexts: all };
  if (second !== undefined) return { status: "several", texts: found.map(({ text }) => text) };
  return { status: "record", ...only };
}

interface Published {
  readonly domain: DomainName;
  readonly text: string;
  readonly record: DmarcRecord;
}

function publishedOn({ queries }: TreeWalk): Published[] {
  return queries.flatMap(({ domain, result }) =>
    result.status === "record" ? [{ domain, text: result.text, record: result.record }] : [],
  );
}

export type OrganizationalDomain =
  | { readonly status: "found"; readonly domain: DomainName }
  /** A query of the walk failed, and any record there could have changed the answer. */
  | { readonly status: "unknown"; readonly query: DmarcQuery };

/** The selection of §4.10.2, from the longest name to the shortest. */
export function organizationalDomainOf(walk: TreeWalk): OrganizationalDomain {
  const query = walk.queries.find(({ result }) => result.status === "unknown");
  if (query !== undefined) return { status: "unknown", query };
  return { status: "found", domain: selectOrganizationalDomain(walk) };
}

function selectOrganizationalDomain(walk: TreeWalk): DomainName {
  const published = publishedOn(walk);
  for (const { domain, record } of published) {
    if (record.psd === "n") return domain;
    if (record.psd === "y" && domain !== walk.start) return oneLabelBelow(domain, walk.start);
  }
  return published.at(-1)?.domain ?? walk.start;
}

/** The ancestor of `start` (or itself) that has one label more than `domain`. */
function oneLabelBelow(domain: DomainName, start: DomainName): DomainName {
  return labelTexts(start)
    .slice(-(labelCount(domain) + 1))
    .join(".") as DomainName;
}

export type DmarcDiscovery = FoundPolicy | NoPolicy | UnknownPolicy;

export interface FoundPolicy {
  readonly status: "found";
  readonly record: DmarcRecord;
  readonly text: string;
  /** The domain whose record it is (the DMARC Policy Domain). */
  readonly foundAt: DomainName;
  readonly where: "author-domain" | "organizational-domain" | "public-suffix-domain";
  /** The tag that speaks for this Author Domain, fallbacks followed. */
  readonly policyTag: "p" | "sp" | "np";
  readonly policy: DmarcPolicy;
  /** The policy less what `t=y` takes from it: what is asked of receivers. */
  readonly requested: DmarcPolicy;
  readonly walk: TreeWalk;
}

export interface NoPolicy {
  readonly status: "none";
  /** In words, for people. */
  readonly reason: string;
  readonly walk: TreeWalk;
}

export interface UnknownPolicy {
  readonly status: "temperror";
  readonly problem: string;
  readonly walk: TreeWalk;
}

/** DMARC Policy Discovery (§4.10.1): the Author Domain's record, its Organizational Domain's, or its suffix's. */
export async function discoverDmarc(authorDomain: DomainName, resolver: Resolver): Promise<DmarcDiscovery> {
  return await discoverOn(await walkTree(authorDomain, resolver), resolver);
}

/** The same on a walk that was made before. */
export async function discoverOn(walk: TreeWalk, resolver: Resolver): Promise<DmarcDiscovery> {
  const authorDomain = walk.start;
  const own = walk.queries[0]!;
  if (own.result.status === "record") {
    return applyRecord({ domain: authorDomain, ...own.result }, "author-domain", "p", walk);
  }
  const failed = walk.queries.find(({ result }) => result.status === "unknown");
  if (failed !== undefined) return { status: "temperror", problem: describeFailure(failed), walk };

  const organizationalDomain = selectOrganizationalDomain(walk);
  const published = publishedOn(walk);
  const found =
    published.find(({ domain }) => domain === organizationalDomain) ??
    published.find(({ record }) => record.psd === "y");
  if (found === undefined) return { status: "none", reason: describeAbsence(walk), walk };
  const where = found.domain === organizationalDomain ? "organizational-domain" : "public-suffix-domain";

  const { record } = found;
  const existingTag = record.subdomainPolicy === undefined ? "p" : "sp";
  if (record.nonexistentPolicy === undefined) return applyRecord(found, where, existingTag, walk);
  // Only np needs to know whether the Author Domain exists (§3.2.13), so only then is it asked.
  const answer = await resolver.lookup(authorDomain, "A");
  if (answer.status === "unknown") {
    const problem = `whether ${authorDomain} exists could not be found out (${answer.cause}): ${answer.detail}`;
    return { status: "temperror", problem, walk };
  }
  // A dangling alias is NXDOMAIN for its target; the name itself is there (RFC 8020 §2).
  const exists = answer.status === "found" || answer.kind === "nodata" || answer.aliases.length > 0;
  return applyRecord(found, where, exists ? existingTag : "np", walk);
}

function applyRecord(
  { domain, text, record }: Published,
  where: FoundPolicy["where"],
  policyTag: FoundPolicy["policyTag"],
  walk: TreeWalk,
): DmarcDiscovery {
  const policy = { p: record.policy, sp: record.subdomainPolicy, np: record.nonexistentPolicy }[policyTag];
  if (policy === undefined) {
    const reason = `the record of ${domain} has a missing or invalid policy and no rua, so no DMARC applies`;
    return { status: "none", reason, walk };
  }
  const requested = record.testing ? inTesting(policy) : policy;
  return { status: "found", record, text, foundAt: domain, where, policyTag, policy, requested, walk };
}

export function describeFailure({ domain, result }: DmarcQuery): string {
  const why = result.status === "unknown" ? ` (${result.cause}): ${result.detail}` : "";
  return `_dmarc.${domain} TXT could not be looked up${why}`;
}

function describeAbsence({ start, queries }: TreeWalk): string {
  const several = queries
    .filter(({ result }) => result.status === "several")
    .map(({ domain }) => `_dmarc.${domain}`);
  const discarded =
    several.length === 0 ? "" : `; ${several.join(", ")} has several, which are all discarded`;
  return `neither ${start} nor a domain above it has a usable DMARC record${discarded}`;
}

export type PublicSuffixDiscovery =
  | {
      readonly status: "found";
      readonly record: DmarcRecord;
      readonly text: string;
      readonly foundAt: DomainName;
      readonly policyTag: "p" | "sp";
      readonly policy: DmarcPolicy;
    }
  | { readonly status: "none" }
  | { readonly status: "temperror"; readonly problem: string };

/**
 * What receivers find that still follow RFC 7489 (historic) §6.6.3: the Author Domain's record, else that of
 * the Organizational Domain *by public-suffix list*; np, psd and t mean nothing to them.
 */
export async function discoverDmarcByPublicSuffix(
  authorDomain: DomainName,
  organizationalDomain: DomainName,
  resolver: Resolver,
): Promise<PublicSuffixDiscovery> {
  for (const domain of new Set([authorDomain, organizationalDomain])) {
    const result = await lookupDmarcRecord(domain, resolver);
    if (result.status === "unknown") {
      return { status: "temperror", problem: describeFailure({ domain, result }) };
    }
    if (result.status !== "record") continue;
    const { record, text } = result;
    const policyTag = domain !== authorDomain && record.subdomainPolicy !== undefined ? "sp" : "p";
    const policy = policyTag === "sp" ? record.subdomainPolicy : record.policy;
    if (policy === undefined) return { status: "none" };
    return { status: "found", record, text, foundAt: domain, policyTag, policy };
  }
  return { status: "none" };
}
