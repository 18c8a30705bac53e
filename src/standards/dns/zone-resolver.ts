/** A Resolver over the records of zones that are at hand: a zone file before it is published, a test's table. */
import { absolute, ancestors, type DomainName, isWithin, labelTexts, ROOT } from "./name.ts";
import { type RdataOf, type RecordType, type ResourceRecord, typeOf } from "./record.ts";
import type { Answer, Resolver, Unknown } from "./resolver.ts";

const MAX_ALIASES = 16;

export interface ZoneResolverOptions {
  /** The zones for which the records are complete; about names elsewhere nothing is known. */
  readonly apexes: readonly DomainName[];
  /** Why nothing is known elsewhere: "outside of the zone file". */
  readonly elsewhere: string;
}

/** Answers as RFC 1034 §4.3.2 and RFC 4592 (wildcards) say; names outside of the zones are `unknown`. */
export function createZoneResolver(
  records: readonly ResourceRecord[],
  options: ZoneResolverOptions,
): Resolver {
  const byName = Map.groupBy(records, ({ name }) => name);
  // Every name above a record exists too, even with no data of its own (RFC 8020 §2).
  const existing = new Set([...byName.keys()].flatMap(ancestors));
  for (const apex of options.apexes) existing.add(apex);

  const at = (name: DomainName): readonly ResourceRecord[] | undefined => {
    if (existing.has(name)) return byName.get(name) ?? [];
    const encloser = ancestors(name).find((ancestor) => existing.has(ancestor)) ?? ROOT;
    return byName.get(wildcardOf(encloser))?.map((record) => ({ ...record, name }));
  };

  return {
    async lookup<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
      const aliases: DomainName[] = [];
      for (let owner = name; aliases.length <= MAX_ALIASES; ) {
        if (!options.apexes.some((apex) => isWithin(owner, apex))) return outside(owner, options.elsewhere);
        const found = at(owner);
        if (found === undefined) return { status: "absent", kind: "nxdomain", aliases };
        const matching = found.filter(({ data }) => typeOf(data) === type);
        if (matching.length > 0) {
          return {
            status: "found",
            records: matching as unknown as ResourceRecord<RdataOf<T>>[],
            aliases,
            canonicalName: owner,
          };
        }
        const alias = found.find(({ data }) => data.type === "CNAME")?.data;
        if (alias?.type !== "CNAME") return { status: "absent", kind: "nodata", aliases };
        aliases.push(owner);
        owner = alias.target;
      }
      return {
        status: "unknown",
        cause: "loop",
        detail: `the aliases of ${absolute(name)} lead in a circle`,
      };
    },
  };
}

function wildcardOf(name: DomainName): DomainName {
  return ["*", ...labelTexts(name)].join(".") as DomainName;
}

function outside(name: DomainName, elsewhere: string): Unknown {
  return { status: "unknown", cause: "network", detail: `${absolute(name)} lies ${elsewhere}` };
}
