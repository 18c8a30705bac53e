import { describe, expect, it } from "vitest";
import { optionsOf } from "../../test/support/healthy-world.ts";
import { ALONE } from "../../test/support/holders.ts";
import { type MemoryProvider, memoryProvider, memoryStore } from "../../test/support/memory-provider.ts";
import { fc } from "../../test/support/random-inputs.ts";
import { domainName } from "../standards/dns/name.ts";
import { type ApplyOptions, type ApplyTools, applyPlan, applyUndo, planUndo, recover } from "./apply.ts";
import { planChanges, wantedIn } from "./plan.ts";
import type { Rrset } from "./provider.ts";
import type { PublishStore } from "./publish-store.ts";
import { rrsetKey, sameRrset } from "./rrset.ts";

const ZONE = domainName("example.org");
const DESCRIPTION = `servers:
  - host: mail.example.org
    addresses: [192.0.2.25]
domains:
  - domain: example.org
    dmarc: { policy: quarantine }
    clientSetup: false
`;
const BASE = `example.org. SOA ns1.example.net. hostmaster.example.org. 1 7200 900 1209600 300
example.org. NS ns1.example.net.
example.org. A 192.0.2.80
example.org. TXT "some-site-verification=123"
example.org. TXT "v=spf1 include:_spf.example.net -all"`;
const OPTIONS: ApplyOptions = { allow: [], noWait: true, lookSeconds: 1 };

interface Setup {
  readonly provider: MemoryProvider;
  readonly store: PublishStore;
  readonly tools: ApplyTools;
  readonly slept: number[];
}

function setUp(zone = BASE, store: PublishStore = memoryStore()): Setup {
  const provider = memoryProvider(zone);
  const slept: number[] = [];
  let ids = 0;
  return {
    provider,
    store,
    slept,
    tools: {
      provider,
      store,
      see: async (name, type) => [
        { server: "ns1", data: provider.rrsets.get(rrsetKey({ name, type }))?.data ?? [] },
      ],
      sleep: async (milliseconds) => {
        slept.push(milliseconds);
      },
      now: () => new Date("2026-11-21T12:00:00Z"),
      holders: ALONE,
      newId: () => `apply-${++ids}`,
      onProgress: () => undefined,
    },
  };
}

async function planOf({ provider, store }: Setup, description = DESCRIPTION) {
  const outcome = await provider.readZone(ZONE);
  if (outcome.status !== "read") throw new Error("the zone is not read");
  return planChanges({
    content: outcome.content,
    wanted: wantedIn(ZONE, optionsOf(description).derived!.records, []),
    owned: await store.ownedIn(ZONE),
    capabilities: provider.capabilities,
    negativeTtlSeconds: 300,
  });
}

const state = ({ provider }: Setup) => new Map(provider.rrsets);
function expectSame(x: ReadonlyMap<string, Rrset>, y: ReadonlyMap<string, Rrset>) {
  const differing = [...new Set([...x.keys(), ...y.keys()])].filter(
    (key) => !sameRrset(x.get(key), y.get(key)),
  );
  expect(differing).toEqual([]);
}

