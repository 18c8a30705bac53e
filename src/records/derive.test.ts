/** What the source documents print must come out byte for byte; each row has the number of its requirement. */

import { describe, expect, it } from "vitest";
import { described, golden } from "../../test/support/golden.ts";
import { fc } from "../../test/support/random-inputs.ts";
import { parseAddress, reverseName } from "../standards/dns/address.ts";
import { domainName } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { lookupCommands } from "./command.ts";
import { derive, derivedFor, mailServersOf } from "./derive.ts";
import { zoneLine } from "./zone-listing.ts";

const RSA_1024 =
  "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYArsr2BKbdhv9efugByf7LhaK" +
  "txFUt0ec5+1dWmcDv0WH0qZLFK711sibNN5LutvnaiuH+w3Kr8Ylbw8gq2j0UBok" +
  "FcMycUvOBd7nsYn/TUrOua3Nns+qKSJBy88IWSh2zHaGbjRYujyWSTjlPELJ0H+5" +
  "EV711qseo/omquskkwIDAQAB";

/** A server with both families and one domain; `domain` and `server` are further lines. */
function describing(domain = "", { server = "", above = "" } = {}): string {
  const lines = (text: string) => text.replace(/^(?=.)/gm, "    ");
  return `${above}
servers:
  - host: mail.example.com
    addresses: [192.0.2.1, "2001:db8::1"]
${lines(server)}
domains:
  - domain: example.com
${lines(domain)}
`;
}

const linesOf = (yaml: string) => derive(described(yaml)).records.map(({ record }) => zoneLine(record));
const notesOf = (yaml: string) => derive(described(yaml)).notes.map(({ about, text }) => `${about}: ${text}`);
const hosted = "helo: mail.example.com";

