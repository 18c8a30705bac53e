/** "iprev" (RFC 8601 §3): does the client's address have a name that has this address? */

import { type IpAddress, unmapped } from "../dns/address.ts";
import type { DomainName } from "../dns/name.ts";
import type { Resolver } from "../dns/resolver.ts";
import { addressType, lookupReverseNames, type ReverseName } from "../dns/reverse-names.ts";

/** RFC 8601 §3: the client's address has a name, and that name has the address. */
export interface IprevOutcome {
  readonly result: "pass" | "fail" | "temperror" | "permerror";
  /** The names that the address has; those that lead back to it first. */
  readonly names: readonly DomainName[];
  /** In words; undefined for `pass`. */
  readonly problem: string | undefined;
}

/** As many as SPF asks for (RFC 7208 §4.6.4). */
const MAX_NAMES = 10;

/**
 * One PTR query and at most ten more. A name that could not be looked up makes the outcome `temperror` only where no
 * other leads back.
 */
export async function evaluateIprev(clientIp: IpAddress, resolver: Resolver): Promise<IprevOutcome> {
  const address = unmapped(clientIp);
  const found = await lookupReverseNames(address, resolver, MAX_NAMES);
  switch (found.status) {
    case "absent":
      return { result: "permerror", names: [], problem: `${address.text} has no name (PTR)` };
    case "unknown": {
      const problem = `the names of ${address.text} could not be looked up (${found.cause}): ${found.detail}`;
      return { result: "temperror", names: [], problem };
    }
    case "found":
      return evaluateNames(address, found.names, found.hasMore);
    default:
      return found satisfies never;
  }
}

function evaluateNames(address: IpAddress, found: readonly ReverseName[], hasMore: boolean): IprevOutcome {
  const leading = found.filter(({ leadsBack }) => leadsBack === "yes");
  const others = found.filter(({ leadsBack }) => leadsBack !== "yes");
  const names = [...leading, ...others].map(({ name }) => name);
  if (leading.length > 0) return { result: "pass", names, problem: undefined };
  for (const { name, leadsBack } of others) {
    if (typeof leadsBack === "string") continue;
    const type = addressType(address.family);
    const problem = `${name} ${type} could not be looked up (${leadsBack.cause}): ${leadsBack.detail}`;
    return { result: "temperror", names, problem };
  }
  const verb = names.length === 1 ? "does" : "do";
  const which = hasMore ? `of its many names, the first ${MAX_NAMES}` : names.join(", ");
  return { result: "fail", names, problem: `${which} ${verb} not lead back to ${address.text}` };
}
