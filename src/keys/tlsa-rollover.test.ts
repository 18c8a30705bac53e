/** A key change under DANE: each rule by itself, then thousands of schedules in which no sender may be turned away. */

import { describe, expect, it } from "vitest";
import { fc } from "../../test/support/random-inputs.ts";
import { formatTlsa, type TlsaData } from "../standards/dane/tlsa.ts";
import { nextTlsaStep, type TlsaServerSight, type TlsaTurn } from "./tlsa-rollover.ts";
import type { TlsaSighting } from "./tlsa-sighting.ts";

const START = Date.parse("2026-11-21T00:00:00Z");
const at = (hours: number) => new Date(START + hours * 3_600_000);

const record = (octet: number, change: Partial<TlsaData> = {}): TlsaData => ({
  type: "TLSA",
  usage: 3,
  tlsaSelector: 1,
  matchingType: 1,
  associationData: new Uint8Array(32).fill(octet),
  ...change,
});
const RECORDS: Readonly<Record<string, TlsaData>> = {
  old: record(1),
  new: record(2),
  else: record(3),
  authority: record(4, { usage: 2, tlsaSelector: 0 }),
  sha512: record(1, { matchingType: 2, associationData: new Uint8Array(64) }),
};
const wordOf = (data: TlsaData): string =>
  Object.keys(RECORDS).find((word) => formatTlsa(RECORDS[word]!) === formatTlsa(data))!;
const keyOf = (word: string) => (word === "?" ? undefined : RECORDS[word]);

/** "old+new old ? -": what ns1 to ns4 show; ? gives no answer, - has none. */
function servers(words: string, ttlSeconds = 3600): TlsaServerSight[] {
  return words.split(" ").flatMap((word, index): TlsaServerSight[] => {
    if (word === "") return [];
    const server = `ns${index + 1}`;
    if (word === "?") return [{ server, records: undefined }];
    if (word === "-") return [{ server, records: [] }];
    return [{ server, ttlSeconds, records: word.split("+").map((one) => RECORDS[one]!) }];
  });
}

const live = (words: string) =>
  words
    .split(" ")
    .flatMap((word, index) => (word === "" ? [] : [{ at: `address ${index + 1}`, key: keyOf(word) }]));

const everywhere = (hours: number): TlsaSighting => ({
  everywhereSince: at(hours),
  current: RECORDS["old"]!,
});
const deployed = (hours: number): TlsaSighting => ({ ...everywhere(-100), liveSince: at(hours) });
const NOTHING: TlsaSighting = {};

