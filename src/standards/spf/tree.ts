/**
 * What a record costs and leads to, whoever sends: every include and redirect followed, without a client.
 *
 * Two steps. `gather` asks DNS for each name once, a whole level of the tree at a time, so a tree takes a few
 * round trips however wide it is. `buildTree` is pure and walks the answers once per *occurrence*: a second
 * copy of an include costs a receiver its lookups again.
 */
import { type IpAddress, parseAddress } from "../dns/address.ts";
import { type DomainName, ROOT } from "../dns/name.ts";
import type { Parsed } from "../dns/parsed.ts";
import type { Answer, Resolver, Unknown } from "../dns/resolver.ts";
import { SPF_LIMITS } from "./evaluate.ts";
import { lookupSpfRecord, type SpfLookup } from "./lookup.ts";
import { expandMacros, type MacroString, macroLetters, targetName } from "./macro.ts";
import {
  domainOf,
  lookupCost,
  type PlacedSpfRecord,
  type PlacedTerm,
  parseSpfRecord,
  reachableTerms,
} from "./record.ts";

export interface SpfTree {
  readonly root: SpfNode;
  /** Worst case over the whole tree: what a client costs that no term matches. */
  readonly lookupTerms: number;
  readonly voidLookups: readonly VoidLookup[];
  /** Names that could not be asked: everything said about them is open. */
  readonly unknowns: readonly { readonly name: DomainName; readonly unknown: Unknown }[];
  /** False where the bounds of the walk ended it; the numbers are then "at least". */
  readonly complete: boolean;
}

export type SpfNode = RecordNode | DeadEnd;

export interface RecordNode {
  readonly state: "record";
  readonly domain: DomainName;
  readonly text: string;
  readonly terms: readonly TreeTerm[];
  /** Of this record and everything below it. */
  readonly lookupTerms: number;
}

export type DeadEnd =
  | { readonly state: "broken"; readonly domain: DomainName; readonly text: string; readonly problem: string }
  | {
      readonly state: "absent";
      readonly domain: DomainName;
      readonly kind: "nxdomain" | "nodata" | "no-record";
    }
  | { readonly state: "several"; readonly domain: DomainName; readonly texts: readonly string[] }
  | { readonly state: "unknown"; readonly domain: DomainName; readonly unknown: Unknown }
  /** The domain is among its own ancestors, `via` names them from the outermost. */
  | { readonly state: "loop"; readonly domain: DomainName; readonly via: readonly DomainName[] }
  /** Beyond the bounds of the walk. */
  | { readonly state: "not-followed"; readonly domain: DomainName };

export interface TreeTerm {
  readonly term: PlacedTerm;
  /** Behind an `all`, or a redirect beside one: never evaluated, costs nothing (§5.1, §6.1). */
  readonly ignored: boolean;
  /** The term and all below it. */
  readonly lookupTerms: number;
  /** The name it asks for; undefined where it asks none, has no valid one, or depends on the message for it. */
  readonly target: DomainName | undefined;
  readonly dependsOnMessage: boolean;
  /** Where an include or redirect leads. */
  readonly node?: SpfNode;
  /** What an `a`, `mx` or `exists` finds. */
  readonly found?: TermFindings;
}

export interface TermFindings {
  /** Addresses of both families; of each MX host for `mx`. */
  readonly addresses: readonly IpAddress[];
  /** The MX hosts, in the order of the answer; the null MX left out. */
  readonly exchanges: readonly DomainName[];
  /** How many MX records there are; more than ten are a permerror. */
  readonly mxRecords: number;
  /** Nothing at all, for any client. */
  readonly isVoid: boolean;
  /** Void for IPv6 clients alone: an `a` without AAAA. */
  readonly isVoidForIpv6: boolean;
  readonly unknown: readonly { readonly name: DomainName; readonly unknown: Unknown }[];
}

export interface VoidLookup {
  /** The record's domain, the term in it, and the name that does not answer. */
  readonly domain: DomainName;
  readonly term: PlacedTerm;
  readonly name: DomainName;
}

/** Bounds of one walk. Deeper or wider trees are beyond every receiver's limit of ten lookups anyway. */
export const TREE_LIMITS = { depth: 10, nodes: 40, hosts: 100 } as const;

export async function lookupSpfTree(domain: DomainName, resolver: Resolver): Promise<SpfTree> {
  return buildTree(domain, await gather(domain, resolver));
}

/** The tree of a record that is not published yet: `text` stands in for what `domain` answers. */
export async function lookupSpfTreeOf(
  text: string,
  domain: DomainName,
  resolver: Resolver,
): Promise<SpfTree> {
  return buildTree(domain, await gather(domain, resolver, { status: "found", text }));
}

