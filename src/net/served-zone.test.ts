import { describe, expect, it } from "vitest";
import { a, cname, mx, txt } from "../../test/support/table-resolver.ts";
import { RCODES } from "../standards/dns/message.ts";
import { type DomainName, domainName } from "../standards/dns/name.ts";
import { parseRecordType, type Rdata, type ResourceRecord } from "../standards/dns/record.ts";
import { answerFromZones, indexZone } from "./served-zone.ts";

const ns = (target: string): Rdata => ({ type: "NS", target: domainName(target) });
const dname = (target: string): Rdata => ({ type: "DNAME", target: domainName(target) });
const soa: Rdata = {
  type: "SOA",
  primary: domainName("ns.example.org"),
  mailbox: domainName("ns.example.org"),
  serial: 1,
  refreshSeconds: 1,
  retrySeconds: 1,
  expireSeconds: 1,
  minimumSeconds: 60,
};

function zone(
  apex: string,
  rows: Record<string, readonly Rdata[]>,
): [DomainName, ReturnType<typeof indexZone>] {
  const records = Object.entries({ ...rows, [apex]: [soa, ...(rows[apex] ?? [])] }).flatMap(([owner, data]) =>
    data.map((each): ResourceRecord => ({ name: domainName(owner), ttlSeconds: 300, data: each })),
  );
  return [domainName(apex), indexZone({ apex: domainName(apex), records })];
}

const zones = new Map([
  zone("example.org", {
    "example.org": [ns("ns.example.org"), mx(10, "mail.example.org"), mx(20, "mail.example.org")],
    "mail.example.org": [a("192.0.2.1")],
    "www.example.org": [cname("mail.example.org")],
    "out.example.org": [cname("www.example.com")],
    "one.example.org": [cname("two.example.org")],
    "two.example.org": [cname("one.example.org")],
    "a.empty.example.org": [txt("x")],
    "*.example.org": [txt("wild")],
    "*.star.example.org": [cname("mail.example.org")],
    "sub.example.org": [ns("ns.sub.example.org"), ns("ns.example.com")],
    "ns.sub.example.org": [a("192.0.2.53")],
    "old.example.org": [dname("new.example.org")],
    "mail.new.example.org": [a("192.0.2.2")],
    "long.example.org": [dname(`${"x".repeat(60)}.${"y".repeat(60)}.${"z".repeat(60)}.example.org`)],
    "child.example.org": [
      ns("ns.child.example.org"),
      { type: "DS", keyTag: 1, algorithm: 13, digestType: 2, digest: new Uint8Array(32) },
    ],
  }),
  zone("child.example.org", {
    "child.example.org": [ns("ns.child.example.org")],
    "x.child.example.org": [a("192.0.2.3")],
  }),
]);

/** "MX MX" for the types in each section. */
function summary(owner: string, type: string, dnssecOk = false) {
  const reply = answerFromZones(zones, { name: domainName(owner), type: parseRecordType(type)! }, dnssecOk);
  const types = (records: readonly ResourceRecord[]) => records.map(({ data }) => data.type).join(" ");
  return [
    reply.rcode,
    reply.authoritative,
    types(reply.answers),
    types(reply.authorities),
    types(reply.additionals),
  ];
}

const { NOERROR, NXDOMAIN, REFUSED, YXDOMAIN } = RCODES;
const longLabel = "l".repeat(63);

describe("answerFromZones", () => {
  const rows: [string, string, [number, boolean, string, string, string], string][] = [
    ["example.org", "MX", [NOERROR, true, "MX MX", "", ""], "the whole RRset"],
    ["mail.example.org", "MX", [NOERROR, true, "", "SOA", ""], "another type: NODATA"],
    ["www.example.org", "A", [NOERROR, true, "CNAME A", "", ""], "an alias and its end"],
    ["www.example.org", "CNAME", [NOERROR, true, "CNAME", "", ""], "the alias itself"],
    ["www.example.org", "MX", [NOERROR, true, "CNAME", "SOA", ""], "an alias to a name without the type"],
    ["out.example.org", "A", [NOERROR, true, "CNAME", "", ""], "an alias out of our zones"],
    ["one.example.org", "A", [NOERROR, true, "CNAME CNAME", "", ""], "a circle ends"],
    [
      "empty.example.org",
      "TXT",
      [NOERROR, true, "", "SOA", ""],
      "an empty non-terminal exists (RFC 4592 §2.2.2)",
    ],
    ["b.empty.example.org", "TXT", [NXDOMAIN, true, "", "SOA", ""], "and stops the wildcard above it"],
    ["what.ever.example.org", "TXT", [NOERROR, true, "TXT", "", ""], "a wildcard, several labels deep"],
    ["what.ever.example.org", "A", [NOERROR, true, "", "SOA", ""], "a wildcard without the type"],
    ["x.star.example.org", "A", [NOERROR, true, "CNAME A", "", ""], "a wildcard that is an alias"],
    ["x.mail.example.org", "TXT", [NXDOMAIN, true, "", "SOA", ""], "no wildcard below a name that exists"],
    ["x.sub.example.org", "A", [NOERROR, false, "", "NS NS", "A"], "a referral with glue"],
    ["sub.example.org", "NS", [NOERROR, false, "", "NS NS", "A"], "NS at the cut is the child's"],
    ["sub.example.org", "DS", [NOERROR, true, "", "SOA", ""], "no DS: the parent says so"],
    [
      "child.example.org",
      "DS",
      [NOERROR, true, "DS", "", ""],
      "DS from the parent, though we serve the child",
    ],
    ["x.child.example.org", "A", [NOERROR, true, "A", "", ""], "the deepest zone answers"],
    ["mail.old.example.org", "A", [NOERROR, true, "DNAME CNAME A", "", ""], "DNAME makes a CNAME (RFC 6672)"],
    [
      `${longLabel}.${longLabel}.long.example.org`,
      "A",
      [YXDOMAIN, true, "DNAME", "", ""],
      "a DNAME that makes too long a name",
    ],
    ["example.org", "ANY", [NOERROR, true, "SOA", "", ""], "ANY gets one RRset (RFC 8482)"],
    ["example.com", "A", [REFUSED, false, "", "", ""], "not ours"],
  ];
  it.each(rows)("%s %s is %j: %s", (owner, type, expected) => {
    expect(summary(owner, type)).toEqual(expected);
  });

  it("gives wildcard records the name that was asked", () => {
    const { answers } = answerFromZones(zones, { name: domainName("x.example.org"), type: "TXT" }, false);
    expect(answers.map(({ name }) => name)).toEqual(["x.example.org"]);
  });

  it("refuses zones that cannot be served", () => {
    const stray = { name: domainName("example.com"), ttlSeconds: 1, data: a("192.0.2.1") };
    expect(() => indexZone({ apex: domainName("example.org"), records: [stray] })).toThrow("outside");
    expect(() => indexZone({ apex: domainName("example.org"), records: [] })).toThrow("no SOA");
  });
});
