import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { cname, type Table, tableResolver } from "../../../test/support/table-resolver.ts";
import { domainName } from "../dns/name.ts";
import { allowsIssuer, type CaaRequest, evaluateCaa } from "./evaluate.ts";
import { explainCaa } from "./explain.ts";
import { lookupRelevantCaa } from "./lookup.ts";
import { type CaaData, formatCaaText, formatIssueValue, parseCaaText, readCaaProperty } from "./record.ts";
import { remarksOnCaaSet, remarksOnCaaText } from "./remarks.ts";

const caa = (text: string): CaaData => {
  const parsed = parseCaaText(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
};
const LE = domainName("letsencrypt.org");

describe("parseCaaText", () => {
  it.each<[text: string, value: string | undefined, remarks: string[], reason: string]>([
    ['0 issue "letsencrypt.org"', "letsencrypt.org", [], "the usual one"],
    ["0 issue letsencrypt.org", "letsencrypt.org", [], "without quotes"],
    ['0 issue ";"', ";", [], "nobody"],
    ['0 issue ""', "", [], "nobody, too"],
    [
      '0 issue "ca.example; accounturi=https://ca.example/acct/1; validationmethods=dns-01,http-01"',
      "ca.example; accounturi=https://ca.example/acct/1; validationmethods=dns-01,http-01",
      [],
      "RFC 8657",
    ],
    ['128 issue "ca.example"', "ca.example", [], "critical, and known"],
    ['0 issuemail "ca.example"', "ca.example", [], "RFC 9495"],
    ['0 iodef "mailto:security@example.org"', "mailto:security@example.org", [], "reports by mail"],
    ['0 iodef "https://example.org/"', "https://example.org/", [], "reports by web"],
    ['0 iodef "security@example.org"', "security@example.org", ["warning caa-iodef"], "mailto: forgotten"],
    ['0 issue "%%%%%"', "%%%%%", ["error caa-malformed"], "§4.2"],
    [
      '0 issue "https://letsencrypt.org"',
      "https://letsencrypt.org",
      ["error caa-malformed"],
      "a web address",
    ],
    ['0 issue "letsencrypt.org."', "letsencrypt.org.", ["error caa-malformed"], "final dot"],
    ['0 issue "ca.example; a=1;"', "ca.example; a=1;", ["error caa-malformed"], "a semicolon too many"],
    ['0 issue "ca.example;"', "ca.example;", [], "this one is in the grammar"],
    ['0 issue "ca.example a=1"', "ca.example a=1", ["error caa-malformed"], "a semicolon too few"],
    ['0 issue "; a=1"', "; a=1", ["warning caa-parameters-alone"], "no issuer"],
    [
      '0 issue "ca.example; accounturi=https://a.example; accounturi=https://b.example"',
      "ca.example; accounturi=https://a.example; accounturi=https://b.example",
      ["error caa-account"],
      "two accounts",
    ],
    ['0 issue "ca.example; accounturi=12"', "ca.example; accounturi=12", ["error caa-account"], "no URI"],
    [
      '0 issue "ca.example; validationmethods=dns-01,,x"',
      "ca.example; validationmethods=dns-01,,x",
      ["error caa-validation-methods"],
      "an empty method",
    ],
    ['128 tbs "Unknown"', "Unknown", ["error caa-unknown-critical"], "§4.5"],
    ['0 isue "ca.example"', "ca.example", ["warning caa-unknown-tag"], "a slip"],
    ['0 contactemail "a@example.org"', "a@example.org", ["notice caa-other-purpose"], "for other purposes"],
    ['1 issue "ca.example"', "ca.example", ["warning caa-reserved-flags"], "1 is not critical"],
    ['0 Issue "ca.example"', "ca.example", ["notice caa-tag-case"], "tags in lower case"],
    ['0 iodef "a\\"b\\\\\\099"', 'a"b\\c', ["warning caa-iodef"], "escapes"],
    [
      '0 tbs "ü😀"',
      "\u00c3\u00bc\u00f0\u009f\u0098\u0080",
      ["warning caa-unknown-tag"],
      "beyond ASCII: UTF-8",
    ],
    ['0 issue "ca.example', undefined, ["error caa-syntax"], "no closing quote"],
    ['0 issue "ca.example" x', undefined, ["error caa-syntax"], "something behind"],
    ["0 issue ca.example; a=1", undefined, ["error caa-syntax"], "blanks without quotes"],
    ['0 issue "\\9"', undefined, ["error caa-syntax"], "a broken escape"],
    ['256 issue "x"', undefined, ["error caa-syntax"], "no octet"],
    ['0 is-sue "x"', undefined, ["error caa-syntax"], "a hyphen in the tag"],
    ["0 issue", undefined, ["error caa-syntax"], "no value"],
    ["letsencrypt.org", undefined, ["error caa-syntax"], "the value alone"],
  ])("%s", (text, value, remarks, reason) => {
    const parsed = parseCaaText(text);
    expect(parsed.ok ? parsed.value.value : undefined, reason).toBe(value);
    expect(
      remarksOnCaaText(text).map(({ severity, code }) => `${severity} ${code}`),
      reason,
    ).toEqual(remarks);
  });

  it("is the inverse of formatting", () => {
    const octets = fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("latin1"));
    const data = fc.record({
      type: fc.constant("CAA" as const),
      flags: fc.integer({ min: 0, max: 255 }),
      tag: fc.stringMatching(/^[a-z0-9]{1,15}$/),
      value: octets,
    });
    fc.assert(
      fc.property(data, (value) => {
        expect(parseCaaText(formatCaaText(value))).toEqual({ ok: true, value });
      }),
    );
  });

  it("writes values that it reads", () => {
    const parameters = [{ name: "accounturi", value: "https://ca.example/1" }];
    const value = formatIssueValue(LE, parameters);
    expect(readCaaProperty({ type: "CAA", flags: 0, tag: "issue", value })).toMatchObject({
      issuerDomain: LE,
      parameters,
    });
    expect(formatIssueValue(undefined)).toBe(";");
  });
});

