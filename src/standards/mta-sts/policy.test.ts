import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { domainName } from "../dns/name.ts";
import { explainPolicy } from "./explain.ts";
import {
  allowsMx,
  formatPolicy,
  type MtaStsPolicy,
  mxMatches,
  parsePolicy,
  policyUrl,
  remarksOnPolicy,
} from "./policy.ts";

const policy = (...lines: string[]) => lines.map((line) => `${line}\r\n`).join("");
const V = "version: STSv1";
const AGE = "max_age: 604800";
const codesOf = (text: string) => remarksOnPolicy(text).map(({ severity, code }) => `${severity} ${code}`);

describe("parsePolicy", () => {
  it.each<[text: string, valid: boolean, remarks: string[], reason: string]>([
    [
      policy(V, "mode: enforce", "mx: mail.example.com", "mx: *.example.net", AGE),
      true,
      [],
      "the example of §3.2",
    ],
    [policy(V, "mode: enforce", "mx: mail.example.com", AGE).trimEnd(), true, [], "no line end at the end"],
    [policy(V, "mode: enforce", "mx: mail.example.com", AGE).replaceAll("\r", ""), true, [], "LF alone"],
    [
      policy("mx:Mail.Example.com  ", "max_age:604800", "mode:\tenforce", "version:STSv1"),
      true,
      [],
      "any order, blanks or none",
    ],
    [policy(V, "mode: none", AGE), true, ["notice mta-sts-mode-none"], "none needs no mx"],
    [
      policy(V, "mode: testing", "mx: a.example", "max_age: 86400"),
      true,
      ["notice mta-sts-mode-testing"],
      "testing",
    ],
    [
      policy(V, "mode: enforce", "mx: a.example", "max_age: 86400"),
      true,
      ["warning mta-sts-max-age-short"],
      "a day",
    ],
    [policy(V, "mode: enforce", "mx: a.example", "max_age: 31557600"), true, [], "a year"],
    [
      policy(V, "mode: enforce", "mx: a.example", AGE, "x-new: über alles"),
      true,
      ["notice mta-sts-policy-unknown-key"],
      "extensions",
    ],
    [
      policy(V, "mode: enforce", "mode: none", "mx: a.example", AGE),
      true,
      ["warning mta-sts-policy-duplicate-key"],
      "the first counts",
    ],
    [
      policy(V, "mode: enforce", "mx: a.example", "mx: A.example", AGE),
      true,
      ["notice mta-sts-duplicate-mx"],
      "mx twice",
    ],
    [
      policy(V, "", "mode: enforce", "mx: a.example", AGE),
      true,
      ["warning mta-sts-policy-empty-line"],
      "empty line",
    ],
    [
      policy(V, "mode: enforce", "mx: a.example"),
      false,
      ["error mta-sts-policy-max-age"],
      "max_age is required",
    ],
    [
      policy(V, "mode: enforce", "mx: a.example", "max_age: 31557601"),
      false,
      ["error mta-sts-policy-max-age"],
      "more than a year",
    ],
    [
      policy(V, "mode: enforce", "mx: a.example", "max_age: -1"),
      false,
      ["error mta-sts-policy-max-age"],
      "negative",
    ],
    [
      policy(V, "mode: enforce", "mx: a.example", "max_age: 1d"),
      false,
      ["error mta-sts-policy-max-age"],
      "a unit",
    ],
    [policy(V, "mx: a.example", AGE), false, ["error mta-sts-policy-mode"], "mode is required"],
    [
      policy(V, "mode: Enforce", "mx: a.example", AGE),
      false,
      ["error mta-sts-policy-mode"],
      "values have case",
    ],
    [
      policy(V, "Mode: enforce", "mx: a.example", AGE),
      false,
      ["error mta-sts-policy-mode", "notice mta-sts-policy-unknown-key"],
      "keys have case",
    ],
    [
      policy("mode: enforce", "mx: a.example", AGE),
      false,
      ["error mta-sts-policy-version"],
      "version is required",
    ],
    [
      policy("version: STSv2", "mode: enforce", "mx: a.example", AGE),
      false,
      ["error mta-sts-policy-version"],
      "another version",
    ],
    [policy(V, "mode: enforce", AGE), false, ["error mta-sts-policy-no-mx"], "enforce without mx"],
    [policy(V, "mode: enforce", "mx: 192.0.2.1", AGE), false, ["error mta-sts-policy-mx"], "an address"],
    [
      policy(V, "mode: enforce", "mx: mail.example.com.", AGE),
      false,
      ["error mta-sts-policy-mx"],
      "final dot",
    ],
    [
      policy(V, "mode: enforce", "mx: .example.com", AGE),
      false,
      ["error mta-sts-policy-mx"],
      "the form of old drafts",
    ],
    [
      policy(V, "mode: enforce", "mx: mx*.example.com", AGE),
      false,
      ["error mta-sts-policy-mx"],
      "part of a label",
    ],
    [policy(V, "mode: enforce", "mx: *", AGE), false, ["error mta-sts-policy-mx"], "everything"],
    [policy(V, "mode: enforce", "mx: bücher.example", AGE), false, ["error mta-sts-policy-mx"], "U-label"],
    [
      policy(V, "mode: enforce", "mx: a.example, b.example", AGE),
      false,
      ["error mta-sts-policy-mx"],
      "a list",
    ],
    [
      policy(V, "mode enforce", "mode: enforce", "mx: a.example", AGE),
      false,
      ["error mta-sts-policy-syntax"],
      "no colon",
    ],
    [
      policy(`\ufeff${V}`, "mode: none", AGE),
      false,
      ["error mta-sts-policy-syntax", "error mta-sts-policy-version", "notice mta-sts-mode-none"],
      "byte order mark",
    ],
    [
      "<html>",
      false,
      [
        "error mta-sts-policy-syntax",
        "error mta-sts-policy-version",
        "error mta-sts-policy-mode",
        "error mta-sts-policy-max-age",
      ],
      "a web page",
    ],
    [`${V}\n`.repeat(5000), false, ["error mta-sts-policy-size"], "too large"],
  ])("%#", (text, valid, remarks, reason) => {
    expect(parsePolicy(text).ok, reason).toBe(valid);
    expect(codesOf(text), reason).toEqual(remarks);
  });

  it("is the inverse of formatting", () => {
    const policies = fc.record({
      mode: fc.constantFrom("enforce", "testing", "none"),
      maxAgeSeconds: fc.integer({ min: 0, max: 31_557_600 }),
      mx: fc.array(fc.stringMatching(/^(\*\.)?[a-z]{1,10}\.example$/), { minLength: 1, maxLength: 4 }),
    }) as fc.Arbitrary<MtaStsPolicy>;
    fc.assert(
      fc.property(policies, (value) => {
        expect(parsePolicy(formatPolicy(value))).toEqual({ ok: true, value });
      }),
    );
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(typeof parsePolicy(text).ok).toBe("boolean");
      }),
    );
  });
});

