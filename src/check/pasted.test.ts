import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DESCRIBED, DKIM_KEY, LABORATORY } from "../../test/support/healthy-world.ts";
import { fc } from "../../test/support/random-inputs.ts";
import { NOW } from "../../test/support/table-world.ts";
import { FORMATS, formatRecords } from "../records/format.ts";
import { zoneLine } from "../records/zone-listing.ts";
import { type DomainName, domainName } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import type { ResourceRecord } from "../standards/dns/record.ts";
import { txtText, typeOf } from "../standards/dns/record.ts";
import { judgePasted } from "./pasted.ts";

const lastTwo = (name: DomainName) => domainName(name.split(".").slice(-2).join("."));
const judge = (
  text: string,
  { domain, selector }: { readonly domain?: string; readonly selector?: string } = {},
  assumePublic = LABORATORY,
) =>
  judgePasted(
    text,
    { domain: domain === undefined ? undefined : domainName(domain), selector },
    { now: NOW, organizationalDomain: lastTwo, options: { dkimSelectors: [], assumePublic } },
  );

/** A key of 1024 bits. */
const SHORT_KEY =
  "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYArsr2BKbdhv9efugByf7LhaKtxFUt0ec5+1dWmcDv0WH0qZLFK711sibNN5LutvnaiuH" +
  "+w3Kr8Ylbw8gq2j0UBokFcMycUvOBd7nsYn/TUrOua3Nns+qKSJBy88IWSh2zHaGbjRYujyWSTjlPELJ0H+5EV711qseo/omquskkwIDAQAB";

