import { describe, expect, it } from "vitest";
import { a, aaaa, cname, ptr, type Table, tableResolver } from "../../../test/support/table-resolver.ts";
import { parseAddress } from "../dns/address.ts";
import { evaluateIprev, type IprevOutcome } from "./iprev.ts";

const REVERSE = "1.2.0.192.in-addr.arpa";
const REVERSE6 = `1.${"0.".repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`;

async function iprev(address: string, table: Table) {
  const parsed = parseAddress(address);
  if (!parsed.ok) throw new TypeError(parsed.problem);
  const resolver = tableResolver(table);
  return { outcome: await evaluateIprev(parsed.value, resolver), asked: resolver.asked };
}

const many = Array.from({ length: 12 }, (_, at) => `h${at}.example.org`);

describe("evaluateIprev", () => {
  it.each<[string, Table, IprevOutcome["result"], string[], string | undefined, string]>([
    [
      "192.0.2.1",
      { [REVERSE]: [ptr("mail.example.org")], "mail.example.org": [a("192.0.2.9"), a("192.0.2.1")] },
      "pass",
      ["mail.example.org"],
      undefined,
      "one of its addresses",
    ],
    [
      "::ffff:192.0.2.1",
      { [REVERSE]: [ptr("mail.example.org")], "mail.example.org": [a("192.0.2.1")] },
      "pass",
      ["mail.example.org"],
      undefined,
      "an IPv4 address on an IPv6 socket",
    ],
    [
      "2001:db8::1",
      { [REVERSE6]: [ptr("mail.example.org")], "mail.example.org": [aaaa("2001:db8::1")] },
      "pass",
      ["mail.example.org"],
      undefined,
      "the other family",
    ],
    [
      "192.0.2.1",
      {
        [REVERSE]: [cname("1.in.example.org")],
        "1.in.example.org": [ptr("mail.example.org")],
        "mail.example.org": [a("192.0.2.1")],
      },
      "pass",
      ["mail.example.org"],
      undefined,
      "a reverse zone delegated by alias",
    ],
    [
      "192.0.2.1",
      {
        [REVERSE]: [ptr("a.example.org"), ptr("b.example.org"), ptr("c.example.org"), ptr(".")],
        "a.example.org": [a("192.0.2.9")],
        "b.example.org": "servfail",
        "c.example.org": [a("192.0.2.1")],
      },
      "pass",
      ["c.example.org", "a.example.org", "b.example.org", "."],
      undefined,
      "one that leads back comes first; what fails beside it does not matter",
    ],
    [
      "192.0.2.1",
      { [REVERSE]: [ptr("mail.example.org")], "mail.example.org": [a("192.0.2.9")] },
      "fail",
      ["mail.example.org"],
      "mail.example.org does not lead back to 192.0.2.1",
      "another address",
    ],
    [
      "192.0.2.1",
      { [REVERSE]: [ptr("mail.example.org")], "mail.example.org": [aaaa("2001:db8::1")] },
      "fail",
      ["mail.example.org"],
      "mail.example.org does not lead back to 192.0.2.1",
      "no address of that family (§2.7.3)",
    ],
    [
      "192.0.2.1",
      { [REVERSE]: many.map(ptr), "h11.example.org": [a("192.0.2.1")] },
      "fail",
      many.slice(0, 10),
      "of its many names, the first 10 do not lead back to 192.0.2.1",
      "no more than ten are asked for",
    ],
    [
      "192.0.2.1",
      { [REVERSE]: [ptr("a.example.org"), ptr("b.example.org")], "b.example.org": "timeout" },
      "temperror",
      ["a.example.org", "b.example.org"],
      "b.example.org A could not be looked up (timeout): the table fails b.example.org. with timeout",
      "could not tell",
    ],
    [
      "192.0.2.1",
      { [REVERSE]: "servfail" },
      "temperror",
      [],
      `the names of 192.0.2.1 could not be looked up (servfail): the table fails ${REVERSE}. with servfail`,
      "could not tell",
    ],
    ["192.0.2.1", {}, "permerror", [], "192.0.2.1 has no name (PTR)", "no name"],
    [
      "192.0.2.1",
      { [REVERSE]: [a("192.0.2.1")] },
      "permerror",
      [],
      "192.0.2.1 has no name (PTR)",
      "no PTR there",
    ],
  ])("%s with %j", async (address, table, result, names, problem, reason) => {
    const { outcome, asked } = await iprev(address, table);
    expect({ reason, ...outcome }).toEqual({ reason, result, names, problem });
    expect(asked.length).toBeLessThanOrEqual(11);
  });
});
