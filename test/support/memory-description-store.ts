/** Descriptions in memory, for tests. */
import type {
  DescriptionStore,
  DomainFilter,
  StoredDomain,
  StoredPiece,
} from "../../src/records/description-store.ts";
import type { DomainName } from "../../src/standards/dns/name.ts";

export function memoryDescriptionStore(): DescriptionStore {
  let common: StoredPiece = { content: {}, revision: 0, changedAt: new Date(0) };
  const kept = new Map<DomainName, StoredDomain>();
  const removed = new Map<DomainName, number>();
  const matching = ({ ownerId, search }: DomainFilter) =>
    [...kept.values()]
      .filter((one) => ownerId === undefined || one.ownerId === ownerId)
      .filter(({ domain }) => search === undefined || domain.includes(search))
      .sort((x, y) => (x.domain < y.domain ? -1 : 1));
  return {
    common: async () => common,
    async putCommon(content, revision, at) {
      if (revision !== common.revision) return "stale";
      common = { content, revision: revision + 1, changedAt: at };
      return "put";
    },
    domain: async (domain) => kept.get(domain),
    domains: async (filter, { after, limit }) =>
      matching(filter)
        .filter(({ domain }) => after === undefined || domain > after)
        .slice(0, limit),
    countDomains: async (filter) => matching(filter).length,
    async putDomain(one, revision, at) {
      if ((kept.get(one.domain)?.revision ?? 0) !== revision) return "stale";
      const last = revision === 0 ? (removed.get(one.domain) ?? 0) : revision;
      kept.set(one.domain, { ...one, revision: last + 1, changedAt: at });
      return "put";
    },
    async addDomains(domains, at) {
      const added = domains.filter(({ domain }) => !kept.has(domain));
      for (const one of added)
        kept.set(one.domain, { ...one, revision: (removed.get(one.domain) ?? 0) + 1, changedAt: at });
      return added.map(({ domain }) => domain);
    },
    async removeDomain(domain, revision) {
      if (kept.get(domain)?.revision !== revision) return "stale";
      kept.delete(domain);
      removed.set(domain, revision);
      return "removed";
    },
  };
}
