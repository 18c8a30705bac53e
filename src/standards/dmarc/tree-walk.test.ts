import { describe, expect, it } from "vitest";
import { a, cname, type Table, tableResolver, txt } from "../../../test/support/table-resolver.ts";
import { domainName } from "../dns/name.ts";
import type { UnknownCause } from "../dns/resolver.ts";
import {
  discoverDmarc,
  discoverDmarcByPublicSuffix,
  organizationalDomainOf,
  treeWalkDomains,
  walkTree,
} from "./tree-walk.ts";

const REJECT = [txt("v=DMARC1; p=reject")];

it.each([
  ["example.org", ["example.org", "org"]],
  ["org", ["org"]],
  ["a.b.c.d.e.f.g", ["a.b.c.d.e.f.g", "b.c.d.e.f.g", "c.d.e.f.g", "d.e.f.g", "e.f.g", "f.g", "g"]],
  [
    "a.b.c.d.e.f.g.h",
    ["a.b.c.d.e.f.g.h", "b.c.d.e.f.g.h", "c.d.e.f.g.h", "d.e.f.g.h", "e.f.g.h", "f.g.h", "g.h", "h"],
  ],
  [
    // RFC 9989 §5.1.8: what lies between is never asked.
    "mail.a.b.c.d.e.f.g.example.com",
    [
      "mail.a.b.c.d.e.f.g.example.com",
      "c.d.e.f.g.example.com",
      "d.e.f.g.example.com",
      "e.f.g.example.com",
      "f.g.example.com",
      "g.example.com",
      "example.com",
      "com",
    ],
  ],
])("treeWalkDomains(%s)", (start, domains) => {
  expect(treeWalkDomains(domainName(start))).toEqual(domains);
});

describe("organizationalDomainOf", () => {
  it.each<[string, Table, string, string]>([
    [
      "a.mail.example.com",
      { "_dmarc.mail.example.com": REJECT, "_dmarc.example.com": REJECT },
      "example.com",
      "the fewest labels",
    ],
    [
      "a.mail.example.com",
      { "_dmarc.mail.example.com": [txt("v=DMARC1; p=none; psd=n")], "_dmarc.example.com": REJECT },
      "mail.example.com",
      "psd=n",
    ],
    [
      "a.mail.example.com",
      { "_dmarc.com": [txt("v=DMARC1; psd=y")] },
      "example.com",
      "one label below psd=y",
    ],
    [
      "bank.example",
      { "_dmarc.bank.example": [txt("v=DMARC1; p=reject; psd=y")] },
      "bank.example",
      "psd=y at the start itself",
    ],
    ["a.example.com", {}, "a.example.com", "nothing found: the start"],
  ])("%s with %j is %s: %s", async (start, table, organization) => {
    const walk = await walkTree(domainName(start), tableResolver(table));
    expect(organizationalDomainOf(walk)).toEqual({ status: "found", domain: organization });
  });

  it("is unknown where a query failed, but not above the psd tag that ends the walk", async () => {
    const start = domainName("a.example.com");
    const failing = { "_dmarc.com TXT": "servfail" as const };
    const open = await walkTree(start, tableResolver({ "_dmarc.example.com": REJECT }, failing));
    expect(organizationalDomainOf(open)).toMatchObject({ status: "unknown", query: { domain: "com" } });
    const table = { "_dmarc.example.com": [txt("v=DMARC1; p=none; psd=n")] };
    const closed = await walkTree(start, tableResolver(table, failing));
    expect(closed.queries.map(({ domain }) => domain)).toEqual(["a.example.com", "example.com"]);
    expect(organizationalDomainOf(closed)).toEqual({ status: "found", domain: "example.com" });
  });
});