describe("judgePasted", () => {
  it.each<[string, string, readonly string[], readonly string[]]>([
    [
      "E1 a name as the data of A, with a priority",
      "autodiscover.example.org. 10 A mail.example.org.",
      ["1 error address-is-name", "1 error address-with-priority"],
      ["autodiscover.example.org. IN CNAME mail.example.org."],
    ],
    ["E2 a private address", "mail.example.org. 1800 A 192.168.1.5", ["1 error address-special"], []],
    [
      "E2 its reverse name",
      "5.1.168.192.in-addr.arpa. PTR mail.example.org.",
      ["1 error address-special"],
      [],
    ],
    ["E3 a ULA", "mx.example.org —(AAAA)–> fdeb:37d7:ef39:e063::1", ["1 error address-special"], []],
    [
      "E4 an alias as mail server",
      "example.org. A 192.0.2.1\nmail.example.org. CNAME example.org.\nexample.org. MX 10 mail.example.org.",
      ["2 error mx-is-alias"],
      ["example.org. IN MX 10 example.org."],
    ],
    [
      "E4 an alias at the domain",
      "mail.example.org. A 192.0.2.1\nexample.org. CNAME mail.example.org.\nexample.org. MX 10 mail.example.org.",
      ["2 error zone-cname-and-other"],
      [],
    ],
    [
      "E5 half an address",
      "fdeb:37d7:ef39:e063 —(PTR)–> mx.example.org",
      ["1 error pasted-incomplete-address"],
      [],
    ],
    [
      "E6 the scar of two strings",
      `k._domainkey.example.org. TXT "v=DKIM1; p=${DKIM_KEY.slice(0, 244)}" " ${DKIM_KEY.slice(244)}"`,
      ["1 warning dkim-chunk-join-scar"],
      [`k._domainkey.example.org. IN TXT "v=DKIM1; p=${DKIM_KEY.slice(0, 244)}" "${DKIM_KEY.slice(244)}"`],
    ],
    [
      "E7 lost tags",
      '_dmarc.example.org. TXT "v=DMARC1; p=none;;; fo=1; rf=afrf; sp=none"',
      [
        "1 warning dmarc-empty-tags",
        "1 notice dmarc-fo-without-ruf",
        "1 notice dmarc-redundant-policy",
        "1 notice dmarc-removed-tag",
      ],
      ['_dmarc.example.org. IN TXT "v=DMARC1; p=none; sp=none; fo=1"'],
    ],
    [
      "E8 a command that asks for another domain",
      "example.org. MX 10 mail.example.org.\n$ nslookup -type=txt dkim._domainkey.example.net",
      ["2 warning pasted-other-domain"],
      [],
    ],
    [
      "E9 no final dots, and a copied owner",
      "example.org. MX 10 mail.example.org.\nwww.example.org. A 192.0.2.1\n_xmpp-client._tcp.example.org 18000 IN SRV 0 5 5222 mail.example.org\n_xmpp-server._tcp.example.com. 18000 IN SRV 0 5 5269 mail.example.org",
      ["3 error zone-doubled-name", "4 error zone-doubled-name", "4 warning zone-foreign-owner"],
      ["_xmpp-client._tcp.example.org. 18000 IN SRV 0 5 5222 mail.example.org."],
    ],
    [
      "E10 p behind others",
      '_dmarc.example.org. TXT "v=DMARC1; aspf=s; p=reject; rua=mailto:d@example.org"',
      ["1 warning dmarc-p-not-second"],
      ['_dmarc.example.org. IN TXT "v=DMARC1; p=reject; rua=mailto:d@example.org; aspf=s"'],
    ],
    [
      "E11 a short key",
      `k._domainkey.example.org. TXT "v=DKIM1; p=${SHORT_KEY}"`,
      ["1 warning dkim-key-short"],
      [],
    ],
    [
      "E12 IPv6 that SPF does not cover",
      'example.org. TXT "v=spf1 ip4:192.0.2.1 -all"\nexample.org. MX 10 mail.example.org.\nmail.example.org. A 192.0.2.1\nmail.example.org. AAAA 2001:db8::1',
      ["1 notice spf-address-not-covered"],
      [],
    ],
    [
      "E13 no word of reverse DNS",
      "example.org. MX 10 mail.example.org.\nmail.example.org. A 192.0.2.1",
      ["undefined notice pasted-no-reverse"],
      [],
    ],
    [
      "E14 tags that are gone",
      '_dmarc.example.org. TXT "v=DMARC1; p=quarantine; rua=mailto:d@example.org; pct=100"\nruf= is for forensic reports',
      ["1 notice dmarc-removed-tag", "2 notice pasted-forensic-reports"],
      ['_dmarc.example.org. IN TXT "v=DMARC1; p=quarantine; rua=mailto:d@example.org"'],
    ],
    [
      "E15 an obsolete standard",
      "example.org. A 192.0.2.1\nthe key server technology (RFC4871)", // obsolete on purpose
      ["2 notice pasted-obsolete-standard"],
      [],
    ],
    [
      "E16 preference",
      "example.org. MX 10 mail.example.org.\nThe lowest number has the highest priority.",
      ["2 notice pasted-preference-words"],
      [],
    ],
    [
      "E17 a last server that nobody uses",
      "example.org. MX 40 trap.example.org.\nIt is very unlikely that a mail server will ever have to use it.",
      ["2 warning pasted-last-server-trap"],
      [],
    ],
    [
      "E18 a cache's countdown is no drift",
      'example.org. 3600 IN TXT "v=spf1 mx -all"\nexample.org. 600 IN TXT "v=spf1 mx -all"',
      ["2 notice pasted-cache-ttl"],
      [],
    ],
    [
      "E19 `mx` alone, and the MX is a filtering service",
      'mail.example.org. A 192.0.2.1\nexample.org. MX 10 mx.filter.example.\nexample.org. TXT "v=spf1 mx -all"\nemails sent from all servers defined in MX record',
      ["4 notice pasted-mx-sends"],
      [],
    ],
    [
      "E20 the fallback to A",
      "example.org. A 192.0.2.1\nthe remote mail server will just do an A record lookup",
      ["2 notice pasted-address-fallback"],
      [],
    ],
  ])("%s", async (_, text, expected, corrected) => {
    const { mistakes } = await judge(text);
    const told = mistakes.map(({ line, severity, code }) => `${line} ${severity} ${code}`);
    expect(told).toEqual(expect.arrayContaining([...expected]));
    const better = mistakes.flatMap((mistake) => mistake.corrected);
    expect(better).toEqual(expect.arrayContaining([...corrected]));
  });

  it("E18: one record stays, with the TTL of the zone", async () => {
    const { records, mistakes } = await judge(
      'example.org. 7200 IN TXT "v=spf1 mx -all"\nexample.org. 600 IN TXT "v=spf1 mx -all"',
    );
    expect(records.map(zoneLine)).toEqual(['example.org. 7200 IN TXT "v=spf1 mx -all"']);
    expect(mistakes.map(({ severity }) => severity)).toEqual(["notice"]);
  });

  it("E9: what comes out is what was meant", async () => {
    const { records } = await judge(
      "example.org. A 192.0.2.1\n_xmpp-client._tcp.example.org 18000 IN SRV 0 5 5222 mail.example.org",
    );
    expect(records.map(zoneLine)).toContain(
      "_xmpp-client._tcp.example.org. 18000 IN SRV 0 5 5222 mail.example.org.",
    );
  });

  it("finds nothing wrong in two zones that are fine", async () => {
    const { mistakes } = await judge(
      ["example.org", "example.net"]
        .map(
          (zone) =>
            `${zone}. MX 10 mail.${zone}.\nmail.${zone}. A 192.0.2.1\n1.2.0.192.in-addr.arpa. PTR mail.${zone}.`,
        )
        .join("\n"),
    );
    expect(mistakes.filter(({ severity }) => severity === "error" || severity === "warning")).toEqual([]);
  });

  it("judges each of several examples by itself", async () => {
    const { mistakes } = await judge(
      '_dmarc.example.org. TXT "v=DMARC1; p=none; rua=mailto:d@example.org"\n_dmarc.example.org. TXT "v=DMARC1; p=reject; pct=100"',
    );
    expect(mistakes.map(({ code }) => code)).toEqual(
      expect.arrayContaining(["dmarc-several-records", "dmarc-removed-tag"]),
    );
  });
});