describe("the next step", () => {
  it.each<
    readonly [
      servers: string,
      live: string,
      sighting: TlsaSighting,
      action: string,
      records: string,
      reason: RegExp,
    ]
  >([
    ["old old", "old", NOTHING, "publish-next", "old+new", /no name server has it yet/],
    ["- -", "old", NOTHING, "publish-next", "old+new", /publish it beside/],
    ["authority", "old", NOTHING, "publish-next", "authority+old+new", /beside/],
    ["old ?", "old", NOTHING, "publish-next", "old+new", /no name server has it/],
    ["old", "", NOTHING, "publish-next", "old+new", /beside/],
    ["-", "", NOTHING, "trouble", "", /name the live key with --current/],
    ["-", "?", NOTHING, "trouble", "", /the next key alone would stop mail/],
    ["", "old", NOTHING, "wait", "old+new", /no name server of the host's zone/],
    ["? ?", "old", NOTHING, "wait", "old+new", /nobody could be asked: ns1, ns2/],
    ["old+new old", "old", NOTHING, "wait", "old+new", /not at every name server yet: ns2 lacks/],
    ["old+new ?", "old", NOTHING, "wait", "old+new", /not all name servers could be asked: ns2/],
    ["old+new ?", "old", everywhere(-100), "wait", "old+new", /could be asked: ns2/],
    ["old+new old", "old", everywhere(-100), "wait", "old+new", /ns2 lacks/],
    ["old+new", "old", NOTHING, "wait", "old+new", /two TTLs of 3600 s/],
    ["old+new", "old", everywhere(-1.99), "wait", "old+new", /caches may still hold/],
    ["old+new", "old", everywhere(-2), "deploy", "old+new", /no cache can hold/],
    ["old+new", "old", { ...everywhere(-2), longestTtlSeconds: 7200 }, "wait", "old+new", /TTLs of 7200 s/],
    ["old+new", "", everywhere(-2), "deploy", "old+new", /may be deployed$/],
    ["old+new", "new old", everywhere(-2), "deploy", "old+new", /still to do, or not told: address 2/],
    ["old+new", "new ?", everywhere(-2), "deploy", "old+new", /not told: address 2/],
    ["old old", "new", NOTHING, "trouble", "old+new", /publish it now.*go back to the old/],
    ["old+new old", "new", everywhere(-9), "trouble", "old+new", /publish it now/],
    [
      "old+new",
      "new",
      { ...everywhere(-1), lackingAt: at(-1.5) },
      "trouble",
      "old+new",
      /go back .* until then/,
    ],
    ["old+new", "new", NOTHING, "wait", "old+new", /caches may still hold/],
    ["-", "new", NOTHING, "publish-next", "new", /publish it/],
    ["new", "old", everywhere(-9), "trouble", "new+old", /the live certificate's key.*publish it now/],
    ["old+new", "else", everywhere(-9), "trouble", "old+new+else", /publish it now/],
    ["authority+new", "old", everywhere(-9), "deploy", "authority+new+old", /may be deployed/],
    ["old+sha512", "old", NOTHING, "trouble", "old+sha512", /3 1 2 .*take it away first/],
    ["old+new", "new", deployed(-0.9), "wait", "old+new", /for a way back/],
    ["old+new", "new", deployed(-1), "remove-old", "new", /take the old record away/],
    ["old+new new", "new", deployed(-1), "remove-old", "new", /take the old/],
    ["old+new", "new ?", deployed(-1), "deploy", "old+new", /not told: address 2/],
    ["new", "new", deployed(-1), "done", "new", /in use, and its record everywhere$/],
    ["new+else", "new", deployed(-1), "done", "new+else", /1 other 3 1 1 beside it/],
    ["old", "new", deployed(-1), "trouble", "old+new", /publish it now/],
  ])("%#: %s, live %s", (shown, shows, sighting, action, records, reason) => {
    const turn = nextTlsaStep(
      { perServer: servers(shown), next: RECORDS["new"]!, live: live(shows), sighting },
      at(0),
    );
    const said = { action: turn.action, records: turn.records.map(wordOf).join("+"), reason: turn.reason };
    expect(said).toEqual({ action, records, reason: expect.stringMatching(reason) });
  });

  it("counts a server once, by what it denies", () => {
    const perServer = [
      ...servers("old+new"),
      { server: "ns1", records: undefined },
      { server: "ns2", records: undefined },
      { server: "ns2", records: [RECORDS["old"]!] },
    ];
    const look = { next: RECORDS["new"]!, live: [], sighting: everywhere(-9) };
    expect(nextTlsaStep({ ...look, perServer: perServer.slice(0, 2) }, at(0)).action).toBe("deploy");
    expect(nextTlsaStep({ ...look, perServer }, at(0))).toMatchObject({ action: "wait", sighting: {} });
  });

  it("remembers the key that goes, though its file holds the next one by then", () => {
    const turn = nextTlsaStep(
      {
        perServer: servers("old+new"),
        next: RECORDS["new"]!,
        current: RECORDS["new"]!,
        live: live("new"),
        sighting: deployed(-2),
      },
      at(0),
    );
    expect(turn).toMatchObject({ action: "remove-old", obsolete: [RECORDS["old"]] });
  });

  it("says which records a name server lacks, and until when to wait", () => {
    const look = { next: RECORDS["new"]!, live: live("old"), sighting: NOTHING };
    const missing = (words: string) =>
      nextTlsaStep({ ...look, perServer: servers(words) }, at(0)).missing.map(wordOf);
    expect([missing("old"), missing("-"), missing("old+new old"), missing("old+new")]).toEqual([
      ["new"],
      ["old", "new"],
      ["new"],
      [],
    ]);
    expect(nextTlsaStep({ ...look, perServer: servers("old+new", 60) }, at(0)).until).toEqual(
      new Date(START + 120_000),
    );
    const slow = { ...look, perServer: servers("old+new", 60), oldTtlSeconds: 7200 };
    expect(nextTlsaStep(slow, at(0)).until).toEqual(at(4));
  });
});

/** All in minutes. */
interface Schedule {
  /** How long each name server takes to get a change. */
  readonly delays: readonly number[];
  /** [server, from, length]: gives us no answer, and goes on answering others. */
  readonly silences: readonly (readonly [number, number, number])[];
  /** [server, from, length]: falls back to the zone as it was at the start, until a look has seen it. */
  readonly setbacks: readonly (readonly [number, number, number])[];
  readonly ttls: readonly [before: number, after: number];
  /** Between looks, over and over. */
  readonly pauses: readonly number[];
  /** From what is said to what is done: publish, deploy, remove. */
  readonly work: readonly number[];
  /** Addresses of the host get the certificate one after the other. */
  readonly rolling: readonly number[];
  /** After which look the state is lost. */
  readonly forgetsAt: number;
  readonly isPublishedAtFirst: boolean;
}

const schedules: fc.Arbitrary<Schedule> = fc.record({
  delays: fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 4 }),
  silences: fc.array(
    fc.tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 3000 }),
      fc.integer({ min: 1, max: 600 }),
    ),
    { maxLength: 4 },
  ),
  setbacks: fc.array(
    fc.tuple(
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 2000 }),
      fc.integer({ min: 1, max: 300 }),
    ),
    { maxLength: 2 },
  ),
  ttls: fc.tuple(fc.integer({ min: 1, max: 1500 }), fc.integer({ min: 1, max: 1500 })),
  pauses: fc.array(fc.integer({ min: 15, max: 400 }), { minLength: 1, maxLength: 6 }),
  work: fc.tuple(
    fc.integer({ min: 0, max: 900 }),
    fc.integer({ min: 0, max: 900 }),
    fc.integer({ min: 0, max: 900 }),
  ),
  rolling: fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 3 }),
  forgetsAt: fc.integer({ min: -20, max: 60 }),
  isPublishedAtFirst: fc.boolean(),
});