describe("the examples of the source documents", () => {
  it.each<[requirement: string, domain: string, line: string]>([
    ["R1, R2 MX with preference 10", "", "example.com. IN MX 10 mail.example.com."],
    ["R16 A", "", "mail.example.com. IN A 192.0.2.1"],
    ["R16 AAAA", "", "mail.example.com. IN AAAA 2001:db8::1"],
    ["R24, R25 PTR of IPv4", "", "1.2.0.192.in-addr.arpa. IN PTR mail.example.com."],
    [
      "R26 PTR of IPv6: 32 nibbles",
      "",
      "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. IN PTR mail.example.com.",
    ],
    ["R31 SPF", "", 'example.com. IN TXT "v=spf1 mx a ip4:192.0.2.1 ip6:2001:db8::1 ~all"'],
    ["R32 mx alone", "spf: { mechanisms: [mx], ending: fail }", 'example.com. IN TXT "v=spf1 mx -all"'],
    [
      "R32 mx and an address",
      "spf: { mechanisms: [mx], addresses: [111.111.111.222], ending: fail }",
      'example.com. IN TXT "v=spf1 mx ip4:111.111.111.222 -all"',
    ],
    [
      "R32, R41 two addresses",
      "spf: { mechanisms: [mx], addresses: [111.111.111.111, 111.111.111.222], ending: fail }",
      'example.com. IN TXT "v=spf1 mx ip4:111.111.111.111 ip4:111.111.111.222 -all"',
    ],
    [
      "R33 hosts by name",
      "spf: { mechanisms: [mx], hosts: [example.com, mail.example.com], ending: fail }",
      'example.com. IN TXT "v=spf1 mx a:example.com a:mail.example.com -all"',
    ],
    [
      "R34, R41 include",
      "spf: { mechanisms: [mx], include: [_spf.esp.example] }",
      'example.com. IN TXT "v=spf1 mx include:_spf.esp.example ~all"',
    ],
    ["R35 soft fail while testing", "spf: { mechanisms: [mx] }", 'example.com. IN TXT "v=spf1 mx ~all"'],
    ["R35 neutral", "spf: { mechanisms: [a], ending: neutral }", 'example.com. IN TXT "v=spf1 a ?all"'],
    ["R38 SPF of the HELO name", "", 'mail.example.com. IN TXT "v=spf1 a -all"'],
    [
      "R42–R44 DKIM, from base64",
      `dkim: [{ selector: default, publicKey: ${RSA_1024} }]`,
      `default._domainkey.example.com. IN TXT "v=DKIM1; k=rsa; p=${RSA_1024}"`,
    ],
    [
      "R43 DKIM, from the record of document 001",
      `dkim: [{ selector: dkim, publicKey: "v=DKIM1; p=${RSA_1024}" }]`,
      `dkim._domainkey.example.com. IN TXT "v=DKIM1; k=rsa; p=${RSA_1024}"`,
    ],
    [
      "R61 DMARC, watching",
      "",
      '_dmarc.example.com. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.com"',
    ],
    [
      "R62 DMARC, quarantine: without pct, which is no more",
      "dmarc: { policy: quarantine }",
      '_dmarc.example.com. IN TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.com"',
    ],
    [
      "R62 DMARC, reject",
      "dmarc: { policy: reject, spfAlignment: relaxed, dkimAlignment: relaxed }",
      '_dmarc.example.com. IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.com; aspf=r; adkim=r"',
    ],
    [
      "R64, R65 every tag: v first, p second",
      "dmarc: { policy: reject, subdomainPolicy: none, spfAlignment: strict, dkimAlignment: strict, failureReports: dmarc@example.com }",
      '_dmarc.example.com. IN TXT "v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@example.com; ruf=mailto:dmarc@example.com; aspf=s; adkim=s"',
    ],
    [
      "R68 fo",
      'dmarc: { failureReports: dmarc@example.com, failureOptions: "1" }',
      '_dmarc.example.com. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.com; ruf=mailto:dmarc@example.com; fo=1"',
    ],
    ["R75 autoconfig", "", "autoconfig.example.com. IN CNAME mail.example.com."],
    ["R75 autodiscover", "", "autodiscover.example.com. IN CNAME mail.example.com."],
    [
      "R77 a verification token stands beside the SPF record",
      "verification: [google-site-verification=abc]",
      'example.com. IN TXT "google-site-verification=abc"',
    ],
    [
      "R77 and leaves it as it is",
      "verification: [google-site-verification=abc]",
      'example.com. IN TXT "v=spf1 mx a ip4:192.0.2.1 ip6:2001:db8::1 ~all"',
    ],
  ])("%s", (_requirement, domain, line) => {
    expect(linesOf(describing(domain))).toContain(line);
  });

  it.each(["client. 18000 IN SRV 0 5 5222", "server. 18000 IN SRV 0 5 5269"])("R76 XMPP: %s", (data) => {
    const yaml =
      "servers: [{ host: mail.mydomain.com, addresses: 192.0.2.5 }]\ndomains: [{ domain: mydomain.com, xmpp: true }]";
    const [service, rest] = data.split(". ") as [string, string];
    expect(linesOf(yaml)).toContain(`_xmpp-${service}._tcp.mydomain.com. ${rest} mail.mydomain.com.`);
  });

  it("R25 1.2.3.4", () => {
    const address = parseAddress("1.2.3.4");
    expect(address.ok && reverseName(address.value)).toBe("4.3.2.1.in-addr.arpa");
  });

  it("R3, R22 the host name is the server's own, whatever the domain is called", () => {
    const yaml =
      "servers: [{ host: mx7.example.net, addresses: 192.0.2.7 }]\ndomains: [{ domain: example.com }]";
    const { records } = derive(described(yaml));
    const foreign = records.find(({ record }) => record.name === "mx7.example.net");
    expect(linesOf(yaml)).toContain("example.com. IN MX 10 mx7.example.net.");
    expect(foreign).toMatchObject({ creator: "zone-owner", domain: undefined, importance: "required" });
  });

  it("R15, R85 three commands for each record", () => {
    expect(lookupCommands(domainName("example.com"), "MX")).toEqual({
      host: "host -t MX example.com",
      dig: "dig MX example.com",
      nslookup: "nslookup -type=MX example.com",
    });
  });
});

