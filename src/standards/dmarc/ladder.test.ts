import { expect, it } from "vitest";
import { type LadderPosition, nextDmarcStep, remarkOnHaste } from "./ladder.ts";

const START = new Date("2026-03-01T00:00:00Z");
const day = (count: number) => new Date(START.getTime() + count * 86_400_000);

it.each<[LadderPosition["policy"], boolean, number, string | undefined, boolean, RegExp]>([
  ["none", true, 29, "quarantine", false, /until 2026-03-31/],
  ["none", true, 30, "quarantine", true, /go to p=quarantine/],
  ["quarantine", false, 29, "reject", false, /until 2026-03-31/],
  ["quarantine", false, 30, "reject", true, /go to p=reject/],
  ["quarantine", true, 300, undefined, false, /should not publish reject/],
  ["reject", true, 5, undefined, false, /go back to quarantine/],
  ["reject", false, 5, undefined, false, /never rely on SPF alone/],
])(
  "p=%s, ordinary users %s, after %i days: %s, due %s",
  (policy, hasOrdinaryUsers, days, next, isDue, advice) => {
    const step = nextDmarcStep({ policy, since: START, hasOrdinaryUsers }, day(days));
    expect(step).toMatchObject({ next, isDue, advice: expect.stringMatching(advice) });
    expect(step.notBefore).toEqual(next === undefined ? undefined : day(30));
  },
);

it.each([
  ["reject", START, 29, true],
  ["reject", START, 30, false],
  ["quarantine", undefined, 300, true],
  ["none", undefined, 0, false],
] as const)("R72: p=%s with reports since %s, %i days later, is hasty: %s", (policy, since, days, hasty) => {
  expect(remarkOnHaste(policy, since, day(days))?.code).toBe(hasty ? "dmarc-policy-too-early" : undefined);
});
