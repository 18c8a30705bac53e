import { describe, expect, it } from "vitest";
import { type Table, tableResolver, txt } from "../../../test/support/table-resolver.ts";
import type { DkimResult } from "../dkim/result.ts";
import { domainName } from "../dns/name.ts";
import type { UnknownCause } from "../dns/resolver.ts";
import type { SpfResult } from "../spf/evaluate.ts";
import { evaluateDmarc } from "./evaluate.ts";

const RELAXED: Table = { "_dmarc.example.org": [txt("v=DMARC1; p=reject")] };
const STRICT: Table = { "_dmarc.example.org": [txt("v=DMARC1; p=reject; adkim=s; aspf=s")] };

interface Row {
  readonly why: string;
  readonly spf?: [SpfResult, string];
  readonly dkim?: [DkimResult, string][];
  readonly table?: Table;
  readonly failing?: Record<string, UnknownCause>;
  readonly result: string;
  readonly disposition?: string;
}

describe("evaluateDmarc", () => {
  it.each<Row>([
    { why: "SPF, identical", spf: ["pass", "example.org"], result: "pass" },
    { why: "SPF, relaxed", spf: ["pass", "bounce.example.org"], result: "pass" },
    { why: "DKIM, relaxed", dkim: [["pass", "mail.example.org"]], result: "pass" },
    {
      why: "one signature of many",
      dkim: [
        ["fail", "example.org"],
        ["pass", "example.org"],
      ],
      result: "pass",
    },
    { why: "another organization", spf: ["pass", "example.net"], result: "fail", disposition: "reject" },
    {
      why: "not passed",
      spf: ["softfail", "example.org"],
      dkim: [["permerror", "example.org"]],
      result: "fail",
      disposition: "reject",
    },
    { why: "nothing to go by", result: "fail", disposition: "reject" },
    { why: "strict and identical", table: STRICT, spf: ["pass", "example.org"], result: "pass" },
    {
      why: "strict and below",
      table: STRICT,
      spf: ["pass", "bounce.example.org"],
      result: "fail",
      disposition: "reject",
    },
    { why: "no DMARC", table: {}, spf: ["pass", "example.org"], result: "none" },
    {
      why: "t=y",
      table: { "_dmarc.example.org": [txt("v=DMARC1; p=reject; t=y")] },
      result: "fail",
      disposition: "quarantine",
    },
    {
      why: "the record is unknown",
      table: { "_dmarc.example.org": "timeout" },
      spf: ["pass", "example.org"],
      result: "temperror",
    },
    {
      why: "an aligned identifier has no result yet",
      spf: ["temperror", "example.org"],
      result: "temperror",
    },
    {
      why: "a stranger's has none, which cannot matter",
      spf: ["temperror", "example.net"],
      result: "fail",
      disposition: "reject",
    },
    {
      why: "whether it aligns is unknown",
      spf: ["pass", "b.example.org"],
      failing: { "_dmarc.b.example.org TXT": "servfail" },
      result: "temperror",
    },
    {
      why: "another one passes all the same",
      spf: ["pass", "b.example.org"],
      dkim: [["pass", "example.org"]],
      failing: { "_dmarc.b.example.org TXT": "servfail" },
      result: "pass",
    },
    {
      why: "an identical name needs no walk",
      spf: ["pass", "example.org"],
      failing: { "_dmarc.org TXT": "timeout" },
      result: "pass",
    },
  ])("$why: $result", async ({ spf, dkim = [], table = RELAXED, failing, result, disposition = "none" }) => {
    const outcome = await evaluateDmarc(
      {
        authorDomain: domainName("example.org"),
        ...(spf === undefined ? {} : { spf: { result: spf[0], domain: domainName(spf[1]) } }),
        dkim: dkim.map(([r, domain]) => ({ result: r, domain: domainName(domain) })),
      },
      tableResolver(table, failing),
    );
    expect({ result: outcome.result, disposition: outcome.disposition }).toEqual({ result, disposition });
    if (result === "none" || result === "temperror") expect(outcome.problem).toBeTypeOf("string");
  });

  it("walks once for each domain, and bounds the signatures", async () => {
    const resolver = tableResolver(RELAXED);
    const dkim = Array.from({ length: 500 }, (_, at) => ({
      result: "pass" as const,
      domain: domainName(`d${at}.example.net`),
    }));
    const twice = [dkim[0]!, ...dkim];
    const outcome = await evaluateDmarc({ authorDomain: domainName("example.org"), dkim: twice }, resolver);
    expect(outcome.identifiers).toHaveLength(20);
    expect(resolver.asked.filter((question) => question === "_dmarc.d0.example.net TXT")).toHaveLength(1);
  });

  it("tells how each identifier aligned", async () => {
    const question = {
      authorDomain: domainName("example.org"),
      spf: { result: "pass" as const, domain: domainName("b.example.org") },
      dkim: [
        { result: "pass" as const, domain: domainName("example.org") },
        { result: "pass" as const, domain: domainName("example.net") },
      ],
    };
    const { identifiers, organizationalDomain } = await evaluateDmarc(question, tableResolver(RELAXED));
    expect(identifiers.map(({ alignment }) => alignment)).toEqual([
      { status: "aligned", by: "relaxed" },
      { status: "aligned", by: "strict" },
      { status: "unaligned" },
    ]);
    expect(organizationalDomain).toBe("example.org");
  });
});