describe("which server comes first", () => {
  const GMAIL = [
    ["alt1.gmail-smtp-in.l.google.com", 10],
    ["alt2.gmail-smtp-in.l.google.com", 20],
    ["alt3.gmail-smtp-in.l.google.com", 30],
    ["alt4.gmail-smtp-in.l.google.com", 40],
    ["gmail-smtp-in.l.google.com", 5],
  ] as const;
  const mx = (rows: readonly (readonly [string, number | undefined])[]) => `
servers: []
domains:
  - domain: gmail.com
    mx:
${rows.map(([host, preference]) => `      - host: ${host}${preference === undefined ? "" : `\n        preference: ${preference}`}`).join("\n")}
`;
  const reasons = (yaml: string) =>
    derive(described(yaml)).records.flatMap(({ purpose, reason }) => (purpose === "mx" ? [reason] : []));

  it("R4, E16 the lowest number, whatever the order of the list", () => {
    const yaml = mx(GMAIL);
    const order = derive(described(yaml)).records.flatMap(({ record: { data } }) =>
      data.type === "MX" ? [data.preference] : [],
    );
    expect(order).toEqual([5, 10, 20, 30, 40]);
    expect(reasons(yaml)[0]).toContain("gmail-smtp-in.l.google.com: preference 5 is tried first");
    expect(reasons(yaml)[1]).toBe(
      "alt1.gmail-smtp-in.l.google.com takes the mail while every server with a lower number than 10 is out of reach",
    );
  });

  it("R6 equal numbers share the load", () => {
    const shared = reasons(
      mx([
        ["a.example.com", 10],
        ["b.example.com", 10],
      ]),
    );
    expect(shared).toHaveLength(2);
    for (const reason of shared) expect(reason).toMatch(/preference 10 is tried first, the load shared/);
  });

  it("R7 one server is enough", () => {
    expect(reasons(mx([["a.example.com", undefined]]))).toEqual([
      "mail for gmail.com goes to a.example.com: preference 10 is tried first",
    ]);
  });

  it("without numbers the list is the order, ten apart from the one before", () => {
    const description = described(
      mx([
        ["a.example.com", 5],
        ["b.example.com", undefined],
        ["c.example.com", undefined],
      ]),
    );
    expect(mailServersOf(description.domains[0]!, description).map(({ preference }) => preference)).toEqual([
      5, 15, 25,
    ]);
  });
});

describe("R12 a trap", () => {
  const trapped = (mx: string) =>
    derive(
      described(`
servers: [{ host: mail.example.com, addresses: 192.0.2.1 }]
domains: [{ domain: example.com, mx: ${mx} }]
`),
    );

  it.each<[mx: string, preferences: number[], why: string]>([
    ["[mail.example.com, { host: trap.example.com, trap: true }]", [10, 20], "behind the others"],
    [
      "[{ host: trap.example.com, trap: true }, mail.example.com]",
      [10, 20],
      "wherever it stands in the list",
    ],
    [
      "[{ host: trap.example.com, trap: true }, { host: mail.example.com, preference: 50 }]",
      [50, 60],
      "the last",
    ],
    [
      "[mail.example.com, { host: trap.example.com, trap: true, preference: 99 }]",
      [10, 99],
      "by its own number",
    ],
  ])("%s: %j: %s", (mx, preferences) => {
    const records = trapped(mx).records.filter(({ purpose }) => purpose === "mx");
    expect(records.map(({ record: { data } }) => data.type === "MX" && data.preference)).toEqual(preferences);
    expect(records.map(({ importance }) => importance)).toEqual(["required", "optional"]);
    expect(records[1]?.reason).toBe(
      "trap.example.com is a trap: tried last, it takes no mail, and shows who asks it without having tried the others",
    );
    expect(records[1]?.caution).toContain("never take mail or refuse it for good");
  });

  it("is no mail server of programs", () => {
    const { records } = trapped("[filter.example.net, { host: trap.example.com, trap: true }]");
    expect(records.filter(({ purpose }) => purpose === "client-srv")).toEqual([]);
    const { records: own } = trapped("[{ host: trap.example.com, trap: true }, mail.example.com]");
    const targets = own.flatMap(({ record: { data } }) => (data.type === "SRV" ? [data.target] : []));
    expect(new Set(targets)).toEqual(new Set(["mail.example.com"]));
  });
});