describe("allowsIssuer", () => {
  const account = '0 issue "letsencrypt.org; accounturi=https://ca.example/1"';
  const method = '0 issue "letsencrypt.org; validationmethods=dns-01"';
  it.each<[records: string[], request: CaaRequest, allowed: boolean, reason: string]>([
    [[], {}, true, "no restriction"],
    [['0 iodef "mailto:a@example.org"'], {}, true, "iodef alone restricts nothing"],
    [['0 issue "letsencrypt.org"'], {}, true, "named"],
    [['0 issue "LetsEncrypt.org"'], {}, true, "names have no case"],
    [['0 issue "ca.example"'], {}, false, "another one"],
    [['0 issue "ca.example"', '0 issue "letsencrypt.org"'], {}, true, "permissions add up"],
    [['0 issue ";"'], {}, false, "nobody"],
    [['0 issue ";"', '0 issue "letsencrypt.org"'], {}, true, "nobody and somebody is somebody"],
    [['0 issue "%%%%%"'], {}, false, "broken is nobody"],
    [['0 issue "letsencrypt.org"'], { wildcard: true }, true, "issue holds for wildcards"],
    [
      ['0 issue "letsencrypt.org"', '0 issuewild "ca.example"'],
      { wildcard: true },
      false,
      "unless there is issuewild",
    ],
    [
      ['0 issue "ca.example"', '0 issuewild "letsencrypt.org"'],
      { wildcard: true },
      true,
      "which alone counts then",
    ],
    [['0 issuewild ";"'], {}, true, "issuewild does not hold for other names"],
    [['0 issuemail ";"'], {}, true, "nor does issuemail"],
    [['0 issue "letsencrypt.org"', '128 tbs "x"'], {}, false, "unknown and critical"],
    [['0 issue "letsencrypt.org"', '0 tbs "x"'], {}, true, "unknown, not critical"],
    [['128 issue "letsencrypt.org"'], {}, true, "critical, but known"],
    [[account], {}, true, "an account nobody asked for"],
    [[account], { accountUri: "https://ca.example/1" }, true, "the account"],
    [[account], { accountUri: "https://ca.example/2" }, false, "another account"],
    [[method], { validationMethod: "dns-01" }, true, "the method"],
    [[method], { validationMethod: "http-01" }, false, "another method"],
    [['0 issue "letsencrypt.org; accounturi=1"'], {}, false, "no URI: unsatisfiable"],
  ])("%#", (texts, request, allowed, reason) => {
    expect(allowsIssuer(texts.map(caa), LE, request), reason).toBe(allowed);
  });

  it.each([
    [['0 issue "ca.example"'], "only ca.example may issue, not letsencrypt.org"],
    [['0 issue ";"'], "no authority may issue"],
    [['128 tbs "x"'], 'the unknown tag "tbs" is critical, so no authority may issue'],
    [[account.replace("https", "x y")], "no authority may issue"],
  ])("says why: %s", (texts, reason) => {
    expect(evaluateCaa(texts.map(caa), LE)).toMatchObject({ allowed: false, reason });
  });
});

