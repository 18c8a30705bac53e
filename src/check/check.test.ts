import { describe, expect, it } from "vitest";
import { BROKEN_WORLDS } from "../../test/support/broken-worlds.ts";
import { BARE, DESCRIBED, DOMAIN, HEALTHY } from "../../test/support/healthy-world.ts";
import { tableWorld } from "../../test/support/table-world.ts";
import { checkDomain } from "./check.ts";
import type { Finding } from "./finding.ts";

const isRed = ({ severity }: Finding) => severity !== "ok" && severity !== "notice";
const codes = (findings: readonly Finding[]) => [...new Set(findings.map(({ code }) => code))].sort();

describe("a healthy world", () => {
  it.each([
    ["described", DESCRIBED],
    ["of which nothing is known", BARE],
  ])("%s has no fault", async (_, options) => {
    const { findings } = await checkDomain(DOMAIN, tableWorld({ zone: HEALTHY }), options);
    expect(findings.filter(isRed)).toEqual([]);
    expect(findings.length).toBeGreaterThan(15);
  });
});

describe("one fault", () => {
  it.each(BROKEN_WORLDS)("$why: $red, and nothing else", async ({ domain, rows, options, red, also }) => {
    const { findings } = await checkDomain(domain, tableWorld(rows), options);
    expect(codes(findings.filter(isRed))).toEqual(red);
    expect(codes(findings)).toEqual(expect.arrayContaining([...also]));
  });
});
