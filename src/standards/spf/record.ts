/** The SPF record (RFC 7208 §4.5, §4.6, §5, §6, grammar §12): text to typed terms and back. */
import { type IpNetwork, parseNetwork } from "../dns/address.ts";
import type { Parsed } from "../dns/parsed.ts";
import { type MacroString, macroLetters, parseDomainSpec, parseMacroString } from "./macro.ts";

/** `+` pass, `-` fail, `~` softfail, `?` neutral (§4.6.2). */
export type Qualifier = "+" | "-" | "~" | "?";

export interface AllMechanism {
  readonly kind: "all";
  readonly qualifier: Qualifier;
}
export interface IncludeMechanism {
  readonly kind: "include";
  readonly qualifier: Qualifier;
  readonly domain: MacroString;
}
/** `a` and `mx`; without a domain, the one under evaluation. The prefix lengths are the dual-cidr-length. */
export interface HostMechanism {
  readonly kind: "a" | "mx";
  readonly qualifier: Qualifier;
  readonly domain: MacroString | undefined;
  readonly prefixLength4: number;
  readonly prefixLength6: number;
}
export interface PtrMechanism {
  readonly kind: "ptr";
  readonly qualifier: Qualifier;
  readonly domain: MacroString | undefined;
}
export interface AddressMechanism {
  readonly kind: "ip4" | "ip6";
  readonly qualifier: Qualifier;
  readonly network: IpNetwork;
}
export interface ExistsMechanism {
  readonly kind: "exists";
  readonly qualifier: Qualifier;
  readonly domain: MacroString;
}
export interface KnownModifier {
  readonly kind: "redirect" | "exp";
  readonly domain: MacroString;
}
export interface UnknownModifier {
  readonly kind: "unknown";
  readonly name: string;
  readonly value: MacroString;
}

export type SpfMechanism =
  | AllMechanism
  | IncludeMechanism
  | HostMechanism
  | PtrMechanism
  | AddressMechanism
  | ExistsMechanism;
export type SpfModifier = KnownModifier | UnknownModifier;
export type SpfTerm = SpfMechanism | SpfModifier;

/** Where a term stands in the record's text, and what is written there. */
export interface Place {
  readonly offset: number;
  readonly text: string;
}
export type PlacedTerm = SpfTerm & Place;

export interface SpfRecord {
  readonly terms: readonly SpfTerm[];
}
export interface PlacedSpfRecord extends SpfRecord {
  readonly terms: readonly PlacedTerm[];
}

/** A term that breaks the grammar; one is enough to make the whole record a permerror (§4.6). */
export interface SyntaxFault extends Place {
  readonly problem: string;
  /** The exact place in the record's text; `offset` is where the term starts. */
  readonly faultOffset: number;
}

const VERSION = "v=spf1";

/** Whether a TXT text is an SPF record at all: the version section, ended by a space or the end (§4.5). */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text);
}

export function parseSpfRecord(text: string): Parsed<PlacedSpfRecord> {
  if (!isSpfRecord(text)) {
    return { ok: false, problem: `an SPF record begins with "${VERSION}" and a space`, offset: 0 };
  }
  const { terms, faults } = readTerms(text);
  const fault = faults[0];
  if (fault === undefined) return { ok: true, value: { terms } };
  return { ok: false, problem: `"${fault.text}": ${fault.problem}`, offset: fault.faultOffset };
}

/** Every term behind the version section, the good and the broken apart, both in the order of the text. */
export function readTerms(text: string): {
  readonly terms: readonly PlacedTerm[];
  readonly faults: readonly SyntaxFault[];
} {
  const terms: PlacedTerm[] = [];
  const faults: SyntaxFault[] = [];
  for (const found of text.slice(VERSION.length).matchAll(/[^ ]+/g)) {
    const place: Place = { offset: VERSION.length + found.index, text: found[0] };
    const term = parseTerm(place.text);
    if (!term.ok) {
      faults.push({ ...place, problem: term.problem, faultOffset: place.offset + (term.offset ?? 0) });
    } else if (isKnownModifier(term.value) && terms.some(({ kind }) => kind === term.value.kind)) {
      // §6: once each; a second one is a permerror like any other syntax error.
      const problem = `${term.value.kind}= may stand only once in a record`;
      faults.push({ ...place, problem, faultOffset: place.offset });
    } else {
      terms.push({ ...term.value, ...place });
    }
  }
  return { terms, faults };
}