interface Facts {
  readonly records: ReadonlyMap<DomainName, RecordFact>;
  readonly hosts: ReadonlyMap<DomainName, HostFact>;
  readonly exchanges: ReadonlyMap<DomainName, Answer<"MX">>;
}
interface RecordFact {
  readonly lookup: SpfLookup;
  readonly parsed: Parsed<PlacedSpfRecord> | undefined;
}
interface HostFact {
  readonly a: Answer<"A">;
  readonly aaaa: Answer<"AAAA">;
}

async function gather(domain: DomainName, resolver: Resolver, given?: SpfLookup): Promise<Facts> {
  const records = new Map<DomainName, RecordFact>();
  const hosts = new Map<DomainName, Promise<HostFact>>();
  const exchanges = new Map<DomainName, Promise<Answer<"MX">>>();

  function wantHost(name: DomainName): void {
    if (hosts.has(name) || hosts.size >= TREE_LIMITS.hosts) return;
    const both = Promise.all([resolver.lookup(name, "A"), resolver.lookup(name, "AAAA")]);
    hosts.set(
      name,
      both.then(([a, aaaa]) => ({ a, aaaa })),
    );
  }
  async function lookupExchanges(name: DomainName): Promise<Answer<"MX">> {
    const answer = await resolver.lookup(name, "MX");
    exchangesIn(answer).slice(0, SPF_LIMITS.mxNames).forEach(wantHost);
    return answer;
  }
  function wantExchanges(name: DomainName): void {
    if (exchanges.has(name) || exchanges.size >= TREE_LIMITS.hosts) return;
    exchanges.set(name, lookupExchanges(name));
  }

  let level = new Set([domain]);
  for (let depth = 0; depth < TREE_LIMITS.depth && level.size > 0; depth++) {
    const looked = await Promise.all(
      Array.from(level, async (name): Promise<[DomainName, SpfLookup]> => {
        return [name, name === domain && given !== undefined ? given : await lookupSpfRecord(name, resolver)];
      }),
    );
    for (const [name, lookup] of looked) {
      records.set(name, {
        lookup,
        parsed: lookup.status === "found" ? parseSpfRecord(lookup.text) : undefined,
      });
    }
    level = new Set();
    for (const [name] of looked) {
      for (const term of reachableIn(records.get(name)!)) {
        const target = staticTarget(term, name);
        if (target === undefined) continue;
        if (term.kind === "include" || term.kind === "redirect") {
          if (!records.has(target) && records.size + level.size < TREE_LIMITS.nodes) level.add(target);
        } else if (term.kind === "mx") wantExchanges(target);
        else if (term.kind === "a" || term.kind === "exists") wantHost(target);
      }
    }
  }
  // The MX answers first: they may still ask for hosts.
  return { records, exchanges: await settled(exchanges), hosts: await settled(hosts) };
}

async function settled<K, V>(promises: ReadonlyMap<K, Promise<V>>): Promise<Map<K, V>> {
  return new Map(
    await Promise.all(Array.from(promises, async ([key, value]): Promise<[K, V]> => [key, await value])),
  );
}

function reachableIn({ parsed }: RecordFact): readonly PlacedTerm[] {
  return parsed?.ok ? reachableTerms(parsed.value.terms) : [];
}

function exchangesIn(answer: Answer<"MX">): DomainName[] {
  if (answer.status !== "found") return [];
  return answer.records.map(({ data }) => data.exchange).filter((name) => name !== ROOT);
}

/** The name a term asks for, whoever sends; macros other than `%{d}` need a message. */
function staticTarget(term: PlacedTerm, domain: DomainName): DomainName | undefined {
  if (lookupCost(term) === 0) return undefined;
  const spec = domainOf(term);
  if (spec === undefined) return domain;
  return dependsOnMessage(spec) ? undefined : targetName(expandMacros(spec, () => domain));
}

function dependsOnMessage(spec: MacroString): boolean {
  return Array.from(macroLetters(spec)).some((letter) => letter !== "d");
}

