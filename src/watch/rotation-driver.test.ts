import { describe, expect, it } from "vitest";
import { testKey } from "../../test/support/dkim-keys.ts";
import type { Action, Step } from "../keys/rotation.ts";
import { domainName } from "../standards/dns/name.ts";
import type { JobOptions } from "./job-queue.ts";
import { type KeyTurn, nextLook, type RotationTools, rotationHandlers } from "./rotation-driver.ts";

const DOMAIN = domainName("example.org");
const NOW = new Date("2026-11-21T12:00:00Z");
const inMinutes = (minutes: number) => new Date(NOW.getTime() + 60_000 * minutes);
const step = (action: Action, until?: Date): Step => ({ action, reason: "", ...(until && { until }) });
const of = (action: Action, selector: string): Step => ({
  ...step(action),
  key: testKey(selector, "2026-01-01T00:00:00Z"),
});
const turnOf = (...steps: Step[]): KeyTurn => ({ steps, isBlind: false });

describe("the next look", () => {
  it.each<[turns: KeyTurn[], minutes: number, reason: string]>([
    [[turnOf(step("done"))], 1440, "all is done: once a day, whether the record is still there"],
    [[turnOf(step("wait", inMinutes(200)))], 200, "caches let go then"],
    [[turnOf(step("wait", inMinutes(-5)))], 1, "the time is over: at once, and not in a circle"],
    [[turnOf(step("wait", inMinutes(9999)))], 1440, "a week to wait: it is looked at every day all the same"],
    [[turnOf(step("wait"))], 15, "servers are waited for"],
    [[turnOf(step("publish"))], 15, "a person is waited for"],
    [[turnOf(step("trouble"), step("wait", inMinutes(30)))], 30, "the sooner of two"],
    [[turnOf(step("done")), turnOf(step("sign-with"))], 1, "the sooner of two algorithms"],
  ])("%# is after %i minutes", (turns, minutes) => {
    expect(nextLook(DOMAIN, turns, NOW)).toEqual(inMinutes(minutes));
  });

  it.each<[blindLooks: number, minutes: number, reason: string]>([
    [0, 15, "nobody could be asked: nothing is done"],
    [1, 30, "a second time"],
    [4, 240, "hours by now"],
    [5, 360, "a time that stays"],
    [2000, 360, "however often"],
  ])("after %i blind ones is %i minutes away or half as long again, by the domain", (blindLooks, minutes) => {
    const blind: KeyTurn = { steps: [step("done")], isBlind: true };
    const names = Array.from({ length: 200 }, (_, at) => domainName(`d${at}.example.org`));
    const waits = names.map(
      (name) => (nextLook(name, [blind], NOW, blindLooks).getTime() - NOW.getTime()) / 60_000,
    );
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(minutes);
    expect(Math.max(...waits)).toBeLessThan(1.5 * minutes);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(0.4 * minutes);
  });
});