describe("TTLs", () => {
  const ttlOf = (yaml: string, type: string) =>
    derive(described(yaml)).records.find(({ record }) => record.data.type === type)?.record.ttlSeconds;

  it.each<[reason: string, server: string, expected: number]>([
    ["R19 a static address may stay in caches for long", "", 3600],
    ["R19 a dynamic one must not", "addressKind: dynamic", 300],
    ["R19 nor one that is about to move", "addressKind: moving", 300],
  ])("%s", (_reason, server, expected) => {
    expect(ttlOf(describing("", { server }), "A")).toBe(expected);
    expect(ttlOf(describing("", { server }), "AAAA")).toBe(expected);
    expect(ttlOf(describing("", { server }), "MX")).toBe(3600);
  });

  it.each([1800, 3600, 600, 18_000])("R20 %i is a TTL for any type", (ttl) => {
    for (const type of ["A", "AAAA", "MX", "TXT", "CNAME", "SRV", "PTR"]) {
      const above = `ttl: { ${type}: ${ttl} }\n`;
      expect(ttlOf(describing("", { above }), type)).toBe(ttl);
      if (type !== "PTR") expect(ttlOf(describing(above), type)).toBe(ttl);
    }
  });

  it("R19 says so where a changing address has a long TTL by order", () => {
    const yaml = (seconds: number) => `
ttl: { A: ${seconds} }
servers: [{ host: mail.example.com, addresses: 8.8.8.8, addressKind: dynamic }]
domains: [{ domain: example.com }]`;
    const caution = (seconds: number) =>
      derive(described(yaml(seconds))).records.find(({ purpose }) => purpose === "host-address")?.caution;
    expect(caution(1801)).toMatch(/^caches keep it for 1801 s/);
    expect(caution(1800)).toBeUndefined();
  });

  it("R19 moving says how it ends", () => {
    expect(notesOf(describing("", { server: "addressKind: moving" }))).toEqual([
      expect.stringContaining("mail.example.com: its addresses have a short TTL while it moves"),
      expect.stringContaining("no DKIM key"),
    ]);
  });

  it("RFC 2181 §5.2 one RRset, one TTL: the shortest", () => {
    const yaml = `
servers:
  - { host: a.example.com, addresses: 192.0.2.1, helo: out.example.com, outbound: 192.0.2.3 }
  - { host: b.example.com, addresses: 192.0.2.2, helo: out.example.com }
domains: [{ domain: example.com, ttl: { A: 900 } }]`;
    const ttls = derive(described(yaml)).records.flatMap(({ record }) =>
      record.name === "out.example.com" && record.data.type === "A" ? [record.ttlSeconds] : [],
    );
    expect(ttls).toEqual([900, 900]);
  });
});

describe("addresses and reverse names", () => {
  const ipv4Only =
    "servers: [{ host: mail.example.com, addresses: 192.0.2.1 }]\ndomains: [{ domain: example.com }]";

  it("R17 IPv4 alone: no AAAA, and one line that says so", () => {
    expect(linesOf(ipv4Only).filter((line) => line.includes("AAAA"))).toEqual([]);
    expect(notesOf(ipv4Only).filter((note) => note.includes("IPv6"))).toEqual([
      "mail.example.com: it has no IPv6 address, so no AAAA is planned; that is allowed, and IPv6 is recommended",
    ]);
  });

  it("R28 a PTR is for the owner of the address to make", () => {
    const pointers = derive(described(ipv4Only)).records.filter(({ purpose }) => purpose === "reverse");
    expect(pointers).toMatchObject([
      { creator: "address-owner", domain: undefined, server: "mail.example.com" },
    ]);
  });

  it("R27 a HELO name of its own leads back to the addresses that mail leaves from", () => {
    expect(
      linesOf(describing("", { server: 'helo: out.example.com\noutbound: [192.0.2.2, "2001:db8::2"]' })),
    ).toEqual(
      expect.arrayContaining([
        "out.example.com. IN A 192.0.2.2",
        "out.example.com. IN AAAA 2001:db8::2",
        'out.example.com. IN TXT "v=spf1 a -all"',
        "2.2.0.192.in-addr.arpa. IN PTR out.example.com.",
        'example.com. IN TXT "v=spf1 mx a ip4:192.0.2.2 ip6:2001:db8::2 ~all"',
      ]),
    );
  });

  it("R27 and says where nothing leads back", () => {
    const { records } = derive(described(describing("", { server: "outbound: 192.0.2.2" })));
    expect(records.find(({ purpose }) => purpose === "reverse")?.caution).toBe(
      "mail.example.com does not lead back to 192.0.2.2; give the server a helo name of its own",
    );
    const fine = derive(described(describing("", { server: hosted })));
    expect(fine.records.find(({ purpose }) => purpose === "reverse")?.caution).toBeUndefined();
  });

  it("E2, E3 addresses that the internet cannot reach", () => {
    const yaml =
      'servers: [{ host: mail.example.com, addresses: [192.168.1.5, "fdeb:37d7:ef39:e063::1"] }]\ndomains: [{ domain: example.com }]';
    expect(
      derive(described(yaml)).records.flatMap(({ purpose, caution }) =>
        purpose === "host-address" ? [caution] : [],
      ),
    ).toEqual([
      "192.168.1.5 is private (RFC 1918): the internet cannot reach it",
      "fdeb:37d7:ef39:e063::1 is unique local, ULA (RFC 4193): the internet cannot reach it",
    ]);
  });

  it("R86 a second domain needs no addresses of its own", () => {
    const { description, derived } = golden("many-domains");
    const types = derivedFor(domainName("example.net"), derived, description).records.map(
      ({ record }) => record.data.type,
    );
    expect(types).toContain("MX");
    expect(types.filter((type) => ["A", "AAAA", "PTR"].includes(type))).toEqual([]);
  });
});

