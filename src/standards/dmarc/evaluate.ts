/** The DMARC decision on one message (RFC 9989 §5.3). */
import type { DkimResult } from "../dkim/result.ts";
import type { DomainName } from "../dns/name.ts";
import type { Resolver } from "../dns/resolver.ts";
import type { SpfResult } from "../spf/evaluate.ts";
import { type Alignment, evaluateAlignment } from "./alignment.ts";
import type { AlignmentMode, DmarcPolicy } from "./record.ts";
import {
  type DmarcDiscovery,
  discoverOn,
  type OrganizationalDomain,
  organizationalDomainOf,
  walkTree,
} from "./tree-walk.ts";

export interface DmarcQuestion {
  /** The domain of the one From address (§5.3.1). */
  readonly authorDomain: DomainName;
  /** Of the MAIL FROM identity only (§4.4.2); undefined where SPF was not checked or had no domain to check. */
  readonly spf?: { readonly result: SpfResult; readonly domain: DomainName };
  /** One for each signature checked, by its d=. */
  readonly dkim: readonly { readonly result: DkimResult; readonly domain: DomainName }[];
}

/**
 * The values of the Authentication-Results header. `permerror` is registered but never given here: RFC 9989
 * has a rule for every broken record.
 */
export type DmarcResult = "none" | "pass" | "fail" | "temperror" | "permerror";

export interface DmarcOutcome {
  readonly result: DmarcResult;
  /** What the domain's owner asks to be done with this message; `none` unless it failed. */
  readonly disposition: DmarcPolicy;
  readonly discovery: DmarcDiscovery;
  /** Undefined where it was not needed or could not be found out. */
  readonly organizationalDomain: DomainName | undefined;
  readonly identifiers: readonly IdentifierAlignment[];
  /** For `none` and `temperror`: why, in words. */
  readonly problem?: string;
}

export interface IdentifierAlignment {
  readonly mechanism: "spf" | "dkim";
  readonly domain: DomainName;
  readonly result: SpfResult | DkimResult;
  readonly alignment: Alignment;
}

/** Signatures beyond this many are not looked at: each may cost a tree walk. */
const MAX_SIGNATURES = 20;

export async function evaluateDmarc(question: DmarcQuestion, resolver: Resolver): Promise<DmarcOutcome> {
  const { authorDomain, spf } = question;
  const walk = await walkTree(authorDomain, resolver);
  const discovery = await discoverOn(walk, resolver);
  if (discovery.status !== "found") {
    const problem = discovery.status === "none" ? discovery.reason : discovery.problem;
    const base = {
      disposition: "none",
      discovery,
      organizationalDomain: undefined,
      identifiers: [],
    } as const;
    return { result: discovery.status, ...base, problem };
  }

  const known = new Map<DomainName, Promise<OrganizationalDomain>>([
    [authorDomain, Promise.resolve(organizationalDomainOf(walk))],
  ]);
  const organizationalDomain = (domain: DomainName): Promise<OrganizationalDomain> => {
    const before = known.get(domain);
    if (before !== undefined) return before;
    const walked = walkTree(domain, resolver).then(organizationalDomainOf);
    known.set(domain, walked);
    return walked;
  };
  const align = async (
    mechanism: "spf" | "dkim",
    mode: AlignmentMode,
    { result, domain }: { readonly result: SpfResult | DkimResult; readonly domain: DomainName },
  ): Promise<IdentifierAlignment> => {
    const alignment = await evaluateAlignment(mode, authorDomain, domain, organizationalDomain);
    return { mechanism, domain, result, alignment };
  };
  const { spfAlignment, dkimAlignment } = discovery.record;
  const identifiers = await Promise.all([
    ...(spf === undefined ? [] : [align("spf", spfAlignment, spf)]),
    ...question.dkim.slice(0, MAX_SIGNATURES).map((signature) => align("dkim", dkimAlignment, signature)),
  ]);

  const own = organizationalDomainOf(walk);
  const base = {
    discovery,
    organizationalDomain: own.status === "found" ? own.domain : undefined,
    identifiers,
  };
  if (identifiers.some(({ result, alignment }) => result === "pass" && alignment.status === "aligned")) {
    return { result: "pass", disposition: "none", ...base };
  }
  const open = identifiers.find(couldStillPass);
  if (open !== undefined) {
    const problem = `${open.mechanism} of ${open.domain} may yet pass and align, but DNS did not answer`;
    return { result: "temperror", disposition: "none", ...base, problem };
  }
  return { result: "fail", disposition: discovery.requested, ...base };
}

/** §5.3.6: where a lookup that did not complete could have made the message pass, it has not failed. */
function couldStillPass({ result, alignment }: IdentifierAlignment): boolean {
  if (result === "pass") return alignment.status === "unknown";
  return result === "temperror" && alignment.status !== "unaligned";
}
