/** The errors of the source documents (requirements, section 1.I), pasted as they stand there: each is caught. */
import { describe, expect, it } from "vitest";
import { BARE, DESCRIBED, DOMAIN, HEALTHY, optionsOf } from "../../test/support/healthy-world.ts";
import { edited, NOW, recordsOf, tableWorld } from "../../test/support/table-world.ts";
import { parseDmarcRecord } from "../standards/dmarc/record.ts";
import { type DomainName, domainName } from "../standards/dns/name.ts";
import { CATALOGUE } from "./catalogue.ts";
import { checkDomain } from "./check.ts";
import type { CheckOptions } from "./context.ts";
import type { Finding } from "./finding.ts";
import { lintZoneText } from "./lint.ts";

/** Nothing counts as public that is not. */
const STRICT: CheckOptions = { ...BARE, assumePublic: [] };
const SURROUNDINGS = {
  now: NOW,
  options: STRICT,
  organizationalDomain: (name: DomainName) => domainName(name.split(".").slice(-2).join(".")),
};

const lint = (text: string, origin?: string) =>
  lintZoneText(text, origin === undefined ? undefined : domainName(origin), SURROUNDINGS);
const said = (findings: readonly Finding[]) =>
  findings.filter(({ severity }) => severity !== "ok").map(({ code, owner }) => `${code} ${owner}`);
const check = async (zone: string, options = BARE) =>
  (await checkDomain(DOMAIN, tableWorld({ zone }), options)).findings;
const find = (findings: readonly Finding[], code: string) =>
  findings.find((finding) => finding.code === code);

/** The key of document 004, with the blank that a join of two strings left in it. */
const KEY_004 =
  "v=DKIM1; h=sha256; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxOlorHTT/rsI5WWobgA0/+XRWAav1F5As1YoUVEUknIPbIJDuMIbEbV468XdHsp63PvwF2uz9A3iEefaGIMOpcJrgIcb3X5el0/x89kxK/zDDruiAzpcLwdy6urEmQhdRfoi1stdOhDlo8dNQj5vRORceJ2v5fUJ3VUV9eWd7cGOjhladUWedYg" +
  "dIdiYqsbR6CeYIhpKK1v414 UmtB1sKcxHgxbROm+yjM6iJaSQbF9iLUlBEHOBfRc1vVuw0N+LQpRDNaaHSom0SusrMnXnjb33ANNCFMITwL9fZm9mR+sR+m+2QGvhLyODJMsxRCBKSSZhrjP2Csa80ZnOtNX91QIDAQAB";
/** The key of document 001, of 1024 bits. */
const KEY_001 = [
  "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYArsr2BKbdhv9efugByf7LhaK",
  "txFUt0ec5+1dWmcDv0WH0qZLFK711sibNN5LutvnaiuH+w3Kr8Ylbw8gq2j0UBok",
  "FcMycUvOBd7nsYn/TUrOua3Nns+qKSJBy88IWSh2zHaGbjRYujyWSTjlPELJ0H+5",
  "EV711qseo/omquskkwIDAQAB",
];

