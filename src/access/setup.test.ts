import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { memoryAccessStore } from "../../test/support/memory-access-store.ts";
import { openSetup, setUp } from "./setup.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const given = { name: "Root", password: "a long and quiet evening" };
const random = (count: number) => randomBytes(count);

describe("the link for the first administrator", () => {
  it("works once, for one of those who come at once", async () => {
    const store = memoryAccessStore();
    const { secret, link } = (await openSetup(store, NOW, random))!;
    const both = await Promise.all([1, 2].map(() => setUp({ ...given, secret }, link, NOW, random, store)));
    expect(both.map(({ status }) => status).sort()).toEqual(["closed", "made"]);
    expect((await store.users()).map(({ name, role }) => [name, role])).toEqual([["root", "administrator"]]);
    expect(await openSetup(store, NOW, random)).toBeUndefined();
    expect(store.dump()).not.toContain(secret);
  });

  it.each<[change: object, later: number, status: string, reason: string]>([
    [{ secret: `zpl_${"A".repeat(43)}` }, 0, "closed", "another secret"],
    [{ secret: "" }, 0, "closed", "none"],
    [{}, 3_600_000, "closed", "an hour later"],
    [{ password: "short" }, 0, "refused", "a password that is none"],
    [{ name: "a b" }, 0, "refused", "a name that is none"],
  ])("%j after %i ms → %s (%s)", async (change, later, status) => {
    const store = memoryAccessStore();
    const { secret, link } = (await openSetup(store, NOW, random))!;
    const at = new Date(NOW.getTime() + later);
    const result = await setUp({ ...given, secret, ...change }, link, at, random, store);
    expect(result.status).toBe(status);
    expect(await store.countUsers()).toBe(0);
  });
});