describe("a look", () => {
  async function look(
    turns: readonly KeyTurn[] | undefined,
    publish: RotationTools["publish"],
    isLast = false,
    publishes = true,
    blindLooks?: number,
  ) {
    const looks: (Date | undefined)[] = [];
    const payloads: unknown[] = [];
    const checks: Date[] = [];
    const troubles: string[] = [];
    const published: Action[] = [];
    const remembered: unknown[] = [];
    const handlers = rotationHandlers({
      queue: {
        add: async (_kind, payload, options?: JobOptions) => {
          looks.push(options?.runAt);
          payloads.push(payload);
        },
      },
      watch: {
        scheduleSooner: async (times) => {
          for (const { domain, at } of times) {
            expect(domain).toBe(DOMAIN);
            checks.push(at);
          }
        },
      },
      turn: async () => turns,
      publishes: async () => publishes,
      publish: async (domain, one) => {
        expect(domain).toBe(DOMAIN);
        published.push(one.action);
        return publish(domain, one);
      },
      remember: async (domain, troubles) => {
        expect(domain).toBe(DOMAIN);
        remembered.push(troubles.map(({ action, dkimSelector, detail }) => [action, dkimSelector, detail]));
      },
      now: () => NOW,
      onTrouble: (trouble) => troubles.push(trouble),
    });
    const payload = { domain: DOMAIN, ...(blindLooks && { blindLooks }) };
    await handlers["rotation-step"](payload, { id: "1", attempt: 1, isLast });
    return { looks, payloads, checks, troubles, published, remembered };
  }

  it("publishes what is due, has the domain checked, and looks again soon", async () => {
    const { looks, checks, published } = await look([turnOf(step("publish"), step("wait"))], async () => ({
      status: "done",
    }));
    expect([published, checks, looks]).toEqual([["publish"], [NOW], [inMinutes(2)]]);
  });

  it("leaves to people what nobody else can do", async () => {
    const { looks, checks } = await look([turnOf(step("publish"))], async () => ({
      status: "by-hand",
      detail: "nobody holds it",
    }));
    expect([checks, looks]).toEqual([[], [inMinutes(15)]]);
  });

  it("publishes nothing unless somebody has said so", async () => {
    const done = async () => ({ status: "done" }) as const;
    const { published, looks } = await look([turnOf(step("publish"))], done, false, false);
    expect([published, looks]).toEqual([[], [inMinutes(15)]]);
  });

  it("says what went wrong, and tries again later", async () => {
    const trouble = { status: "trouble", detail: "the zone is locked" } as const;
    const { looks, troubles } = await look([turnOf(step("revoke"))], async () => trouble);
    expect([troubles, looks]).toEqual([["revoke : the zone is locked (example.org)"], [inMinutes(15)]]);
  });

  it.each<
    [
      turns: KeyTurn[],
      outcome: Awaited<ReturnType<RotationTools["publish"]>>,
      remembered: unknown[],
      reason: string,
    ]
  >([
    [
      [turnOf(step("publish"))],
      { status: "by-hand", detail: "no provider" },
      [[["publish", "", "no provider"]]],
      "a refusal",
    ],
    [
      [turnOf(step("publish"))],
      { status: "trouble", detail: "locked" },
      [[["publish", "", "locked"]]],
      "a failure",
    ],
    [
      [turnOf(of("revoke", "old"), of("publish", "next")), turnOf(of("publish", "other"))],
      { status: "trouble", detail: "locked" },
      [
        [
          ["revoke", "old", "locked"],
          ["publish", "next", "locked"],
          ["publish", "other", "locked"],
        ],
      ],
      "each step has its own",
    ],
    [[turnOf(step("publish"))], { status: "done" }, [[]], "it has come to an end"],
    [[turnOf(step("done"))], { status: "done" }, [[]], "nothing is to be published any more"],
    [
      [{ steps: [step("wait")], isBlind: true }],
      { status: "done" },
      [],
      "nobody could be asked: it stays as it was",
    ],
  ])("%# leaves %s to the next check", async (turns, outcome, remembered) => {
    expect((await look(turns, async () => outcome)).remembered).toEqual(remembered);
  });

  it("counts how often nobody could be asked, until somebody answers", async () => {
    const blind: KeyTurn = { steps: [step("wait")], isBlind: true };
    const payloadsOf = async (turns: KeyTurn[], blindLooks: number) =>
      (
        await look(
          turns,
          async () => ({ status: "by-hand", detail: "nobody holds it" }),
          false,
          true,
          blindLooks,
        )
      ).payloads;
    expect(await payloadsOf([blind], 0)).toEqual([{ domain: DOMAIN, blindLooks: 1 }]);
    expect(await payloadsOf([blind], 3)).toEqual([{ domain: DOMAIN, blindLooks: 4 }]);
    expect(await payloadsOf([blind, turnOf(step("done"))], 3)).toEqual([{ domain: DOMAIN }]);
  });

  it("ends where there are no keys", async () => {
    expect((await look([], async () => ({ status: "done" }))).looks).toEqual([]);
  });

  it("comes again where others changed the keys, and after the last attempt", async () => {
    expect((await look(undefined, async () => ({ status: "done" }))).looks).toEqual([inMinutes(2)]);
    const last = await look([turnOf(step("done"))], async () => ({ status: "done" }), true);
    expect(last.looks).toEqual([inMinutes(60), inMinutes(1440)]);
  });
});
