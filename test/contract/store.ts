/** What every store keeps its word on, whichever database it lies in. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Session, User } from "../../src/access/access-store.ts";
import { type DkimKey, inState } from "../../src/keys/key.ts";
import type { SecretChange } from "../../src/keys/seal-store.ts";
import type { SealedKey } from "../../src/keys/sealing.ts";
import type { TlsaSighting } from "../../src/keys/tlsa-sighting.ts";
import type { RrsetChange } from "../../src/publish/provider.ts";
import type { KnownProvider } from "../../src/publish/provider-store.ts";
import type { ApplyRecord } from "../../src/publish/publish-store.ts";
import type { TlsaData } from "../../src/standards/dane/tlsa.ts";
import { type DomainName, domainName } from "../../src/standards/dns/name.ts";
import type { OpenedStore } from "../../src/store/open.ts";
import type { News } from "../../src/watch/alert.ts";
import type { NewJob } from "../../src/watch/job-store.ts";
import type { NewTask } from "../../src/watch/task.ts";
import type { DomainState, FindingEvent, KnownFinding } from "../../src/watch/watch-store.ts";
import { testKey } from "../support/dkim-keys.ts";

const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 12, minute));
const NOW = at(0);

/** How many do the same at the same time. */
const RIVALS = 8;

/** `open`: a connection of its own to the one database, as another node has it. */
export function storeContract(open: () => Promise<OpenedStore>): void {
  let store: OpenedStore;
  let other: OpenedStore;
  beforeAll(async () => {
    [store, other] = await Promise.all([open(), open()]);
  });
  afterAll(async () => {
    await store?.close();
    await other?.close();
  });

  /** Each does it once, half of them on either connection; how often each answer came. */
  async function race(act: (on: OpenedStore, rival: number) => Promise<unknown>) {
    const answers = await Promise.all(
      Array.from({ length: RIVALS }, (_, rival) => act(rival % 2 === 0 ? store : other, rival)),
    );
    return Object.fromEntries(
      [...Map.groupBy(answers, String)].map(([answer, all]) => [answer, all.length] as const),
    );
  }

  const user = (id: string, more: Partial<User> = {}): User => ({
    id,
    name: `name-${id}`,
    role: "owner",
    passwordHash: "$argon2id$…",
    sealedTotpSecret: undefined,
    totpStep: undefined,
    oidcSubject: undefined,
    createdAt: NOW,
    disabledAt: undefined,
    revision: 1,
    recoveries: 0,
    ...more,
  });

  it("answers", async () => {
    await store.ping();
  });

  describe("keys", () => {
    const own = (selector: string, domain: string) => testKey(selector, "2026-11-21T12:00:00Z", domain);
    const made = own("202611", "keys.example");
    const full: DkimKey = {
      ...inState(own("full", "keys.example"), "signing", NOW),
      sighting: { everywhereSince: NOW, cachesClearAt: at(1), otherTtlSeconds: 300 },
      lastSignedAt: NOW,
      barred: "retired",
    };

    it.each([
      ["as it is made", made],
      ["with all that can be known of it", full],
    ])("gives back a key %s", async (_, key) => {
      expect(await store.keys.put(key)).toBe("put");
      expect(await other.keys.get(key)).toEqual(key);
      expect(await store.keys.put(key)).toBe("taken");
    });

    it("lists keys by domain, oldest first", async () => {
      const older = testKey("old", "2025-01-01T00:00:00Z", "keys.example");
      const foreign = testKey("other", "2024-01-01T00:00:00Z", "keys2.example");
      for (const key of [older, foreign]) await store.keys.put(key);
      const selectors = (keys: readonly DkimKey[]) => keys.map(({ dkimSelector }) => dkimSelector);
      expect(selectors(await store.keys.list(domainName("keys.example")))).toEqual(["old", "202611", "full"]);
      expect(selectors(await store.keys.list())).toEqual(["other", "old", "202611", "full"]);
      expect(await store.keys.list(domainName("nobody.example"))).toEqual([]);
    });

    it("never puts a key in the place of another", async () => {
      const key = own("stay", "stay.example");
      await store.keys.put(inState(key, "removed", NOW));
      expect(await store.keys.put(testKey("stay", "2026-11-23T00:00:00Z", "stay.example"))).toBe("taken");
      expect(await store.keys.get(key)).toEqual(inState(key, "removed", NOW));
      const changed = { ...key, publicKey: own("x", "x.example").publicKey };
      await expect(store.keys.change([{ before: key, after: changed }])).rejects.toThrow(
        /cannot become another/,
      );
    });

    it.each<[what: string, meanwhile: (key: DkimKey) => DkimKey]>([
      ["its state", (key) => inState(key, "published", NOW)],
      ["what was seen of it", (key) => ({ ...key, sighting: { everywhereSince: NOW } })],
      ["its seal", (key) => ({ ...key, sealed: "zonepost-sealed-1.x" as SealedKey })],
      ["when it signed", (key) => ({ ...key, lastSignedAt: NOW })],
      ["a person's word", (key) => ({ ...key, barred: "revoked" })],
    ])("changes nothing where somebody else has changed %s", async (what, change) => {
      const key = own(`s${what.length}`, "stale.example");
      const meanwhile = change(key);
      await store.keys.put(key);
      expect(await store.keys.change([{ before: key, after: meanwhile }])).toBe("changed");
      expect(await other.keys.change([{ before: key, after: inState(key, "signing", NOW) }])).toBe("stale");
      expect(await other.keys.remove(key)).toBe("stale");
      expect(await other.keys.get(key)).toEqual(meanwhile);
      expect(await other.keys.remove(meanwhile)).toBe("removed");
      expect(await store.keys.get(key)).toBeUndefined();
    });

    it("makes all changes of a call, or none", async () => {
      const [one, next] = [own("one", "all.example"), own("two", "all.example")];
      for (const key of [one, next]) await store.keys.put(key);
      const first = { before: one, after: inState(one, "retiring", NOW) };
      const wrong = { before: inState(next, "proven", NOW), after: inState(next, "signing", NOW) };
      expect(await store.keys.change([first, wrong])).toBe("stale");
      expect(await store.keys.list(domainName("all.example"))).toEqual([one, next]);
      expect(await store.keys.change([first, { ...wrong, before: next }])).toBe("changed");
      const states = (await store.keys.list(domainName("all.example"))).map(({ state }) => state);
      expect(states).toEqual(["retiring", "signing"]);
      expect(await store.keys.change([])).toBe("changed");
    });

    it("lets one win, whoever comes at the same time, in whatever order they name them", async () => {
      const keys = [own("a", "race.example"), own("b", "race.example")];
      expect(await race((on) => on.keys.put(keys[0]!))).toEqual({ put: 1, taken: RIVALS - 1 });
      await store.keys.put(keys[1]!);
      const outcome = await race((on, rival) => {
        const after = (key: DkimKey) => ({ ...key, lastSignedAt: at(rival) });
        const changes = keys.map((before) => ({ before, after: after(before) }));
        return on.keys.change(rival % 4 < 2 ? changes : changes.toReversed());
      });
      expect(outcome).toEqual({ changed: 1, stale: RIVALS - 1 });
      const [one, two] = await store.keys.list(domainName("race.example"));
      expect(one?.lastSignedAt).toEqual(two?.lastSignedAt);
      expect(await race((on) => on.keys.remove(one!))).toEqual({ removed: 1, stale: RIVALS - 1 });
    });
  });

  describe("sightings of TLSA records", () => {
    const owner = domainName("_25._tcp.mail.example.org");
    const tlsa = (octet: number): TlsaData => ({
      type: "TLSA",
      usage: 3,
      tlsaSelector: 1,
      matchingType: 1,
      associationData: new Uint8Array(32).fill(octet),
    });
    const full: TlsaSighting = {
      everywhereSince: at(1),
      lackingAt: at(0),
      liveSince: at(2),
      longestTtlSeconds: 3600,
      current: tlsa(1),
    };

    it.each<[TlsaSighting, string]>([
      [{}, "nothing seen yet"],
      [{ everywhereSince: at(1), longestTtlSeconds: 0 }, "a TTL of 0 is not none"],
      [full, "all of it"],
    ])("reads back %j: %s", async (sighting) => {
      await store.tlsaSightings.put(owner, tlsa(2), full);
      await store.tlsaSightings.put(owner, tlsa(2), sighting);
      expect(await other.tlsaSightings.get(owner, tlsa(2))).toEqual(sighting);
      expect(await other.tlsaSightings.get(owner, tlsa(3))).toBeUndefined();
      const elsewhere = domainName("_25._tcp.mx2.example.org");
      expect(await other.tlsaSightings.get(elsewhere, tlsa(2))).toBeUndefined();
    });
  });

  describe("who holds zones", () => {
    const provider: KnownProvider = {
      id: "p1",
      settings: { provider: "desec", zones: ["example.org"] },
      sealed: "zpb1.x",
      enteredAt: NOW,
      enteredBy: "ada",
      revision: 1,
      removedAt: undefined,
    };

    it("is kept as entered, changed by one at a time, and forgotten when its time is over", async () => {
      await store.providers.add(provider);
      expect(await other.providers.list()).toEqual([provider]);
      const after = (rival: number) => ({ ...provider, sealed: `zpb1.${rival}`, revision: 2 });
      const outcome = await race((on, rival) => on.providers.change(provider, after(rival)));
      expect(outcome).toEqual({ changed: 1, stale: RIVALS - 1 });
      const [changed] = await store.providers.list();
      const removed = { ...changed!, revision: 3, removedAt: at(1) };
      expect(await store.providers.change(changed!, removed)).toBe("changed");
      await store.providers.sweep(at(1));
      expect(await other.providers.list()).toEqual([removed]);
      await store.providers.sweep(at(2));
      expect(await other.providers.list()).toEqual([]);
    });
  });

  describe("what publishing remembers", () => {
    const zone = domainName("publish.example");
    const name = domainName("mail.publish.example");
    const change: RrsetChange = {
      name,
      type: "MX",
      before: undefined,
      after: {
        name,
        type: "MX",
        ttlSeconds: 3600,
        data: [{ type: "MX", preference: 10, exchange: domainName("mx.example.org") }],
      },
    };
    const apply = (id: string, minute: number, more: Partial<ApplyRecord> = {}): ApplyRecord => ({
      id,
      zone,
      startedAt: at(minute),
      holder: "the first",
      heldUntil: at(minute + 2),
      state: "running",
      steps: [[change]],
      stepsDone: 0,
      ownedBefore: [],
      ownedAfter: [{ name, type: "MX", value: "10 mx.example.org" }],
      ...more,
    });

    it("begins one at a time, and ends it with what is ours from then on", async () => {
      expect(await race((on, rival) => on.publish.begin(apply(`a${rival}`, 0)))).toEqual({
        true: 1,
        false: RIVALS - 1,
      });
      const running = await store.publish.running(zone);
      expect(running).toEqual(apply(running!.id, 0));
      await store.publish.stepDone(running!.id, 1);
      expect(await store.publish.ownedIn(zone)).toEqual([]);
      await race(async (on) => on.publish.finish(running!.id, running!.ownedAfter));
      expect(await other.publish.ownedIn(zone)).toEqual(running!.ownedAfter);
      const done = { ...apply(running!.id, 0), state: "done", stepsDone: 1 };
      expect(await other.publish.running(zone)).toBeUndefined();
      expect(await other.publish.latest(zone)).toEqual(done);
      expect(await other.publish.latestToUndo(zone)).toEqual(done);
      const undo = apply("z", 1, { undoes: running!.id, ownedAfter: [] });
      expect(await store.publish.begin(undo)).toBe(true);
      await store.publish.finish("z", [], running!.id);
      await store.publish.finish("z", running!.ownedAfter);
      expect(await store.publish.ownedIn(zone)).toEqual([]);
      expect(await store.publish.latest(zone)).toMatchObject({ id: "z", state: "done" });
      expect(await store.publish.latestToUndo(zone)).toBeUndefined();
    });

    it("goes by what came after what, whatever the clocks said, and forgets the oldest", async () => {
      const skewed = domainName("skewed.example");
      const begin = (id: string, minute: number) => store.publish.begin(apply(id, minute, { zone: skewed }));
      for (let count = 0; count < 60; count++) {
        expect(await begin(`s${count}`, 100 - count)).toBe(true);
        await store.publish.finish(`s${count}`, []);
      }
      expect(await begin("last", 0)).toBe(true);
      expect(await begin("too many", 200)).toBe(false);
      expect(await store.publish.running(skewed)).toMatchObject({ id: "last" });
      expect(await store.publish.latest(skewed)).toMatchObject({ id: "last" });
      expect(await store.publish.latestToUndo(skewed)).toMatchObject({ id: "s59" });
      await store.publish.finish("last", []);
      let left = 0;
      for (let known = await store.publish.latestToUndo(skewed); known !== undefined; left += 1) {
        const id = `undo ${left}`;
        await store.publish.begin(apply(id, 0, { zone: skewed, undoes: known.id, steps: [] }));
        await store.publish.finish(id, [], known.id);
        known = await store.publish.latestToUndo(skewed);
      }
      // Half of the last fifty, for what takes them back counts as well.
      expect(left).toBe(25);
    });
  });

  describe("descriptions", () => {
    const content = (text: string) => ({ dmarc: { policy: text }, "ключ\0": ["\ud83d\ude00", null] });
    const piece = (domain: string, text: string, ownerId?: string) => ({
      domain: domainName(domain),
      content: content(text),
      ownerId,
    });

    it("keeps what is common, by revisions", async () => {
      expect(await store.descriptions.common()).toEqual({ content: {}, revision: 0, changedAt: new Date(0) });
      expect(await race((on) => on.descriptions.putCommon(content("a"), 0, NOW))).toEqual({
        put: 1,
        stale: RIVALS - 1,
      });
      expect(await race((on) => on.descriptions.putCommon(content("b"), 1, at(1)))).toEqual({
        put: 1,
        stale: RIVALS - 1,
      });
      expect(await store.descriptions.common()).toEqual({
        content: content("b"),
        revision: 2,
        changedAt: at(1),
      });
    });

    it("keeps domains, by revisions that never come twice", async () => {
      const one = piece("one.desc.example", "a", "ann");
      const put = { put: 1, stale: RIVALS - 1 };
      expect(await race((on) => on.descriptions.putDomain(one, 0, NOW))).toEqual(put);
      expect(await race((on) => on.descriptions.putDomain({ ...one, ownerId: undefined }, 1, at(1)))).toEqual(
        put,
      );
      const kept = { ...one, ownerId: undefined, revision: 2, changedAt: at(1) };
      expect(await other.descriptions.domain(one.domain)).toEqual(kept);
      expect(await store.descriptions.removeDomain(one.domain, 1)).toBe("stale");
      expect(await race((on) => on.descriptions.removeDomain(one.domain, 2))).toEqual({
        removed: 1,
        stale: RIVALS - 1,
      });
      expect(await store.descriptions.domain(one.domain)).toBeUndefined();
      expect(await store.descriptions.putDomain(one, 2, NOW)).toBe("stale");
      expect(await store.descriptions.putDomain(one, 0, NOW)).toBe("put");
      expect((await store.descriptions.domain(one.domain))?.revision).toBe(3);
      await store.descriptions.removeDomain(one.domain, 3);
    });

    it("takes in many new ones in one step, and leaves alone what is there", async () => {
      const names = Array.from({ length: 250 }, (_, index) => `n${index + 1000}.many.example`);
      const many = names.map((name) => piece(name, name, name === names[7] ? "ann" : undefined));
      const [first, second] = [many[0]!, many[1]!];
      await store.descriptions.putDomain({ ...first, ownerId: "bob" }, 0, at(1));
      await store.descriptions.putDomain(second, 0, at(1));
      await store.descriptions.removeDomain(second.domain, 1);
      const added = await Promise.all([store, other].map((on) => on.descriptions.addDomains(many, NOW)));
      expect(added.flat().toSorted()).toEqual(names.slice(1));
      expect(await store.descriptions.domain(first.domain)).toMatchObject({
        ownerId: "bob",
        changedAt: at(1),
      });
      expect(await store.descriptions.domain(second.domain)).toEqual({
        ...second,
        revision: 2,
        changedAt: NOW,
      });
      expect(await store.descriptions.domain(many[7]!.domain)).toEqual({
        ...many[7],
        revision: 1,
        changedAt: NOW,
      });
      expect(await store.descriptions.addDomains([], NOW)).toEqual([]);

      const known = { ...first, ownerId: "bob" };
      await store.watch.schedule(known.domain, "bob", at(500));
      const watched = await Promise.all([store, other].map((on) => on.watch.scheduleNew(many, at(100))));
      expect(watched.flat().toSorted()).toEqual(names.slice(1));
      expect(await store.watch.state(known.domain)).toMatchObject({ ownerId: "bob", nextCheckAt: at(500) });
      expect(await store.watch.state(many[7]!.domain)).toMatchObject({
        ownerId: "ann",
        nextCheckAt: at(100),
        checkedAt: undefined,
        revision: 0,
      });
      expect(await store.watch.scheduleNew([], NOW)).toEqual([]);
      for (const { domain } of many) {
        const { revision } = (await store.descriptions.domain(domain))!;
        await store.descriptions.removeDomain(domain, revision);
        await store.watch.forget(domain);
      }
    });

    it("lists them by name, owner and part of the name, a page at a time", async () => {
      const names = [
        "a.list.example",
        "b-1.list.example",
        "b.list.example",
        "ba.list.example",
        "c_%.list.example",
      ];
      for (const [index, name] of names.entries())
        await store.descriptions.putDomain(piece(name, "x", index % 2 === 0 ? "ann" : "bob"), 0, NOW);
      const list = async (...[filter, page]: Parameters<typeof store.descriptions.domains>) =>
        (await store.descriptions.domains(filter, page)).map(({ domain }) => domain.split(".")[0]);
      const search = ".list.";
      expect(await list({ search }, { limit: 10 })).toEqual(["a", "b-1", "b", "ba", "c_%"]);
      expect(await list({ search, ownerId: "bob" }, { limit: 10 })).toEqual(["b-1", "ba"]);
      expect(await list({ search: "B-1" }, { limit: 10 })).toEqual(["b-1"]);
      expect(await list({ search: "_%" }, { limit: 10 })).toEqual(["c_%"]);
      expect(await list({ search: "\0" }, { limit: 10 })).toEqual([]);
      const after = domainName("b-1.list.example");
      expect(await list({ search }, { after, limit: 2 })).toEqual(["b", "ba"]);
      expect(await store.descriptions.countDomains({ search })).toBe(5);
      expect(await store.descriptions.countDomains({ search, ownerId: "bob" })).toBe(2);
    });
  });

  describe("what is remembered of checks", () => {
    const known = (code: string, severity: "error" | "ok", since = NOW): KnownFinding => ({
      key: `${code} x.example`,
      finding: {
        code: code as KnownFinding["finding"]["code"],
        severity,
        owner: domainName("x.example"),
        expected: "one",
        observed: "none\0",
        why: "because",
        reference: "RFC 7208 §4.5",
        fix: null,
        verify: "dig",
      },
      since,
      confirmed: true,
    });
    const event = (domain: string, minute: number, code = "spf-missing"): FindingEvent => ({
      domain: domainName(domain),
      at: at(minute),
      kind: "appeared",
      code,
      owner: domain,
      severity: "error",
      observed: "none",
    });
    const recorded = (state: DomainState, worst: DomainState["worst"], minute: number): DomainState => ({
      ...state,
      checkedAt: at(minute),
      nextCheckAt: at(minute + 60),
      worst,
      counts: { [worst ?? "ok"]: 2 },
    });

    it("schedules, and hands out what is due once, the longest first", async () => {
      const names = Array.from({ length: 40 }, (_, index) => domainName(`d${index + 10}.due.example`));
      for (const [index, name] of names.entries())
        await store.watch.schedule(name, undefined, at(-100 + index));
      await store.watch.schedule(domainName("later.due.example"), undefined, at(100));
      const [first] = await store.watch.takeDue(NOW, 1, at(5));
      expect(first?.domain).toBe(names[0]);
      const taken: string[] = [];
      await race(async (on) => {
        for (;;) {
          const due = await on.watch.takeDue(NOW, 3, at(5));
          if (due.length === 0) return;
          taken.push(...due.map(({ domain }) => domain));
        }
      });
      expect(taken.toSorted()).toEqual(names.slice(1));
      // The lease is over.
      expect(await store.watch.takeDue(at(5), 1_000, at(9))).toHaveLength(40);
      for (const name of names) await store.watch.forget(name);
      await store.watch.forget(domainName("later.due.example"));
    });

    it("takes the earlier of two times, and a check under way for none of those that are asked for after it", async () => {
      const domain = domainName("lease.example");
      await store.watch.schedule(domain, "ann", at(10));
      await store.watch.schedule(domain, "ann", at(20));
      expect((await store.watch.state(domain))?.nextCheckAt).toEqual(at(10));
      const [taken] = await store.watch.takeDue(at(10), 10, at(15));
      await other.watch.schedule(domain, "bob", at(12));
      expect(await store.watch.state(domain)).toMatchObject({ ownerId: "bob", nextCheckAt: at(12) });
      // The one under way has seen what was before: it is told so, and the next begins in time.
      const result = { state: { ...taken!, nextCheckAt: at(300) }, findings: [], events: [] };
      expect(await store.watch.record(result)).toBe("stale");
      expect(await store.watch.takeDue(at(11), 10, at(15))).toEqual([]);
      expect(await store.watch.takeDue(at(12), 10, at(15))).toHaveLength(1);
      await store.watch.forget(domain);
    });

    it("brings many forward in one step: none is put off, and what is under way is stale", async () => {
      const names = Array.from({ length: 1_203 }, (_, index) => domainName(`n${index + 1000}.all.example`));
      const [first, second, third] = [names[0]!, names[1]!, names[2]!];
      for (const name of names) await store.watch.schedule(name, "ann", at(name === first ? 1 : 500));
      await store.watch.schedule(second, "ann", NOW);
      const [taken] = await store.watch.takeDue(NOW, 1, at(400));
      expect(taken?.domain).toBe(second);
      const wishes = names.map((domain) => ({ domain, at: at(100) }));
      const stranger = domainName("nobody.all.example");
      await other.watch.scheduleSooner([...wishes, { domain: stranger, at: NOW }]);
      expect(await store.watch.state(first)).toMatchObject({
        nextCheckAt: at(1),
        revision: 0,
        ownerId: "ann",
      });
      expect(await store.watch.state(third)).toMatchObject({ nextCheckAt: at(100), revision: 1 });
      expect(await store.watch.state(names.at(-1)!)).toMatchObject({ nextCheckAt: at(100) });
      expect(await store.watch.state(stranger)).toBeUndefined();
      const result = { state: { ...taken!, nextCheckAt: at(300) }, findings: [], events: [] };
      expect(await store.watch.record(result)).toBe("stale");
      expect(await store.watch.takeDue(at(99), 10, at(150))).toHaveLength(1);
      const due = [1_000, 1_000].map((limit) => store.watch.takeDue(at(100), limit, at(150)));
      expect((await Promise.all(due)).flat()).toHaveLength(names.length - 1);
      await store.watch.scheduleSooner([]);

      const seen: string[] = [];
      for (let after: (typeof names)[number] | undefined; ; ) {
        const page = await store.watch.names({ limit: 500, ...(after && { after }) });
        seen.push(...page);
        after = page.at(-1);
        if (page.length < 500) break;
      }
      expect(seen.filter((name) => name.endsWith(".all.example"))).toEqual(names);
      for (const name of names) await store.watch.forget(name);
    });

    it("keeps what looks remember of a domain, for as long as it is watched", async () => {
      const domain = domainName("past.example");
      const past = {
        includes: [{ name: "_spf.example.net", holds: ["192.0.2.0/24", "a:x\0"], count: 2, grewAt: 5 }],
        ttls: [{ name: "past.example", type: "MX" as const, ttlSeconds: 300 }],
      };
      await store.watch.changePast(domain, () => past);
      expect(await store.watch.past(domain)).toBeUndefined();
      await store.watch.schedule(domain, "ann", NOW);
      expect(await store.watch.past(domain)).toBeUndefined();
      await store.watch.changePast(domain, (before) => ({ ...past, ttls: before?.ttls ?? [] }));
      expect(await other.watch.past(domain)).toMatchObject({ ttls: [] });
      await store.watch.changePast(domain, () => past);
      expect(await other.watch.past(domain)).toMatchObject({ ttls: past.ttls });
      await store.watch.changePast(domain, () => undefined);
      expect(await other.watch.past(domain)).toMatchObject({ ttls: past.ttls });
      await store.watch.forget(domain);
      await store.watch.schedule(domain, "bob", NOW);
      expect(await store.watch.past(domain)).toBeUndefined();
      await store.watch.forget(domain);
    });

    it("loses nothing of what several remember of a domain at once", async () => {
      const domain = domainName("past.example");
      await store.watch.schedule(domain, "ann", NOW);
      await race(async (on, rival) => {
        const one = { name: `d${rival}.example`, type: "MX" as const, ttlSeconds: 300 };
        await on.watch.changePast(domain, (before) => ({
          includes: [],
          ttls: [...(before?.ttls ?? []), one],
        }));
      });
      expect((await store.watch.past(domain))?.ttls).toHaveLength(RIVALS);
      await store.watch.forget(domain);
    });

    it("writes a result on the state that it was compared with, once", async () => {
      const domain = domainName("record.example");
      await store.watch.schedule(domain, "ann", NOW);
      const state = (await store.watch.state(domain))!;
      expect(state).toEqual({
        domain,
        ownerId: "ann",
        checkedAt: undefined,
        nextCheckAt: NOW,
        worst: undefined,
        counts: {},
        revision: 0,
      });
      const findings = [known("spf-missing", "error"), known("mx-fine", "ok")];
      const result = { state: recorded(state, "error", 1), findings, events: [event(domain, 1)] };
      expect(await race((on) => on.watch.record(result))).toEqual({ recorded: 1, stale: RIVALS - 1 });
      expect(await other.watch.state(domain)).toEqual({ ...result.state, revision: 1 });
      expect(await other.watch.findings(domain)).toEqual(findings);
      expect(await other.watch.history({ domain }, { limit: 10 })).toMatchObject(result.events);
      const nobody = { ...state, domain: domainName("nobody.example") };
      for (const none of [[], "as-before"] as const)
        expect(await store.watch.record({ state: nobody, findings: none, events: [] })).toBe("stale");

      // What is as before need not be said again, with or without an event beside it.
      for (const [at, events] of [[], [event(domain, 2, "mx-missing")]].entries()) {
        const before = (await store.watch.state(domain))!;
        const next = recorded(before, "error", 2 + at);
        const asBefore = { state: next, findings: "as-before", events } as const;
        expect(await race((on) => on.watch.record(asBefore))).toEqual({ recorded: 1, stale: RIVALS - 1 });
        expect(await other.watch.state(domain)).toEqual({ ...next, revision: before.revision + 1 });
        expect(await other.watch.findings(domain)).toEqual(findings);
        expect(await other.watch.history({ domain }, { limit: 10 })).toHaveLength(1 + events.length);
      }
    });

    it("notes who knows of a finding, which a check under way does not undo", async () => {
      const domain = domainName("record.example");
      const before = (await store.watch.state(domain))!;
      expect(await store.watch.acknowledge(domain, "nothing x", "ann", at(2))).toBe("unknown");
      expect(await store.watch.state(domain)).toEqual(before);
      expect(await store.watch.acknowledge(domain, "spf-missing x.example", "ann", at(2))).toBe(
        "acknowledged",
      );
      const findings = await other.watch.findings(domain);
      expect(findings.map(({ acknowledgedBy }) => acknowledgedBy)).toEqual(["ann", undefined]);
      expect(await other.watch.record({ state: before, findings: [], events: [] })).toBe("stale");
      const [newest] = await store.watch.history({ domain }, { limit: 1 });
      expect(newest).toMatchObject({ kind: "acknowledged", at: at(2), observed: "none\ufffd" });
      const state = (await store.watch.state(domain))!;
      expect(
        await store.watch.acknowledge(domain, "spf-missing x.example", undefined, at(3)),
        "taken back",
      ).toBe("acknowledged");
      expect((await other.watch.findings(domain)).map(({ acknowledgedBy }) => acknowledgedBy)).toEqual([
        undefined,
        undefined,
      ]);
      expect(await other.watch.record({ state, findings: [], events: [] })).toBe("stale");
      expect(await store.watch.history({ domain }, { limit: 1 })).toEqual([newest]);
    });

    it("pages through history without losing one of the same moment; it goes with the domain to its next owner", async () => {
      const domain = domainName("history.example");
      await store.watch.schedule(domain, "ann", NOW);
      const state = (await store.watch.state(domain))!;
      const events = Array.from({ length: 25 }, (_, index) =>
        event(domain, index < 20 ? 30 : 40, `code-${index}`),
      );
      await store.watch.record({ state: recorded(state, "error", 40), findings: [], events });
      const seen: string[] = [];
      for (let before: { at: Date; id: number } | undefined; ; ) {
        const page = await store.watch.history(
          { ownerId: "ann", domain },
          { limit: 7, ...(before && { before }) },
        );
        seen.push(...page.map(({ code }) => code));
        before = page.at(-1);
        if (page.length < 7) break;
      }
      expect(seen).toEqual(events.map(({ code }) => code).toReversed());
      await store.watch.schedule(domain, "carl", NOW);
      expect(await store.watch.history({ ownerId: "carl" }, { limit: 100 })).toHaveLength(25);
      await store.watch.sweep(at(35));
      expect(await store.watch.history({ domain }, { limit: 100 })).toHaveLength(5);
      await store.watch.forget(domain);
      expect(await store.watch.history({ domain }, { limit: 100 })).toEqual([]);
      expect(await store.watch.findings(domain)).toEqual([]);
      expect(await store.watch.state(domain)).toBeUndefined();
    });

    it("lists states worst first, then by name, page by page; and counts them", async () => {
      await store.watch.forget(domainName("record.example"));
      const rows: [name: string, worst: DomainState["worst"], owner: string][] = [
        ["b", "ok", "ann"],
        ["a", "ok", "bob"],
        ["c", "error", "ann"],
        ["d", undefined, "ann"],
        ["e", "unknown", "bob"],
        ["f", "warning", "ann"],
        ["g", "notice", "ann"],
      ];
      for (const [name, worst, owner] of rows) {
        const domain = domainName(`${name}.states.example`);
        await store.watch.schedule(domain, owner, NOW);
        const state = (await store.watch.state(domain))!;
        if (worst !== undefined)
          await store.watch.record({ state: recorded(state, worst, 1), findings: [], events: [] });
      }
      const list = async (...[filter, page]: Parameters<typeof store.watch.states>) =>
        (await store.watch.states(filter, page)).map(({ domain }) => domain[0]).join("");
      expect(await list({}, { limit: 10 })).toBe("cefgabd");
      expect(await list({ ownerId: "ann" }, { limit: 10 })).toBe("cfgbd");
      expect(await list({ worst: "ok" }, { limit: 10 })).toBe("ab");
      expect(await list({ search: "A.STATES" }, { limit: 10 })).toBe("a");
      let whole = "";
      for (let after: DomainState | undefined; whole.length < 7; ) {
        const page: readonly DomainState[] = await store.watch.states(
          {},
          { limit: 2, ...(after && { after }) },
        );
        after = page.at(-1);
        whole += page.map(({ domain }) => domain[0]).join("");
      }
      expect(whole).toBe("cefgabd");
      expect(await store.watch.overview({})).toEqual({
        error: 1,
        unknown: 1,
        warning: 1,
        notice: 1,
        ok: 2,
        unchecked: 1,
      });
      expect(await store.watch.overview({ ownerId: "bob" })).toEqual({ unknown: 1, ok: 1 });
    });

    it("counts what there is, whoever adds, changes and forgets at the same time", async () => {
      const worsts = ["error", "unknown", "warning", "notice", "ok", undefined] as const;
      await race(async (on, rival) => {
        for (let step = 0; step < 40; step++) {
          const domain = domainName(`n${(rival * 7 + step * 5) % 12}.counted.example`);
          if ((step + rival) % 9 === 8) await on.watch.forget(domain);
          else await on.watch.schedule(domain, undefined, NOW);
          const state = await on.watch.state(domain);
          const worst = worsts[(step * 3 + rival) % worsts.length];
          if (state !== undefined)
            await on.watch.record({ state: recorded(state, worst, 1), findings: [], events: [] });
        }
      });
      const states = await store.watch.states({}, { limit: 100 });
      expect(states.length).toBeGreaterThan(7);
      const counted = Map.groupBy(states, ({ worst }) => worst ?? "unchecked");
      expect(await other.watch.overview({})).toEqual(
        Object.fromEntries([...counted].map(([worst, all]) => [worst, all.length])),
      );
    });
  });

  it("has descriptions and what is known of domains agree again where something broke between the two", async () => {
    const [created, handed, removed] = ["created", "handed", "removed"].map((label) =>
      domainName(`${label}.torn.example`),
    ) as [DomainName, DomainName, DomainName];
    const describe = (domain: DomainName, ownerId: string) =>
      store.descriptions.putDomain({ domain, content: { domain }, ownerId }, 0, at(0));
    await describe(created, "ann");
    await describe(handed, "bob");
    await store.watch.schedule(handed, "ann", at(50));
    await store.watch.schedule(removed, "ann", at(50));
    expect(await store.watch.agreeWithDescriptions(at(1))).toBeGreaterThanOrEqual(3);
    expect(await store.watch.state(created)).toMatchObject({ ownerId: "ann", nextCheckAt: at(1) });
    expect(await store.watch.state(handed)).toMatchObject({ ownerId: "bob", nextCheckAt: at(1) });
    expect(await store.watch.state(removed)).toBeUndefined();
    expect(await store.watch.agreeWithDescriptions(at(2))).toBe(0);
  });

  describe("jobs", () => {
    const KINDS = ["rotation-step"] as const;
    const job = (more: Partial<NewJob> = {}): NewJob => ({
      id: randomUUID(),
      kind: "rotation-step",
      key: undefined,
      payload: { domain: "jobs.example" },
      runAt: at(0),
      maxAttempts: 2,
      ...more,
    });
    const lease = (minute: number, limit = 10) => store.jobs.lease(KINDS, at(minute), limit, at(minute + 5));

    it("are handed out once, the longest due first, and to who can do them", async () => {
      const jobs = [
        job({ runAt: at(2) }),
        job({ runAt: at(1) }),
        job({ runAt: at(9) }),
        job({ kind: "task" }),
      ];
      for (const one of jobs) await store.jobs.add(one);
      const first = await lease(3, 1);
      expect(first).toEqual([{ ...jobs[1], attempt: 1, error: "" }]);
      expect((await other.jobs.lease(KINDS, at(3), 10, at(8))).map(({ id }) => id)).toEqual([jobs[0]!.id]);
      expect(await lease(3)).toEqual([]);
      for (const { id } of [jobs[0]!, jobs[1]!]) expect(await other.jobs.complete(id, 1)).toBe(true);
      const left = [...(await lease(9)), ...(await store.jobs.lease(["task"], at(9), 10, at(10)))];
      expect(left.map(({ id }) => id)).toEqual([jobs[2]!.id, jobs[3]!.id]);
      for (const { id } of left) expect(await store.jobs.complete(id, 1)).toBe(true);
    });

    it("are each taken by one of many who want them", async () => {
      for (let count = 0; count < 20; count++) await store.jobs.add(job());
      const taken: string[] = [];
      await race(async (on) => {
        for (const { id } of await on.jobs.lease(KINDS, at(1), 5, at(9))) taken.push(id);
      });
      for (const { id } of await lease(1, 50)) taken.push(id);
      expect([taken.length, new Set(taken).size]).toEqual([20, 20]);
      for (const id of taken) await store.jobs.complete(id, 1);
    });

    it("come back when a lease is over, and are then nobody else's", async () => {
      const one = job();
      await store.jobs.add(one);
      await lease(0);
      expect(await store.jobs.extend(one.id, 1, at(7))).toBe(true);
      expect(await lease(6)).toEqual([]);
      expect(await lease(7)).toMatchObject([{ id: one.id, attempt: 2 }]);
      for (const late of [store.jobs.extend(one.id, 1, at(9)), store.jobs.complete(one.id, 1)])
        expect(await late).toBe(false);
      expect(await store.jobs.fail(one.id, 1, at(9), "late")).toBe(false);
      expect(await store.jobs.fail(one.id, 2, at(9), "out of luck\0")).toBe(true);
      expect(await lease(20)).toEqual([]);
      expect(await store.jobs.failed(1, at(20))).toMatchObject([
        { id: one.id, attempt: 2, error: "out of luck\ufffd", isCutOff: false },
      ]);
    });

    it("are shown where their process ended in the last attempt, and forgotten in time", async () => {
      const [cutOff, failed, waiting] = [job({ maxAttempts: 1, runAt: at(30) }), job(), job()];
      await store.jobs.add(cutOff!);
      expect((await lease(30)).map(({ id }) => id)).toEqual([cutOff!.id]);
      const shown = async (minute: number) =>
        (await other.jobs.failed(10, at(minute))).map(({ id, isCutOff }) => [id, isCutOff]);
      expect(await shown(34)).not.toContainEqual([cutOff!.id, true]);
      expect(await shown(35)).toContainEqual([cutOff!.id, true]);
      await store.jobs.sweep(at(34));
      expect(await shown(35)).toContainEqual([cutOff!.id, true]);
      await store.jobs.add({ ...failed!, maxAttempts: 1 });
      await lease(36);
      await store.jobs.fail(failed!.id, 1, at(40), "no");
      await store.jobs.add({ ...waiting!, runAt: at(0) });
      await store.jobs.sweep(at(40));
      expect(await shown(60)).toEqual([[failed!.id, false]]);
      await store.jobs.sweep(at(41));
      expect(await shown(60)).toEqual([]);
      expect((await lease(41)).map(({ id }) => id)).toEqual([waiting!.id]);
      await store.jobs.complete(waiting!.id, 1);
    });

    it("give way under their key, but for one that is under way, or where the older is to be kept", async () => {
      const [one, two, three, four] = ["one", "two", "three", "four"].map((id) =>
        job({ id, key: "the key" }),
      );
      await store.jobs.add(one!);
      await store.jobs.add(two!);
      expect((await lease(1)).map(({ id }) => id)).toEqual(["two"]);
      await store.jobs.add({ ...three!, keepsOlder: true });
      await store.jobs.add({ ...four!, keepsOlder: true });
      expect(await store.jobs.complete("two", 1)).toBe(true);
      expect((await lease(1)).map(({ id }) => id)).toEqual(["three"]);
      await store.jobs.complete("three", 1);
    });
  });

  describe("tasks", () => {
    const task = (id: string, domain: string | undefined = "tasks.example"): NewTask => ({
      id,
      kind: "check",
      domain,
      ownerId: "ann",
      input: { domain: "tasks.example", text: "\0" },
      startedAt: at(0),
    });

    it("of one kind are under way once for a domain, whoever begins them", async () => {
      const begun: string[] = [];
      await race(async (on, rival) => void begun.push((await on.tasks.begin(task(`rival-${rival}`))).id));
      expect(new Set(begun).size).toBe(1);
      const [id = ""] = begun;
      const { kind, domain = "" } = task("any");
      expect((await other.tasks.underWay(kind, domain))?.id).toBe(id);
      expect(await other.tasks.underWay("another", domain)).toBeUndefined();
      expect((await other.tasks.claim(id, 1))?.state).toBe("running");
      expect(await store.tasks.end(id, 1, "done", null, at(1))).toBe(true);
      expect(await other.tasks.underWay(kind, domain)).toBeUndefined();
      expect((await store.tasks.begin(task("next"))).id).toBe("next");
      await store.tasks.claim("next", 1);
      await store.tasks.end("next", 1, "done", null, at(1));
    });

    it("belong to who began them last", async () => {
      await store.tasks.begin(task("fenced", undefined));
      const one = { kind: "check", ownerId: "ann", count: 1 };
      expect(await other.tasks.unfinished()).toEqual([{ ...one, state: "waiting" }]);
      expect(await store.tasks.claim("fenced", 1)).toMatchObject({
        state: "running",
        attempt: 1,
        progress: null,
      });
      expect(await other.tasks.unfinished()).toEqual([{ ...one, state: "running" }]);
      await store.tasks.begin({ ...task("nobody's"), ownerId: undefined, kind: "apply" });
      await store.tasks.begin({ ...task("ann's too"), domain: undefined });
      expect(new Set(await other.tasks.unfinished())).toEqual(
        new Set([
          { ...one, state: "running" },
          { ...one, state: "waiting" },
          { kind: "apply", ownerId: undefined, state: "waiting", count: 1 },
        ]),
      );
      for (const id of ["nobody's", "ann's too"]) {
        await store.tasks.claim(id, 1);
        await store.tasks.end(id, 1, "done", null, at(1));
      }
      expect(await other.tasks.claim("fenced", 2)).toMatchObject({ attempt: 2 });
      expect(await store.tasks.claim("fenced", 1)).toBeUndefined();
      expect(await store.tasks.note("fenced", 1, { done: 9 })).toBe(false);
      expect(await other.tasks.note("fenced", 2, { done: 1 })).toBe(true);
      expect(await store.tasks.end("fenced", 1, "failed", "no", at(1))).toBe(false);
      expect(await store.tasks.end("fenced", 2, "done", { all: true }, at(1))).toBe(true);
      const ended = { state: "done", progress: { done: 1 }, result: { all: true } };
      expect(await other.tasks.get("fenced")).toMatchObject(ended);
      expect(await store.tasks.unfinished()).toEqual([]);
    });

    it("end where nobody ends them, and are forgotten in time", async () => {
      await store.tasks.begin(task("left"));
      await store.tasks.abandon(at(0), at(2));
      expect((await store.tasks.get("left"))?.state).toBe("waiting");
      await store.tasks.abandon(at(1), at(2));
      expect((await store.tasks.get("left"))?.state).toBe("failed");
      await store.tasks.sweep(at(2));
      expect(await store.tasks.get("left")).toBeDefined();
      await store.tasks.sweep(at(3));
      expect(await store.tasks.get("left")).toBeUndefined();
    });
  });

  describe("news on its way", () => {
    const news = (id: string) => ({ id, domain: domainName("news.example") }) as News;
    const ids = async (found: Promise<readonly News[]>) => (await found).map(({ id }) => id);

    const which = (limit: number) => ({
      limit,
      putBefore: at(10),
      givenUpBefore: at(0),
      forgottenBefore: at(0),
    });

    it("is replaced under its key, and taken away where there is none", async () => {
      for (const [key, ...told] of [["a", "1"], ["b", "2"], ["a", "3", "4"], ["b"]])
        await store.alertNews.put("mail", key!, told.map(news), at(0));
      await store.alertNews.put("chat", "a", [news("5")], at(0));
      expect(await ids(other.alertNews.collect("mail", "first", which(10)))).toEqual(["3", "4"]);
      expect(await ids(store.alertNews.collect("chat", "first", which(10)))).toEqual(["5"]);
    });

    it("stays in its batch until that is done, whatever comes after it", async () => {
      await store.alertNews.put("mail", "a", [news("6")], at(1));
      expect(await ids(other.alertNews.collect("mail", "first", which(10)))).toEqual(["3", "4"]);
      expect(await store.alertNews.finish("mail", "first")).toBe(true);
      for (const key of ["b", "c"]) await store.alertNews.put("mail", key, [news(key)], at(2));
      expect(await ids(store.alertNews.collect("mail", "second", which(2)))).toEqual(["6", "b"]);
      expect(await store.alertNews.finish("mail", "second")).toBe(true);
      expect(await ids(store.alertNews.collect("mail", "third", which(2)))).toEqual(["c"]);
      expect(await store.alertNews.finish("mail", "third")).toBe(false);
    });

    it("waits again where its round is given up, or must have been long ago; the young is left alone", async () => {
      const told = (
        channel: string,
        batch: string,
        putBefore: number,
        givenUpBefore = 0,
        forgottenBefore = 0,
      ) =>
        ids(
          store.alertNews.collect(channel, batch, {
            limit: 10,
            putBefore: at(putBefore),
            givenUpBefore: at(givenUpBefore),
            forgottenBefore: at(forgottenBefore),
          }),
        );
      await store.alertNews.put("post", "a", [news("7")], at(1));
      await store.alertNews.put("post", "b", [news("8")], at(2));
      await store.alertNews.put("chat", "b", [news("9")], at(2));
      expect(await told("post", "first", 2)).toEqual(["7"]);
      expect(await told("post", "first", 5)).toEqual(["7"]);
      expect(await told("post", "second", 5)).toEqual(["8"]);
      // Under one key the newer word counts.
      await store.alertNews.put("post", "a", [news("10")], at(3));
      await other.alertNews.release("post", "first");
      await other.alertNews.release("post", "second");
      expect(await told("post", "third", 5)).toEqual(["8", "10"]);
      // Its process died with its last attempt.
      expect(await told("post", "fourth", 5, 2)).toEqual([]);
      expect(await told("post", "fifth", 5, 3)).toEqual(["8"]);
      expect(await told("post", "third", 5, 5)).toEqual(["10"]);
      // Nobody has taken it for so long.
      await store.alertNews.put("post", "old", [news("11")], at(4));
      await store.alertNews.put("post", "new", [news("12")], at(5));
      await store.alertNews.put("chat", "old", [news("13")], at(4));
      expect(await told("post", "sixth", 9, 0, 5)).toEqual(["12"]);
      expect(await told("chat", "third", 9)).toContain("13");
    });
  });

  describe("who may come in", () => {
    const session = (secretHash: string, userId: string, minute = 60): Session => ({
      secretHash,
      userId,
      createdAt: NOW,
      lastSeenAt: NOW,
      expiresAt: at(minute),
      address: "2001:db8::1",
      userAgent: "agent\0",
      isComplete: true,
      provenAt: at(-3),
    });

    it("has one first user, whoever comes at the same time", async () => {
      expect(
        await race((on, rival) => on.access.addUser(user(`first${rival}`), { onlyFirst: true })),
      ).toEqual({
        added: 1,
        taken: RIVALS - 1,
      });
      expect(await store.access.countUsers()).toBe(1);
    });

    it("keeps users, by revisions and unique names", async () => {
      const full = user("full", {
        sealedTotpSecret: "s",
        totpStep: 7,
        oidcSubject: "issuer subject",
        role: "reader",
      });
      expect(await race((on) => on.access.addUser(full))).toEqual({ added: 1, taken: RIVALS - 1 });
      expect(await store.access.addUser(user("else", { oidcSubject: "issuer subject" }))).toBe("taken");
      for (const by of [{ id: "full" }, { name: "name-full" }, { oidcSubject: "issuer subject" }])
        expect(await other.access.user(by)).toEqual(full);
      expect(await store.access.user({ name: "no\0body" })).toBeUndefined();
      const used = { ...full, totpStep: 8 };
      expect(await race((on) => on.access.changeUser(full, used))).toEqual({ changed: 1, stale: RIVALS - 1 });
      expect(await store.access.user({ id: "full" })).toEqual({ ...used, revision: 2 });
      const first = (await store.access.users()).find(({ id }) => id.startsWith("first"))!;
      expect(await store.access.changeUser(first, { ...first, name: "name-full" })).toBe("taken");
    });

    it("leaves one administrator who may come in, whoever changes at the same moment", async () => {
      const role = "administrator";
      await store.access.addUser(user("gone", { role, disabledAt: NOW }));
      const chiefs = Array.from({ length: RIVALS }, (_, rival) => user(`chief${rival}`, { role }));
      for (const chief of chiefs) await store.access.addUser(chief);
      const outcome = await race((on, rival) => {
        const chief = chiefs[rival]!;
        const less = rival % 4 < 2 ? { disabledAt: NOW } : { role: "owner" as const };
        return on.access.changeUser(chief, { ...chief, ...less });
      });
      expect(outcome).toEqual({ changed: RIVALS - 1, last: 1 });
      const acting = (await other.access.users()).filter(
        (each) => each.role === role && each.disabledAt === undefined,
      );
      expect(acting).toHaveLength(1);
      const [last] = acting;
      // What leaves them what they are is not refused.
      expect(await store.access.changeUser(last!, { ...last!, totpStep: 9 })).toBe("changed");
      expect(await other.access.changeUser(last!, { ...last!, role: "reader" })).toBe("last");
      const deputy = user("deputy", { role });
      await store.access.addUser(deputy);
      const again = (await store.access.user({ id: last!.id }))!;
      expect(await store.access.changeUser(again, { ...again, role: "reader" })).toBe("changed");
    });

    it("ends sessions with a new password or a closed account, but for the one at hand", async () => {
      const before = user("sess");
      await store.access.addUser(before);
      for (const hash of ["s1", "s2", "s3"])
        expect(await store.access.addSession(session(hash, "sess"), before)).toBe(true);
      expect(await other.access.session("s1")).toEqual({
        ...session("s1", "sess"),
        userAgent: "agent\ufffd",
      });
      await store.access.changeUser(before, { ...before, role: "reader" });
      expect(await store.access.sessions("sess")).toHaveLength(3);
      await store.access.touchSession("s1", at(1), at(99));
      expect(await other.access.session("s1")).toMatchObject({ lastSeenAt: at(1), expiresAt: at(99) });
      const second = (await store.access.user({ id: "sess" }))!;
      await store.access.changeUser(second, { ...second, passwordHash: "new" }, { keepSession: "s2" });
      expect((await store.access.sessions("sess")).map(({ secretHash }) => secretHash)).toEqual(["s2"]);
      const third = (await store.access.user({ id: "sess" }))!;
      await store.access.changeUser(third, { ...third, disabledAt: NOW });
      expect(await store.access.sessions("sess")).toEqual([]);
      const fourth = (await other.access.user({ id: "sess" }))!;
      expect(fourth).toMatchObject({ recoveries: 1, revision: 4 });
      expect(await store.access.addSession(session("s4", "sess"), fourth)).toBe(true);
      await store.access.removeSession("s4");
      expect(await store.access.session("s4")).toBeUndefined();
    });

    it("takes passkeys and tokens of who is kept out, and with a new way in", async () => {
      const proofs = async (id: string) => {
        const [passkeys, tokens] = [await other.access.passkeys(id), await other.access.tokens(id)];
        return passkeys.length + tokens.length;
      };
      const give = async (userId: string) => {
        const known = { userId, label: "x", createdAt: NOW, lastUsedAt: undefined };
        const key = { publicKey: "pk", counter: 0, transports: [], credentialId: `of ${userId}` };
        const as = (await store.access.user({ id: userId }))!;
        expect(await store.access.addPasskey({ ...known, ...key }, as)).toBe("added");
        const token = { id: `t ${userId}`, secretHash: `h ${userId}`, scopes: [], expiresAt: undefined };
        expect(await store.access.addToken({ ...known, ...token }, as)).toBe(true);
        return proofs(userId);
      };
      const one = user("intruded");
      await store.access.addUser(one);
      await store.access.addUser(user("neighbour"));
      expect([await give("intruded"), await give("neighbour")]).toEqual([2, 2]);
      const renewed = { ...one, passwordHash: "new" };
      expect(await store.access.changeUser(one, renewed)).toBe("changed");
      expect(await proofs("intruded")).toBe(2);
      expect(await store.access.changeUser(one, renewed, { isRecovery: true })).toBe("stale");
      expect(await proofs("intruded")).toBe(2);
      const two = { ...renewed, revision: 2 };
      expect(await store.access.changeUser(two, two, { isRecovery: true })).toBe("changed");
      expect(await proofs("intruded")).toBe(0);
      expect(await give("intruded")).toBe(2);
      const three = { ...two, revision: 3 };
      expect(await store.access.changeUser(three, { ...three, disabledAt: NOW })).toBe("changed");
      expect([await proofs("intruded"), await proofs("neighbour")]).toEqual([0, 2]);
      expect(await store.access.removePasskey("neighbour", "of neighbour")).toBe(true);
      expect(await store.access.removeToken("neighbour", "t neighbour")).toBe(true);
    });

    it("keeps passkeys and tokens with their users", async () => {
      const passkey = {
        credentialId: "cred",
        userId: "full",
        publicKey: "pk",
        counter: 1,
        transports: ["usb"],
        label: "key",
        createdAt: NOW,
        lastUsedAt: undefined,
      };
      const full = (await store.access.user({ id: "full" }))!;
      const sess = (await store.access.user({ id: "sess" }))!;
      expect(await store.access.addPasskey(passkey, full)).toBe("added");
      expect(await store.access.addPasskey(passkey, full)).toBe("taken");
      expect(await store.access.addPasskey({ ...passkey, userId: "sess" }, sess)).toBe("taken");
      const used = { ...passkey, counter: 2, lastUsedAt: at(1) };
      expect(await store.access.touchPasskey(used)).toBe(true);
      expect(await store.access.touchPasskey({ ...used, userId: "sess", counter: 3 })).toBe(false);
      expect(await store.access.touchPasskey({ ...used, credentialId: "none" })).toBe(false);
      expect(await other.access.passkeys("full")).toEqual([{ ...passkey, counter: 2, lastUsedAt: at(1) }]);
      expect((await other.access.passkey("cred"))?.counter).toBe(2);
      expect(await store.access.removePasskey("sess", "cred")).toBe(false);
      expect(await store.access.removePasskey("full", "cred")).toBe(true);
      const token = {
        id: "t1",
        secretHash: "th",
        userId: "full",
        label: "ci",
        scopes: ["read", "publish"] as const,
        createdAt: NOW,
        expiresAt: at(10),
        lastUsedAt: undefined,
      };
      await store.access.addToken(token, full);
      expect(await other.access.token("th")).toEqual(token);
      await store.access.touchToken("t1", at(2));
      expect(await other.access.tokens("full")).toEqual([{ ...token, lastUsedAt: at(2) }]);
      const second = { ...token, id: "t0", secretHash: "th0", userId: "sess", createdAt: at(1) };
      await store.access.addToken(second, sess);
      expect((await other.access.tokens()).map(({ id }) => id)).toEqual(["t1", "t0"]);
      expect(await store.access.removeToken("sess", "t0")).toBe(true);
      expect(await store.access.removeToken("sess", "t1")).toBe(false);
      await store.access.addToken({ ...token, id: "t2", secretHash: "th2", expiresAt: undefined }, full);
      await store.access.addSession(session("old", "full", 5), full);
      await store.access.sweep(at(10));
      expect((await store.access.tokens("full")).map(({ id }) => id)).toEqual(["t2"]);
      expect(await store.access.session("old")).toBeUndefined();
      expect(await store.access.addSession(session("x", "nobody"), user("nobody"))).toBe(false);
    });

    it.each<[reason: string, change: Partial<User>, isRecovery: boolean, isLetIn: boolean]>([
      ["another role", { role: "reader" }, false, true],
      ["a new way in", {}, true, false],
      ["kept out", { disabledAt: NOW }, false, false],
      ["a new password of their own", { passwordHash: "new" }, false, false],
      ["their only password", { passwordHash: undefined }, false, false],
    ])(
      "who came in before a change begins nothing after it that it ended (%s)",
      async (reason, change, isRecovery, isLetIn) => {
        const before = user(`in flight: ${reason}`);
        await store.access.addUser(before);
        await store.access.changeUser(before, { ...before, ...change }, { isRecovery });
        const { id } = before;
        const known = { userId: id, label: "x", createdAt: NOW, lastUsedAt: undefined };
        const passkey = { ...known, publicKey: "pk", counter: 0, transports: [], credentialId: id };
        const token = { ...known, id, secretHash: id, scopes: [], expiresAt: undefined };
        expect([
          await other.access.addSession(session(id, id), before),
          await other.access.addToken(token, before),
          await other.access.addPasskey(passkey, before),
        ]).toEqual([isLetIn, isLetIn, isLetIn ? "added" : "gone"]);
        expect([
          (await store.access.sessions(id)).length,
          (await store.access.tokens(id)).length,
          (await store.access.passkeys(id)).length,
        ]).toEqual(Array(3).fill(isLetIn ? 1 : 0));
      },
    );

    it("throws out whoever comes in at the same moment", async () => {
      const before = user("racing");
      await store.access.addUser(before);
      let comers = 0;
      const outcome = await race(async (on, rival) => {
        if (rival === RIVALS / 2) return on.access.changeUser(before, before, { isRecovery: true });
        comers++;
        await on.access.addSession(session(`racing ${rival}`, "racing"), before);
        return "came";
      });
      expect(outcome).toEqual({ changed: 1, came: comers });
      expect(await store.access.sessions("racing")).toEqual([]);
    });

    it("counts attempts over all nodes, in windows", async () => {
      const count = async (on: OpenedStore, key: string, now: Date, until: Date) =>
        (await on.access.countAttempt(key, now, until)).count;
      const counts = await race((on) => count(on, "192.0.2.1", NOW, at(10)));
      expect(Object.keys(counts)).toHaveLength(RIVALS);
      const ninth = { count: RIVALS + 1, until: at(10) };
      expect(await store.access.countAttempt("192.0.2.1", at(9), at(19))).toEqual(ninth);
      expect(await count(store, "192.0.2.1", at(10), at(20))).toBe(1);
      await store.access.clearAttempts("192.0.2.1");
      expect(await count(store, "192.0.2.1", at(11), at(20))).toBe(1);
      expect(await count(other, "192.0.2.1", at(11), at(20))).toBe(2);
      await other.access.takeBackAttempt("192.0.2.1", at(12));
      expect(await count(store, "192.0.2.1", at(12), at(20))).toBe(2);
      for (let times = 0; times < 5; times++) await store.access.takeBackAttempt("192.0.2.1", at(13));
      expect(await count(store, "192.0.2.1", at(13), at(20))).toBe(1);
      for (const key of ["of ann", "of ann:1", "of ann:\u{10ffff}", "of ann;", "of anna:1"])
        await count(store, key, NOW, at(10));
      await other.access.clearAttemptsBelow("of ann");
      const left = [];
      for (const key of ["of ann", "of ann:1", "of ann:\u{10ffff}", "of ann;", "of anna:1"])
        left.push(await count(store, key, at(1), at(10)));
      expect(left).toEqual([2, 1, 1, 2, 2]);
    });

    it("knows the places that a user has come in from, the latest, for a while", async () => {
      const [one, two] = [user("placed"), user("elsewhere")];
      for (const each of [one, two]) await store.access.addUser(each);
      const known = (name: string, place: string, minute: number) =>
        other.access.knowsPlace(name, place, at(minute));
      await store.access.keepPlace(one.id, "192.0.2.1", at(1), 3);
      await store.access.keepPlace(one.id, "192.0.2.1", at(10), 3);
      expect([
        await known(one.name, "192.0.2.1", 9),
        await known(one.name, "192.0.2.1", 10),
        await known(one.name, "192.0.2.2", 9),
        await known(two.name, "192.0.2.1", 9),
        await known("no\0body", "192.0.2.1", 9),
      ]).toEqual([true, false, false, false, false]);
      for (let place = 0; place < 3; place++)
        await store.access.keepPlace(one.id, `198.51.100.${place}`, at(20 + place), 3);
      expect(await known(one.name, "192.0.2.1", 9)).toBe(false);
      expect(await known(one.name, "198.51.100.0", 9)).toBe(true);
      await store.access.sweep(at(20));
      expect([await known(one.name, "198.51.100.0", 9), await known(one.name, "198.51.100.1", 9)]).toEqual([
        false,
        true,
      ]);
    });

    it("writes down what was done, newest first", async () => {
      const entry = (id: string, target: string) => ({
        id,
        at: NOW,
        actor: "ann",
        address: undefined,
        action: "domain.create",
        target,
        details: { a: [1] },
      });
      for (const [id, target] of [
        ["01", "x"],
        ["02", "y"],
        ["03", "x"],
      ] as const)
        await store.access.audit(entry(id, target));
      expect(await other.access.auditLog({ limit: 2 })).toEqual([entry("03", "x"), entry("02", "y")]);
      expect(await other.access.auditLog({ limit: 2, before: "02" })).toEqual([entry("01", "x")]);
      expect(await other.access.auditLog({ limit: 9, target: "x" })).toHaveLength(2);
      expect(await other.access.auditLog({ limit: 9, actor: "ann" })).toHaveLength(3);
      expect(await other.access.auditLog({ limit: 9, actor: "an" })).toEqual([]);
      expect(await other.access.auditLog({ limit: 9, action: "domain.create" })).toHaveLength(3);
      expect(await other.access.auditLog({ limit: 9, action: "domain" })).toHaveLength(3);
      expect(await other.access.auditLog({ limit: 9, action: "dom" })).toEqual([]);
      await store.access.audit({ ...entry("04", "x"), action: "domains.create" });
      await store.access.audit({ ...entry("05", "x"), action: "domain" });
      await store.access.audit({ ...entry("06", "x"), action: "domain.create.all", at: at(1) });
      const ids = async (action: string) =>
        (await other.access.auditLog({ limit: 9, action })).map(({ id }) => id);
      expect(await ids("domain")).toEqual(["06", "05", "03", "02", "01"]);
      expect(await ids("domain.create")).toEqual(["03", "02", "01"]);
      await store.access.sweepAudit(at(1));
      expect(await ids("domain")).toEqual(["06"]);
    });
  });

  describe("the seal key", () => {
    const provider: KnownProvider = {
      id: "sealed",
      settings: {},
      sealed: "old",
      enteredAt: NOW,
      enteredBy: "ann",
      revision: 1,
      removedAt: undefined,
    };
    const ann: User = { ...user("sealed"), sealedTotpSecret: "old code" };

    /** All that is sealed, as it is read, and sealed anew. */
    async function sealedAnew(on: OpenedStore) {
      const keys = (await on.keys.list()).map((before) => ({
        before,
        after: { ...before, sealed: `new ${before.sealed}` as SealedKey },
      }));
      const secret = (of: SecretChange["of"], id: string, before: string) => [
        { of, id, before, after: `new ${before}` },
      ];
      const users = (await on.access.users()).flatMap(({ id, sealedTotpSecret }) =>
        sealedTotpSecret === undefined ? [] : secret("user", id, sealedTotpSecret),
      );
      const providers = (await on.providers.list()).flatMap(({ id, sealed }) =>
        secret("provider", id, sealed),
      );
      return { keys, secrets: [...users, ...providers] };
    }

    it("is the first that anybody names, and changes with all that lies under it, or not at all", async () => {
      expect(await store.seal.known()).toBeUndefined();
      const named = await race(async (on, rival) => await on.seal.remember(`id ${rival}`));
      expect(Object.values(named)).toEqual([RIVALS]);
      const known = Object.keys(named)[0]!;
      expect(await store.seal.known()).toBe(known);
      for (const on of [store, other]) await on.seal.remember(known);
      const key = testKey("resealed", NOW.toISOString(), "resealed.example");
      await store.keys.put(key);
      await other.providers.add(provider);
      await store.access.addUser(ann);
      const { keys, secrets } = await sealedAnew(store);
      const wrong = secrets.map((each) => (each.id === ann.id ? { ...each, before: "another" } : each));
      expect(await store.seal.reseal("next", keys, wrong)).toBe("stale");
      expect(await store.seal.known()).toBe(known);
      expect((await other.keys.get(key))?.sealed).toBe(key.sealed);
      expect(await store.seal.reseal("next", keys, secrets)).toBe("changed");
      expect(await other.seal.remember("much later")).toBe("next");
      expect((await other.keys.get(key))?.sealed).toBe(`new ${key.sealed}`);
      expect(await other.providers.list()).toContainEqual({ ...provider, sealed: "new old", revision: 2 });
      expect(await other.access.user({ id: ann.id })).toEqual({
        ...ann,
        sealedTotpSecret: "new old code",
        revision: 2,
      });
    });

    it.each<[what: string, add: (on: OpenedStore) => Promise<unknown>]>([
      ["a key", (on) => on.keys.put(testKey("late", NOW.toISOString(), "late.example"))],
      ["a user's code", (on) => on.access.addUser({ ...user("late"), sealedTotpSecret: "late code" })],
      ["a provider", (on) => on.providers.add({ ...provider, id: "late" })],
    ])("stays where %s came behind the look at what is there", async (_, add) => {
      for (const on of [store, other]) await on.seal.remember("next");
      const { keys, secrets } = await sealedAnew(store);
      await add(other);
      expect(await store.seal.reseal("third", keys, secrets)).toBe("stale");
      expect(await other.seal.known()).toBe("next");
    });

    it("keeps whoever seals under the one before from writing, and nobody else", async () => {
      for (const on of [store, other]) await on.seal.remember("next");
      const bob = user("bob");
      await store.access.addUser(bob);
      const { keys, secrets } = await sealedAnew(store);
      expect(await store.seal.reseal("third", keys, secrets)).toBe("changed");
      const key = testKey("behind", NOW.toISOString(), "behind.example");
      const known = (await other.providers.list())[0]!;
      const carol = { ...user("carol"), sealedTotpSecret: "code" };
      const writes: ((on: OpenedStore) => Promise<unknown>)[] = [
        (on) => on.keys.put(key),
        (on) => on.access.addUser(carol),
        (on) => on.access.changeUser(bob, { ...bob, sealedTotpSecret: "code" }),
        (on) => on.providers.add({ ...provider, id: "behind" }),
        (on) => on.providers.change(known, { ...known, sealed: "other", revision: known.revision + 1 }),
      ];
      for (const write of writes)
        await expect(write(other)).rejects.toMatchObject({
          kind: "resealed",
          message: expect.stringMatching(/sealed anew under another seal key \(third\).* start it again/),
        });
      const gone = { ...known, removedAt: NOW, revision: known.revision + 1 };
      expect(await other.providers.change(known, gone)).toBe("changed");
      const { sealedTotpSecret, ...rest } = (await other.access.user({ id: ann.id }))!;
      expect(sealedTotpSecret).toBe("new new old code");
      expect(await other.access.changeUser(rest as User, { ...rest, sealedTotpSecret: undefined })).toBe(
        "changed",
      );
      await other.seal.remember("third");
      expect(await other.keys.put(key)).toBe("put");
      expect(await other.access.addUser(carol)).toBe("added");
    });

    it("is waited for by what is sealed at the same moment: nothing stays under the one before", async () => {
      for (const on of [store, other]) await on.seal.remember("third");
      const { keys, secrets } = await sealedAnew(store);
      const rivals = Array.from({ length: RIVALS }, (_, at) => ({ ...provider, id: `rival${at}` }));
      const [resealed, ...added] = await Promise.all([
        store.seal.reseal("fourth", keys, secrets),
        ...rivals.map((each) =>
          other.providers.add(each).then(
            () => "added",
            (error: { readonly kind: string }) => error.kind,
          ),
        ),
      ]);
      expect(new Set(added)).toEqual(new Set([resealed === "changed" ? "resealed" : "added"]));
      expect(await store.seal.known()).toBe(resealed === "changed" ? "fourth" : "third");
    });
  });
}
