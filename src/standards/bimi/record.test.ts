import { describe, expect, it } from "vitest";
import { domainName } from "../dns/name.ts";
import { explainBimi } from "./explain.ts";
import {
  type BimiRecord,
  bimiOwner,
  DECLINED,
  formatBimiRecord,
  isDeclined,
  parseBimiRecord,
  remarksOnBimi,
} from "./record.ts";

const LOGO = "https://example.org/logo.svg";
const CERTIFICATE = "https://example.org/logo.pem";
const FULL = `v=BIMI1; l=${LOGO}; a=${CERTIFICATE}`;

describe("parseBimiRecord", () => {
  it.each<[text: string, expected: Partial<BimiRecord> | undefined, remarks: string[], reason: string]>([
    [FULL, { location: LOGO, evidence: CERTIFICATE, avatarPreference: "brand" }, [], "logo and evidence"],
    [`${FULL};`, { location: LOGO }, [], "final semicolon"],
    [`v = BIMI1 ; a=${CERTIFICATE};l = ${LOGO}`, { location: LOGO }, [], "blanks, any order"],
    [
      `${FULL}; avp=personal; lps=true`,
      { avatarPreference: "personal", localPartSelectors: "true" },
      [],
      "later drafts",
    ],
    [`v=BIMI1; l=${LOGO}`, { evidence: undefined }, ["notice bimi-no-evidence"], "a= is optional"],
    [
      `v=BIMI1; l=${LOGO}z; a=`,
      { location: `${LOGO}z` },
      ["notice bimi-no-evidence"],
      "compressed SVG, empty a=",
    ],
    ["v=BIMI1; l=; a=;", DECLINED, ["notice bimi-declined"], "declined"],
    ["v=BIMI1; l=", DECLINED, ["notice bimi-declined"], "declined without a="],
    [
      `v=BIMI1; l=; a=${CERTIFICATE}`,
      { location: undefined },
      ["warning bimi-evidence-alone"],
      "evidence of nothing",
    ],
    [`${FULL}; x=1`, {}, ["notice bimi-unknown-tag"], "unknown tags are ignored"],
    [
      `${FULL}; avp=logo`,
      { avatarPreference: "brand" },
      ["warning bimi-avatar-preference"],
      "unknown preference",
    ],
    [`v=BIMI2; l=${LOGO}`, undefined, ["error bimi-version"], "another version"],
    [`v=bimi1; l=${LOGO}`, undefined, ["error bimi-version"], "the version has case"],
    [`l=${LOGO}; v=BIMI1`, undefined, ["error bimi-version"], "the version must be first"],
    ["v=BIMI1", undefined, ["error bimi-location"], "l= is required"],
    [`v=BIMI1; l=http://example.org/logo.svg; a=${CERTIFICATE}`, undefined, ["error bimi-uri"], "HTTPS only"],
    [
      `v=BIMI1; l=https://localhost/logo.svg; a=${CERTIFICATE}`,
      undefined,
      ["error bimi-uri"],
      "no full name",
    ],
    [`v=BIMI1; l=https://192.0.2.1/logo.svg; a=${CERTIFICATE}`, undefined, ["error bimi-uri"], "an address"],
    [`v=BIMI1; l=${LOGO},${LOGO}; a=${CERTIFICATE}`, undefined, ["error bimi-uri"], "two logos"],
    [`v=BIMI1; l=https://example.org/logo.png; a=${CERTIFICATE}`, undefined, ["error bimi-format"], "no SVG"],
    [
      `v=BIMI1; l=${LOGO}; a=http://example.org/logo.pem`,
      undefined,
      ["error bimi-uri"],
      "evidence over HTTP",
    ],
    [`${FULL}; l=${LOGO}`, undefined, ["error bimi-duplicate-tag"], "a tag twice"],
    [`v=BIMI1;; l=${LOGO}; a=${CERTIFICATE}`, undefined, ["error bimi-syntax"], "empty part"],
    [`${FULL}; hello`, undefined, ["error bimi-syntax"], "no value"],
  ])("%j", (text, expected, remarks, reason) => {
    const parsed = parseBimiRecord(text);
    expect(parsed.ok, reason).toBe(expected !== undefined);
    if (parsed.ok) expect(parsed.value, reason).toMatchObject(expected ?? {});
    expect(
      remarksOnBimi(text).map(({ severity, code }) => `${severity} ${code}`),
      reason,
    ).toEqual(remarks);
  });

  it.each<BimiRecord>([
    DECLINED,
    { ...DECLINED, location: LOGO },
    { location: LOGO, evidence: CERTIFICATE, avatarPreference: "personal", localPartSelectors: "true" },
  ])("is the inverse of formatting: $location", (record) => {
    expect(parseBimiRecord(formatBimiRecord(record))).toEqual({ ok: true, value: record });
  });
});

it("writes the declination as the draft does", () => {
  expect(formatBimiRecord(DECLINED)).toBe("v=BIMI1; l=; a=;");
  expect(isDeclined(DECLINED)).toBe(true);
  expect(isDeclined({ ...DECLINED, location: LOGO })).toBe(false);
});

it("knows the owner name", () => {
  expect(bimiOwner(domainName("example.org"))).toBe("default._bimi.example.org");
  expect(bimiOwner(domainName("example.org"), "brand2")).toBe("brand2._bimi.example.org");
});

it("explains each tag", () => {
  expect(explainBimi("v=BIMI1; l=; a=").terms.map(({ meaning }) => meaning)).toEqual([
    "This TXT record is about the domain's logo.",
    "There is no logo.",
    "There is no evidence for the logo.",
  ]);
});