interface Version {
  readonly from: number;
  readonly words: string;
  readonly ttl: number;
}
interface Span {
  readonly from: number;
  to: number;
  readonly words: string;
}

interface Life {
  /** Sender and moment of each refusal that was possible. */
  readonly refusals: readonly string[];
  readonly turns: readonly TlsaTurn[];
}

/** `mayDeploy`: what the operator takes for leave to deploy. */
function lifeOf(schedule: Schedule, mayDeploy: (turn: TlsaTurn) => boolean): Life {
  const { delays, silences, setbacks, pauses, work, rolling } = schedule;
  // Nobody can tell a TTL that stands nowhere any more: who loses the state has to name it (--old-ttl).
  const [oldTtl, newTtl] = schedule.ttls;
  const ttls = [oldTtl, schedule.forgetsAt < 0 ? newTtl : Math.max(oldTtl, newTtl)] as const;
  const before = schedule.isPublishedAtFirst ? "old" : "-";
  const zone: Version[] = [{ from: -1e9, words: before, ttl: ttls[0] }];
  const deployedAt: number[] = [];
  const openSetbacks = setbacks.map(([server, from, length]) => ({
    server,
    from,
    to: from + length,
    seen: false,
  }));
  const cached = new Map<string, Span[]>();
  const turns: TlsaTurn[] = [];
  let sighting: TlsaSighting = {};
  let said = { publish: false, deploy: Number.POSITIVE_INFINITY, remove: false };

  const isBack = (server: number, now: number) =>
    now < said.deploy &&
    openSetbacks.some((one) => one.server === server && one.from <= now && (now < one.to || !one.seen));
  const shown = (server: number, now: number): Version => {
    if (isBack(server, now)) return zone[0]!;
    return zone.findLast(({ from }, index) => (index === 0 ? true : from + delays[server]! <= now))!;
  };
  const liveAt = (address: number, now: number) =>
    deployedAt[address] !== undefined && deployedAt[address] <= now ? "new" : "old";

  let now = 0;
  for (let look = 0; look < 1000 && turns.at(-1)?.action !== "done"; look++) {
    if (look === schedule.forgetsAt) sighting = {};
    const perServer = delays.map((_, server): TlsaServerSight => {
      const isSilent = silences.some(
        ([who, from, length]) => who === server && from <= now && now < from + length,
      );
      const { words, ttl } = shown(server, now);
      if (isSilent) return { server: `ns${server}`, records: undefined };
      for (const one of openSetbacks) if (one.server === server && one.from <= now) one.seen = true;
      return { ...servers(words, 60 * ttl)[0]!, server: `ns${server}` };
    });
    const addresses = rolling.map((_, address) => ({ at: `${address}`, key: keyOf(liveAt(address, now)) }));
    const turn = nextTlsaStep({ perServer, next: RECORDS["new"]!, live: addresses, sighting }, at(now / 60));
    turns.push(turn);
    sighting = turn.sighting;
    if (turn.action === "publish-next" && !said.publish) {
      said = { ...said, publish: true };
      zone.push({ from: now + work[0]!, words: turn.records.map(wordOf).join("+"), ttl: ttls[1] });
    }
    if (mayDeploy(turn) && said.deploy > now) {
      said = { ...said, deploy: now };
      rolling.forEach((more, address) => {
        deployedAt[address] = now + work[1]! + more;
      });
    }
    if (turn.action === "remove-old" && !said.remove) {
      said = { ...said, remove: true };
      zone.push({ from: now + work[2]!, words: turn.records.map(wordOf).join("+"), ttl: ttls[1] });
    }
    now += pauses[look % pauses.length]!;
    // What each server answers at any minute may be kept for its TTL from then on.
    for (let minute = now - pauses[look % pauses.length]!; minute < now; minute++)
      for (const [server] of delays.entries()) {
        const { words, ttl } = shown(server, minute);
        const last = cached.get(words)?.at(-1);
        if (last && last.to >= minute) last.to = Math.max(last.to, minute + ttl);
        else cached.set(words, [...(cached.get(words) ?? []), { from: minute, to: minute + ttl, words }]);
      }
  }
  const shows = rolling.flatMap((_, address): Span[] => {
    const switched = deployedAt[address] ?? Number.POSITIVE_INFINITY;
    return [
      { from: 0, to: switched, words: "old" },
      { from: switched, to: now, words: "new" },
    ];
  });
  const refusals = [...cached.values()].flat().flatMap((span) =>
    shows.flatMap(({ from, to, words }) => {
      const isFine = span.words === "-" || span.words.split("+").includes(words);
      return isFine || Math.max(from, span.from) >= Math.min(to, span.to)
        ? []
        : [`a sender with "${span.words}" met the key "${words}" at minute ${Math.max(from, span.from)}`];
    }),
  );
  return { refusals, turns };
}

