import { describe, expect, it } from "vitest";
import { anyName, octets } from "../../../test/support/arbitrary-records.ts";
import { fc } from "../../../test/support/random-inputs.ts";
import {
  absolute,
  ancestors,
  type DomainName,
  domainName,
  forDisplay,
  isHostName,
  isWithin,
  labelCount,
  labelsOf,
  labelTexts,
  nameFromLabels,
  parentOf,
  parseDomainName,
  prepend,
  ROOT,
  tryPrepend,
} from "./name.ts";

const label63 = "a".repeat(63);

describe("parseDomainName", () => {
  it.each<[string, string, string]>([
    ["example.org", "example.org", "plain"],
    ["Example.ORG.", "example.org", "folded, without the final dot (RFC 4343 §3)"],
    [".", ".", "the root"],
    ["_dmarc.example.org", "_dmarc.example.org", "underscores are labels like any other"],
    ["*.example.org", "*.example.org", "a wildcard"],
    ["a\\.b.example.org", "a\\.b.example.org", "a dot inside a label"],
    ["\\097bc", "abc", "an escape of a plain letter is that letter"],
    ["\\065", "a", "and is folded"],
    ["a b", "a\\032b", "a blank"],
    ["a\\000\\255", "a\\000\\255", "octets"],
    ["a@b", "a\\@b", "characters that zone text reads otherwise"],
    ["bücher.example", "xn--bcher-kva.example", "A-labels (RFC 5890)"],
    ["BÜCHER。example", "xn--bcher-kva.example", "an ideographic full stop parts labels too (UTS 46)"],
    ["_x.bücher.example", "_x.xn--bcher-kva.example", "an underscored label beside one"],
    [
      `${label63}.${label63}.${label63}.${"a".repeat(61)}`,
      `${label63}.${label63}.${label63}.${"a".repeat(61)}`,
      "255 octets",
    ],
  ])("%s", (text, expected, _why) => {
    expect(parseDomainName(text)).toEqual({ ok: true, value: expected });
  });

  it.each<[string, string, number | undefined, string]>([
    ["", "the name is empty", undefined, "nothing"],
    ["..", "an empty label at character 1", 0, "dots alone"],
    [".example.org", "an empty label at character 1", 0, "a leading dot"],
    ["a..b", "an empty label at character 3", 2, "two dots"],
    [`${label63}a.org`, "a label has 64 octets; 63 are allowed", undefined, "RFC 1035 §2.3.4"],
    [
      `${label63}.${label63}.${label63}.${"a".repeat(62)}`,
      "the name has 256 octets; 255 are allowed",
      undefined,
      "RFC 1035 §2.3.4",
    ],
    ["a\\", "a broken escape at character 2", 1, "nothing behind the backslash"],
    ["a\\25", "a broken escape at character 2", 1, "two digits"],
    ["a\\256", "a broken escape at character 2", 1, "beyond an octet"],
    [
      "xn--a\u{e000}.org",
      '"xn--a\u{e000}.org" is not a valid internationalised domain name',
      undefined,
      "UTS 46 refuses",
    ],
  ])("refuses %j", (text, problem, offset, _why) => {
    expect(parseDomainName(text)).toEqual({ ok: false, problem, ...(offset !== undefined && { offset }) });
  });

  it("any labels become a name and the same labels again, letters folded", () => {
    fc.assert(
      fc.property(fc.array(octets(1, 63), { maxLength: 3 }), (labels) => {
        const name = nameFromLabels(labels);
        if (!name.ok) throw new Error(name.problem);
        const folded = labels.map((label) =>
          label.map((octet) => (octet >= 65 && octet <= 90 ? octet + 32 : octet)),
        );
        expect(labelsOf(name.value)).toEqual(folded);
        expect(parseDomainName(name.value)).toEqual(name);
        expect(parseDomainName(absolute(name.value))).toEqual(name);
        expect(name.value).toMatch(/^[\x21-\x7e]+$/);
      }),
    );
  });

  it("throws only where the caller vouched for the name", () => {
    expect(() => domainName("a..b")).toThrow('"a..b" is not a domain name: an empty label at character 3');
  });
});