describe("the errors of the source documents", () => {
  it("E1: an A record with a name and a priority is two errors, and becomes a CNAME", async () => {
    const { unreadable, findings } = await lint(
      "autodiscover.mydomain.com. 10 A mail.mydomain.com.\nautoconfig.mydomain.com. 10 A mail.mydomain.com.",
    );
    expect(said(findings)).toEqual([
      "address-is-name autodiscover.mydomain.com",
      "address-with-priority autodiscover.mydomain.com",
      "address-is-name autoconfig.mydomain.com",
      "address-with-priority autoconfig.mydomain.com",
    ]);
    expect(findings[0]?.fix?.changes.map(({ zoneText }) => zoneText)).toEqual([
      "autodiscover.mydomain.com. IN CNAME mail.mydomain.com.",
    ]);
    expect(unreadable.map(({ line }) => line)).toEqual([1, 2]);
    expect(unreadable[0]?.problem).toContain("an A record holds an address, not a name, and has no priority");
  });

  it.each([
    ["www.mydomain.com. 1800 A 192.168.1.2", "address-special www.mydomain.com", "private, 001"],
    ["mail.mydomain.com. 1800 A 192.168.1.5", "address-special mail.mydomain.com", "private, 001"],
    [
      "5.1.168.192.in-addr.arpa. PTR mail.mydomain.com.",
      "address-special 5.1.168.192.in-addr.arpa",
      "nobody is delegated its reverse zone",
    ],
    ["mail.example.com. IN A 192.0.2.1", "address-special mail.example.com", "documentation, 003"],
    ["mail.example.com. IN AAAA 2001:db8::1", "address-special mail.example.com", "documentation, 003"],
  ])("E2: %s: %s (%s)", async (line, expected) => {
    const { findings } = await lint(line, line.includes("example") ? "example.com" : "mydomain.com");
    expect(said(findings)).toEqual([expected]);
    expect(findings[0]?.severity).toBe("error");
  });

  it.each(["1.2.3.4", "111.111.111.111", "111.111.111.222"])(
    "E2: the example address %s, left in",
    async (address) => {
      const findings = await check(
        edited(HEALTHY, { without: ["mail.example.org A"], add: [`mail.example.org. A ${address}`] }),
      );
      expect(find(findings, "address-example")?.observed).toContain(address);
    },
  );

  it("E3: a unique local IPv6 address is not reachable from the internet", async () => {
    const { findings } = await lint("mx.example.org. AAAA fdeb:37d7:ef39:e063::1");
    expect(said(findings)).toEqual(["address-special mx.example.org"]);
  });

  it("E4: the mail host as an alias of the domain: the MX names a CNAME", async () => {
    const findings = await check(
      edited(HEALTHY, { without: ["mail.example.org"], add: ["mail.example.org. CNAME example.org."] }),
    );
    expect(find(findings, "mx-is-alias")).toMatchObject({ severity: "error", reference: "RFC 2181 §10.3" });
    const { findings: pasted } = await lint(
      "example.org. A 198.51.99.1\nmail.example.org. CNAME example.org.\nexample.org. MX 10 mail.example.org.",
    );
    expect(said(pasted)).toContain("mx-is-alias mail.example.org");
  });

  it("E4: the domain as an alias of the mail host: a CNAME at the apex, beside others", async () => {
    const { findings } = await lint(
      "mail.example.org. A 198.51.99.1\nexample.org. CNAME mail.example.org.\nexample.org. MX 10 mail.example.org.",
    );
    expect(said(findings)).toContain("zone-cname-and-other example.org");
    const alone = await lint(
      "mail.example.org. A 198.51.99.1\nexample.org. CNAME mail.example.org.",
      "example.org",
    );
    expect(said(alone.findings)).toContain("zone-apex-cname example.org");
  });

  it("E5: an IPv6 address of four groups is no address", async () => {
    const { unreadable } = await lint("fdeb:37d7:ef39:e063 -(PTR)-> mx.example.org");
    expect(unreadable[0]?.problem).toContain('"fdeb:37d7:ef39:e063" is an incomplete IPv6 address');
    const { findings } = await lint(`${"3.6.0.e.9.3.f.e.7.d.7.3.b.e.d.f"}.ip6.arpa. PTR mx.example.org.`);
    expect(said(findings)).toEqual(["ptr-wrong-owner 3.6.0.e.9.3.f.e.7.d.7.3.b.e.d.f.ip6.arpa"]);
  });

  it("E6: the blank in the key of 004 is the scar of a join; without it the key is whole", async () => {
    const owner = "mail._domainkey.example.org";
    const { findings } = await lint(`${owner}. TXT "${KEY_004.slice(0, 200)}" "${KEY_004.slice(200)}"`);
    expect(said(findings)).toEqual([`dkim-chunk-join-scar ${owner}`]);
    const zone = `${HEALTHY}\n${owner}. TXT "${KEY_004.slice(0, 200)}" "${KEY_004.slice(200)}"`;
    const scar = find(await check(zone, { ...BARE, dkimSelectors: ["mail"] }), "dkim-chunk-join-scar");
    const [removed, created] = scar?.fix?.changes ?? [];
    expect([removed?.action, created?.action]).toEqual(["delete", "create"]);
    const mended = await check(`${HEALTHY}\n${created?.zoneText}`, { ...BARE, dkimSelectors: ["mail"] });
    expect(find(mended, "dkim-ok")?.observed).toMatch(/^RSA with 2048 bits/);
  });

  it("E7: a DMARC record that lost its report addresses", async () => {
    const { findings } = await lint('_dmarc.example.org. TXT "v=DMARC1; p=none;;; fo=1; rf=afrf; sp=none"');
    expect(said(findings).toSorted()).toEqual([
      "dmarc-empty-tags _dmarc.example.org",
      "dmarc-fo-without-ruf _dmarc.example.org",
      "dmarc-policy-none _dmarc.example.org",
      "dmarc-redundant-policy _dmarc.example.org",
      "dmarc-removed-tag _dmarc.example.org",
      "dmarc-rua-missing _dmarc.example.org",
    ]);
    expect(find(findings, "dmarc-empty-tags")?.why).toContain("did rua or ruf get lost?");
  });

  it("E8: a command that asks another domain", async () => {
    const { unreadable } = await lint(
      "$ dig -t txt dkim._domainkey.mydomain.com\n$ nslookup -type=txt dkim._domainkey.foodmall.com",
      "mydomain.com",
    );
    expect(unreadable[0]?.problem).not.toContain("this command asks");
    expect(unreadable[1]?.problem).toContain(
      "this command asks for dkim._domainkey.foodmall.com, which is not in mydomain.com",
    );
  });

  it("E9: names without their final dot become doubled; an owner of another domain is foreign", async () => {
    const { findings } = await lint(
      [
        "_xmpp-client._tcp.mydomain.com 18000 IN SRV 0 5 5222 mail.mydomain.com",
        "_xmpp-server._tcp.example.com. 18000 IN SRV 0 5 5269 mail.mydomain.com",
      ].join("\n"),
      "mydomain.com",
    );
    const doubled = findings.filter(({ code }) => code === "zone-doubled-name");
    expect(doubled.map(({ expected }) => expected)).toEqual([
      "_xmpp-client._tcp.mydomain.com.",
      "SRV 0 5 5222 mail.mydomain.com.",
      "SRV 0 5 5269 mail.mydomain.com.",
    ]);
    expect(doubled[0]?.fix?.changes.at(-1)?.zoneText).toBe(
      "_xmpp-client._tcp.mydomain.com. 18000 IN SRV 0 5 5222 mail.mydomain.com.",
    );
    expect(said(findings)).toContain("zone-foreign-owner _xmpp-server._tcp.example.com");
  });

  it("E10: p further behind is fine by RFC 9989, and not for older receivers: both are told", async () => {
    const text = "v=DMARC1; aspf=s; p=reject; rua=mailto:dmarc@mydomain.com";
    const { findings } = await lint(`_dmarc.mydomain.com. TXT "${text}"`);
    const finding = find(findings, "dmarc-p-not-second");
    expect(finding).toMatchObject({ severity: "warning" });
    expect(finding?.why).toMatch(/RFC 9989 allows any order, older receivers/);
    expect(parseDmarcRecord(text)).toMatchObject({ ok: true, value: { policy: "reject" } });
  });

  it("E11: the key of 001 has 1024 bits, the least there may be", async () => {
    const lines = ["v=DKIM1; p=", ...KEY_001].map((part) => `"${part}"`).join("\n  ");
    const zone = `${HEALTHY}\ndkim._domainkey.example.org. 3600 TXT (\n  ${lines})`;
    const findings = await check(zone, { ...BARE, dkimSelectors: ["dkim"] });
    expect(find(findings, "dkim-key-short")).toMatchObject({
      severity: "warning",
      reference: "RFC 8301 §3.2",
    });
  });

  const described003 = optionsOf(`servers:
  - host: mail.example.org
    addresses: [192.0.2.25, "2001:db8::25"]
domains:
  - domain: example.org
`);
  it.each([
    ["v=spf1 mx a ip4:192.0.2.25 ~all", [], "mx covers the IPv6 address too"],
    ["v=spf1 ip4:192.0.2.25 ~all", ["2001:db8::25"], "mail over IPv6 would fail"],
  ])("E12: each real address is evaluated, not the text compared: %s", async (text, uncovered) => {
    const zone = edited(HEALTHY, { without: ["example.org TXT"], add: [`example.org. TXT "${text}"`] });
    const findings = (await check(zone, described003)).filter(
      ({ code }) => code === "spf-address-not-covered",
    );
    expect(findings.map(({ expected }) => expected)).toEqual(
      uncovered.map((address) => `pass for mail from ${address}`),
    );
    expect(findings.every(({ severity }) => severity === "error")).toBe(true);
  });

  it("E13: what the summary of 003 leaves out is still asked for: PTR for both families, SPF for HELO", async () => {
    const zone = edited(HEALTHY, {
      without: ["25.2.0.192.in-addr.arpa", "mail.example.org TXT"].concat(
        recordsOf(HEALTHY).flatMap(({ name }) => (name.endsWith("ip6.arpa") ? [name] : [])),
      ),
    });
    const findings = await check(zone, described003);
    expect(findings.filter(({ code }) => code === "ptr-missing")).toHaveLength(2);
    expect(find(findings, "spf-helo-missing")).toMatchObject({
      owner: "mail.example.org",
      severity: "warning",
    });
  });

  it("E14: pct is gone, and told as harmless; ruf is called by its name", async () => {
    const { findings } = await lint(
      '_dmarc.example.com. TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com; ruf=mailto:dmarc@example.com; pct=100"',
    );
    expect(said(findings)).toEqual(["dmarc-removed-tag _dmarc.example.com"]);
    expect(JSON.stringify(CATALOGUE)).not.toMatch(/forensic/i);
  });

  it("E15: nothing cites the obsolete RFC 4871, or what became of ADSP", () => {
    expect(JSON.stringify(CATALOGUE)).not.toMatch(/RFC (4871|5617)|ADSP/);
  });

  it("E16: the lowest number is always shown as tried first", async () => {
    const gmail = ["10 alt1", "20 alt2", "30 alt3", "40 alt4", "5 gmail-smtp-in"];
    const { findings } = await lint(
      gmail.map((text) => `gmail.com. MX ${text.replace(" ", " ")}.l.google.com.`).join("\n"),
      "gmail.com",
    );
    expect(find(findings, "mx-ok")?.observed).toMatch(
      /^5 gmail-smtp-in\.l\.google\.com \(tried first\), 10 alt1/,
    );
  });

  it("E17: the last MX matters as much as the first: mail that it loses is lost", async () => {
    const findings = await check(`${HEALTHY}\nexample.org. MX 40 trap.example.org.`);
    expect(find(findings, "mx-host-no-address")).toMatchObject({
      owner: "trap.example.org",
      severity: "error",
    });
  });

  it("E18: a cache's countdown is no drift", async () => {
    const aged = HEALTHY.replaceAll(/^(\S+) (?:\d+ )?(?:IN )?(MX|TXT|A|CNAME) /gm, "$1 600 $2 ");
    expect(aged).not.toBe(HEALTHY);
    const world = tableWorld({ zone: HEALTHY, resolvers: [{ label: "192.0.2.1", zone: aged }] });
    const { findings } = await checkDomain(DOMAIN, world, BARE);
    expect(findings.filter(({ severity }) => severity !== "ok" && severity !== "notice")).toEqual([]);
  });

  it("E18: nor is a shorter TTL at the name servers", async () => {
    const shorter = HEALTHY.replaceAll(/^(\S+) (?:\d+ )?(?:IN )?(MX|TXT|CNAME) /gm, "$1 600 $2 ");
    const findings = await check(shorter, DESCRIBED);
    expect(findings.filter(({ severity }) => severity !== "ok" && severity !== "notice")).toEqual([]);
  });

  it("E19: v=spf1 mx -all where the MX is a filtering service", async () => {
    const zone = edited(HEALTHY, {
      without: ["example.org MX", "example.org TXT"],
      add: ["example.org. MX 10 mx.example.net.", 'example.org. TXT "v=spf1 mx -all"'],
    });
    expect(find(await check(zone), "spf-mx-not-ours")).toMatchObject({ severity: "warning" });
    const own = edited(HEALTHY, { without: ["example.org TXT"], add: ['example.org. TXT "v=spf1 mx -all"'] });
    expect(find(await check(own), "spf-mx-not-ours")).toBeUndefined();
  });

  it("E20: without MX an AAAA alone is enough to fall back to", async () => {
    const zone = edited(HEALTHY, {
      without: ["example.org MX", "example.org A"],
      add: ["example.org. AAAA 2001:db8::25"],
    });
    expect(find(await check(zone), "mx-missing")).toMatchObject({ severity: "warning" });
  });

  it("E20: a null MX stops the fallback", async () => {
    const zone = edited(HEALTHY, { without: ["example.org MX"], add: ["example.org. MX 0 ."] });
    const findings = await check(zone);
    expect(find(findings, "mx-null")).toMatchObject({ severity: "ok" });
    expect(said(findings).filter((line) => /^mx-(missing|fallback)/.test(line))).toEqual([]);
  });
});
