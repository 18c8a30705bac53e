/** The relevant record set of a name (RFC 8659 §3): its own, or that of the nearest name above that has one. */
import { ancestors, type DomainName, labelTexts, parentOf, ROOT } from "../dns/name.ts";
import type { Resolver, Unknown } from "../dns/resolver.ts";
import type { CaaData } from "./record.ts";

export type CaaLookup =
  | {
      readonly status: "found";
      /** Where the set stands: the asked name or one above it. */
      readonly owner: DomainName;
      /** The end of the aliases that were followed from there; the owner itself where there are none. */
      readonly canonicalName: DomainName;
      readonly records: readonly CaaData[];
    }
  /** No set anywhere up to the top: every authority may issue. */
  | { readonly status: "absent" }
  /** Authorities that get no answer must not issue, so neither do we call it absent. */
  | Unknown;

/**
 * Climbs from the name to the top, following aliases at every step but never climbing from their targets.
 * `*.example.org` starts at `example.org`.
 */
export async function lookupRelevantCaa(name: DomainName, resolver: Resolver): Promise<CaaLookup> {
  const start = labelTexts(name)[0] === "*" ? (parentOf(name) ?? ROOT) : name;
  for (const owner of ancestors(start)) {
    if (owner === ROOT) break;
    const answer = await resolver.lookup(owner, "CAA");
    if (answer.status === "unknown") return answer;
    if (answer.status === "found") {
      const records = answer.records.map(({ data }) => data);
      return { status: "found", owner, canonicalName: answer.canonicalName, records };
    }
  }
  return { status: "absent" };
}