describe("the tree", () => {
  it.each<[string, string, boolean, string]>([
    ["example.org", "example.org", true, "the name itself"],
    ["a.b.example.org", "example.org", true, "below"],
    ["example.org", ".", true, "everything is below the root"],
    ["badexample.org", "example.org", false, "a longer label is another name"],
    ["org", "example.org", false, "above"],
    ["x\\.example.org", "example.org", false, "an escaped dot parts no labels"],
    ["x\\\\.example.org", "example.org", true, "the backslash is escaped, the dot is not"],
  ])("%s within %s: %s", (name, ancestor, expected, _why) => {
    expect(isWithin(domainName(name), domainName(ancestor))).toBe(expected);
  });

  it("agrees with the labels, for any two names", () => {
    fc.assert(
      fc.property(anyName, anyName, fc.nat(5), (name, other, depth) => {
        const ancestor = ancestors(name)[depth] ?? other;
        const labels = labelTexts(ancestor);
        const expected =
          labels.join(".") ===
          labelTexts(name)
            .slice(labelCount(name) - labels.length)
            .join(".");
        expect(isWithin(name, ancestor)).toBe(expected && labelCount(name) >= labels.length);
      }),
    );
  });

  it("goes up to the root", () => {
    expect(ancestors(domainName("a\\.b.example.org"))).toEqual([
      "a\\.b.example.org",
      "example.org",
      "org",
      ".",
    ]);
    expect(parentOf(ROOT)).toBeUndefined();
    expect(labelCount(ROOT)).toBe(0);
  });

  it.each<[string, string, string | undefined]>([
    ["_dmarc", "example.org", "_dmarc.example.org"],
    ["a.b", ".", "a.b"],
    ["*", "example.org", "*.example.org"],
    ["_dmarc", `${label63}.${label63}.${label63}.${"a".repeat(61)}`, undefined],
    ["_dmarc", `${label63}.${label63}.${label63}.${"a".repeat(56)}`, undefined],
    [label63, `${label63}.${label63}.${label63}`, undefined],
    ["a..b", "example.org", undefined],
  ])("%s in front of %s", (prefix, name, expected) => {
    expect(tryPrepend(prefix, domainName(name))).toBe(expected);
    if (expected === undefined) expect(() => prepend(prefix, domainName(name))).toThrow(RangeError);
    else expect(prepend(prefix, domainName(name))).toBe(expected);
  });

  it("never makes a name that is too long without saying so", () => {
    fc.assert(
      fc.property(anyName, (name: DomainName) => {
        const made = tryPrepend("_domainkey", name);
        expect(made === undefined).toBe(
          !parseDomainName(name === ROOT ? "_domainkey" : `_domainkey.${name}`).ok,
        );
        if (made !== undefined) expect(prepend("_domainkey", name)).toBe(made);
      }),
    );
  });
});

it.each<[string, boolean, string]>([
  ["mail.example.org", true, "plain"],
  ["1mail.example.org", true, "a digit may come first (RFC 1123 §2.1)"],
  ["xn--bcher-kva.example", true, "an A-label"],
  ["localhost", false, "one label"],
  ["192.0.2.1", false, "the last label is a number"],
  ["-a.example.org", false, "a hyphen first"],
  ["a-.example.org", false, "a hyphen last"],
  ["_dmarc.example.org", false, "an underscore"],
  ["*.example.org", false, "a wildcard"],
  ["a\\.b.example.org", false, "a dot inside a label"],
])("isHostName %s: %s", (name, expected, _why) => {
  expect(isHostName(domainName(name))).toBe(expected);
});

it.each<[string, string]>([
  ["xn--bcher-kva.example", "bücher.example"],
  ["_x.xn--bcher-kva.example", "_x.bücher.example"],
  ["xn--a.example", "xn--a.example"],
  ["example.org", "example.org"],
])("shows %s as %s", (name, expected) => {
  expect(forDisplay(domainName(name))).toBe(expected);
});
