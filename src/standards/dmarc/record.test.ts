import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import {
  type DmarcRecord,
  formatDmarcRecord,
  inTesting,
  isDmarcRecord,
  MONITORING,
  parseDmarcRecord,
  reportDomain,
} from "./record.ts";

describe("isDmarcRecord", () => {
  it.each([
    ["v=DMARC1; p=none", true, "plain"],
    ["v=DMARC1", true, "the version alone"],
    ["v=DMARC1;", true, "a trailing separator"],
    ["v = DMARC1 ; p = none", true, "white space around = and ;"],
    ["V=DMARC1; p=none", true, "the tag's letter has no case in the grammar"],
    ["v=dmarc1; p=none", false, "the value has"],
    [" v=DMARC1; p=none", false, "a blank in front"],
    ["p=none; v=DMARC1", false, "not first (R63)"],
    ["v=DMARC1 p=none", false, "no separator"],
    ["v=DMARC1, p=none", false, "a comma"],
    ["v=DMARC1\\; p=none", false, "a backslash"],
    ['"v=DMARC1; p=none"', false, "quotation marks"],
    ["v=DMARC10", false, "another version"],
    ["v:DMARC1; p=none", false, "a colon"],
  ])("%j is %s: %s", (text, expected) => {
    expect(isDmarcRecord(text)).toBe(expected);
    expect(parseDmarcRecord(text).ok).toBe(expected);
  });
});

describe("parseDmarcRecord", () => {
  it.each<[string, Partial<DmarcRecord>, string]>([
    [
      "v=DMARC1; p=none; rua=mailto:dmarc@example.com",
      { aggregateUris: ["mailto:dmarc@example.com"] },
      "R61",
    ],
    ["v=DMARC1; p=quarantine; pct=100", { policy: "quarantine" }, "R62: removed tags are ignored"],
    [
      "v=DMARC1; p=none;;; fo=1; rf=afrf; sp=none",
      { policy: "none", failureOptions: ["1"], subdomainPolicy: "none" },
      "R69, E7",
    ],
    ["v=DMARC1; aspf=s; p=reject", { spfAlignment: "strict", policy: "reject" }, "R64: any order"],
    ["v=DMARC1; P=Reject; ADKIM=S", { policy: "reject", dkimAlignment: "strict" }, "no case but in DMARC1"],
    [
      "v=DMARC1; p=reject; np=none; t=y; psd=n",
      { policy: "reject", nonexistentPolicy: "none", testing: true, psd: "n" },
      "np, t and psd are tags",
    ],
    ["v=DMARC1; p=none; xyz=1", {}, "unknown tags are ignored"],
    ["v=DMARC1; p=none; adkim=x; t=maybe; psd=?; fo=0:1", {}, "invalid values fall back"],
    ["v=DMARC1; p=none; fo=d:s", { failureOptions: ["d", "s"] }, "several options"],
    ["v=DMARC1; p=none; fo=d:d", {}, "an option twice"],
    ["v=DMARC1; p=none; p=reject", {}, "the first of two"],
    ["v=DMARC1; psd=y", { policy: undefined, psd: "y" }, "no policy, no rua: no DMARC"],
    ["v=DMARC1; p=foo", { policy: undefined }, "an invalid policy likewise"],
    [
      "v=DMARC1; rua=mailto:a@example.org",
      { policy: "none", aggregateUris: ["mailto:a@example.org"] },
      "§4.10.1: no policy but rua",
    ],
    [
      "v=DMARC1; p=reject; sp=foo; rua=mailto:a@example.org",
      { policy: "none", aggregateUris: ["mailto:a@example.org"] },
      "§4.10.1: an invalid sp undoes p too",
    ],
    ["v=DMARC1; p=reject; np=; rua=nobody", { policy: undefined }, "an empty np, and no valid rua"],
    [
      "v=DMARC1; p=none; rua=mailto:a@example.org!10m , https://r.example/x,b@example.org",
      { aggregateUris: ["mailto:a@example.org", "https://r.example/x"] },
      "size limits go, what is no URI goes",
    ],
  ])("%s: %j, %s", (text, expected) => {
    expect(parseDmarcRecord(text)).toEqual({ ok: true, value: { ...MONITORING, ...expected } });
  });
});

describe("formatDmarcRecord", () => {
  it.each<[Partial<DmarcRecord>, string]>([
    [{ aggregateUris: ["mailto:dmarc@example.com"] }, "v=DMARC1; p=none; rua=mailto:dmarc@example.com"],
    [{ policy: "quarantine" }, "v=DMARC1; p=quarantine"],
    [
      {
        policy: "reject",
        subdomainPolicy: "reject",
        dkimAlignment: "strict",
        failureUris: ["mailto:f@example.com"],
        failureOptions: ["1", "d"],
      },
      "v=DMARC1; p=reject; sp=reject; ruf=mailto:f@example.com; fo=1:d; adkim=s",
    ],
    [
      { aggregateUris: ["mailto:a@example.com?subject=a;b,c!"] },
      "v=DMARC1; p=none; rua=mailto:a@example.com?subject=a%3Bb%2Cc%21",
    ],
  ])("%j is %s", (record, text) => {
    expect(formatDmarcRecord({ ...MONITORING, ...record })).toBe(text);
  });

  const policy = fc.constantFrom("none" as const, "quarantine" as const, "reject" as const);
  const optionalPolicy = fc.option(policy, { nil: undefined });
  const mode = fc.constantFrom("relaxed" as const, "strict" as const);
  const uris = fc.array(
    fc
      .tuple(fc.stringMatching(/^[a-z0-9.+-]{1,12}$/), fc.domain())
      .map(([local, domain]) => `mailto:${local}@${domain}`),
    { maxLength: 3 },
  );
  const record: fc.Arbitrary<DmarcRecord> = fc.record({
    policy,
    subdomainPolicy: optionalPolicy,
    nonexistentPolicy: optionalPolicy,
    testing: fc.boolean(),
    psd: fc.constantFrom("y" as const, "n" as const, "u" as const),
    dkimAlignment: mode,
    spfAlignment: mode,
    aggregateUris: uris,
    failureUris: uris,
    failureOptions: fc.subarray(["1" as const, "d" as const, "s" as const], { minLength: 1 }),
  });

  it("parse(format(record)) equals the record, and v and p come first", () => {
    fc.assert(
      fc.property(record, (r) => {
        const text = formatDmarcRecord(r);
        expect(text).toMatch(/^v=DMARC1; p=/);
        expect(parseDmarcRecord(text)).toEqual({ ok: true, value: r });
      }),
    );
  });
});

it("never throws on any text", () => {
  fc.assert(
    fc.property(fc.string(), (tail) => {
      expect(parseDmarcRecord(`v=DMARC1;${tail}`).ok).toBe(true);
    }),
  );
});

it.each([
  ["mailto:a@example.org", "example.org"],
  ["mailto:a@Example.ORG?subject=x", "example.org"],
  ["https://user@r.example:8443/x", "r.example"],
  ["mailto:nobody", undefined],
])("reportDomain(%s) is %s", (uri, domain) => {
  expect(reportDomain(uri)).toBe(domain);
});

it.each([
  ["reject", "quarantine"],
  ["quarantine", "none"],
  ["none", "none"],
] as const)("in testing, %s acts as %s", (policy, acts) => {
  expect(inTesting(policy)).toBe(acts);
});