describe("aliases (R21)", () => {
  const aliasesOf = (yaml: string) =>
    linesOf(yaml).flatMap((line) => (/ CNAME /.exec(line) ? [line.split(". ")[0]] : []));
  const server = (host: string) =>
    `servers: [{ host: ${host}, addresses: 192.0.2.1 }]\ndomains: [{ domain: example.com }]`;

  it.each<[reason: string, yaml: string, expected: readonly string[]]>([
    ["beside nothing", server("mail.example.com"), ["autoconfig.example.com", "autodiscover.example.com"]],
    ["not at a name with addresses", server("autoconfig.example.com"), ["autodiscover.example.com"]],
    [
      "not at the target of an MX",
      "servers: []\ndomains: [{ domain: example.com, mx: [autodiscover.example.com], clientSetup: { host: web.example.com } }]",
      ["autoconfig.example.com"],
    ],
    [
      "not at the target of an SRV",
      "servers: [{ host: mail.example.com, addresses: 192.0.2.1 }]\ndomains: [{ domain: example.com, xmpp: { host: autoconfig.example.com } }]",
      ["autodiscover.example.com"],
    ],
    [
      "not beside a token",
      "servers: [{ host: mail.example.com, addresses: 192.0.2.1 }]\ndomains: [{ domain: example.com, verification: [{ name: autoconfig.example.com, value: x }] }]",
      ["autodiscover.example.com"],
    ],
  ])("%s", (_reason, yaml, expected) => {
    expect(aliasesOf(yaml)).toEqual(expected);
    const barred = ["autoconfig.example.com", "autodiscover.example.com"].filter(
      (name) => !expected.includes(name),
    );
    expect(
      notesOf(yaml)
        .filter((note) => note.includes("alias"))
        .map((note) => note.split(":")[0]),
    ).toEqual(barred);
  });
});

describe("domains without mail", () => {
  it("that neither receive nor send", () => {
    expect(golden("no-mail").derived.records.map(({ record }) => zoneLine(record))).toEqual([
      "example.net. IN MX 0 .",
      'example.net. IN TXT "v=spf1 -all"',
      '*._domainkey.example.net. IN TXT "v=DKIM1; p="',
      '_dmarc.example.net. IN TXT "v=DMARC1; p=reject"',
    ]);
  });

  it("that only receive: whatever comes from them is forged", () => {
    const lines = linesOf(describing("sends: false"));
    expect(lines).toContain("example.com. IN MX 10 mail.example.com.");
    expect(lines).toContain('example.com. IN TXT "v=spf1 -all"');
    expect(lines).toContain('_dmarc.example.com. IN TXT "v=DMARC1; p=reject"');
  });

  it("that only send: no MX in SPF, and reports only where somebody gets them", () => {
    const lines = linesOf(describing("receives: false"));
    expect(lines).toContain("example.com. IN MX 0 .");
    expect(lines).toContain('example.com. IN TXT "v=spf1 a ip4:192.0.2.1 ip6:2001:db8::1 ~all"');
    expect(lines).toContain('_dmarc.example.com. IN TXT "v=DMARC1; p=none"');
    expect(lines.filter((line) => line.includes("autoconfig") || line.includes(" SRV "))).toEqual([]);
  });
});

