/** The rotation of keys: each rule by itself, then ten thousand lives full of faults. */
import { describe, expect, it } from "vitest";
import { testKey } from "../../test/support/dkim-keys.ts";
import { type DkimKey, inState } from "./key.ts";
import { sameKeyName } from "./key-name.ts";
import { barKey, nextStep, RETIRING_DAYS, REVOKED_DAYS, signingKey, type Turn } from "./rotation.ts";
import type { KeyLook, Sight } from "./sighting.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse("2026-11-21T00:00:00Z");
const at = (hours: number) => new Date(START + hours * HOUR);

const KEY = testKey("new", at(0).toISOString());
const OLD = testKey("old", at(-10_000).toISOString());
const OTHER = testKey("x", at(0).toISOString()).publicKey;

const SIGHTS = {
  this: { kind: "this", text: "" },
  absent: { kind: "absent" },
  revoked: { kind: "revoked" },
  other: { kind: "other", publicKey: OTHER },
  several: { kind: "several", count: 2 },
  cut: { kind: "unusable", code: "dkim-key-cut-off", problem: "the key is cut off", text: "" },
  unknown: { kind: "unknown", detail: "no answer" },
} as const satisfies Record<string, Sight>;
type Word = keyof typeof SIGHTS;

/** "this absent" is what ns1 and ns2 show. */
function look(key: DkimKey, words: string, negativeTtlSeconds = 3600): KeyLook {
  const perServer = words.split(" ").flatMap((word, index) =>
    word === ""
      ? []
      : [
          {
            server: `ns${index + 1}`,
            sight: SIGHTS[word as Word],
            ...(word !== "absent" && { ttlSeconds: 7200 }),
          },
        ],
  );
  const { signingDomain, dkimSelector } = key;
  return { signingDomain, dkimSelector, perServer, negativeTtlSeconds };
}

const proven = (key: DkimKey, state: DkimKey["state"], since = at(-5000)): DkimKey => ({
  ...inState({ ...key, times: { ...key.times, published: since } }, state, since),
  sighting: { everywhereSince: since, cachesClearAt: since },
});
const SIGNING = proven(OLD, "signing");
const published = inState(KEY, "published", at(0));
const clear = (hours: number): DkimKey => ({
  ...published,
  sighting: { everywhereSince: at(0), cachesClearAt: at(hours) },
});
const retiring = inState({ ...SIGNING, lastSignedAt: at(0) }, "retiring", at(0));
const SUCCESSOR = proven(KEY, "signing", at(0));
const revoked = inState(retiring, "revoked", at(200));

type Row = readonly [
  name: string,
  seen: readonly (readonly [key: DkimKey, words: string])[],
  now: Date,
  step: string,
  reason: RegExp,
  states: string,
];

