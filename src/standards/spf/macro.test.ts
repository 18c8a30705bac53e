import { describe, expect, it } from "vitest";
import { domainName } from "../dns/name.ts";
import {
  domainSpecOf,
  expandMacros,
  type MacroLetter,
  parseDomainSpec,
  parseMacroString,
  targetName,
} from "./macro.ts";

/** The message of RFC 7208 §7.4. */
const EXAMPLE: Partial<Record<MacroLetter, string>> = {
  s: "strong-bad@email.example.com",
  l: "strong-bad",
  o: "email.example.com",
  d: "email.example.com",
  i: "192.0.2.3",
  v: "in-addr",
  h: "a b&c",
};

function expand(text: string): string {
  const parsed = parseMacroString(text, "explanation");
  if (!parsed.ok) throw new TypeError(parsed.problem);
  return expandMacros(parsed.value, (letter) => EXAMPLE[letter] ?? "?");
}

describe("expandMacros", () => {
  it.each([
    ["%{s}", "strong-bad@email.example.com"],
    ["%{o}", "email.example.com"],
    ["%{d4}", "email.example.com"],
    ["%{d3}", "email.example.com"],
    ["%{d2}", "example.com"],
    ["%{d1}", "com"],
    ["%{dr}", "com.example.email"],
    ["%{d2r}", "example.email"],
    ["%{l}", "strong-bad"],
    ["%{l-}", "strong.bad"],
    ["%{lr}", "strong-bad"],
    ["%{lr-}", "bad.strong"],
    ["%{l1r-}", "strong"],
    ["%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"],
    ["%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"],
    ["%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"],
  ])("RFC 7208 §7.4: %s", (text, expansion) => {
    expect(expand(text)).toBe(expansion);
  });

  it.each([
    ["%%", "%", "a literal percent sign"],
    ["a%_b", "a b", "a space"],
    ["a%-b", "a%20b", "a space for URLs"],
    ["%{D2}", "example.com", "upper case escapes, and dots need none"],
    ["%{H}", "a%20b%26c", "all but unreserved characters are escaped"],
    ["%{d999}", "email.example.com", "more parts than there are"],
    ["%{L1R-}", "strong", "the transformer has no case either"],
  ])("%s is %s: %s", (text, expansion) => {
    expect(expand(text)).toBe(expansion);
  });

  it("escapes characters beyond ASCII octet by octet", () => {
    const spec = parseMacroString("%{L}", "explanation");
    expect(spec.ok && expandMacros(spec.value, () => "é")).toBe("%C3%A9");
  });
});

describe("parseMacroString", () => {
  it.each([
    ["ab%", 2, "a percent sign at the end"],
    ["ab%(ir)", 2, "another bracket"],
    ["%{x}", 0, "no such letter"],
    ["a.%{d0}", 2, "zero parts"],
    ["%{d-r}", 0, "a transformer behind the delimiters"],
    ["%{d", 0, "not closed"],
    ["a b", 1, "a space"],
    ["a\u0000", 1, "a control character"],
    ["aé", 1, "beyond ASCII"],
    ["a.%{c}", 2, "c is for explanations"],
    ["%{R}", 0, "r is for explanations"],
    ["%{t}", 0, "t is for explanations"],
  ])("refuses %j at %i: %s", (text, offset) => {
    expect(parseMacroString(text, "domain")).toMatchObject({ ok: false, offset });
  });

  it("lets explanations have spaces and the letters c, r and t", () => {
    expect(parseMacroString("no mail from %{c} at %{t} for %{r}", "explanation").ok).toBe(true);
  });
});

describe("parseDomainSpec", () => {
  it.each([
    ["example.org", true, "a name"],
    ["example.org.", true, "a final dot"],
    ["_spf.example.org", true, "an underscore"],
    ["example.xn--zckzah", true, "hyphens within the top label"],
    ["%{d}", true, "a macro at the end"],
    ["%{d}.example.org", true, "a macro in front"],
    ["foo:bar/baz.example.org", true, "any visible character in front of the top label"],
    ["%{i}._spf.%{d2}", true, "macros"],
    ["a.b%_", true, "%_ counts as a macro"],
    ["", false, "empty"],
    ["museum", false, "a single label"],
    ["museum.", false, "a final dot does not help"],
    ["192.0.2.1", false, "a numeric top label"],
    ["example.-com", false, "a leading hyphen"],
    ["example.com-", false, "a trailing hyphen"],
    ["example.com:8080", false, "a port"],
    ["%{d}com", false, "no dot in front of the top label"],
    ["a.b%%-", false, "an escaped percent sign and a hyphen, not %-"],
  ])("%j is %s: %s", (text, ok) => {
    expect(parseDomainSpec(text).ok).toBe(ok);
  });
});

describe("targetName", () => {
  it.each([
    ["Example.ORG.", "example.org", "one final dot, no case"],
    ["a..b.org", undefined, "an empty label"],
    [`${"a".repeat(64)}.org`, undefined, "a label of 64"],
    ["", undefined, "nothing"],
    ["a\\b.org", "a\\\\b.org", "a backslash is a character here, not an escape"],
  ])("%j → %j: %s", (text, name, _why) => {
    expect(targetName(text)).toBe(name);
  });

  it("drops labels from the left until 253 characters remain", () => {
    const long = `first.${Array.from({ length: 63 }, () => "abc").join(".")}.x`;
    expect(long.length).toBe(259);
    expect(targetName(long)).toBe(long.slice(6));
  });
});

it.each([
  [`${"b.".repeat(126)}c`, 253, "the longest name"],
  [`a${"b.".repeat(126)}c`, 251, "one character more, and the left label goes"],
])("targetName(%s) keeps %i characters: %s", (text, kept) => {
  expect(targetName(text)).toHaveLength(kept);
});

it("domainSpecOf writes a name that means itself", () => {
  expect(domainSpecOf(domainName("100%.example.org")).text).toBe("100%%.example.org");
});
