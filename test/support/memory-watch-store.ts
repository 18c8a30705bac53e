/** What is remembered of checks and what is still to be told, in memory, for tests. */
import type { Past } from "../../src/check/over-time.ts";
import { SEVERITIES } from "../../src/check/severity.ts";
import type { DomainName } from "../../src/standards/dns/name.ts";
import type { News } from "../../src/watch/alert.ts";
import type { AlertStore } from "../../src/watch/alert-store.ts";
import type { DomainState, KnownEvent, KnownFinding, WatchStore } from "../../src/watch/watch-store.ts";

export function memoryWatchStore(): WatchStore {
  const states = new Map<DomainName, DomainState>();
  const leases = new Map<DomainName, Date>();
  const known = new Map<DomainName, readonly KnownFinding[]>();
  const events: KnownEvent[] = [];
  const pasts = new Map<DomainName, Past>();
  let lastId = 0;
  const rank = ({ worst }: Pick<DomainState, "worst">) =>
    worst === undefined ? SEVERITIES.length : SEVERITIES.indexOf(worst);
  const order = (x: Pick<DomainState, "domain" | "worst">, y: Pick<DomainState, "domain" | "worst">) =>
    rank(x) - rank(y) || (x.domain < y.domain ? -1 : x.domain > y.domain ? 1 : 0);
  const begin = (domain: DomainName, ownerId: string | undefined, nextCheckAt: Date) => {
    const fresh = { checkedAt: undefined, worst: undefined, counts: {}, revision: 0 };
    states.set(domain, { domain, ownerId, nextCheckAt, ...fresh });
  };
  return {
    async scheduleNew(domains, at) {
      const added = domains.filter(({ domain }) => !states.has(domain));
      for (const { domain, ownerId } of added) begin(domain, ownerId, at);
      return added.map(({ domain }) => domain);
    },
    async schedule(domain, ownerId, at) {
      const state = states.get(domain);
      if (state === undefined) begin(domain, ownerId, at);
      else {
        const isSooner = at < state.nextCheckAt;
        const revision = state.revision + (isSooner && leases.has(domain) ? 1 : 0);
        states.set(domain, { ...state, ownerId, revision, nextCheckAt: isSooner ? at : state.nextCheckAt });
      }
    },
    async takeDue(now, limit, leasedUntil) {
      const dueAt = ({ domain, nextCheckAt }: DomainState) => (leases.get(domain) ?? nextCheckAt).getTime();
      const taken = [...states.values()]
        .filter((state) => dueAt(state) <= now.getTime())
        .sort((x, y) => dueAt(x) - dueAt(y))
        .slice(0, limit);
      for (const { domain } of taken) leases.set(domain, leasedUntil);
      return taken;
    },
    state: async (domain) => states.get(domain),
    findings: async (domain) => known.get(domain) ?? [],
    standing: async (domains) =>
      new Map(
        domains.map((domain) => [
          domain,
          (known.get(domain) ?? []).map(
            ({ key, finding, confirmed, told = finding.severity, acknowledgedBy }) => ({
              key,
              severity: told,
              finding,
              isConfirmed: confirmed,
              isAcknowledged: acknowledgedBy !== undefined,
            }),
          ),
        ]),
      ),
    async record({ state, findings, events: more }) {
      if (states.get(state.domain)?.revision !== state.revision) return "stale";
      states.set(state.domain, { ...state, revision: state.revision + 1 });
      leases.delete(state.domain);
      if (findings !== "as-before") known.set(state.domain, findings);
      for (const event of more) {
        lastId += 1;
        events.unshift({ ...event, id: lastId });
      }
      return "recorded";
    },
    states: async ({ ownerId, search, worst }, { after, limit }) =>
      [...states.values()]
        .filter((one) => ownerId === undefined || one.ownerId === ownerId)
        .filter(({ domain }) => search === undefined || domain.includes(search))
        .filter((one) => worst === undefined || one.worst === worst)
        .sort(order)
        .filter((one) => after === undefined || order(one, after) > 0)
        .slice(0, limit),
    async overview({ ownerId }) {
      const counts: Record<string, number> = {};
      for (const one of states.values()) {
        if (ownerId !== undefined && one.ownerId !== ownerId) continue;
        counts[one.worst ?? "unchecked"] = (counts[one.worst ?? "unchecked"] ?? 0) + 1;
      }
      return counts;
    },
    history: async ({ domain, ownerId }, { before, limit }) =>
      events
        .filter((event) => domain === undefined || event.domain === domain)
        .filter((event) => ownerId === undefined || states.get(event.domain)?.ownerId === ownerId)
        .filter(
          ({ at, id }) =>
            before === undefined ||
            at < before.at ||
            (at.getTime() === before.at.getTime() && id < before.id),
        )
        .slice(0, limit),
    async acknowledge(domain, key, by) {
      const findings = known.get(domain) ?? [];
      const state = states.get(domain);
      if (state === undefined || !findings.some((one) => one.key === key)) return "unknown";
      states.set(domain, { ...state, revision: state.revision + 1 });
      known.set(
        domain,
        findings.map((one) => {
          if (one.key !== key) return one;
          const { acknowledgedBy: _before, ...open } = one;
          return by === undefined ? open : { ...open, acknowledgedBy: by };
        }),
      );
      return "acknowledged";
    },
    past: async (domain) => pasts.get(domain),
    async keepPast(domain, past) {
      if (states.has(domain)) pasts.set(domain, past);
    },
    names: async ({ after, limit }) =>
      [...states.keys()]
        .sort()
        .filter((domain) => after === undefined || domain > after)
        .slice(0, limit),
    async scheduleSooner(times) {
      for (const { domain, at } of times) {
        const state = states.get(domain);
        const isLeased = leases.has(domain);
        if (state === undefined || (!isLeased && state.nextCheckAt <= at)) continue;
        leases.delete(domain);
        states.set(domain, { ...state, nextCheckAt: at, revision: state.revision + 1 });
      }
    },
    async sweep(before) {
      const kept = events.filter(({ at }) => at >= before);
      events.splice(0, events.length, ...kept);
    },
    agreeWithDescriptions: async () => 0,
    async forget(domain) {
      states.delete(domain);
      known.delete(domain);
      pasts.delete(domain);
      leases.delete(domain);
    },
  };
}

