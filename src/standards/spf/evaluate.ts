/**
 * check_host() (RFC 7208 §4): may this client send mail with this identity?
 *
 * The time of one evaluation is bounded by the resolver's own time-outs and the limits here: at most ten
 * lookup terms, each of one query and at most ten address queries behind it (§4.6.4).
 */
import { contains, type IpAddress, unmapped } from "../dns/address.ts";
import { type DomainName, isWithin, labelCount, parseDomainName, ROOT } from "../dns/name.ts";
import { txtText } from "../dns/record.ts";
import type { Resolver, Unknown } from "../dns/resolver.ts";
import { addressType, lookupAddresses, lookupReverseNames } from "../dns/reverse-names.ts";
import { lookupSpfRecord } from "./lookup.ts";
import {
  expandMacros,
  type MacroLetter,
  type MacroString,
  macroLetters,
  parseMacroString,
  targetName,
} from "./macro.ts";
import {
  effectiveMechanisms,
  effectiveRedirect,
  type HostMechanism,
  lookupCost,
  type PlacedTerm,
  parseSpfRecord,
  type Qualifier,
  type SpfMechanism,
} from "./record.ts";

/** RFC 7208 §2.6, spelled as in RFC 8601 §2.7.2. */
export type SpfResult = "none" | "neutral" | "pass" | "fail" | "softfail" | "temperror" | "permerror";

export interface SpfQuestion {
  readonly clientIp: IpAddress;
  /** The reverse-path without angle brackets. Empty (a bounce): the HELO identity is checked (§2.4). */
  readonly mailFrom: string;
  /** What the client said in HELO or EHLO. */
  readonly helo: string;
  /** The name of the host that checks, for `%{r}`. */
  readonly receiver?: string;
  /** For `%{t}`, which explanations may hold; "0" where absent. */
  readonly now?: Date;
}

/** The limits of §4.6.4. */
export interface SpfLimits {
  readonly lookupTerms: number;
  readonly voidLookups: number;
  readonly mxNames: number;
  readonly ptrNames: number;
}

export const SPF_LIMITS: SpfLimits = { lookupTerms: 10, voidLookups: 2, mxNames: 10, ptrNames: 10 };

/** SMTP replies are short; an explanation longer than this is cut (§6.2 allows it). */
const MAX_EXPLANATION_CHARACTERS = 450;

export interface SpfOutcome {
  readonly result: SpfResult;
  readonly identity: "mailfrom" | "helo";
  /** The domain whose record was asked: the SPF Domain of DMARC. Undefined where it was malformed. */
  readonly domain: DomainName | undefined;
  /** The publisher's words for a `fail` (§6.2), US-ASCII. From a third party: never show them as your own. */
  readonly explanation?: string;
  /**
   * The way to the decision, outermost first: each include or redirect passed, and the term that matched or
   * failed. Empty where no term did (the default result, or no usable record).
   */
  readonly trail: readonly SpfStep[];
  readonly lookupTerms: number;
  readonly voidLookups: number;
  /** What went wrong or is missing, in words: always for `temperror`, `permerror` and `none`. */
  readonly problem?: string;
}

export interface SpfStep {
  /** The domain whose record holds the term. */
  readonly domain: DomainName;
  readonly term: PlacedTerm;
}

interface Verdict {
  readonly result: SpfResult;
  readonly trail: readonly SpfStep[];
  readonly problem?: string;
  /** Where the explanation of a `fail` is to be found, with the `%{d}` it was written for. */
  readonly explanation?: { readonly spec: MacroString; readonly domain: DomainName };
}

interface Failure {
  readonly result: "temperror" | "permerror";
  readonly problem: string;
  readonly trail: readonly SpfStep[];
}

/** What testing one mechanism comes to (§4.6.2). */
type Test = { readonly matched: boolean; readonly trail: readonly SpfStep[] } | Failure;

const RESULT_OF: Readonly<Record<Qualifier, SpfResult>> = {
  "+": "pass",
  "-": "fail",
  "~": "softfail",
  "?": "neutral",
};

