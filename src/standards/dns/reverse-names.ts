/**
 * The names that an address has by PTR, and which of them lead back to it: what SPF's "ptr" and "iprev" both ask.
 */
import { type Family, type IpAddress, parseAddress, reverseName } from "./address.ts";
import { type DomainName, ROOT } from "./name.ts";
import type { Absent, Resolver, Unknown } from "./resolver.ts";

export type ReverseNames =
  | {
      readonly status: "found";
      /** At most as many as were allowed, in the order of the answer, each once. */
      readonly names: readonly ReverseName[];
      /** There are more names, which nobody asked for. */
      readonly hasMore: boolean;
    }
  | Absent
  | Unknown;

export interface ReverseName {
  readonly name: DomainName;
  /** `unknown`: its addresses could not be looked up. */
  readonly leadsBack: "yes" | "no" | Unknown;
}

/** One PTR query, and one for the addresses of each name, of the family that the address is of. */
export async function lookupReverseNames(
  address: IpAddress,
  resolver: Resolver,
  maxNames: number,
): Promise<ReverseNames> {
  const answer = await resolver.lookup(reverseName(address), "PTR");
  if (answer.status !== "found") return answer;
  const claimed = [...new Set(answer.records.map(({ data }) => data.target))];
  const names = claimed.slice(0, maxNames).map(async (name): Promise<ReverseName> => {
    if (name === ROOT) return { name, leadsBack: "no" };
    const addresses = await lookupAddresses(name, address.family, resolver);
    if ("status" in addresses) return { name, leadsBack: addresses };
    return { name, leadsBack: addresses.some(({ text }) => text === address.text) ? "yes" : "no" };
  });
  return { status: "found", names: await Promise.all(names), hasMore: claimed.length > maxNames };
}

/** The addresses of one family; none where there are none. */
export async function lookupAddresses(
  name: DomainName,
  family: Family,
  resolver: Resolver,
): Promise<readonly IpAddress[] | Unknown> {
  const answer = await resolver.lookup(name, addressType(family));
  if (answer.status === "unknown") return answer;
  if (answer.status === "absent") return [];
  return answer.records.flatMap(({ data }) => {
    const address = parseAddress(data.address);
    return address.ok ? [address.value] : [];
  });
}

export const addressType = (family: Family) => (family === 4 ? "A" : "AAAA");