describe("an apply", () => {
  it("carries the plan out, sees it, and owns what it made; a second has nothing to do", async () => {
    const setup = setUp();
    expect(await applyPlan(await planOf(setup), OPTIONS, setup.tools)).toEqual({
      status: "done",
      id: "apply-1",
      unseen: [],
    });
    expect(await setup.store.ownedIn(ZONE)).toHaveLength(5);
    expect(await applyPlan(await planOf(setup), OPTIONS, setup.tools)).toEqual({ status: "nothing-to-do" });
    expect(setup.provider.applies).toBe(2);
  });

  it("waits between steps as the plan says, unless told not to", async () => {
    const setup = setUp();
    await applyPlan(await planOf(setup), { ...OPTIONS, noWait: false }, setup.tools);
    expect(setup.slept.filter((each) => each === 30_000)).toHaveLength(10);
    const hasty = setUp();
    await applyPlan(await planOf(hasty), OPTIONS, hasty.tools);
    expect(hasty.slept).not.toContain(30_000);
  });

  it("is blocked by a guard until the user overrides it", async () => {
    const setup = setUp(`${BASE}\nexample.org. MX 10 mx.example.net.`);
    const plan = await planOf(setup);
    expect(await applyPlan(plan, OPTIONS, setup.tools)).toMatchObject({ status: "blocked" });
    expect(setup.provider.applies).toBe(0);
    expect(await applyPlan(plan, { ...OPTIONS, allow: ["foreign-record"] }, setup.tools)).toMatchObject({
      status: "done",
    });
  });

  it("refuses a plan that has grown stale, and changes nothing", async () => {
    const setup = setUp();
    const plan = await planOf(setup);
    const other = memoryProvider(`${BASE}\nexample.org. TXT "another-token=1"`);
    setup.provider.rrsets.clear();
    for (const [key, rrset] of other.rrsets) setup.provider.rrsets.set(key, rrset);
    const before = state(setup);
    expect(await applyPlan(plan, OPTIONS, setup.tools)).toMatchObject({ status: "stale", stepsDone: 0 });
    expectSame(state(setup), before);
    expect(await applyPlan(await planOf(setup), OPTIONS, setup.tools)).toMatchObject({ status: "done" });
  });

  it("says what a name server does not show, as where an update is ignored without a word", async () => {
    const setup = setUp();
    setup.provider.faults.push("ignore");
    const result = await applyPlan(await planOf(setup), OPTIONS, setup.tools);
    expect(result).toMatchObject({ status: "done" });
    expect(result.status === "done" && result.unseen.length).toBeGreaterThan(0);
  });

  it("takes no name server for no sight", async () => {
    const setup = setUp();
    const blind = { ...setup.tools, see: async () => [] };
    const result = await applyPlan(await planOf(setup), OPTIONS, blind);
    expect(result).toMatchObject({
      status: "done",
      unseen: expect.arrayContaining([expect.objectContaining({ data: undefined })]),
    });
  });

  it("lets no second apply to the same zone begin", async () => {
    const setup = setUp();
    const plan = await planOf(setup);
    const tools = { ...setup.tools, newId: () => "other" };
    const slow: ApplyTools = {
      ...setup.tools,
      provider: {
        ...setup.provider,
        apply: async (...args) => {
          expect(await applyPlan(plan, OPTIONS, tools)).toEqual({ status: "busy" });
          return setup.provider.apply(...args);
        },
      },
    };
    expect(await applyPlan(plan, OPTIONS, slow)).toMatchObject({ status: "done" });
  });
});