describe("the next step", () => {
  it.each<Row>([
    ["a new key", [[KEY, "absent absent"]], at(1), "publish new", /no name server has it yet/, "prepared"],
    [
      "a new key, one server silent",
      [[KEY, "absent unknown"]],
      at(1),
      "publish new",
      /publish it/,
      "prepared",
    ],
    [
      "a new key, all servers silent",
      [[KEY, "unknown unknown"]],
      at(1),
      "wait new",
      /could not be asked/,
      "prepared",
    ],
    ["a domain without name servers", [[KEY, ""]], at(1), "wait new", /no name server .* found/, "prepared"],
    [
      "another key in its place",
      [[KEY, "other other"]],
      at(1),
      "trouble new",
      /nothing is overwritten/,
      "prepared",
    ],
    ["a revoked record in its place", [[KEY, "revoked absent"]], at(1), "trouble new", /revoked/, "prepared"],
    ["seen at one of two", [[KEY, "this absent"]], at(1), "wait new", /ns2 has no record there/, "published"],
    [
      "seen at one, the other silent",
      [[KEY, "this unknown"]],
      at(1),
      "wait new",
      /ns2 could not be asked/,
      "published",
    ],
    ["damaged at one of two", [[published, "this cut"]], at(1), "trouble new", /ns2 .* cut off/, "published"],
    [
      "never seen at the second",
      [[published, "this absent"]],
      at(25),
      "trouble new",
      /more than 24 hours/,
      "published",
    ],
    [
      "seen everywhere for the first time",
      [[published, "this this"]],
      at(2),
      "wait new",
      /caches may still hold/,
      "published",
    ],
    [
      "seen everywhere, caches not yet clear",
      [[clear(3), "this this"]],
      at(2.9),
      "wait new",
      /caches/,
      "published",
    ],
    [
      "seen everywhere, caches clear",
      [[clear(3), "this this"]],
      at(3),
      "sign-with new",
      /sign with it from now on/,
      "signing",
    ],
    [
      "caches clear, but a server went silent",
      [[clear(3), "this unknown"]],
      at(3),
      "wait new",
      /ns2/,
      "published",
    ],
    [
      "published, then gone everywhere",
      [[clear(3), "absent absent"]],
      at(3),
      "publish new",
      /was published, and is gone/,
      "prepared",
    ],
    [
      "published, and nobody answers",
      [[published, "unknown unknown"]],
      at(1),
      "wait new",
      /not at every/,
      "published",
    ],
    [
      "the second key proven",
      [
        [SIGNING, "this this"],
        [clear(3), "this this"],
      ],
      at(3),
      "sign-with new",
      /from now on/,
      "retiring signing",
    ],
    [
      "the second key not proven",
      [
        [SIGNING, "this this"],
        [clear(3), "this this"],
      ],
      at(2),
      "wait new",
      /caches/,
      "signing published",
    ],
    ["nothing to do", [[SIGNING, "this this"]], at(0), "done old", /nothing else is under way/, "signing"],
    [
      "the signing key cannot be asked about",
      [[SIGNING, "unknown unknown"]],
      at(0),
      "wait old",
      /goes on signing/,
      "signing",
    ],
    [
      "the signing key gone",
      [[SIGNING, "absent absent"]],
      at(0),
      "trouble old",
      /mail goes out unsigned/,
      "prepared",
    ],
    [
      "the signing key gone at one of two",
      [[SIGNING, "this absent"]],
      at(0),
      "trouble old",
      /ns2/,
      "published",
    ],
    [
      "a second record beside the signing key",
      [[SIGNING, "several several"]],
      at(0),
      "trouble old",
      /2 TXT records/,
      "prepared",
    ],
    ["the signing key replaced", [[SIGNING, "other other"]], at(0), "trouble old", /another key/, "prepared"],
    [
      "the new key gone, the old one there",
      [
        [retiring, "this this"],
        [SUCCESSOR, "absent absent"],
      ],
      at(9),
      "trouble new",
      /old signs instead/,
      "signing prepared",
    ],
    [
      "the new key gone, the old one not everywhere",
      [
        [retiring, "this absent"],
        [SUCCESSOR, "absent absent"],
      ],
      at(9),
      "trouble new",
      /unsigned/,
      "retiring prepared",
    ],
    [
      "both keys gone",
      [
        [retiring, "absent absent"],
        [SUCCESSOR, "absent absent"],
      ],
      at(9),
      "trouble new",
      /unsigned/,
      "retiring prepared",
    ],
    [
      "the old key within its days",
      [
        [retiring, "this this"],
        [SUCCESSOR, "this this"],
      ],
      at(24 * 6),
      "wait old",
      /kept published for 7 days/,
      "retiring signing",
    ],
    [
      "the old key gone too early",
      [
        [retiring, "absent absent"],
        [SUCCESSOR, "this this"],
      ],
      at(24 * 6),
      "wait old",
      /too early/,
      "retiring signing",
    ],
    [
      "the old key's days over",
      [
        [retiring, "this this"],
        [SUCCESSOR, "this this"],
      ],
      at(24 * 7),
      "revoke old",
      /empty p=/,
      "retiring signing",
    ],
    [
      "the old key's days over, the new one in doubt",
      [
        [retiring, "this this"],
        [SUCCESSOR, "this unknown"],
      ],
      at(24 * 7),
      "wait old",
      /kept, for no newer key/,
      "retiring signing",
    ],
    [
      "the old key's days over, and its record gone",
      [
        [retiring, "absent absent"],
        [SUCCESSOR, "this this"],
      ],
      at(24 * 7),
      "done new",
      /it signs/,
      "removed signing",
    ],
    [
      "the old key's days over, another in its place",
      [
        [retiring, "other other"],
        [SUCCESSOR, "this this"],
      ],
      at(24 * 7),
      "trouble old",
      /nothing is overwritten/,
      "retiring signing",
    ],
    [
      "the old key revoked",
      [
        [retiring, "revoked revoked"],
        [SUCCESSOR, "this this"],
      ],
      at(24 * 7),
      "wait old",
      /for 30 days/,
      "revoked signing",
    ],
    [
      "the old key revoked at one of two",
      [
        [retiring, "revoked this"],
        [SUCCESSOR, "this this"],
      ],
      at(24 * 7),
      "revoke old",
      /empty p=/,
      "retiring signing",
    ],
    [
      "the revoked key back in DNS",
      [
        [revoked, "this this"],
        [SUCCESSOR, "this this"],
      ],
      at(300),
      "revoke old",
      /is back in DNS/,
      "revoked signing",
    ],
    [
      "the revoked key's days over",
      [
        [revoked, "revoked revoked"],
        [SUCCESSOR, "this this"],
      ],
      at(200 + 24 * 30),
      "remove old",
      /take its record away/,
      "revoked signing",
    ],
    [
      "the revoked key gone",
      [
        [revoked, "absent absent"],
        [SUCCESSOR, "this this"],
      ],
      at(200),
      "done new",
      /it signs/,
      "removed signing",
    ],
    [
      "two that sign, by an interruption",
      [
        [SIGNING, "this this"],
        [SUCCESSOR, "this this"],
      ],
      at(1),
      "wait old",
      /kept published/,
      "retiring signing",
    ],
    [
      "retired by its owner, with no other",
      [[barKey(SIGNING, "retired", at(0)), "this this"]],
      at(1),
      "wait old",
      /kept published/,
      "retiring",
    ],
    [
      "retired by its owner, days over",
      [[barKey(SIGNING, "retired", at(0)), "this this"]],
      at(24 * 7),
      "revoke old",
      /empty p=/,
      "retiring",
    ],
    [
      "revoked by its owner",
      [[barKey(SIGNING, "revoked", at(0)), "this this"]],
      at(0),
      "revoke old",
      /must not count/,
      "retiring",
    ],
    [
      "revoked before it was published",
      [[barKey(KEY, "revoked", at(0)), "absent absent"]],
      at(0),
      "done",
      /no key that could sign/,
      "removed",
    ],
    ["no keys", [], at(0), "done", /make one/, ""],
  ])("%s → %s", (_, seen, now, expected, reason, states) => {
    const keys = seen.map(([key]) => key);
    const turn = nextStep(
      keys,
      seen.map(([key, words]) => look(key, words)),
      now,
    );
    const { action, key } = turn.step;
    expect(key ? `${action} ${key.dkimSelector}` : action).toBe(expected);
    expect(turn.step.reason).toMatch(reason);
    expect(
      carried(keys, turn)
        .map(({ state }) => state)
        .join(" "),
    ).toBe(states);
  });

  it("waits for the longest that a cache may hold anything else: absence, or another record that stood there", () => {
    const untilAfter = (first: string, negativeTtlSeconds: number) => {
      const before = carried([KEY], nextStep([KEY], [look(KEY, first, negativeTtlSeconds)], at(0)));
      const { step } = nextStep(before, [look(KEY, "this this", negativeTtlSeconds)], at(1));
      return (step.until!.getTime() - at(1).getTime()) / 1000;
    };
    expect(untilAfter("absent absent", 900)).toBe(900);
    expect(untilAfter("absent absent", 86_400)).toBe(86_400);
    expect(untilAfter("other other", 900)).toBe(7200);
  });

  it("waits three hours where nobody says how long absence is kept", () => {
    const { step } = nextStep(
      [KEY],
      [{ ...look(KEY, "this"), negativeTtlSeconds: undefined } as never],
      at(0),
    );
    expect(step.until).toEqual(at(3));
  });

  it("begins to wait anew where the key was away in between", () => {
    const before = [clear(3)];
    const gone = carried(before, nextStep(before, [look(KEY, "this absent")], at(2)));
    const { step } = nextStep(gone, [look(KEY, "this this")], at(4));
    expect(step).toMatchObject({ action: "wait", until: at(5) });
  });

  it("counts a server once, by however many addresses it was asked", () => {
    const perServer = [
      { server: "ns1", sight: SIGHTS.this },
      { server: "ns1", sight: SIGHTS.unknown },
    ];
    expect(nextStep([clear(3)], [{ ...look(KEY, ""), perServer }], at(3)).step.action).toBe("sign-with");
    const split = [...perServer, { server: "ns1", sight: SIGHTS.absent }];
    expect(nextStep([clear(3)], [{ ...look(KEY, ""), perServer: split }], at(3)).step.action).toBe("wait");
  });

  it("lets no key sign again that its owner has barred", () => {
    const barred = barKey(SIGNING, "retired", at(0));
    const turn = nextStep([barred, SUCCESSOR], [look(OLD, "this this"), look(KEY, "absent absent")], at(1));
    expect(signingKey(carried([barred, SUCCESSOR], turn))).toBeUndefined();
    expect(barKey(barKey(SIGNING, "revoked", at(0)), "retired", at(1)).barred).toBe("revoked");
  });

  it("says all that is to be done, the most urgent first", () => {
    const turn = nextStep(
      [revoked, SUCCESSOR, testKey("next", at(1).toISOString())],
      [look(revoked, "revoked"), look(SUCCESSOR, "this")],
      at(5000),
    );
    expect([turn.step, ...turn.others].map(({ action }) => action)).toEqual(["remove", "wait"]);
  });
});