describe("lookupRelevantCaa", () => {
  const table: Table = {
    "example.org": [caa('0 issue "letsencrypt.org"')],
    "own.example.org": [caa('0 issue ";"')],
    "a.b.example.org": [],
    "alias.example.org": [cname("target.example.net")],
    "empty-alias.example.org": [cname("nothing.example.net")],
    "target.example.net": [caa('0 issue "ca.example"')],
    "example.net": [caa('0 issue "other.example"')],
    "nothing.example.net": [],
    "example.com": [],
  };
  it.each([
    ["example.org", "found", "example.org", "at the name"],
    ["own.example.org", "found", "own.example.org", "the nearest"],
    ["a.b.example.org", "found", "example.org", "two levels up"],
    ["*.example.org", "found", "example.org", "wildcards start at the name below"],
    ["alias.example.org", "found", "alias.example.org", "aliases are followed"],
    ["empty-alias.example.org", "found", "example.org", "but nobody climbs from their targets"],
    ["example.com", "absent", undefined, "nowhere"],
  ])("%s", async (name, status, owner, reason) => {
    expect(await lookupRelevantCaa(domainName(name), tableResolver(table)), reason).toMatchObject({
      status,
      ...(owner && { owner }),
    });
  });

  it("never asks the root, and does not take a failure for absence", async () => {
    const resolver = tableResolver(table, { "com CAA": "servfail" });
    expect(await lookupRelevantCaa(domainName("example.com"), resolver)).toMatchObject({ status: "unknown" });
    const all = tableResolver(table);
    await lookupRelevantCaa(domainName("example.com"), all);
    expect(all.asked).toEqual(["example.com CAA", "com CAA"]);
  });
});

describe("remarksOnCaaSet", () => {
  it.each([
    [['0 iodef "mailto:a@example.org"'], ["caa-restricts-nobody"]],
    [['0 issue ";"', '0 issue "ca.example"'], ["caa-nobody-beside-issuer"]],
    [['0 issue ";"', '0 issuewild "ca.example"'], []],
    [[], []],
  ])("%s", (texts, codes) => {
    expect(remarksOnCaaSet(texts.map(caa)).map(({ code }) => code)).toEqual(codes);
  });
});

it("explains flags, tag and value", () => {
  const { terms } = explainCaa('0 issue "letsencrypt.org; validationmethods=dns-01"');
  expect(terms.map(({ text }) => text)).toEqual(["0", "issue", "letsencrypt.org; validationmethods=dns-01"]);
  expect(terms[2]?.meaning).toBe("letsencrypt.org may issue. Only after validation by dns-01.");
});