export async function evaluateSpf(
  question: SpfQuestion,
  resolver: Resolver,
  limits: Partial<SpfLimits> = {},
): Promise<SpfOutcome> {
  const identity = question.mailFrom === "" ? "helo" : "mailfrom";
  const written = splitSender(question);
  const domain = checkableDomain(written.domain);
  if (domain === undefined) {
    const problem = `"${written.domain}" is not a domain name with at least two labels`;
    return { result: "none", identity, domain, trail: [], lookupTerms: 0, voidLookups: 0, problem };
  }
  // Macros see the domain as it was written, but only A-labels can go into a query (§4.3).
  const sender = /[^\0-\x7f]/.test(written.domain) ? { ...written, domain } : written;
  const evaluation = new Evaluation(question, sender, resolver, { ...SPF_LIMITS, ...limits });
  const { explanation: source, ...verdict } = await evaluation.checkHost(domain, []);
  const explanation =
    verdict.result === "fail" && source !== undefined
      ? await evaluation.explain(source.spec, source.domain)
      : undefined;
  const { lookupTerms, voidLookups } = evaluation;
  const outcome = { ...verdict, identity, domain, lookupTerms, voidLookups } as const;
  return explanation === undefined ? outcome : { ...outcome, explanation };
}

interface Sender {
  readonly localPart: string;
  readonly domain: string;
}

/** The identity to check; "postmaster" stands in for a missing local-part (§2.4, §4.3). */
function splitSender({ mailFrom, helo }: SpfQuestion): Sender {
  if (mailFrom === "") return { localPart: "postmaster", domain: helo };
  const at = mailFrom.lastIndexOf("@");
  return { localPart: mailFrom.slice(0, Math.max(at, 0)) || "postmaster", domain: mailFrom.slice(at + 1) };
}

/** §4.3: a well-formed name of several labels. Address literals look like names but are none. */
function checkableDomain(text: string): DomainName | undefined {
  if (text.startsWith("[")) return undefined;
  const name = parseDomainName(text);
  return name.ok && labelCount(name.value) >= 2 ? name.value : undefined;
}

/** One evaluation: its arguments, and the counters that all its recursions share (§4.1, §4.6.4). */
class Evaluation {
  readonly #question: SpfQuestion;
  readonly #sender: Sender;
  readonly #resolver: Resolver;
  readonly #limits: SpfLimits;
  /** IPv4-mapped addresses are IPv4 (§5). */
  readonly #clientIp: IpAddress;
  #validatedNames: Promise<ValidatedNames> | undefined;
  lookupTerms = 0;
  voidLookups = 0;

  constructor(question: SpfQuestion, sender: Sender, resolver: Resolver, limits: SpfLimits) {
    this.#question = question;
    this.#sender = sender;
    this.#resolver = resolver;
    this.#limits = limits;
    this.#clientIp = unmapped(question.clientIp);
  }

  /** `above` are the domains under evaluation further out. */
  async checkHost(domain: DomainName, above: readonly DomainName[]): Promise<Verdict> {
    const found = await lookupSpfRecord(domain, this.#resolver);
    switch (found.status) {
      case "absent":
        return { result: "none", trail: [], problem: `${domain} has no SPF record` };
      case "several":
        return permerror(`${domain} has ${found.texts.length} SPF records; only one is allowed`);
      case "unknown":
        return temperror(`${domain} TXT`, found);
      case "found":
        return await this.#evaluateRecord(found.text, domain, [...above, domain]);
      default:
        return found satisfies never;
    }
  }

  async #evaluateRecord(text: string, domain: DomainName, active: readonly DomainName[]): Promise<Verdict> {
    const record = parseSpfRecord(text);
    if (!record.ok) return permerror(`the SPF record of ${domain} is broken: ${record.problem}`);
    const { terms } = record.value;

    for (const term of effectiveMechanisms(terms)) {
      const step: SpfStep = { domain, term };
      const test = this.#spend(term) ?? (await this.#test(term, domain, active));
      if ("result" in test) return { ...test, trail: [step, ...test.trail] };
      if (!test.matched) continue;
      const verdict: Verdict = { result: RESULT_OF[term.qualifier], trail: [step, ...test.trail] };
      const exp = terms.find(({ kind }) => kind === "exp");
      return exp?.kind === "exp" ? { ...verdict, explanation: { spec: exp.domain, domain } } : verdict;
    }

    const redirect = effectiveRedirect(terms);
    if (redirect === undefined) return { result: "neutral", trail: [] };
    const step: SpfStep = { domain, term: redirect };
    const verdict = this.#spend(redirect) ?? (await this.#follow(redirect.domain, domain, active));
    return { ...verdict, trail: [step, ...verdict.trail] };
  }

  /** Counts a lookup term; the failure where it is one too many. */
  #spend(term: PlacedTerm): Failure | undefined {
    this.lookupTerms += lookupCost(term);
    if (this.lookupTerms <= this.#limits.lookupTerms) return undefined;
    return permerror(`more than ${this.#limits.lookupTerms} terms that need DNS lookups`);
  }