function buildTree(domain: DomainName, facts: Facts): SpfTree {
  const voidLookups: VoidLookup[] = [];
  const unknowns: { name: DomainName; unknown: Unknown }[] = [];
  let nodes = 0;
  let complete = true;

  function node(at: DomainName, above: readonly DomainName[]): SpfNode {
    if (above.includes(at)) return { state: "loop", domain: at, via: above.slice(above.indexOf(at)) };
    const fact = facts.records.get(at);
    nodes += 1;
    if (fact === undefined || nodes > TREE_LIMITS.nodes || above.length >= TREE_LIMITS.depth) {
      complete = false;
      return { state: "not-followed", domain: at };
    }
    const { lookup, parsed } = fact;
    switch (lookup.status) {
      case "absent":
        return { state: "absent", domain: at, kind: lookup.kind };
      case "several":
        return { state: "several", domain: at, texts: lookup.texts };
      case "unknown":
        unknowns.push({ name: at, unknown: lookup });
        return { state: "unknown", domain: at, unknown: lookup };
      case "found": {
        if (!parsed!.ok) return { state: "broken", domain: at, text: lookup.text, problem: parsed!.problem };
        const reachable = new Set(reachableIn(fact));
        const terms = parsed!.value.terms.map((term) =>
          reachable.has(term) || term.kind === "exp" || term.kind === "unknown"
            ? treeTerm(term, at, [...above, at])
            : { term, ignored: true, lookupTerms: 0, target: undefined, dependsOnMessage: false },
        );
        return { state: "record", domain: at, text: lookup.text, terms, lookupTerms: sum(terms) };
      }
      default:
        return lookup satisfies never;
    }
  }

  function treeTerm(term: PlacedTerm, at: DomainName, path: readonly DomainName[]): TreeTerm {
    const cost = lookupCost(term);
    const spec = domainOf(term);
    const target = staticTarget(term, at);
    const plain: TreeTerm = {
      term,
      ignored: false,
      lookupTerms: cost,
      target,
      dependsOnMessage: cost > 0 && spec !== undefined && dependsOnMessage(spec),
    };
    if (target === undefined) return plain;
    if (term.kind === "include" || term.kind === "redirect") {
      const below = node(target, path);
      return {
        ...plain,
        node: below,
        lookupTerms: cost + (below.state === "record" ? below.lookupTerms : 0),
      };
    }
    const found = findings(term, target, facts);
    if (found === undefined) {
      if (term.kind !== "ptr") complete = false;
      return plain;
    }
    if (found.isVoid) voidLookups.push({ domain: at, term, name: target });
    unknowns.push(...found.unknown);
    return { ...plain, found };
  }

  const root = node(domain, []);
  return {
    root,
    lookupTerms: root.state === "record" ? root.lookupTerms : 0,
    voidLookups,
    unknowns,
    complete,
  };
}

const sum = (terms: readonly TreeTerm[]) => terms.reduce((total, { lookupTerms }) => total + lookupTerms, 0);

/** Undefined where nothing was asked: a `ptr`, or a name beyond the bounds. */
function findings(term: PlacedTerm, target: DomainName, facts: Facts): TermFindings | undefined {
  if (term.kind === "mx") {
    const answer = facts.exchanges.get(target);
    if (answer === undefined) return undefined;
    const exchanges = exchangesIn(answer);
    const hosts = exchanges.flatMap((name) => hostFindings(name, facts) ?? []);
    return {
      addresses: hosts.flatMap(({ addresses }) => addresses),
      exchanges,
      mxRecords: answer.status === "found" ? answer.records.length : 0,
      isVoid: answer.status === "absent",
      isVoidForIpv6: answer.status === "absent",
      unknown: [
        ...(answer.status === "unknown" ? [{ name: target, unknown: answer }] : []),
        ...hosts.flatMap(({ unknown }) => unknown),
      ],
    };
  }
  const host = hostFindings(target, facts);
  if (host === undefined || term.kind !== "exists") return host;
  // §5.7: exists asks for A, whatever the client's family.
  const isVoid = facts.hosts.get(target)?.a.status === "absent";
  return { ...host, isVoid, isVoidForIpv6: isVoid };
}

function hostFindings(name: DomainName, facts: Facts): TermFindings | undefined {
  const host = facts.hosts.get(name);
  if (host === undefined) return undefined;
  const answers = [host.a, host.aaaa];
  return {
    addresses: answers.flatMap((answer) =>
      answer.status !== "found"
        ? []
        : answer.records.flatMap(({ data }) => {
            const address = parseAddress(data.address);
            return address.ok ? [address.value] : [];
          }),
    ),
    exchanges: [],
    mxRecords: 0,
    isVoid: answers.every(({ status }) => status === "absent"),
    isVoidForIpv6: host.aaaa.status === "absent",
    unknown: answers.flatMap((answer) => (answer.status === "unknown" ? [{ name, unknown: answer }] : [])),
  };
}

/** Every record of the tree, the root first, with the terms that lead to it. */
export function* recordsOf(node: SpfNode): Generator<RecordNode> {
  if (node.state !== "record") return;
  yield node;
  for (const { node: below } of node.terms) if (below !== undefined) yield* recordsOf(below);
}