describe("an apply under way", () => {
  const PATIENT = { ...OPTIONS, noWait: false };

  /** Two steps with five minutes between them, and somebody who acts in these minutes. */
  async function meanwhile(act: (setup: Setup, tools: ApplyTools, at: () => Date) => Promise<void>) {
    const setup = setUp();
    let seconds = 0;
    const at = () => new Date(Date.parse("2026-11-21T12:00:00Z") + 1000 * seconds);
    let acted: Promise<void> | undefined;
    const tools: ApplyTools = {
      ...setup.tools,
      now: at,
      holders: { own: "one", isGone: () => false },
      sleep: async (milliseconds) => {
        seconds += milliseconds / 1000;
        if (seconds <= 100) return;
        acted ??= act(setup, tools, at);
        await acted;
      },
    };
    const result = await applyPlan(await planOf(setup), PATIENT, tools);
    expect(acted).toBeDefined();
    return { setup, result };
  }

  it("holds its zone while it waits, for longer than any hold alone", async () => {
    const { setup, result } = await meanwhile(async ({ store }, tools, at) => {
      const recovery = await recover(ZONE, tools);
      expect(recovery).toMatchObject({ status: "busy" });
      expect((recovery as { until: Date }).until.getTime()).toBeGreaterThan(at().getTime());
      const running = await store.running(ZONE);
      expect(running).toMatchObject({ state: "running", holder: "one", waitsUntil: expect.any(Date) });
    });
    expect(result.status).toBe("done");
    expect((await setup.store.ownedIn(ZONE)).length).toBeGreaterThan(0);
  });

  it("stops where who approved it has lost the right while it waited, and may be begun anew", async () => {
    const setup = setUp();
    let isApproved = true;
    const tools: ApplyTools = {
      ...setup.tools,
      sleep: async (milliseconds) => {
        if (milliseconds === 30_000) isApproved = false;
      },
      isStillApproved: async () => isApproved,
    };
    const plan = await planOf(setup);
    expect(await applyPlan(plan, PATIENT, tools)).toMatchObject({ status: "stopped", stepsDone: 1 });
    expect(setup.provider.applies).toBe(1);
    const stopped = await setup.store.latest(ZONE);
    expect(stopped?.state).toBe("done");
    // What stands there is known to be ours.
    expect(await setup.store.ownedIn(ZONE)).not.toEqual([]);
    const first = await planOf(setup);
    expect(await applyPlan(first, PATIENT, tools)).toMatchObject({ status: "stopped", stepsDone: 0 });
    expect(await applyPlan(first, PATIENT, setup.tools)).toMatchObject({ status: "done" });
  });

  it("stops where somebody took it for dead, and changes nothing more", async () => {
    const { setup, result } = await meanwhile(async (_setup, tools) => {
      const other = { ...tools, holders: { own: "other", isGone: (holder: string) => holder === "one" } };
      expect(await recover(ZONE, other)).toMatchObject({ status: "recovered" });
    });
    expect(result).toEqual({ status: "busy" });
    const calls = setup.provider.applies;
    expect(calls).toBe(1);
  });

  it("has whoever goes on with it wait for the rest of the time", async () => {
    const setup = setUp();
    const dying: ApplyTools = {
      ...setup.tools,
      sleep: async (milliseconds) => {
        if (milliseconds === 30_000) throw new Error("killed");
      },
    };
    await expect(applyPlan(await planOf(setup), PATIENT, dying)).rejects.toThrow("killed");
    const recovery = await recover(ZONE, setup.tools);
    if (recovery.status !== "recovered") throw new Error(recovery.status);
    const { waitsUntil } = recovery.apply;
    expect(waitsUntil).toEqual(new Date("2026-11-21T12:05:00Z"));
    setup.slept.length = 0;
    const options = { ...PATIENT, notBefore: waitsUntil! };
    expect(await applyPlan(await planOf(setup), options, setup.tools)).toMatchObject({ status: "done" });
    expect(setup.slept.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 30_000));
  });
});

describe("an interrupted apply", () => {
  it.each(["before", "half", "after"] as const)(
    "(%s the write): the next run knows the truth and goes on",
    async (fault) => {
      const setup = setUp();
      setup.provider.faults.push(fault);
      expect(await applyPlan(await planOf(setup), OPTIONS, setup.tools)).toMatchObject({
        status: "stopped",
        stepsDone: 0,
      });
      expect(await recover(ZONE, setup.tools)).toEqual({ status: "clean" });
      expect(await applyPlan(await planOf(setup), OPTIONS, setup.tools)).toMatchObject({
        status: expect.stringMatching(/done|nothing/),
      });
      const straight = setUp();
      await applyPlan(await planOf(straight), OPTIONS, straight.tools);
      expectSame(state(setup), state(straight));
      expect((await setup.store.ownedIn(ZONE)).map(({ value }) => value).sort()).toEqual(
        (await straight.store.ownedIn(ZONE)).map(({ value }) => value).sort(),
      );
    },
  );

  it("is recovered where the process died, and cannot be while the zone cannot be read", async () => {
    const setup = setUp();
    const dying: ApplyTools = {
      ...setup.tools,
      provider: {
        ...setup.provider,
        apply: async (...args) => {
          await setup.provider.apply(...args);
          throw new Error("killed");
        },
      },
    };
    await expect(applyPlan(await planOf(setup), OPTIONS, dying)).rejects.toThrow("killed");
    expect(await applyPlan(await planOf(setup), OPTIONS, setup.tools)).toEqual({ status: "busy" });
    setup.provider.isDown = true;
    expect(await recover(ZONE, setup.tools)).toMatchObject({ status: "failed" });
    setup.provider.isDown = false;
    expect(await recover(ZONE, setup.tools)).toMatchObject({ status: "recovered", done: 4, of: 5 });
    expect(await applyPlan(await planOf(setup), OPTIONS, setup.tools)).toMatchObject({ status: "done" });
  });
});