describe("a whole change of keys", () => {
  it("turns no sender away, whatever happens, and comes to its end", () => {
    let deploys = 0;
    fc.assert(
      fc.property(schedules, (schedule) => {
        const { refusals, turns } = lifeOf(schedule, ({ mayDeploy }) => mayDeploy);
        expect(refusals).toEqual([]);
        expect(turns.filter(({ action }) => action === "trouble")).toEqual([]);
        expect(turns.at(-1)?.action).toBe("done");
        deploys += turns.filter(({ action }) => action === "deploy").length;
      }),
      { numRuns: 2000 },
    );
    expect(deploys).toBeGreaterThan(1000);
  }, 120_000);

  it.each<readonly [string, (turn: TlsaTurn) => boolean]>([
    ["once it is seen everywhere", ({ sighting }) => sighting.everywhereSince !== undefined],
    ["once one server has it", ({ action }) => action === "wait"],
    ["at once", () => true],
  ])("would turn senders away where the certificate came %s", (_, mayDeploy) => {
    const lives = fc
      .sample(schedules, { numRuns: 200, seed: 1 })
      .map((schedule) => lifeOf(schedule, mayDeploy));
    expect(lives.filter(({ refusals }) => refusals.length > 0).length).toBeGreaterThan(10);
  });
});
