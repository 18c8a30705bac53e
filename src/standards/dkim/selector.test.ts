import { describe, expect, it } from "vitest";
import { type DomainName, domainName } from "../dns/name.ts";
import { COMMON_DKIM_SELECTORS, dkimOwner, parseDkimSelector, tryDkimOwner } from "./selector.ts";

const selector = (text: string) => {
  const parsed = parseDkimSelector(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
};

describe("parseDkimSelector", () => {
  it.each([
    ["default", true, "the default of most"],
    ["Mail", true, "case does not matter in names"],
    ["march.2026", true, "dots make labels"],
    ["dkim_selector", true, "not in the grammar, but in use (RFC 8460 §3)"],
    ["2026-03", true, "digits first"],
    ["", false, "empty"],
    ["a..b", false, "empty label"],
    ["-a", false, "hyphen in front"],
    ["a b", false, "blank"],
    ["a;b", false, "separator"],
    ["x".repeat(64), false, "label too long"],
    [`${"x".repeat(63)}.`.repeat(4), false, "too long"],
    ["default._domainkey.example.org", false, "the owner name"],
  ])("%s", (text, ok, reason) => {
    expect(parseDkimSelector(text).ok, reason).toBe(ok);
  });
});

describe("dkimOwner", () => {
  it.each([
    ["default", "example.com", "default._domainkey.example.com", "R42"],
    ["dkim", "sub.example.com", "dkim._domainkey.sub.example.com", "R44: a sub-domain has its own keys"],
    ["march.2026", "example.com", "march.2026._domainkey.example.com", "dots stay"],
  ])("%s %s", (name, domain, owner, reason) => {
    expect(dkimOwner(selector(name), domainName(domain)), reason).toBe(owner);
  });

  it("has an answer for names that are too long together", () => {
    const long = Array.from({ length: 4 }, () => "x".repeat(50)).join(".") as DomainName;
    expect(tryDkimOwner(selector(`${"s".repeat(60)}.b`), long)).toBeUndefined();
    expect(tryDkimOwner(selector("s"), long)).toBe(`s._domainkey.${long}`);
  });
});

it("the common selectors are selectors, each once", () => {
  expect(COMMON_DKIM_SELECTORS.map((name) => selector(name))).toEqual([...new Set(COMMON_DKIM_SELECTORS)]);
});