describe("undo", () => {
  async function undo(setup: Setup) {
    const outcome = await setup.provider.readZone(ZONE);
    if (outcome.status !== "read") throw new Error("the zone is not read");
    const plan = planUndo(await setup.store.latestToUndo(ZONE), outcome.content);
    return plan.status === "planned" ? applyUndo(plan, OPTIONS, setup.tools) : plan;
  }

  it("restores what the last apply replaced, and what was ours before", async () => {
    const setup = setUp();
    const before = state(setup);
    await applyPlan(await planOf(setup), OPTIONS, setup.tools);
    expect(await undo(setup)).toMatchObject({ status: "done", unseen: [] });
    expectSame(state(setup), before);
    expect(await setup.store.ownedIn(ZONE)).toEqual([]);
    expect(await undo(setup)).toEqual({ status: "nothing-to-undo" });
  });

  it("takes back one apply after the other", async () => {
    const setup = setUp();
    await applyPlan(await planOf(setup), OPTIONS, setup.tools);
    const middle = state(setup);
    await applyPlan(
      await planOf(setup, DESCRIPTION.replace("192.0.2.25", "192.0.2.44")),
      OPTIONS,
      setup.tools,
    );
    expect(await undo(setup)).toMatchObject({ status: "done" });
    expectSame(state(setup), middle);
    expect(await undo(setup)).toMatchObject({ status: "done" });
    expectSame(state(setup), state(setUp()));
  });

  it("leaves what others have changed since", async () => {
    const setup = setUp();
    await applyPlan(await planOf(setup), OPTIONS, setup.tools);
    const key = `${ZONE} TXT`;
    const apex = setup.provider.rrsets.get(key)!;
    setup.provider.rrsets.set(key, {
      ...apex,
      data: [...apex.data, { type: "TXT", strings: ["new-token=9"] }],
    });
    expect(await undo(setup)).toMatchObject({ status: "done" });
    const texts = setup.provider.rrsets
      .get(key)!
      .data.map((data) => (data.type === "TXT" ? data.strings.join("") : ""));
    expect(texts.sort()).toEqual([
      "new-token=9",
      "some-site-verification=123",
      "v=spf1 include:_spf.example.net -all",
    ]);
  });
});

it("whatever goes wrong and whoever meddles: foreign values stay, and in the end all is published", async () => {
  const fault = fc.constantFrom(
    "before" as const,
    "half" as const,
    "after" as const,
    "kill" as const,
    "meddle" as const,
    "none" as const,
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fault, { maxLength: 8 }),
      fc.constantFrom("192.0.2.25", "192.0.2.44"),
      async (faults, address) => {
        const setup = setUp();
        const description = DESCRIPTION.replace("192.0.2.25", address);
        let tokens = 0;
        const token = () => {
          const key = `${ZONE} TXT`;
          const apex = setup.provider.rrsets.get(key)!;
          setup.provider.rrsets.set(key, {
            ...apex,
            data: [...apex.data, { type: "TXT", strings: [`token-${++tokens}`] }],
          });
        };
        for (const one of [...faults, "none", "none"] as const) {
          await recover(ZONE, setup.tools);
          const plan = await planOf(setup, description);
          if (one === "meddle") token();
          if (one === "before" || one === "half" || one === "after") setup.provider.faults.push(one);
          const tools: ApplyTools =
            one === "kill"
              ? {
                  ...setup.tools,
                  store: { ...setup.store, stepDone: () => Promise.reject(new Error("killed")) },
                }
              : setup.tools;
          await applyPlan(plan, OPTIONS, tools).catch(() => undefined);
          setup.provider.faults.length = 0;
        }
        expect((await planOf(setup, description)).steps).toEqual([]);
        const apex = setup.provider.rrsets.get(`${ZONE} TXT`)!;
        expect(apex.data).toHaveLength(2 + tokens);
        expect(
          apex.data.filter(
            (data) => data.type === "TXT" && data.strings.join("").includes("include:_spf.example.net"),
          ),
        ).toHaveLength(1);
        expect(setup.provider.rrsets.get("example.org A")?.data).toHaveLength(1);
      },
    ),
    { numRuns: 300 },
  );
});