/** By value: the cut into strings is nobody's intention. */
const meaning = ({ name, data }: ResourceRecord) =>
  `${name} ${typeOf(data)} ${data.type === "TXT" ? txtText(data) : formatRdata(data)}`;

describe("round trip", () => {
  const { derived, description } = DESCRIBED;
  const wanted = derived!.records.map(({ record }) => meaning(record)).toSorted();
  const read = async (text: string) =>
    (await judge(text, { domain: "example.org" })).records.map(meaning).toSorted();

  const readable = FORMATS.filter(
    (format) => !["table", "octodns", "dnscontrol", "terraform"].includes(format),
  ) as Exclude<(typeof FORMATS)[number], "table">[];
  it.each(readable)("of all records, as %s", async (format) => {
    const text = formatRecords(derived!, description!, format, { nameStyle: "at" });
    expect(await read(text)).toEqual(wanted);
  });

  it.each(["quoted", "strings", "bind"] as const)("of forms with TXT as %s", async (txtStyle) => {
    const text = formatRecords(derived!, description!, "csv", { nameStyle: "full", txtStyle });
    expect(await read(text.replaceAll(/\n {2}/g, " ").replaceAll("\n)", " )"))).toEqual(wanted);
  });

  it("of each record as dig shows it", async () => {
    const text = derived!.records.map(({ record }) => asDigShows(record)).join("\n");
    expect(await read(text)).toEqual(wanted);
  });

  it("of each record as host shows it", async () => {
    const text = derived!.records.map(({ record: { name, data } }) => asHostShows(name, data)).join("\n");
    expect(await read(text)).toEqual(wanted);
  });
});

