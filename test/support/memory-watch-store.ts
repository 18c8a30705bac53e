/** What is remembered of checks and what is still to be told, in memory. */

import type { News } from "../../src/watch/alert.ts";
import type { AlertStore } from "../../src/watch/alert-store.ts";
import type { DomainState, KnownEvent, KnownFinding, WatchStore } from "../../src/watch/watch-store.ts";

export function memoryWatchStore(): WatchStore {
  const states = new Map<string, DomainState & { leasedUntil?: Date }>();
  const findings = new Map<string, readonly KnownFinding[]>();
  let events: KnownEvent[] = [];
  let lastId = 0;
  const note = (event: Omit<KnownEvent, "id">) => events.push({ ...event, id: ++lastId });
  const due = (state: DomainState & { leasedUntil?: Date }) => state.leasedUntil ?? state.nextCheckAt;
  return {
    async schedule(domain, ownerId, at) {
      const known = states.get(domain);
      if (known !== undefined) {
        states.set(domain, {
          ...known,
          ownerId,
          nextCheckAt: at < known.nextCheckAt ? at : known.nextCheckAt,
        });
      } else {
        const nothing = { checkedAt: undefined, worst: undefined, counts: {}, revision: 0 };
        states.set(domain, { domain, ownerId, nextCheckAt: at, ...nothing });
      }
    },
    async takeDue(now, limit, leasedUntil) {
      const taken = [...states.values()]
        .filter((state) => due(state) <= now)
        .sort((x, y) => due(x).getTime() - due(y).getTime())
        .slice(0, limit);
      for (const state of taken) states.set(state.domain, { ...state, leasedUntil });
      return taken.map(({ leasedUntil: _, ...state }) => state);
    },
    state: async (domain) => states.get(domain),
    findings: async (domain) => findings.get(domain) ?? [],
    async record(result) {
      const { domain, revision } = result.state;
      if (states.get(domain)?.revision !== revision) return "stale";
      const { leasedUntil: _, ...state } = result.state as DomainState & { leasedUntil?: Date };
      states.set(domain, { ...state, revision: revision + 1 });
      findings.set(domain, result.findings);
      for (const event of result.events) note(event);
      return "recorded";
    },
    states: async (_, { limit }) => [...states.values()].slice(0, limit),
    async overview() {
      const counts: Record<string, number> = {};
      for (const { worst = "unchecked" } of states.values()) counts[worst] = (counts[worst] ?? 0) + 1;
      return counts;
    },
    history: async ({ domain }, { limit }) =>
      events
        .filter((event) => domain === undefined || event.domain === domain)
        .slice(-limit)
        .reverse(),
    async acknowledge(domain, key, by) {
      const state = states.get(domain);
      const known = findings.get(domain) ?? [];
      if (state === undefined || !known.some((one) => one.key === key)) return "unknown";
      states.set(domain, { ...state, revision: state.revision + 1 });
      findings.set(
        domain,
        known.map((one) => (one.key === key ? { ...one, acknowledgedBy: by } : one)),
      );
      return "acknowledged";
    },
    async forget(domain) {
      states.delete(domain);
      findings.delete(domain);
      events = events.filter((event) => event.domain !== domain);
    },
    async sweep(before) {
      events = events.filter(({ at }) => at >= before);
    },
  };
}

export function memoryAlertStore(): AlertStore {
  let rows: { channel: string; key: string; news: readonly News[]; batch?: string }[] = [];
  return {
    async put(channel, key, news) {
      rows = rows.filter((row) => row.channel !== channel || row.key !== key || row.batch !== undefined);
      if (news.length > 0) rows.push({ channel, key, news });
    },
    async collect(channel, batch, limit) {
      const mine = rows.filter((row) => row.channel === channel);
      if (!mine.some((row) => row.batch === batch)) {
        for (const row of mine.filter(({ batch: taken }) => taken === undefined).slice(0, limit))
          row.batch = batch;
      }
      return mine.filter((row) => row.batch === batch).flatMap(({ news }) => news);
    },
    async finish(channel, batch) {
      rows = rows.filter((row) => row.channel !== channel || row.batch !== batch);
      return rows.some((row) => row.channel === channel && row.batch === undefined);
    },
  };
}
