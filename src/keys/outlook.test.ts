/** What is ahead of keys: each state that one can be in, alone and beside others. */
import { describe, expect, it } from "vitest";
import { testKey } from "../../test/support/dkim-keys.ts";
import { type DkimKey, inState } from "./key.ts";
import { outlooksOf } from "./outlook.ts";
import { barKey, nextStep } from "./rotation.ts";
import type { KeyLook } from "./sighting.ts";

const day = (days: number) => new Date(Date.parse("2026-11-21T00:00:00Z") + days * 86_400_000);
const DAYS = (at: Date) => Math.round((at.getTime() - day(0).getTime()) / 86_400_000);

const OLD = testKey("old", day(-400).toISOString());
const NEW = testKey("new", day(0).toISOString());
const seen = (key: DkimKey, clear: Date): DkimKey => ({
  ...key,
  sighting: { everywhereSince: day(0), cachesClearAt: clear },
});
const was = (key: DkimKey, state: DkimKey["state"], at: Date) => inState(key, state, at);
const signing = was(was(seen(OLD, day(-390)), "published", day(-399)), "signing", day(-390));
const published = was(seen(NEW, day(1)), "published", day(0));
const retiring = { ...was(signing, "retiring", day(0)), lastSignedAt: day(0) };

/** "revoked@7 mail": not before day 7, and what for. */
const text = (keys: readonly DkimKey[], key: DkimKey) =>
  outlooksOf(keys)
    .find((each) => each.key.dkimSelector === key.dkimSelector)!
    .ahead.map(
      ({ state, condition, earliest }) => `${state}${earliest ? `@${DAYS(earliest)}` : ""} ${condition}`,
    );

const ROAD = ["retiring successor", "revoked mail", "removed taken-away"];

describe("the road ahead", () => {
  it.each<[readonly DkimKey[], DkimKey, readonly string[], string]>([
    [[NEW], NEW, ["published record", "proven caches", "signing newest", ...ROAD], "nothing is published"],
    [[published], published, ["proven@1 caches", "signing@1 newest", ...ROAD], "caches let go on day 1"],
    [
      [was(published, "proven", day(1))],
      published,
      ["signing@1 newest", ...ROAD],
      "it signs at the next look",
    ],
    [[signing], signing, ROAD, "it signs until somebody makes another"],
    [
      [signing, published],
      signing,
      ["retiring@1 successor", "revoked@8 mail", "removed@38 taken-away"],
      "its successor's caches say when",
    ],
    [[signing, NEW], signing, ROAD, "the successor is not published: no times"],
    [[retiring], retiring, ["revoked@7 mail", "removed@37 taken-away"], "seven days after the last mail"],
    [
      [was(retiring, "revoked", day(7))],
      retiring,
      ["removed@37 taken-away"],
      "thirty days say that it is revoked",
    ],
    [[was(retiring, "removed", day(37))], retiring, [], "the end"],
    [[barKey(NEW, "retired", day(0))], NEW, ["removed taken-away"], "it never was in DNS"],
    [
      [barKey(signing, "revoked", day(0))],
      signing,
      ["revoked emptied", "removed taken-away"],
      "revoked at once, whenever its record is emptied",
    ],
    [
      [published, was(testKey("newer", day(0.5).toISOString()), "prepared", day(0.5))],
      published,
      ROAD,
      "only the newest comes to sign",
    ],
  ])("%#: %s", (keys, key, ahead) => {
    expect(text(keys, key)).toEqual(ahead);
  });

  it("has the times that the rotation then keeps", () => {
    const [{ ahead }] = outlooksOf([published]) as [ReturnType<typeof outlooksOf>[number]];
    const { signingDomain, dkimSelector } = published;
    const look: KeyLook = {
      signingDomain,
      dkimSelector,
      perServer: [{ server: "ns1", sight: { kind: "this", text: "" } }],
      negativeTtlSeconds: 3600,
    };
    const at = ahead.find(({ state }) => state === "signing")!.earliest!;
    expect(nextStep([published], [look], new Date(at.getTime() - 1)).step.action).toBe("wait");
    expect(nextStep([published], [look], at).step.action).toBe("sign-with");
  });
});

describe("what was", () => {
  it("is in the order of time, and ends with how it is now", () => {
    const back = was(signing, "published", day(-1));
    expect(outlooksOf([back])[0]!.past.map(({ state }) => state)).toEqual([
      "prepared",
      "signing",
      "published",
    ]);
  });
});