/** The keys once the changes are stored. */
function carried(keys: readonly DkimKey[], { changes }: Turn): DkimKey[] {
  return keys.map((key) => changes.find(({ before }) => before === key)?.after ?? key);
}

/** Numbers that look like chance, and are the same in every run. */
function seeded(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    chance: (share: number) => next() < share,
    below: (count: number) => Math.floor(next() * count),
  };
}

/** What stands at a selector on one server. */
type Content = Extract<Word, "this" | "absent" | "revoked" | "other">;

interface ServerCopy {
  readonly content: Map<string, Content>;
  /** Until then it serves what it has, whatever is sent to it. */
  stuckUntil: number;
  /** From which time on it has shown the key without a break that a look could have seen. */
  readonly goodSince: Map<string, number>;
}

const PAIRS = Array.from({ length: 4 }, (_, index) => testKey(`k${index}`, at(0).toISOString()));
const POOL = PAIRS;

/** As `expect`, a thousand times as fast. */
function must(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(otherwise);
}

/**
 * One domain, its name servers, its people and one signer, for forty moments of faults and then in good health.
 * Every fault that the signer could not have seen is excused, and no other.
 */
class Life {
  readonly #dice: ReturnType<typeof seeded>;
  readonly #servers: ServerCopy[];
  readonly #negativeTtlSeconds: number;
  readonly #ttlSeconds: number;
  /** On disk. */
  #stored: DkimKey[] = [];
  #now = START;
  /** Truth, for the judgement: when a key signed last, and when it was revoked everywhere. */
  readonly #signedAt = new Map<string, number>();
  readonly #revokedAt = new Map<string, number>();
  /** What the zone's primary copy says; servers follow. */
  readonly #primary = new Map<string, Content>();
  readonly #pending: { server: ServerCopy; selector: string; content: Content; at: number }[] = [];
  signatures = 0;
  switches = 0;
  troubles = 0;
  fallbacks = 0;

