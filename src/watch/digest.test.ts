import { expect, it } from "vitest";
import { memoryWatchStore } from "../../test/support/memory-watch-store.ts";
import { domainName } from "../standards/dns/name.ts";
import type { AlertChannel } from "./alert.ts";
import { digestMessage, readWeek } from "./digest.ts";
import type { WatchStore } from "./watch-store.ts";

const NOW = new Date("2026-11-23T08:00:00Z");
const EMAIL: AlertChannel = {
  id: "operators",
  target: { kind: "email", from: "watch@example.org", to: "ops@example.org" },
  minimumSeverity: "warning",
};
const of = (...domains: string[]): AlertChannel => ({ ...EMAIL, domains: domains.map(domainName) });

/** `count` domains with errors of this week; one customer's at the end of their order, and seen first of all. */
async function storeOf(count: number): Promise<WatchStore> {
  const store = memoryWatchStore();
  const names = ["zz.customer.example", ...Array.from({ length: count }, (_, at) => `d${at}.example.net`)];
  for (const [at, name] of names.entries()) {
    const domain = domainName(name);
    await store.schedule(domain, undefined, NOW);
    const seen = new Date(NOW.getTime() - (names.length - at) * 1000);
    const severity = "error";
    const state = { domain, ownerId: undefined, checkedAt: seen, nextCheckAt: NOW, revision: 0 };
    await store.record({
      state: { ...state, worst: severity, counts: { error: 2 } },
      findings: "as-before",
      events: [
        {
          domain,
          at: seen,
          kind: "appeared",
          code: "spf-missing",
          owner: name,
          severity,
          observed: "nothing",
        },
      ],
    });
  }
  return store;
}

const said = async (store: WatchStore, channel: AlertChannel) => {
  const { title, text } = digestMessage(channel, await readWeek(store, NOW, async () => {}), "1", NOW);
  return { title, lines: text!.split("\n") };
};

it("counts all there are, and of a channel for some domains those alone", async () => {
  const store = await storeOf(2_500);
  const all = await said(store, EMAIL);
  expect(all.title).toBe("the week: 2501 domains with errors");
  expect(all.lines).toContain("Since 2026-11-16: 2501 findings came, 0 went.");
  expect(all.lines.at(-1)).toBe("  and 2481 more");

  const customer = await said(store, of("customer.example"));
  expect(customer.title).toBe("the week: 1 domains with errors");
  expect(customer.lines).toEqual([
    "Since 2026-11-16: 1 findings came, 0 went.",
    "  appeared spf-missing: zz.customer.example",
    "Domains with errors:",
    "  zz.customer.example: 2",
  ]);
  expect((await said(store, of("example.org"))).title).toBe("the week: no domain with errors");
});

it("says what it does not know where it has read only a part", async () => {
  const week = await readWeek(await storeOf(1), NOW, async () => {});
  const cut = { ...week, areErrorsCut: true, areEventsCut: true };
  const { title, text } = digestMessage(of("example.org"), cut, "1", NOW);
  expect(title).toBe("the week: at least 0 domains with errors");
  expect(text).toBe("Since 2026-11-16 (of the last 2 events of all domains): 0 findings came, 0 went.");
});

it("reads no further than it has to say", async () => {
  const store = await storeOf(10);
  let pages = 0;
  const endless: WatchStore = {
    ...store,
    history: async (filter) => {
      pages += 1;
      const page = await store.history(filter, { limit: 1 });
      return Array(1000).fill(page[0]!);
    },
  };
  const week = await readWeek(endless, NOW, async () => {});
  expect(week.areEventsCut).toBe(true);
  expect(pages).toBeLessThan(1000);
});
