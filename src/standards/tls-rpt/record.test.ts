import { describe, expect, it } from "vitest";
import { tableResolver, txt } from "../../../test/support/table-resolver.ts";
import { domainName } from "../dns/name.ts";
import { explainTlsRpt } from "./explain.ts";
import { lookupTlsRptRecord } from "./lookup.ts";
import { formatTlsRptRecord, parseTlsRptRecord, remarksOnTlsRpt } from "./record.ts";

const MAIL = "mailto:tls@example.org";
const WEB = "https://reports.example.org/v1/tlsrpt";

describe("parseTlsRptRecord", () => {
  it.each<[text: string, uris: string[] | undefined, remarks: string[], reason: string]>([
    [`v=TLSRPTv1;rua=${MAIL}`, [MAIL], [], "§3.1.1"],
    [`v=TLSRPTv1; rua=${WEB}`, [WEB], [], "§3.1.2"],
    [`v=TLSRPTv1; rua=${MAIL} , ${WEB} ;`, [MAIL, WEB], [], "both, with blanks"],
    [`v=TLSRPTv1; x=1; rua=${MAIL}`, [MAIL], ["notice tls-rpt-unknown-field"], "extensions"],
    [`v=TLSRPTv1; rua=${MAIL}?subject=tls`, [`${MAIL}?subject=tls`], [], "a URI may have ="],
    [`v=TLSRPTv1; rua=${MAIL},http://example.org/`, [MAIL], ["error tls-rpt-uri"], "one of two is usable"],
    [`v=TLSRPTv1; rua=${MAIL}; rua=${WEB}`, [MAIL], ["warning tls-rpt-duplicate-rua"], "rua twice"],
    ["v=TLSRPTv1; rua=tls@example.org", undefined, ["error tls-rpt-uri"], "mailto: forgotten"],
    ["v=TLSRPTv1; rua=mailto:tls", undefined, ["error tls-rpt-uri"], "no domain"],
    ["v=TLSRPTv1; rua=https:example.org", undefined, ["error tls-rpt-uri"], "no authority"],
    [`v=TLSRPTv1; rua=${MAIL}!10m`, undefined, ["error tls-rpt-uri"], "a size limit"],
    ["v=TLSRPTv1; rua=mailto:a b@example.org", undefined, ["error tls-rpt-uri"], "a blank"],
    ["v=TLSRPTv1; rua=", undefined, ["error tls-rpt-uri"], "empty"],
    ["v=TLSRPTv1;", undefined, ["error tls-rpt-rua"], "rua is required"],
    [
      `v=TLSRPTv1; RUA=${WEB}`,
      undefined,
      ["notice tls-rpt-unknown-field", "error tls-rpt-rua"],
      "rua has case",
    ],
    ["v=TLSRPTv1", undefined, ["error tls-rpt-version"], "no separator"],
    [`v=tlsrptv1; rua=${MAIL}`, undefined, ["error tls-rpt-version"], "the version has case"],
    [`rua=${MAIL}; v=TLSRPTv1;`, undefined, ["error tls-rpt-version"], "the version must be first"],
    [`v=TLSRPTv1; rua = ${MAIL}`, undefined, ["error tls-rpt-syntax"], "blanks around ="],
    [`v=TLSRPTv1;; rua=${MAIL}`, undefined, ["error tls-rpt-syntax"], "empty part"],
    [`v=TLSRPTv1; rua=${MAIL}; hello`, undefined, ["error tls-rpt-syntax"], "no value"],
  ])("%j", (text, uris, remarks, reason) => {
    const parsed = parseTlsRptRecord(text);
    expect(parsed.ok ? parsed.value.aggregateUris : undefined, reason).toEqual(uris);
    expect(
      remarksOnTlsRpt(text).map(({ severity, code }) => `${severity} ${code}`),
      reason,
    ).toEqual(remarks);
  });

  it("is the inverse of formatting", () => {
    const record = { aggregateUris: [MAIL, WEB] };
    expect(parseTlsRptRecord(formatTlsRptRecord(record))).toEqual({ ok: true, value: record });
  });
});

describe("lookupTlsRptRecord", () => {
  const resolver = tableResolver(
    {
      "_smtp._tls.one.example": [txt(`v=TLSRPTv1; rua=${MAIL}`), txt("hello")],
      "_smtp._tls.two.example": [txt(`v=TLSRPTv1; rua=${MAIL}`), txt(`v=TLSRPTv1; rua=${WEB}`)],
      "_smtp._tls.bad.example": [txt("v=TLSRPTv1; rua=x")],
      "_smtp._tls.other.example": [txt("hello")],
    },
    { "_smtp._tls.late.example TXT": "servfail" },
  );
  it.each([
    ["one.example", { status: "found", record: { aggregateUris: [MAIL] } }],
    ["two.example", { status: "several" }],
    ["bad.example", { status: "invalid" }],
    ["other.example", { status: "absent", kind: "no-record" }],
    ["none.example", { status: "absent", kind: "nxdomain" }],
    ["late.example", { status: "unknown", cause: "servfail" }],
  ])("%s", async (domain, expected) => {
    expect(await lookupTlsRptRecord(domainName(domain), resolver)).toMatchObject(expected);
  });
});

it("explains each field", () => {
  expect(explainTlsRpt(`v=TLSRPTv1; rua=${MAIL},${WEB}`).terms.map(({ meaning }) => meaning)).toEqual([
    "This TXT record asks senders for daily reports on TLS.",
    `Reports are mailed to tls@example.org. Reports are posted to ${WEB}.`,
  ]);
});