function asDigShows({ name, ttlSeconds, data }: ResourceRecord): string {
  const type = typeOf(data);
  const line = `${name}.\t\t${ttlSeconds}\tIN\t${type}\t${formatRdata(data).replaceAll(";", "\\;")}`;
  return `\n; <<>> DiG 9.18.33 <<>> ${type} ${name}\n;; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1\n;; flags: qr rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1\n\n;; QUESTION SECTION:\n;${name}.\t\tIN\t${type}\n\n;; ANSWER SECTION:\n${line}\n\n;; Query time: 0 msec\n;; SERVER: 127.0.0.1#53(127.0.0.1) (UDP)\n`;
}

function asHostShows(name: DomainName, data: ResourceRecord["data"]): string {
  const text = formatRdata(data);
  const phrases: Readonly<Record<string, string>> = {
    MX: "mail is handled by",
    A: "has address",
    AAAA: "has IPv6 address",
    TXT: "descriptive text",
    PTR: "domain name pointer",
    CNAME: "is an alias for",
    NS: "name server",
  };
  const phrase = phrases[typeOf(data)] ?? `has ${typeOf(data)} record`;
  return `${name} ${phrase} ${text}`;
}

const SEEDS = join(import.meta.dirname, "../../../shared/seeds");
const seeds = existsSync(SEEDS) ? readdirSync(SEEDS).filter((file) => file.endsWith(".txt")) : [];

describe.skipIf(seeds.length === 0)("the source documents", () => {
  it.each<[string, string, readonly string[], readonly string[]]>([
    [
      "001",
      "mydomain.com. IN MX 10 mail.mydomain.com.",
      [
        "address-is-name",
        "address-with-priority",
        "address-special",
        "pasted-other-domain",
        "zone-doubled-name",
        "zone-foreign-owner",
        "pasted-tag-order",
        "dkim-key-short",
        "pasted-obsolete-standard",
        "pasted-mx-sends",
        "pasted-no-reverse",
      ],
      [],
    ],
    [
      "002",
      "gmail.com. IN MX 5 gmail-smtp-in.l.google.com.",
      [
        "address-special",
        "address-example",
        "pasted-incomplete-address",
        "pasted-preference-words",
        "pasted-last-server-trap",
        "pasted-address-fallback",
      ],
      [],
    ],
    [
      "003",
      'example.com. IN TXT "v=spf1 mx a ip4:192.0.2.1 ip6:2001:db8::1 ~all"',
      [
        "address-special",
        "pasted-no-reverse",
        "dmarc-removed-tag",
        "pasted-forensic-reports",
        "pasted-shortened",
      ],
      ["pasted-other-domain", "pasted-unreadable"],
    ],
    [
      "004",
      'example.org. IN TXT "v=spf1 +mx -all"',
      ["dkim-chunk-join-scar", "dmarc-empty-tags", "dmarc-fo-without-ruf", "dmarc-removed-tag"],
      ["pasted-unreadable"],
    ],
  ])("%s", async (number, record, expected, never) => {
    const file = seeds.find((name) => name.startsWith(number))!;
    const text = readFileSync(join(SEEDS, file), "utf8");
    const { records, mistakes } = await judge(
      text,
      number === "004" ? { domain: "example.org", selector: "k" } : {},
      [],
    );
    const codes = mistakes.map(({ code }) => code);
    expect(records.map(zoneLine)).toContain(record);
    expect(codes).toEqual(expect.arrayContaining([...expected]));
    expect(codes.filter((code) => never.includes(code))).toEqual([]);
  });
});

it("judges any text without a throw", async () => {
  const word = fc.constantFrom(
    "example.org. TXT ",
    '"v=spf1 ',
    'mx -all"',
    "\n",
    "example.org. MX 10 mail",
    "mail A 192.0.2.1",
    "\t",
    '_dmarc.example.org. TXT "v=DMARC1; p=none"',
    "CNAME x.example.org",
    "| TXT | @ | v=spf1 |",
    ".",
    " ",
    "*.",
    "\\",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 24 }), async (words) => {
      const { mistakes } = await judge(words.join(""));
      expect(Array.isArray(mistakes)).toBe(true);
    }),
    { numRuns: 150 },
  );
});