describe("reports to others (RFC 9990 §4)", () => {
  const two = (reports: string, more = "") =>
    `servers: [{ host: mail.example.com, addresses: 192.0.2.1 }]
domains: [{ domain: example.com }, { domain: example.net, dmarc: { reports: ${reports} } ${more} }]`;

  it("a record where the other domain is ours too", () => {
    expect(linesOf(two("dmarc@example.com"))).toContain(
      'example.net._report._dmarc.example.com. IN TXT "v=DMARC1"',
    );
  });

  it("likewise for a domain that sends nothing, but wants to know who says so", () => {
    const lines = linesOf(two("dmarc@example.com", ", receives: false, sends: false"));
    expect(lines).toContain('example.net._report._dmarc.example.com. IN TXT "v=DMARC1"');
    expect(lines).toContain('_dmarc.example.net. IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"');
  });

  it("a word where it is not", () => {
    expect(notesOf(two("x@analyser.example"))).toContain(
      'example.net: receivers send reports to analyser.example only if its owner publishes example.net._report._dmarc.analyser.example TXT "v=DMARC1"',
    );
  });

  it("nothing within one domain", () => {
    expect(linesOf(two("x@reports.example.net")).filter((line) => line.includes("_report"))).toEqual([]);
  });

  it("a word where the two names are too long together", () => {
    const long = `${"a".repeat(60)}.${"b".repeat(60)}.example`;
    const yaml = `servers: [{ host: mail.example.com, addresses: 192.0.2.1 }]
domains: [{ domain: x.${long} }, { domain: y.${long}.net, dmarc: { reports: "d@x.${long}" } }]`;
    expect(notesOf(yaml).join()).toContain("are too long together");
  });
});

describe("what the large providers ask for, and what an overview leaves out", () => {
  it("E13, R80 PTR, HELO and IPv6 reverse belong to it, each with its weight and its reason", () => {
    const { records } = derive(
      described(describing(`dkim: [{ selector: default, publicKey: ${RSA_1024} }]`)),
    );
    const weight = Object.fromEntries(records.map(({ purpose, importance }) => [purpose, importance]));
    expect(weight).toMatchObject({
      mx: "required",
      reverse: "strongly-recommended",
      spf: "strongly-recommended",
      "helo-spf": "strongly-recommended",
      dkim: "strongly-recommended",
      dmarc: "strongly-recommended",
      autoconfig: "optional",
    });
    expect(records.filter(({ purpose }) => purpose === "reverse")).toHaveLength(2);
    for (const { reason, reference } of records) {
      expect(reason).toMatch(/^\S.{15,}[^.]$/);
      expect(reference).toMatch(/^(RFC \d+( §[\d.]+)?|draft-\S+|MS-OXDISCO|XEP-\d+)$/);
    }
  });

  it("E14 nothing obsolete is written, however much is asked for", () => {
    const { records } = golden("everything").derived;
    const dmarc = records.find(({ purpose }) => purpose === "dmarc")!;
    expect(zoneLine(dmarc.record)).not.toMatch(/pct|rf=|ri=/);
  });

  it("E11 a key of 1024 bits is too short", () => {
    const { records } = golden("key-mid-rotation").derived;
    const cautions = records.flatMap(({ purpose, caution }) => (purpose === "dkim" ? [caution] : []));
    expect(cautions).toEqual([
      "1024 bits are too few today: make a key of 2048 bits (RFC 8301 §3.2)",
      undefined,
      undefined,
    ]);
  });

  it("R35 -all and its price", () => {
    const { records } = derive(described(describing("spf: { ending: fail }")));
    expect(records.find(({ purpose }) => purpose === "spf")?.caution).toMatch(/RFC 9989 §7\.1/);
  });

  it("SPF that costs more than receivers pay", () => {
    const include = Array.from({ length: 9 }, (_, n) => `s${n}.example`);
    const caution = (names: readonly string[]) =>
      derive(described(describing(`spf: { include: [${names.join(", ")}] }`))).records.find(
        ({ purpose }) => purpose === "spf",
      )?.caution;
    expect(caution(include)).toMatch(/cost 11 lookups/);
    expect(caution(include.slice(1))).toBeUndefined();
  });
});

