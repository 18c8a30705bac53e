/** Selectors from templates. */
import { describe, expect, it } from "vitest";
import { DATED_SELECTOR, selectorFromTemplate } from "./selector.ts";

const NOW = new Date("2026-11-30T23:59:59Z");

describe("a selector from its template", () => {
  it.each<[template: string, taken: readonly string[], selector: string | RegExp, reason: string]>([
    ["default", [], "default", "the usual word"],
    ["dkim", ["default"], "dkim", "another is taken"],
    [DATED_SELECTOR, [], "202611", "year and month, in UTC"],
    [DATED_SELECTOR, ["202611"], "202611-2", "a second one in the same month"],
    [DATED_SELECTOR, ["202611", "202611-2", "202611-4"], "202611-3", "the first that is free"],
    ["default", ["default"], "default-2", "words are never used twice either"],
    ["Mail-{yyyy}{mm}{dd}", [], "mail-20261130", "with a day"],
    ["{yyyy}.berlin", [], "2026.berlin", "dots part labels"],
    ["{year}", [], /has \{year\}; it may have/, "an unknown field"],
    ["s{yyyy", [], /has \{yyyy;/, "a brace that never closes"],
    ["default._domainkey", [], /is an owner name/, "a selector alone"],
    ["a b", [], /is no selector/, "a blank"],
    ["", [], /is empty/, "nothing"],
    ["x".repeat(63), ["x".repeat(63)], /at most 63/, "no room for -2"],
  ])("%j with %j taken → %s (%s)", (template, taken, selector) => {
    const made = selectorFromTemplate(template, NOW, (each) => taken.includes(each));
    if (typeof selector === "string") expect(made).toEqual({ ok: true, value: selector });
    else expect(made).toEqual({ ok: false, problem: expect.stringMatching(selector) });
  });

  it("gives up where everything is taken", () => {
    expect(selectorFromTemplate("dkim", NOW, () => true)).toMatchObject({ ok: false });
  });
});