/** One term without the spaces around it. */
export function parseTerm(text: string): Parsed<SpfTerm> {
  const modifier = /^([a-z][a-z0-9._-]*)=/i.exec(text);
  if (modifier !== null) return parseModifier(modifier[1]!, text.slice(modifier[0].length));
  const [, sign, name, rest] = /^([-+?~]?)([^:/=]*)(.*)$/s.exec(text)!;
  const restOffset = sign!.length + name!.length;
  const mechanism = parseMechanism(name!.toLowerCase(), (sign || "+") as Qualifier, rest!);
  if (mechanism === undefined) {
    return { ok: false, problem: unknownName(sign!, name!, rest!), offset: sign!.length };
  }
  return mechanism.ok ? mechanism : { ...mechanism, offset: restOffset + (mechanism.offset ?? 0) };
}

function unknownName(sign: string, name: string, rest: string): string {
  if (name === "") return sign === "" ? "a mechanism's name is missing" : `a mechanism must follow "${sign}"`;
  if (/^(redirect|exp)$/i.test(name)) {
    return rest.startsWith("=")
      ? `${name}= takes no qualifier`
      : `${name} is a modifier and is written "${name}="`;
  }
  return `there is no mechanism "${name}"`;
}

function parseModifier(name: string, value: string): Parsed<SpfModifier> {
  const kind = name.toLowerCase();
  const valueOffset = name.length + 1;
  const known = kind === "redirect" || kind === "exp";
  const parsed = known ? parseDomainSpec(value) : parseMacroString(value, "unknown-modifier");
  if (!parsed.ok) return { ...parsed, offset: valueOffset + (parsed.offset ?? 0) };
  return {
    ok: true,
    value: known ? { kind, domain: parsed.value } : { kind: "unknown", name, value: parsed.value },
  };
}

/** What follows a mechanism's name: ":domain-spec" and the two prefix lengths, each optional here. */
const HOST_ARGUMENTS = /^(?::(?<domain>.*?))?(?:\/(?<four>\d+))?(?:\/\/(?<six>\d+))?$/s;

/** Undefined where there is no such mechanism; offsets count from the start of `rest`. */
function parseMechanism(name: string, qualifier: Qualifier, rest: string): Parsed<SpfMechanism> | undefined {
  switch (name) {
    case "all":
      if (rest !== "") return { ok: false, problem: "nothing may follow all", offset: 0 };
      return { ok: true, value: { kind: name, qualifier } };
    case "include":
    case "exists": {
      if (!rest.startsWith(":")) {
        return { ok: false, problem: `${name} needs ":" and a domain name`, offset: 0 };
      }
      const domain = parseDomainAfterColon(rest);
      return domain.ok ? { ok: true, value: { kind: name, qualifier, domain: domain.value } } : domain;
    }
    case "ptr": {
      if (rest === "") return { ok: true, value: { kind: name, qualifier, domain: undefined } };
      if (!rest.startsWith(":")) return { ok: false, problem: "ptr takes no prefix length", offset: 0 };
      const domain = parseDomainAfterColon(rest);
      return domain.ok ? { ok: true, value: { kind: name, qualifier, domain: domain.value } } : domain;
    }
    case "a":
    case "mx":
      return parseHostMechanism(name, qualifier, rest);
    case "ip4":
    case "ip6": {
      if (!rest.startsWith(":")) return { ok: false, problem: `${name} needs ":" and an address`, offset: 0 };
      const network = parseNetwork(rest.slice(1));
      if (!network.ok) return { ...network, offset: 1 };
      if (network.value.address.family !== (name === "ip4" ? 4 : 6)) {
        const other = name === "ip4" ? "ip6" : "ip4";
        return { ok: false, problem: `this address belongs into ${other}`, offset: 1 };
      }
      return { ok: true, value: { kind: name, qualifier, network: network.value } };
    }
    default:
      return undefined;
  }
}

function parseDomainAfterColon(rest: string): Parsed<MacroString> {
  const domain = parseDomainSpec(rest.slice(1));
  return domain.ok ? domain : { ...domain, offset: 1 + (domain.offset ?? 0) };
}

function parseHostMechanism(kind: "a" | "mx", qualifier: Qualifier, rest: string): Parsed<HostMechanism> {
  const found = HOST_ARGUMENTS.exec(rest)?.groups;
  if (found === undefined) {
    return { ok: false, problem: `after ${kind} come ":domain", "/length" and "//length6"`, offset: 0 };
  }
  const { domain, four, six } = found;
  const prefixLength4 = prefixLength(four, 32);
  const prefixLength6 = prefixLength(six, 128);
  if (prefixLength4 === undefined || prefixLength6 === undefined) {
    const [wrong, bits] = prefixLength4 === undefined ? [four, 32] : [six, 128];
    const problem = `"/${wrong}" is not a prefix length of 0 to ${bits}`;
    return { ok: false, problem, offset: rest.lastIndexOf(`/${wrong}`) };
  }
  const spec = domain === undefined ? undefined : parseDomainAfterColon(`:${domain}`);
  if (spec !== undefined && !spec.ok) return spec;
  return { ok: true, value: { kind, qualifier, domain: spec?.value, prefixLength4, prefixLength6 } };
}

