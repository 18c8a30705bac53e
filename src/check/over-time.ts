/** What only shows beside an earlier look: whose addresses an include has come to hold, and TTLs that were lowered. */
import { contains, type IpNetwork, parseNetwork } from "../standards/dns/address.ts";
import { type DomainName, isWithin, ROOT } from "../standards/dns/name.ts";
import type { Answer } from "../standards/dns/resolver.ts";
import { formatTerm, type PlacedTerm } from "../standards/spf/record.ts";
import type { SpfNode, SpfTree } from "../standards/spf/tree.ts";
import type { FindingCode } from "./catalogue.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./finding.ts";
import { spfTree } from "./spf.ts";

/** What is remembered of a domain from one look to the next: plain JSON, at most some 20 kB, mostly far less. */
export interface Past {
  readonly includes: readonly PastInclude[];
  readonly ttls: readonly PastTtl[];
}

export interface PastInclude {
  readonly name: string;
  /** Networks, and terms whose addresses are named elsewhere, such as "a:relay.example.net"; sorted. */
  readonly holds: readonly string[];
  /** How many there are, where that is more than is kept of them. */
  readonly count: number;
  /** When it was first seen to hold more than this, in milliseconds since 1970. */
  readonly grewAt?: number;
}

export interface PastTtl {
  readonly name: string;
  readonly type: "MX" | "A" | "AAAA";
  readonly ttlSeconds: number;
  /** When it was first seen to be much lower than this, in milliseconds since 1970. */
  readonly loweredAt?: number;
}

/** What is said for some days, and then is how things are: nobody has mended anything when it goes. */
export const RUNS_OUT: ReadonlySet<FindingCode> = new Set<FindingCode>([
  "spf-include-grew",
  "zone-ttl-lowered",
]);

/** More than ten lookups are an error anyway (RFC 7208 §4.6.4). */
const MAX_INCLUDES = 10;
const MAX_HELD = 100;
const MAX_TERM_CHARACTERS = 200;
const MAX_MAIL_HOSTS = 10;
const MAX_NAMED = 5;
/** Until then it is said; from then on it is how things are. In every weekly digest once. */
const SAID_MILLISECONDS = 7 * 86_400_000;
/** Who prepares a change goes down to minutes, from hours or days. */
const LOW_TTL_SECONDS = 900;
const LOWERED_BY = 4;

/** What this look adds to the findings, and what the next one needs to know. */
export async function lookBack(
  past: Past | undefined,
  context: Context,
): Promise<{ readonly findings: readonly Finding[]; readonly past: Past }> {
  const now = context.world.now.getTime();
  const [includes, ttls] = await Promise.all([heldNow(context), ttlsNow(context)]);
  const comparedIncludes = includes.map((seen) => {
    const before = past?.includes.find(({ name }) => name === seen.name);
    return { name: seen.name, ...compareInclude(before, seen, now) };
  });
  const comparedTtls = ttls.map((seen) => {
    const before = past?.ttls.find(({ name, type }) => name === seen.name && type === seen.type);
    return compareTtl(before, seen, now);
  });
  return {
    findings: [
      ...comparedIncludes.flatMap(({ said, name }) =>
        said === undefined
          ? []
          : [
              context.finding("spf-include-grew", {
                owner: context.domain,
                subject: name,
                observed: said,
                verify: { command: `zonepost spf tree ${context.domain}` },
              }),
            ],
      ),
      ...comparedTtls.flatMap(({ said, name, type }) =>
        said === undefined
          ? []
          : [
              context.finding("zone-ttl-lowered", {
                owner: name,
                subject: type,
                observed: said,
                verify: type,
              }),
            ],
      ),
    ],
    past: {
      includes: comparedIncludes.flatMap(({ kept }) => (kept === undefined ? [] : [kept])),
      ttls: comparedTtls.flatMap(({ kept }) => (kept === undefined ? [] : [kept])),
    },
  };
}

/** An include of somebody else, as it is now; `undefined`: nobody could tell. */
export interface SeenInclude {
  readonly name: DomainName;
  readonly holds: readonly string[] | undefined;
}

async function heldNow(context: Context): Promise<readonly SeenInclude[]> {
  return foreignIncludes(await spfTree(context), (name) => isOwn(name, context));
}

function isOwn(name: DomainName, { domain, world }: Context): boolean {
  const own = world.organizationalDomain(domain) ?? domain;
  return isWithin(name, own);
}

/** The outermost includes that lead to others, each with all that stands below it. */
export function foreignIncludes(
  { root }: SpfTree,
  isOurs: (name: DomainName) => boolean,
): readonly SeenInclude[] {
  const found = new Map<DomainName, readonly string[] | undefined>();
  const visit = (node: SpfNode): void => {
    if (node.state !== "record") return;
    for (const { node: below, ignored } of node.terms) {
      if (below === undefined || ignored) continue;
      if (isOurs(below.domain)) visit(below);
      else if (!found.has(below.domain)) found.set(below.domain, heldBy(below));
    }
  };
  visit(root);
  return [...found].slice(0, MAX_INCLUDES).map(([name, holds]) => ({ name, holds }));
}