  /**
   * Counts a void lookup. Only a term's own query counts: an MX host without an AAAA record, say, is no fault
   * of the record and would make every IPv4-only domain fail for IPv6 clients.
   */
  #countVoid(): Failure | undefined {
    this.voidLookups += 1;
    if (this.voidLookups <= this.#limits.voidLookups) return undefined;
    return permerror(`more than ${this.#limits.voidLookups} lookups found nothing (void lookups)`);
  }

  async #test(term: SpfMechanism, domain: DomainName, active: readonly DomainName[]): Promise<Test> {
    switch (term.kind) {
      case "all":
        return MATCH;
      case "ip4":
      case "ip6":
        return contains(term.network, this.#clientIp) ? MATCH : MISS;
      case "include":
        return includeTest(await this.#follow(term.domain, domain, active));
      case "a":
      case "mx":
      case "ptr":
      case "exists": {
        const target = term.domain === undefined ? domain : await this.#target(term.domain, domain);
        // §4.8 leaves open what a name is worth that cannot be asked for; here it matches nothing.
        if (target === undefined) return MISS;
        if (term.kind === "a") return await this.#testAddress(term, target);
        if (term.kind === "mx") return await this.#testMx(term, target);
        if (term.kind === "ptr") return await this.#testPtr(target);
        return await this.#testExists(target);
      }
      default:
        return term satisfies never;
    }
  }

  /**
   * The recursion of include and redirect, for both of which "no record" is a permerror (§5.2, §6.1). A domain
   * that is already under evaluation would be evaluated with the same arguments until the limit ends it; the
   * result is the same at once, and the problem can be named.
   */
  async #follow(spec: MacroString, domain: DomainName, active: readonly DomainName[]): Promise<Verdict> {
    const target = await this.#target(spec, domain);
    if (target === undefined) return permerror(`"${spec.text}" does not lead to a valid domain name`);
    if (active.includes(target)) return permerror(`a loop: ${[...active, target].join(" → ")}`);
    const verdict = await this.checkHost(target, active);
    return verdict.result === "none" ? permerror(verdict.problem ?? `${target} has no SPF record`) : verdict;
  }