describe("discoverDmarc", () => {
  const full = [txt("v=DMARC1; p=reject; sp=quarantine; np=none")];
  it.each<[string, Table, object, string]>([
    [
      "example.org",
      { "_dmarc.example.org": full },
      { where: "author-domain", policyTag: "p", policy: "reject" },
      "its own",
    ],
    [
      "a.example.org",
      { "_dmarc.example.org": full, "a.example.org": [a("192.0.2.1")] },
      { where: "organizational-domain", policyTag: "sp", policy: "quarantine" },
      "a sub-domain",
    ],
    [
      "a.example.org",
      { "_dmarc.example.org": full },
      { policyTag: "np", policy: "none" },
      "one that does not exist",
    ],
    [
      "a.example.org",
      { "_dmarc.example.org": full, "b.a.example.org": [a("192.0.2.1")] },
      { policyTag: "sp" },
      "an empty non-terminal exists",
    ],
    [
      "a.example.org",
      { "_dmarc.example.org": full, "a.example.org": [cname("gone.example")] },
      { policyTag: "sp" },
      "a dangling alias exists",
    ],
    ["a.example.org", { "_dmarc.example.org": REJECT }, { policyTag: "p", policy: "reject" }, "no sp: p"],
    [
      "a.example.org",
      { "_dmarc.example.org": [txt("v=DMARC1; p=reject; t=y")] },
      { policy: "reject", requested: "quarantine" },
      "t=y lowers",
    ],
    [
      "a.b.example.org",
      { "_dmarc.b.example.org": [txt("v=DMARC1; p=none")], "_dmarc.example.org": REJECT },
      { foundAt: "example.org" },
      "what lies between does not count",
    ],
    [
      "x.bank.example",
      { "_dmarc.bank.example": [txt("v=DMARC1; p=reject; sp=none; psd=y")] },
      { where: "public-suffix-domain", policyTag: "sp" },
      "the suffix's own",
    ],
    [
      "example.org",
      { "_dmarc.example.org": [...REJECT, ...full], "_dmarc.org": full },
      { foundAt: "org" },
      "several are none",
    ],
  ])("%s with %j gives %j: %s", async (author, table, expected) => {
    expect(await discoverDmarc(domainName(author), tableResolver(table))).toMatchObject({
      status: "found",
      ...expected,
    });
  });

  it.each<[Table, Record<string, UnknownCause>, string, RegExp]>([
    [{}, {}, "none", /neither a\.example\.org nor/],
    [{ "_dmarc.example.org": [...REJECT, ...REJECT] }, {}, "none", /_dmarc\.example\.org has several/],
    [
      { "_dmarc.a.example.org": [txt("v=DMARC1; p=bad")], "_dmarc.example.org": REJECT },
      {},
      "none",
      /invalid policy/,
    ],
    [
      { "_dmarc.example.org": REJECT },
      { "_dmarc.a.example.org TXT": "timeout" },
      "temperror",
      /_dmarc\.a\.example\.org TXT .*timeout/,
    ],
    [
      { "_dmarc.example.org": full },
      { "a.example.org A": "servfail" },
      "temperror",
      /whether a\.example\.org exists/,
    ],
  ])("%j, failing %j, is %s", async (table, failing, status, why) => {
    const discovery = await discoverDmarc(domainName("a.example.org"), tableResolver(table, failing));
    expect(discovery.status).toBe(status);
    expect(JSON.stringify(discovery)).toMatch(why);
  });

  it("needs no other name once the Author Domain has a record", async () => {
    const failing = { "_dmarc.org TXT": "timeout" as const };
    const discovery = await discoverDmarc(
      domainName("example.org"),
      tableResolver({ "_dmarc.example.org": REJECT }, failing),
    );
    expect(discovery.status).toBe("found");
  });
});

describe("discoverDmarcByPublicSuffix", () => {
  const [author, organization] = [domainName("a.b.example.org"), domainName("example.org")];
  it.each<[Table, object, string]>([
    [{ "_dmarc.a.b.example.org": REJECT }, { status: "found", policyTag: "p" }, "the Author Domain's"],
    [
      { "_dmarc.example.org": [txt("v=DMARC1; p=none; sp=reject; np=none")] },
      { policyTag: "sp", policy: "reject" },
      "np means nothing",
    ],
    [{ "_dmarc.example.org": [txt("v=DMARC1; p=reject; t=y")] }, { policy: "reject" }, "nor does t"],
    [{ "_dmarc.b.example.org": REJECT }, { status: "none" }, "what lies between is not asked"],
    [{ "_dmarc.a.b.example.org": "timeout" }, { status: "temperror" }, "an unknown is not absent"],
  ])("%j → %j: %s", async (table, expected) => {
    expect(await discoverDmarcByPublicSuffix(author, organization, tableResolver(table))).toMatchObject(
      expected,
    );
  });
});