describe("where mail programs are led", () => {
  const srv = (yaml: string) =>
    linesOf(yaml).flatMap((line) => (/^_(imaps|submissions)\._tcp.* (\S+)\.$/.exec(line) ?? [])[2] ?? []);
  const servers = `servers:
  - { host: mx.example.com, addresses: 192.0.2.1, services: [smtp] }
  - { host: imap.example.com, addresses: 192.0.2.2, services: [imaps, submissions] }
`;
  it.each<[reason: string, yaml: string, expected: readonly string[]]>([
    [
      "to whoever offers the service, MX or not",
      `${servers}domains: [{ domain: example.com }]`,
      ["imap.example.com", "imap.example.com"],
    ],
    ["not to a filter in front", `${servers}domains: [{ domain: example.com, mx: [mx.filter.example] }]`, []],
    [
      "but behind it to the server that is named",
      `${servers}domains: [{ domain: example.com, mx: [mx.filter.example], clientSetup: { host: imap.example.com } }]`,
      ["imap.example.com", "imap.example.com"],
    ],
    [
      "nowhere where that is not wanted",
      `${servers}domains: [{ domain: example.com, clientSetup: false }]`,
      [],
    ],
  ])("%s", (_reason, yaml, expected) => {
    expect(srv(yaml)).toEqual(expected);
  });

  it("a filter in front serves no policy and speaks no XMPP", () => {
    const yaml = `${servers}domains: [{ domain: example.com, mx: [mx.filter.example], mtaSts: {}, xmpp: true }]`;
    expect(linesOf(yaml).filter((line) => /mta-sts|xmpp/.test(line))).toEqual([]);
    expect(
      notesOf(yaml).filter((note) => /mtaSts\.host|xmpp\.host|clientSetup\.host/.test(note)),
    ).toHaveLength(3);
  });
});

it("never throws, and never repeats a record, for any description that is right", () => {
  const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/);
  const name = fc.tuple(label, label, fc.constantFrom("example", "test")).map((parts) => parts.join("."));
  const settings = fc.record(
    {
      receives: fc.boolean(),
      sends: fc.boolean(),
      xmpp: fc.boolean(),
      clientSetup: fc.boolean(),
      tlsReports: name.map((domain) => `tls@${domain}`),
      dmarc: fc.record({
        policy: fc.constantFrom("none", "quarantine", "reject"),
        reports: name.map((domain) => `d@${domain}`),
      }),
      ttl: fc.record({ default: fc.nat(604_800), SRV: fc.nat(604_800) }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(name, { minLength: 1, maxLength: 3 }),
      fc.uniqueArray(fc.tuple(name, settings), {
        minLength: 1,
        maxLength: 5,
        selector: ([domain]) => domain,
      }),
      (hosts, domains) => {
        const content = {
          servers: hosts.map((host, at) => ({ host: `mail.${host}`, addresses: [`192.0.2.${at + 1}`] })),
          domains: domains.map(([domain, rest]) => ({ domain, ...rest })),
        };
        const lines = linesOf(JSON.stringify(content));
        expect(new Set(lines).size).toBe(lines.length);
      },
    ),
    { numRuns: 100 },
  );
});

describe("records that live in another zone", () => {
  const derived = derive(
    described(`
servers: [{ host: mail.example.org, addresses: [192.0.2.25] }]
domains:
  - domain: example.org
    dkim: [{ selector: a, publicKey: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= }]
    delegation: { zone: dns.example.net, records: [dkim, dmarc], selectors: [a, b] }
`),
  );
  const at = (name: string) =>
    derived.records
      .filter(({ record }) => record.name === name)
      .map(({ purpose, record }) => `${purpose} ${formatRdata(record.data).slice(0, 50)}`);

  it("have an alias at their own name, and stand where they can be changed", () => {
    expect(at("a._domainkey.example.org")).toEqual(["delegation a._domainkey.example.org.dns.example.net."]);
    expect(at("a._domainkey.example.org.dns.example.net")).toEqual([
      expect.stringContaining('dkim "v=DKIM1'),
    ]);
    expect(at("_dmarc.example.org")).toEqual(["delegation _dmarc.example.org.dns.example.net."]);
    expect(at("_dmarc.example.org.dns.example.net")).toEqual([expect.stringContaining("dmarc ")]);
  });

  it("have aliases for keys to come, so that a new key needs nobody", () => {
    expect(at("b._domainkey.example.org")).toEqual(["delegation b._domainkey.example.org.dns.example.net."]);
    expect(at("b._domainkey.example.org.dns.example.net")).toEqual([]);
  });
});