function heldBy(node: SpfNode): readonly string[] | undefined {
  if (node.state === "unknown" || node.state === "not-followed") return undefined;
  if (node.state !== "record") return [];
  const held = new Set<string>();
  for (const { term, node: below, ignored } of node.terms) {
    if (ignored) continue;
    if (below !== undefined) {
      const more = heldBy(below);
      if (more === undefined) return undefined;
      for (const one of more) held.add(one);
      continue;
    }
    switch (term.kind) {
      case "ip4":
      case "ip6":
        held.add(`${term.network.address.text}/${term.network.prefixLength}`);
        break;
      case "a":
      case "mx":
      case "ptr":
      case "exists":
        held.add(termText(term, node.domain));
        break;
      default:
    }
  }
  return [...held].sort();
}

/** "a:relay.example.net", "mx of example.net"; a stranger's macros may be long. */
function termText(term: PlacedTerm, domain: DomainName): string {
  const text = formatTerm(term);
  const isPlain = !text.includes(":");
  return (isPlain ? `${text} of ${domain}` : text).slice(0, MAX_TERM_CHARACTERS);
}

interface Compared<Kept> {
  /** To be remembered; undefined: nothing is known, as before. */
  readonly kept: Kept | undefined;
  readonly said: string | undefined;
}

/** What grew is said for some days, beside what it was before that. What became less is how things are from now on. */
export function compareInclude(
  before: PastInclude | undefined,
  { name, holds }: SeenInclude,
  now: number,
): Compared<PastInclude> {
  if (holds === undefined) return { kept: before, said: undefined };
  const current: PastInclude = { name, holds: holds.slice(0, MAX_HELD), count: holds.length };
  if (before === undefined) return { kept: current, said: undefined };
  const added = addedTo(before, holds);
  const isWhole = before.count <= MAX_HELD;
  const grewBy = isWhole ? added.length : holds.length - before.count;
  if (grewBy <= 0) return { kept: current, said: undefined };
  const grewAt = before.grewAt ?? now;
  if (now - grewAt >= SAID_MILLISECONDS) return { kept: current, said: undefined };
  const more = added.length > MAX_NAMED ? ", …" : "";
  const named = isWhole ? `; new: ${added.slice(0, MAX_NAMED).join(", ")}${more}` : "";
  const said = `${name}: ${before.count} networks and terms before, ${holds.length} now${named}`;
  return { kept: { ...before, grewAt }, said };
}

/** Without what the old networks hold already, such as one half of them. */
function addedTo(before: PastInclude, holds: readonly string[]): readonly string[] {
  const known = new Set(before.holds);
  const networks = before.holds.flatMap((text) => networkOf(text) ?? []);
  return holds.filter((text) => {
    if (known.has(text)) return false;
    const network = networkOf(text);
    return network === undefined || !networks.some((old) => isPartOf(network, old));
  });
}

function networkOf(text: string): IpNetwork | undefined {
  const read = parseNetwork(text);
  return read.ok ? read.value : undefined;
}

const isPartOf = (network: IpNetwork, whole: IpNetwork): boolean =>
  network.prefixLength >= whole.prefixLength && contains(whole, network.address);

/** A TTL as the name servers give it; undefined: nobody could tell, or there is nothing. */
export interface SeenTtl {
  readonly name: DomainName;
  readonly type: PastTtl["type"];
  readonly ttlSeconds: number | "absent" | "unknown";
}

async function ttlsNow(context: Context): Promise<readonly SeenTtl[]> {
  const { domain } = context;
  // Of resolvers they count down.
  if ((await context.zone).status !== "found") return [];
  const exchange = await context.lookup(domain, "MX");
  const hosts =
    exchange.status === "found"
      ? [...new Set(exchange.records.map(({ data }) => data.exchange))].filter((host) => host !== ROOT)
      : [];
  const addresses = hosts.slice(0, MAX_MAIL_HOSTS).flatMap((name) =>
    (["A", "AAAA"] as const).map(async (type): Promise<SeenTtl> => {
      return { name, type, ttlSeconds: ttlOf(await context.lookup(name, type)) };
    }),
  );
  return [{ name: domain, type: "MX", ttlSeconds: ttlOf(exchange) }, ...(await Promise.all(addresses))];
}

function ttlOf(answer: Answer): SeenTtl["ttlSeconds"] {
  if (answer.status !== "found") return answer.status;
  return Math.min(...answer.records.map(({ ttlSeconds }) => ttlSeconds));
}

/** A hint for some days; whoever leaves the TTL low means it so. */
export function compareTtl(
  before: PastTtl | undefined,
  { name, type, ttlSeconds }: SeenTtl,
  now: number,
): Compared<PastTtl> & Pick<SeenTtl, "name" | "type"> {
  if (ttlSeconds === "unknown") return { name, type, kept: before, said: undefined };
  if (ttlSeconds === "absent") return { name, type, kept: undefined, said: undefined };
  const current = { name, type, kept: { name, type, ttlSeconds }, said: undefined };
  const isLowered =
    before !== undefined && ttlSeconds <= LOW_TTL_SECONDS && LOWERED_BY * ttlSeconds <= before.ttlSeconds;
  if (!isLowered) return current;
  const loweredAt = before.loweredAt ?? now;
  if (now - loweredAt >= SAID_MILLISECONDS) return current;
  const said = `${type}: a TTL of ${before.ttlSeconds} s before, ${ttlSeconds} s now`;
  return { name, type, kept: { ...before, loweredAt }, said };
}
