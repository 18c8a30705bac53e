import { describe, expect, it } from "vitest";
import { DESCRIBED, HEALTHY, LABORATORY } from "../../test/support/healthy-world.ts";
import { edited, NOW } from "../../test/support/table-world.ts";
import { zoneLine } from "../records/zone-listing.ts";
import { type DomainName, domainName } from "../standards/dns/name.ts";
import type { Finding } from "./finding.ts";
import { lintZoneText } from "./lint.ts";

const SURROUNDINGS = {
  now: NOW,
  options: { dkimSelectors: [], assumePublic: LABORATORY },
  organizationalDomain: (name: DomainName) => domainName(name.split(".").slice(-2).join(".")),
};
const lint = (text: string, origin?: string) =>
  lintZoneText(text, origin === undefined ? undefined : domainName(origin), SURROUNDINGS);
const told = (findings: readonly Finding[]) =>
  findings
    .filter(({ severity }) => severity === "error" || severity === "warning")
    .map(({ code, owner }) => `${code} ${owner}`);

/** What a zone file of example.org holds: nothing of others' names. */
const ZONE_FILE = HEALTHY.split("\n")
  .filter((line) => !/example\.net\. (TXT|MX|A) |\.arpa\. /.test(line))
  .join("\n");

describe("lintZoneText", () => {
  it("finds nothing in a sound zone file", async () => {
    const { findings, unreadable, records, origin } = await lint(ZONE_FILE);
    expect({ unreadable, told: told(findings), origin }).toEqual({
      unreadable: [],
      told: [],
      origin: "example.org",
    });
    expect(records.length).toBeGreaterThan(15);
    expect(findings.every(({ severity }) => severity !== "unknown")).toBe(true);
  });

  it("says where the preference belongs, which document 001 writes in front of the type", async () => {
    const { unreadable } = await lint("example.org. 10 mx mail.example.org.", "example.org");
    expect(unreadable).toEqual([
      {
        line: 1,
        problem: expect.stringMatching(
          /; the preference stands behind the type: MX 10 mail\.example\.org\.$/,
        ),
      },
    ]);
  });

  it("finds nothing in the records that a description derives", async () => {
    const listing = DESCRIBED.derived!.records.map(({ record }) => zoneLine(record)).join("\n");
    const { findings, unreadable } = await lint(listing);
    expect({ unreadable, told: told(findings) }).toEqual({ unreadable: [], told: [] });
  });

  it.each<[string, readonly string[], string, readonly string[]]>([
    [
      "mail.example.org A",
      ["mail.example.org. A 192.168.1.5"],
      "a private address",
      ["address-special mail.example.org"],
    ],
    [
      "example.org MX",
      ["example.org. MX 10 none.example.org."],
      "a host that is not in the zone",
      ["mx-host-no-address none.example.org"],
    ],
    [
      "example.org MX",
      ["example.org. MX 10 mail.example.org.example.org."],
      "a missing final dot",
      ["zone-doubled-name example.org"],
    ],
    [
      "_dmarc.example.org",
      [],
      "no policy",
      ["dmarc-missing _dmarc.example.org", "bimi-without-dmarc default._bimi.example.org"],
    ],
    [
      "example.org TXT",
      ['example.org. TXT "v=spf1 mx +all"'],
      "everybody may send",
      ["spf-pass-all example.org"],
    ],
    [
      "mail.example.org TXT",
      ['mail.example.org. TXT "v=spf1 a ip4:nonsense -all"'],
      "the HELO name's record",
      ["spf-helo-not-covered mail.example.org", "spf-syntax mail.example.org"],
    ],
    [
      "default._domainkey.example.org",
      [
        'x._domainkey.news.example.org. TXT "v=DKIM1; p=AAAA"',
        'default._domainkey.example.org. TXT "v=DKIM1; k=dsa; p=AAAA"',
      ],
      "keys of the domain, and of one below",
      ["dkim-key-type default._domainkey.example.org", "dkim-key-unreadable x._domainkey.news.example.org"],
    ],
    [
      "autoconfig.example.org",
      ["autoconfig.example.org. CNAME mail.example.org.", "autoconfig.example.org. A 192.0.2.1"],
      "a CNAME beside others",
      ["zone-cname-and-other autoconfig.example.org"],
    ],
    [
      "autoconfig.example.org",
      ["autoconfig.example.com. A 192.0.2.1"],
      "a name of another zone",
      ["zone-foreign-owner autoconfig.example.com"],
    ],
    [
      "autoconfig.example.org",
      ["autoconfig.example.org.example.org. A 192.0.2.1"],
      "a doubled owner",
      ["zone-doubled-name autoconfig.example.org.example.org", "zone-doubled-name example.org.example.org"],
    ],
  ])("of a whole zone without %s, with %s: %s", async (without, add, _, expected) => {
    const { findings } = await lint(edited(ZONE_FILE, { without: [without], add }));
    expect(told(findings).toSorted()).toEqual([...expected].sort());
  });

  it.each([
    ['example.org. TXT "v=spf1 mx -all"', "an SPF record alone"],
    ["example.org. MX 10 mail.example.org.", "an MX alone"],
    ["mail.example.org. A 192.0.2.25", "an address alone"],
    ['_dmarc.example.org. TXT "v=DMARC1; p=reject; rua=mailto:a@example.org"', "a policy alone"],
    ["_imaps._tcp.example.org. SRV 0 1 993 mail.example.org.", "a service alone"],
  ])("never misses what a piece of a zone does not hold: %s", async (line) => {
    const { findings } = await lint(line);
    expect(told(findings)).toEqual([]);
    expect(findings.filter(({ code }) => /-missing|-no-/.test(code))).toEqual([]);
  });

  it.each<[string, string | undefined, string]>([
    ["$ORIGIN example.com.\nmail A 192.0.2.1", "example.com", "as the text says"],
    [
      "mail.example.com. A 192.0.2.1\nexample.com. MX 10 mail.example.com.",
      "example.com",
      "what most names have",
    ],
    ["mail A 192.0.2.1", undefined, "nothing to go by"],
    ["2.0.192.in-addr.arpa. NS ns1.example.com.", "example.com", "a reverse zone has the names of another"],
  ])("takes the zone of %j for %s: %s", async (text, origin) => {
    expect((await lint(text)).origin).toBe(origin);
  });

  it("says what lines that are no zone text were meant to be", async () => {
    const { unreadable } = await lint(
      [
        "mx.example.org —(A)–> 1.2.3.4",
        "example.org. TXT “v=spf1 -all”",
        "imap.example.org. A mail.example.org.",
        "fdeb:37d7:ef39:e063 –(PTR)–> mx.example.org",
      ].join("\n"),
      "example.org",
    );
    const problems = unreadable.map(({ line, problem }) => `${line}: ${problem}`).join("\n");
    expect(problems).toMatch(/^3: .*an A record holds an address, not a name/m);
    expect(problems).toMatch(/^4: .*incomplete IPv6 address/m);
  });

  it.each([
    ["one line without end", "a".repeat(2_000_000)],
    ["labels without end", "a.".repeat(500_000)],
    ["blanks without end", `x${" ".repeat(1_000_000)}A`],
    ["parentheses without end", "( ".repeat(200_000)],
    ["groups without end", "1:".repeat(500_000)],
    [
      "thousands of mail domains",
      Array.from({ length: 3000 }, (_, at) => `d${at}.example.org. MX 10 mail.example.org.`).join("\n"),
    ],
    [
      "thousands of keys",
      Array.from({ length: 3000 }, (_, at) => `s${at}._domainkey.example.org. TXT "v=DKIM1; p="`).join("\n"),
    ],
  ])("comes to an end with %s", async (_, text) => {
    const { findings, unreadable } = await lint(text, "example.org");
    expect(findings.length + unreadable.length).toBeLessThan(5000);
  });
});
