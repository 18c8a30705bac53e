import { describe, expect, it } from "vitest";
import { fc } from "../../test/support/random-inputs.ts";
import { domainName } from "../standards/dns/name.ts";
import { CheckRate, cachesClear, DEFAULT_SCHEDULE, firstCheck, nextCheck, regularCheck } from "./schedule.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const DOMAIN = domainName("example.org");
const CALM = {
  domain: DOMAIN,
  checkedAt: NOW,
  previousCheckAt: undefined,
  needsConfirmation: false,
  isBlind: false,
  wasBlind: false,
};
const later = (seconds: number) => new Date(NOW.getTime() + 1000 * seconds);
const secondsFrom = (from: Date, to: Date) => (to.getTime() - from.getTime()) / 1000;

describe("regular checks", () => {
  it("of 10,000 domains are spread evenly over the round, wherever they began", () => {
    const { intervalSeconds } = DEFAULT_SCHEDULE;
    const perBin = new Array<number>(60).fill(0);
    for (let at = 0; at < 10_000; at++) {
      const next = regularCheck(domainName(`d${at}.example.net`), NOW, DEFAULT_SCHEDULE);
      const place = (next.getTime() / 1000) % intervalSeconds;
      perBin[Math.floor((place / intervalSeconds) * perBin.length)]! += 1;
    }
    // 167 each on average; six standard deviations of chance.
    for (const count of perBin)
      expect(Math.abs(count - 10_000 / 60)).toBeLessThan(6 * Math.sqrt(10_000 / 60));
  });

  it("come once in a round where each is punctual", () => {
    const first = regularCheck(DOMAIN, NOW, DEFAULT_SCHEDULE);
    const second = regularCheck(DOMAIN, first, DEFAULT_SCHEDULE);
    expect(secondsFrom(first, second)).toBe(DEFAULT_SCHEDULE.intervalSeconds);
  });

  it("of new domains keep to the rate", () => {
    const times = Array.from({ length: 1000 }, (_, at) =>
      secondsFrom(NOW, firstCheck(domainName(`n${at}.example.net`), NOW, 1000, 10)),
    );
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...times)).toBeLessThanOrEqual(100);
    expect(times.filter((time) => time < 50).length).toBeGreaterThan(400);
  });
});

describe("the next check", () => {
  it("is never sooner than allowed, and never later than one and a half rounds", () => {
    const moment = fc.integer({ min: 0, max: 2_000_000 }).map((seconds) => later(seconds - 1_000_000));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 5000 }),
        fc.record({
          previousCheckAt: fc.option(moment, { nil: undefined }),
          needsConfirmation: fc.boolean(),
          isBlind: fc.boolean(),
          wasBlind: fc.boolean(),
          cachesClearAt: moment,
        }),
        fc.record({
          intervalSeconds: fc.integer({ min: 300, max: 86_400 }),
          confirmAfterSeconds: fc.integer({ min: 1, max: 300 }),
          minimumSeconds: fc.integer({ min: 1, max: 120 }),
        }),
        (number, wishes, settings) => {
          const domain = domainName(`d${number}.example.net`);
          const next = nextCheck({ ...wishes, domain, checkedAt: NOW }, settings);
          const seconds = secondsFrom(NOW, next);
          expect(seconds).toBeGreaterThanOrEqual(settings.minimumSeconds);
          expect(seconds).toBeLessThanOrEqual(1.5 * settings.intervalSeconds + 1);
        },
      ),
    );
  });

  it("confirms after five minutes", () => {
    const seconds = secondsFrom(NOW, nextCheck({ ...CALM, needsConfirmation: true }, DEFAULT_SCHEDULE));
    expect(seconds).toBeGreaterThanOrEqual(300);
    expect(seconds).toBeLessThanOrEqual(360);
  });

  it("comes when caches have let go, where that is sooner", () => {
    const cachesClearAt = cachesClear(NOW, 600);
    expect(nextCheck({ ...CALM, cachesClearAt }, DEFAULT_SCHEDULE)).toEqual(later(630));
  });

  it("waits longer each time where nothing can be found out, up to a round", () => {
    const waits: number[] = [];
    let [previous, at]: [Date | undefined, Date] = [undefined, NOW];
    for (let round = 0; round < 10; round++) {
      const outcome = {
        ...CALM,
        checkedAt: at,
        previousCheckAt: previous,
        isBlind: true,
        wasBlind: round > 0,
      };
      const next = nextCheck(outcome, DEFAULT_SCHEDULE);
      waits.push(secondsFrom(at, next));
      [previous, at] = [at, next];
    }
    expect(waits.slice(0, 3).every((wait, n) => n === 0 || wait >= 2 * waits[n - 1]!)).toBe(true);
    expect(waits[0]).toBeLessThanOrEqual(360);
    expect(Math.max(...waits)).toBeLessThanOrEqual(DEFAULT_SCHEDULE.intervalSeconds);
    expect(waits.at(-1)).toBeGreaterThan(DEFAULT_SCHEDULE.intervalSeconds / 2);
  });
});

describe("the rate", () => {
  it("lets through what it says, and saves nothing up", () => {
    const rate = new CheckRate(10, NOW);
    expect(rate.take(100, NOW)).toBe(10);
    expect(rate.take(100, NOW)).toBe(0);
    expect(rate.take(100, later(0.5))).toBe(5);
    expect(rate.take(100, later(3600))).toBe(10);
    rate.giveBack(4);
    expect(rate.take(100, later(3600))).toBe(4);
  });

  it("of less than one a second begins one in time", () => {
    const rate = new CheckRate(0.1, NOW);
    expect([0, 1, 5, 11].map((at) => rate.take(5, later(at)))).toEqual([1, 0, 0, 1]);
  });
});