export function memoryAlertStore(): AlertStore {
  let rows: { channel: string; key: string; news: readonly News[]; at: Date; batch?: string }[] = [];
  const free = (isFreed: (row: (typeof rows)[number]) => boolean) => {
    for (const row of rows.filter(isFreed)) delete row.batch;
    rows = rows.filter(
      (row, at) =>
        row.batch !== undefined ||
        !rows
          .slice(at + 1)
          .some(
            ({ channel, key, batch }) => batch === undefined && channel === row.channel && key === row.key,
          ),
    );
  };
  return {
    async put(channel, key, news, at) {
      rows = rows.filter((row) => row.channel !== channel || row.key !== key || row.batch !== undefined);
      if (news.length > 0) rows.push({ channel, key, news, at });
    },
    async collect(channel, batch, { limit, putBefore, givenUpBefore, forgottenBefore }) {
      if (!rows.some((row) => row.channel === channel && row.batch === batch)) {
        free((row) => row.channel === channel && row.batch !== undefined && row.at < givenUpBefore);
        rows = rows.filter(
          (row) => row.channel !== channel || row.batch !== undefined || row.at >= forgottenBefore,
        );
        const waiting = rows.filter(
          (row) => row.channel === channel && row.batch === undefined && row.at < putBefore,
        );
        for (const row of waiting.slice(0, limit)) row.batch = batch;
      }
      return rows.filter((row) => row.channel === channel && row.batch === batch).flatMap(({ news }) => news);
    },
    async finish(channel, batch) {
      rows = rows.filter((row) => row.channel !== channel || row.batch !== batch);
      return rows.some((row) => row.channel === channel && row.batch === undefined);
    },
    async release(channel, batch) {
      free((row) => row.channel === channel && row.batch === batch);
    },
  };
}
