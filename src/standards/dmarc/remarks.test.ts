import { describe, expect, it } from "vitest";
import { looksLikeDmarc, remarksOnDmarcText } from "./remarks.ts";

const RUA = "rua=mailto:d@example.org";

describe("remarksOnDmarcText", () => {
  it.each<[string, string[], string]>([
    [`v=DMARC1; p=reject; ${RUA}`, [], "nothing to say"],
    [`v=DMARC1; p=quarantine; ${RUA};`, [], "a trailing separator is legal"],
    [`v = DMARC1 ; p = reject ; ${RUA}`, [], "white space is legal"],
    [
      `v=DMARC1; p=reject; np=reject; sp=quarantine; psd=n; ${RUA}`,
      ["dmarc-weaker-subdomain-policy"],
      "sp weaker",
    ],
    [`v=DMARC1; p=none; ${RUA}`, ["dmarc-policy-none"], "only watches"],
    ["v=DMARC1; p=reject", ["dmarc-rua-missing"], "no reports"],
    [
      `v=DMARC1; p=reject; pct=50; rf=afrf; ri=86400; ${RUA}`,
      new Array(3).fill("dmarc-removed-tag"),
      "R62, R68",
    ],
    [`v=DMARC1; aspf=r; p=reject; ${RUA}`, ["dmarc-p-not-second"], "R64, E10"],
    [`v=DMARC1; p=reject; foo=bar; ${RUA}`, ["dmarc-unknown-tag"], "unknown"],
    [`v=DMARC1; p=reject; t=y; ${RUA}`, ["dmarc-testing"], "in test"],
    [`v=DMARC1; p=reject; fo=1; ${RUA}`, ["dmarc-fo-without-ruf"], "R68"],
    [
      "v=DMARC1; p=none;;; fo=1; rf=afrf; sp=none",
      [
        "dmarc-empty-tags",
        "dmarc-removed-tag",
        "dmarc-policy-none",
        "dmarc-redundant-policy",
        "dmarc-rua-missing",
        "dmarc-fo-without-ruf",
      ],
      "R69, E7",
    ],
    [
      `v=DMARC1; p=reject; sp=none; adkim=s; aspf=s; ${RUA}`,
      ["dmarc-strict-alignment", "dmarc-strict-alignment", "dmarc-weaker-subdomain-policy"],
      "R66",
    ],
    [`v=DMARC1; p=reject; np=none; ${RUA}`, ["dmarc-weaker-subdomain-policy"], "np weaker"],
    [
      `v=DMARC1; p=reject; sp=quarantine; np=quarantine; ${RUA}`,
      ["dmarc-weaker-subdomain-policy", "dmarc-weaker-subdomain-policy"],
      "both weaker",
    ],
    [`v=DMARC1; p=quarantine; sp=reject; np=reject; ${RUA}`, ["dmarc-redundant-policy"], "np follows sp"],
    ["v=DMARC1; p=reject; rua=d@example.org", ["dmarc-invalid-uri"], "R65: mailto missing"],
    ["v=DMARC1; p=reject; rua=https://r.example/x", ["dmarc-not-mailto"], "R65"],
    ["v=DMARC1; p=reject; rua=mailto:d@example.org!10m", ["dmarc-obsolete-size"], "a size limit"],
    ["v=DMARC1; p=reject; rua=", ["dmarc-invalid-uri"], "an empty rua"],
    [`v=DMARC1; ${RUA}`, ["dmarc-policy-missing"], "no policy"],
    [`v=DMARC1; p=rejct; ${RUA}`, ["dmarc-invalid-policy"], "a typing mistake"],
    [`v=DMARC1; p=reject; adkim=strict; ${RUA}`, ["dmarc-invalid-value"], "an invalid value"],
    [
      `v=DMARC1; p=reject; fo=0:1; ${RUA}`,
      ["dmarc-invalid-value", "dmarc-fo-without-ruf"],
      "0 and 1 exclude each other",
    ],
    [`v=DMARC1; p=reject; p=none; ${RUA}`, ["dmarc-duplicate-tag"], "twice"],
    [`v=DMARC1; p:reject; ${RUA}`, ["dmarc-syntax", "dmarc-policy-missing"], "a colon"],
    [`V=DMARC1; p=reject; ${RUA}`, ["dmarc-tag-case"], "a capital V"],
  ])("%s → %j: %s", (text, codes) => {
    expect(remarksOnDmarcText(text).map(({ code }) => code)).toEqual(codes);
  });

  it.each([
    [" v=DMARC1; p=none", "a blank stands in front"],
    ['"v=DMARC1; p=none"', "quotation marks"],
    ["“v=DMARC1; p=none”", "quotation marks"],
    ["\xe2\x80\x9cv=DMARC1; p=none", "quotation marks"],
    ["v=DMARC1\\; p=none", "a backslash"],
    ["v=DMARC1, p=none", "semicolons"],
    ["v=DMARC1 p=none", "a semicolon is missing"],
    ["v:DMARC1; p=none", "not by a colon"],
    ["v=dmarc1; p=none", "case-sensitive"],
    ["p=none; v=DMARC1", "the first tag"],
    ["DMARC1; p=none", "v= is missing"],
    ["v=DMARC2; p=none", "must be written v=DMARC1"],
    ["hello", "does not begin with v=DMARC1"],
  ])("%s is ignored as a whole: %s", (text, why) => {
    expect(remarksOnDmarcText(text)).toEqual([
      expect.objectContaining({
        code: "dmarc-version",
        severity: "error",
        message: expect.stringContaining(why),
      }),
    ]);
  });

  it.each([
    ["v=DMARC1; p=none, sp=none", "with a comma where a semicolon belongs"],
    ["v=DMARC1; p=none sp=none", "with a semicolon missing"],
    ["v=DMARC1; p=”none”", "with quotation marks"],
    ["v=DMARC1; p=none\\; rua=mailto:a@example.org", "with a backslash"],
    ["v=DMARC1; p=none; rua=a@example.org", "write mailto:a@example.org"],
    ["v=DMARC1; p=none; rua=mailto:a@example.org; mailto:b@example.org", "separated by commas"],
    ["v=DMARC1; p:none", 'write "p=none"'],
    ["v=DMARC1; p=none;;; fo=1", '";;;" separates nothing, as if tags were empty: did rua or ruf get lost?'],
  ])("%s: says %s", (text, hint) => {
    const messages = remarksOnDmarcText(text).map(({ message }) => message);
    expect(
      messages.some((message) => message.includes(hint)),
      messages.join("\n"),
    ).toBe(true);
  });

  it("points at the tag", () => {
    const text = "v=DMARC1; p=reject; pct=50; rua=mailto:d@example.org";
    const [removed] = remarksOnDmarcText(text);
    expect(text.slice(removed!.offset, removed!.offset! + removed!.length!)).toBe("pct=50");
  });
});

it.each([
  ["v=DMARC1; p=none", true],
  ["v=dmarc1", true],
  ["v=spf1 -all", false],
  ["mail dmarc-reports to us", false],
])("looksLikeDmarc(%s) is %s", (text, expected) => {
  expect(looksLikeDmarc(text)).toBe(expected);
});