  constructor(seed: number) {
    this.#dice = seeded(seed);
    this.#negativeTtlSeconds = [300, 3600, 10_800][this.#dice.below(3)]!;
    this.#ttlSeconds = [60, 3600, 86_400][this.#dice.below(3)]!;
    this.#servers = Array.from({ length: 1 + this.#dice.below(3) }, () => ({
      content: new Map(),
      stuckUntil: 0,
      goodSince: new Map(),
    }));
    this.#addKey();
  }

  run(): void {
    for (let moment = 0; moment < 40; moment++) {
      this.#advance(
        this.#dice.chance(0.05) ? DAY * (1 + this.#dice.below(12)) : HOUR * (0.2 + this.#dice.below(20) / 4),
      );
      if (this.#dice.chance(0.12)) this.#edit();
      if (this.#dice.chance(0.1)) this.#flap();
      if (this.#dice.chance(0.06)) this.#addKey();
      if (this.#dice.chance(0.02)) this.#bar();
      this.#turn({ faults: true });
    }
    this.#heal();
  }

  #addKey(): void {
    const made = this.#stored.length;
    if (made >= POOL.length) return;
    this.#stored.push({
      ...POOL[made]!,
      createdAt: new Date(this.#now),
      times: { prepared: new Date(this.#now) },
    });
  }

  #bar(): void {
    const index = this.#dice.below(this.#stored.length);
    if (index === this.#stored.length - 1) return;
    this.#stored[index] = barKey(this.#stored[index]!, "retired", new Date(this.#now));
  }

  #advance(milliseconds: number): void {
    this.#now += milliseconds;
    this.#deliver();
  }

  #deliver(): void {
    for (const change of this.#pending.splice(0)) {
      const { server, selector, content } = change;
      if (change.at > this.#now || server.stuckUntil > this.#now) this.#pending.push(change);
      else this.#set(server, selector, content);
    }
  }

  #set(server: ServerCopy, selector: string, content: Content): void {
    if (content === "this" && server.content.get(selector) !== "this")
      server.goodSince.set(selector, this.#now);
    server.content.set(selector, content);
  }

  /** Whoever writes: the servers get it one after the other. */
  #write(selector: string, content: Content): void {
    this.#primary.set(selector, content);
    for (const server of this.#servers) {
      const others = this.#pending.filter((each) => each.server !== server || each.selector !== selector);
      this.#pending.splice(0, Number.POSITIVE_INFINITY, ...others);
      const delay = this.#dice.chance(0.5) ? 0 : HOUR * this.#dice.below(8);
      this.#pending.push({ server, selector, content, at: this.#now + delay });
    }
    this.#deliver();
  }

  /** A person at the DNS host's form. */
  #edit(): void {
    const { dkimSelector } = this.#stored[this.#dice.below(this.#stored.length)]!;
    this.#write(dkimSelector, (["absent", "absent", "other", "this"] as const)[this.#dice.below(4)]!);
  }

  /** A name server falls back to an old copy of the zone, or gets none for a while. */
  #flap(): void {
    const server = this.#servers[this.#dice.below(this.#servers.length)]!;
    server.stuckUntil = this.#now + HOUR * this.#dice.below(60);
    if (this.#dice.chance(0.5)) return;
    for (const selector of server.content.keys()) {
      this.#set(server, selector, "absent");
      this.#pending.push({
        server,
        selector,
        content: this.#primary.get(selector) ?? "absent",
        at: server.stuckUntil,
      });
    }
  }

  #turn({ faults }: { faults: boolean }): Turn {
    const now = new Date(this.#now);
    const silent = new Set(this.#servers.filter(() => faults && this.#dice.chance(0.08)));
    const keys = [...this.#stored];
    const looks = keys.map((key): KeyLook => {
      const { signingDomain, dkimSelector } = key;
      return {
        signingDomain,
        dkimSelector,
        negativeTtlSeconds: this.#negativeTtlSeconds,
        perServer: this.#servers.map((server, index) => ({
          server: `ns${index}`,
          sight: SIGHTS[silent.has(server) ? "unknown" : (server.content.get(dkimSelector) ?? "absent")],
          ttlSeconds: this.#ttlSeconds,
        })),
      };
    });
    const turn = nextStep(keys, looks, now);
    // Killed before the changes were on disk: the look is lost, and with it what only it could have told.
    if (faults && this.#dice.chance(0.1)) return turn;
    this.#store(turn);
    if (turn.step.action === "trouble") this.troubles += 1;
    // Killed before anything was done.
    if (faults && this.#dice.chance(0.1)) return turn;
    this.#sign(silent, turn);
    for (const { action, key } of [turn.step, ...turn.others]) {
      if (key === undefined || (faults && this.#dice.chance(0.2))) continue;
      this.#do(action, key.dkimSelector);
    }
    return turn;
  }

  #store({ changes }: Turn): void {
    for (const { before, after } of changes) {
      const index = this.#stored.indexOf(before);
      must(index >= 0, "a change of what is stored");
      must(after.publicKey === before.publicKey, "a key became another");
      must(after.sealed === before.sealed, "a private half is lost");
      if (after.state === "revoked" && before.state !== "revoked")
        this.#revokedAt.set(after.dkimSelector, this.#now);
      this.#stored[index] = after;
    }
  }

  #sign(silent: ReadonlySet<ServerCopy>, { step }: Turn): void {
    const signer = signingKey(this.#stored);
    if (signer === undefined) return;
    const { dkimSelector } = signer;
    must(signer.barred === undefined, "a barred key signed");
    for (const server of this.#servers) {
      if (!silent.has(server))
        must(server.content.get(dkimSelector) === "this", "a key that is not published signed");
    }
    if (step.action === "sign-with" && step.key !== undefined && sameKeyName(step.key, signer)) {
      this.switches += 1;
      if (this.#stored.some((key) => key.createdAt > signer.createdAt)) this.fallbacks += 1;
      must(silent.size === 0, "a switch without a word of every name server");
      const since = signer.sighting.everywhereSince!.getTime();
      must(since + 1000 * this.#negativeTtlSeconds <= this.#now, "a switch before its time");
      for (const server of this.#servers) {
        const { goodSince } = server;
        // Away and back between two looks: nobody could have known.
        if (goodSince.get(dkimSelector)! > since) continue;
        const cachedUntil = goodSince.get(dkimSelector)! + 1000 * this.#negativeTtlSeconds;
        must(cachedUntil <= this.#now, "a cache may hold that the key does not exist");
      }
    }
    this.#signedAt.set(dkimSelector, this.#now);
    this.signatures += 1;
  }

  /** What a provider does, or a person who is told to. */
  #do(action: Turn["step"]["action"], selector: string): void {
    const key = this.#stored.find((each) => each.dkimSelector === selector)!;
    const stands = this.#primary.get(selector) ?? "absent";
    switch (action) {
      case "publish":
        must(key.state === "prepared" || key.state === "published", "publishes what was there");
        // The provider compares before it swaps: what somebody wrote a moment ago stays.
        if (stands === "absent") this.#write(selector, "this");
        return;
      case "revoke":
        must(key.state === "retiring" || key.state === "revoked", "revokes what is in use");
        must(this.#now - (this.#signedAt.get(selector) ?? 0) >= RETIRING_DAYS * DAY, "revoked too early");
        must(signingKey(this.#stored)?.dkimSelector !== selector, "revokes the key that signs");
        if (stands === "this") this.#write(selector, "revoked");
        return;
      case "remove":
        must(this.#now - this.#revokedAt.get(selector)! >= REVOKED_DAYS * DAY, "removed too early");
        if (stands === "revoked") this.#write(selector, "absent");
        return;
      default:
        return;
    }
  }

  /** All is well from now on: people take away what stands in the way, and the domain gets where it should be. */
  #heal(): void {
    for (const server of this.#servers) server.stuckUntil = 0;
    for (const [selector, content] of this.#primary) if (content === "other") this.#write(selector, "absent");
    for (const key of this.#stored) {
      // Nobody brings a key back by hand any more that is to go.
      if (key.state === "removed") this.#write(key.dkimSelector, "absent");
    }
    let turn: Turn | undefined;
    for (let count = 0; count < 150; count++) {
      turn = this.#turn({ faults: false });
      if (turn.step.action === "done" && turn.changes.length === 0) break;
      const until = turn.step.until?.getTime() ?? 0;
      this.#advance(until > this.#now ? until - this.#now : 2 * HOUR);
    }
    expect(turn!.step.reason).toMatch(/nothing else is under way/);
    const newest = this.#stored.at(-1)!;
    expect(signingKey(this.#stored)).toBe(newest);
    expect(this.#stored.slice(0, -1).map(({ state }) => state)).toEqual(
      this.#stored.slice(1).map(() => "removed"),
    );
    expect(this.#stored.map(({ sealed }) => sealed)).toEqual(
      POOL.slice(0, this.#stored.length).map(({ sealed }) => sealed),
    );
    this.#sign(new Set(), turn!);
  }
}

describe("ten thousand lives", () => {
  it("sign with no key that is not published, lose none, and come to rest", () => {
    const sums = { signatures: 0, switches: 0, troubles: 0, fallbacks: 0 };
    for (let seed = 0; seed < 10_000; seed++) {
      const life = new Life(seed);
      try {
        life.run();
      } catch (error) {
        throw new Error(`life ${seed}: ${(error as Error).message}`, { cause: error });
      }
      for (const name of ["signatures", "switches", "troubles", "fallbacks"] as const)
        sums[name] += life[name];
    }
    // The faults do happen, and signing goes on between them.
    expect(sums.signatures).toBeGreaterThan(100_000);
    expect(sums.switches).toBeGreaterThan(20_000);
    expect(sums.troubles).toBeGreaterThan(10_000);
    expect(sums.fallbacks).toBeGreaterThan(100);
  }, 300_000);
});