  async #testAddress(term: HostMechanism, target: DomainName): Promise<Test> {
    const addresses = await this.#addressesOf(target);
    if ("status" in addresses) return temperror(`${target} ${addressType(this.#clientIp.family)}`, addresses);
    if (addresses.length === 0) return this.#countVoid() ?? MISS;
    return this.#isNear(addresses, term) ? MATCH : MISS;
  }

  /**
   * Eleven names are a permerror whichever of them would match (§4.6.4), so that the answer does not depend
   * on the order in which DNS lists them. The order in which hosts are tried is free, so a host whose lookup
   * fails does not undo the match of another.
   */
  async #testMx(term: HostMechanism, target: DomainName): Promise<Test> {
    const answer = await this.#resolver.lookup(target, "MX");
    if (answer.status === "unknown") return temperror(`${target} MX`, answer);
    if (answer.status === "absent") return this.#countVoid() ?? MISS;
    if (answer.records.length > this.#limits.mxNames) {
      return permerror(`${target} has more than ${this.#limits.mxNames} MX records`);
    }
    // The null MX (RFC 7505) names the root, which has no addresses to ask for.
    const exchanges = new Set(
      answer.records.map(({ data }) => data.exchange).filter((name) => name !== ROOT),
    );
    const hosts = await Promise.all(
      Array.from(exchanges, async (name) => ({ name, addresses: await this.#addressesOf(name) })),
    );
    if (hosts.some(({ addresses }) => !("status" in addresses) && this.#isNear(addresses, term)))
      return MATCH;
    for (const { name, addresses } of hosts) {
      if ("status" in addresses) return temperror(`${name} ${addressType(this.#clientIp.family)}`, addresses);
    }
    return MISS;
  }

  async #testPtr(target: DomainName): Promise<Test> {
    const { names, isVoid } = await this.#validateNames();
    if (isVoid) return this.#countVoid() ?? MISS;
    return names.some((name) => isWithin(name, target)) ? MATCH : MISS;
  }

  /** Always an A query, whatever the client's family (§5.7). */
  async #testExists(target: DomainName): Promise<Test> {
    const answer = await this.#resolver.lookup(target, "A");
    if (answer.status === "unknown") return temperror(`${target} A`, answer);
    return answer.status === "found" ? MATCH : (this.#countVoid() ?? MISS);
  }

  #addressesOf(name: DomainName): Promise<readonly IpAddress[] | Unknown> {
    return lookupAddresses(name, this.#clientIp.family, this.#resolver);
  }

  #isNear(addresses: readonly IpAddress[], { prefixLength4, prefixLength6 }: HostMechanism): boolean {
    const prefixLength = this.#clientIp.family === 4 ? prefixLength4 : prefixLength6;
    return addresses.some((address) => contains({ address, prefixLength }, this.#clientIp));
  }

  /** §5.5; asked once per evaluation. Errors of DNS only make names drop out. */
  #validateNames(): Promise<ValidatedNames> {
    this.#validatedNames ??= this.#lookupValidatedNames();
    return this.#validatedNames;
  }

  async #lookupValidatedNames(): Promise<ValidatedNames> {
    const found = await lookupReverseNames(this.#clientIp, this.#resolver, this.#limits.ptrNames);
    if (found.status !== "found") return { names: [], isVoid: found.status === "absent" };
    const validated = found.names.filter(({ leadsBack }) => leadsBack === "yes");
    return { names: validated.map(({ name }) => name), isVoid: false };
  }

  async #target(spec: MacroString, domain: DomainName): Promise<DomainName | undefined> {
    return targetName(await this.#expand(spec, domain));
  }

  async #expand(spec: MacroString, domain: DomainName): Promise<string> {
    const validated = macroLetters(spec).has("p")
      ? bestName((await this.#validateNames()).names, domain)
      : "";
    return expandMacros(spec, (letter) => this.#valueOf(letter, domain, validated));
  }

  #valueOf(letter: MacroLetter, domain: DomainName, validatedName: string): string {
    const { localPart, domain: senderDomain } = this.#sender;
    switch (letter) {
      case "s":
        return `${localPart}@${senderDomain}`;
      case "l":
        return localPart;
      case "o":
        return senderDomain;
      case "d":
        return domain;
      case "i":
        return dotted(this.#clientIp);
      case "p":
        return validatedName;
      case "v":
        return this.#clientIp.family === 4 ? "in-addr" : "ip6";
      case "h":
        return this.#question.helo;
      case "c":
        return this.#clientIp.text;
      case "r":
        return this.#question.receiver ?? "unknown";
      case "t":
        return String(Math.floor((this.#question.now?.getTime() ?? 0) / 1000));
      default:
        return letter satisfies never;
    }
  }

  /** §6.2: whatever goes wrong on the way, there is simply no explanation. */
  async explain(spec: MacroString, domain: DomainName): Promise<string | undefined> {
    const target = await this.#target(spec, domain);
    if (target === undefined) return undefined;
    const answer = await this.#resolver.lookup(target, "TXT");
    if (answer.status !== "found" || answer.records.length !== 1) return undefined;
    const text = parseMacroString(txtText(answer.records[0]!.data), "explanation");
    if (!text.ok) return undefined;
    const explanation = await this.#expand(text.value, domain);
    // What the client said goes in by macros; nothing but printable ASCII may come out into an SMTP reply.
    return /^[ -~]+$/.test(explanation) ? explanation.slice(0, MAX_EXPLANATION_CHARACTERS) : undefined;
  }
}

interface ValidatedNames {
  readonly names: readonly DomainName[];
  /** The PTR query itself found nothing. */
  readonly isVoid: boolean;
}

const MATCH: Test = { matched: true, trail: [] };
const MISS: Test = { matched: false, trail: [] };

/** The table of §5.2; "none" has become a permerror before. */
function includeTest({ result, trail, problem }: Verdict): Test {
  switch (result) {
    case "pass":
      return { matched: true, trail };
    case "fail":
    case "softfail":
    case "neutral":
      return MISS;
    case "temperror":
    case "permerror":
      return { result, trail, problem: problem ?? "" };
    case "none":
      return permerror(problem ?? "the included domain has no SPF record");
    default:
      return result satisfies never;
  }
}

function permerror(problem: string): Failure {
  return { result: "permerror", problem, trail: [] };
}

function temperror(asked: string, { cause, detail }: Unknown): Failure {
  return { result: "temperror", problem: `${asked} could not be looked up (${cause}): ${detail}`, trail: [] };
}

/** §7.3 "p": the domain itself, else a name below it, else any. */
function bestName(names: readonly DomainName[], domain: DomainName): string {
  return (
    names.find((name) => name === domain) ??
    names.find((name) => isWithin(name, domain)) ??
    names[0] ??
    "unknown"
  );
}

/** The "i" macro: a dotted quad, or 32 nibbles with dots (§7.3); in names their case does not count. */
function dotted({ family, octets, text }: IpAddress): string {
  if (family === 4) return text;
  return Array.from(octets, (octet) =>
    octet.toString(16).padStart(2, "0").toUpperCase().split("").join("."),
  ).join(".");
}