function prefixLength(digits: string | undefined, bits: number): number | undefined {
  if (digits === undefined) return bits;
  return /^(?:0|[1-9]\d{0,2})$/.test(digits) && Number(digits) <= bits ? Number(digits) : undefined;
}

/** The inverse of `parseSpfRecord`, in the shortest form: no "+", no whole-address prefix lengths. */
export function formatSpfRecord(record: SpfRecord): string {
  return [VERSION, ...record.terms.map(formatTerm)].join(" ");
}

export function formatTerm(term: SpfTerm): string {
  switch (term.kind) {
    case "redirect":
    case "exp":
      return `${term.kind}=${term.domain.text}`;
    case "unknown":
      return `${term.name}=${term.value.text}`;
    default:
      return `${term.qualifier === "+" ? "" : term.qualifier}${term.kind}${formatArguments(term)}`;
  }
}

/** A term as a key: two terms that test the same are equal. Case counts only inside macros (§7.3). */
export function termKey(term: SpfTerm): string {
  return formatTerm(term).replace(/%\{[^}]*\}|[A-Z]+/g, (part) =>
    part.startsWith("%") ? part : part.toLowerCase(),
  );
}

function formatArguments(mechanism: SpfMechanism): string {
  switch (mechanism.kind) {
    case "all":
      return "";
    case "ip4":
    case "ip6": {
      const { address, prefixLength } = mechanism.network;
      return `:${address.text}${prefixLength === (mechanism.kind === "ip4" ? 32 : 128) ? "" : `/${prefixLength}`}`;
    }
    case "include":
    case "exists":
      return `:${mechanism.domain.text}`;
    case "ptr":
      return mechanism.domain === undefined ? "" : `:${mechanism.domain.text}`;
    case "a":
    case "mx": {
      const domain = mechanism.domain === undefined ? "" : `:${mechanism.domain.text}`;
      const four = mechanism.prefixLength4 === 32 ? "" : `/${mechanism.prefixLength4}`;
      return `${domain}${four}${mechanism.prefixLength6 === 128 ? "" : `//${mechanism.prefixLength6}`}`;
    }
    default:
      return mechanism satisfies never;
  }
}

export function isMechanism(term: SpfTerm): term is SpfMechanism {
  return term.kind !== "unknown" && !isKnownModifier(term);
}

function isKnownModifier(term: SpfTerm): term is KnownModifier {
  return term.kind === "redirect" || term.kind === "exp";
}

/** The mechanisms that can be reached: those up to and with the first `all` (§5.1). */
export function effectiveMechanisms<T extends SpfTerm>(terms: readonly T[]): (T & SpfMechanism)[] {
  const mechanisms = terms.filter((term): term is T & SpfMechanism => isMechanism(term));
  const all = mechanisms.findIndex(({ kind }) => kind === "all");
  return all < 0 ? mechanisms : mechanisms.slice(0, all + 1);
}

/** The redirect that takes over when nothing matched; an `all` anywhere turns it off (§6.1). */
export function effectiveRedirect<T extends SpfTerm>(terms: readonly T[]): (T & KnownModifier) | undefined {
  if (terms.some(({ kind }) => kind === "all")) return undefined;
  return terms.find((term): term is T & KnownModifier => term.kind === "redirect");
}

/** All that can be evaluated, in the order of evaluation. */
export function reachableTerms<T extends SpfTerm>(terms: readonly T[]): T[] {
  const redirect = effectiveRedirect(terms);
  return redirect === undefined ? effectiveMechanisms(terms) : [...effectiveMechanisms(terms), redirect];
}

/**
 * Whether the record authorises nobody but the domain's own MX hosts: wrong where these are a filtering
 * service and the mail leaves elsewhere.
 */
export function authorisesOnlyMx({ terms }: SpfRecord): boolean {
  const senders = reachableTerms(terms).filter(({ kind }) => kind !== "all");
  return senders.length > 0 && senders.every((term) => term.kind === "mx" && term.domain === undefined);
}

export function domainOf(term: SpfTerm): MacroString | undefined {
  return "domain" in term ? term.domain : undefined;
}

/**
 * What a term costs of the ten DNS lookups (§4.6.4). `exp` is free: it is only fetched when the result is
 * known. The PTR query behind a `%{p}` counts beside the term it stands in.
 */
export function lookupCost(term: SpfTerm): number {
  switch (term.kind) {
    case "all":
    case "ip4":
    case "ip6":
    case "exp":
    case "unknown":
      return 0;
    case "include":
    case "a":
    case "mx":
    case "ptr":
    case "exists":
    case "redirect":
      return term.domain !== undefined && macroLetters(term.domain).has("p") ? 2 : 1;
    default:
      return term satisfies never;
  }
}