describe("mxMatches", () => {
  it.each([
    ["mx.example.com", "mx.example.com", true, "the name itself"],
    ["MX.Example.com", "mx.example.com", true, "names have no case"],
    ["*.example.com", "mail.example.com", true, "one label"],
    ["mx.example.com", "mx.example.com.attacker.net", false, "not a prefix"],
    ["mx.example.com", "evil-mx.example.com", false, "not a suffix"],
    ["example.com", "mx.example.com", false, "no sub-domains without a wildcard"],
    ["*.example.com", "example.com", false, "not the name without a label"],
    ["*.example.com", "foo.bar.example.com", false, "not two labels"],
    ["*.example.com", "mail.example.com.attacker.net", false, "wildcards are no prefix either"],
    ["*.example.com", "mailexample.com", false, "labels, not letters"],
  ])("%s %s", (pattern, host, expected, reason) => {
    expect(mxMatches(pattern, domainName(host)), reason).toBe(expected);
  });

  it("asks all patterns of a policy", () => {
    const value: MtaStsPolicy = { mode: "enforce", maxAgeSeconds: 1, mx: ["a.example", "*.b.example"] };
    expect(
      ["a.example", "x.b.example", "b.example"].map((host) => allowsMx(value, domainName(host))),
    ).toEqual([true, true, false]);
  });
});

it("knows where the policy is", () => {
  expect(policyUrl(domainName("example.org"))).toBe("https://mta-sts.example.org/.well-known/mta-sts.txt");
});

it("explains each line", () => {
  const { terms } = explainPolicy(policy(V, "mode: testing", "mx: *.example.org", "max_age: 86400"));
  expect(terms.map(({ meaning }) => meaning)).toEqual([
    "The version of the format.",
    "Senders deliver in any case, and report what would have failed.",
    "Mail may go to hosts with exactly one label in front of example.org.",
    "Senders keep the policy for 1 day.",
  ]);
});
