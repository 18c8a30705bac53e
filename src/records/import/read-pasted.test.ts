import { describe, expect, it } from "vitest";
import { fc } from "../../../test/support/random-inputs.ts";
import { type DomainName, domainName } from "../../standards/dns/name.ts";
import { zoneLine } from "../zone-listing.ts";
import { type PasteOptions, readPasted } from "./read-pasted.ts";

const lastTwo = (name: DomainName) => domainName(name.split(".").slice(-2).join("."));
const read = (text: string, options: Partial<PasteOptions> = {}) =>
  readPasted(text, { organizationalDomain: lastTwo, ...options });
const lines = (text: string, options: Partial<PasteOptions> = {}) =>
  read(text, options).records.map(({ record }) => zoneLine(record));
const codes = (text: string, options: Partial<PasteOptions> = {}) =>
  read(text, options).remarks.map(({ line, code }) => `${line} ${code}`);

const DOMAIN = { domain: domainName("example.org") };
const KEY = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYArsr2BKbdhv9efugByf7LhaKtxFUt0ec5+1dWmcDv0WH0qZL";

const DIG = `
; <<>> DiG 9.18.33 <<>> MX example.org
;; global options: +cmd
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 4711
;; flags: qr rd ra; QUERY: 1, ANSWER: 2, AUTHORITY: 1, ADDITIONAL: 2

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;example.org.\t\t\tIN\tMX

;; ANSWER SECTION:
example.org.\t\t600\tIN\tMX\t20 mx2.example.org.
example.org.\t\t600\tIN\tMX\t10 mx1.example.org.

;; AUTHORITY SECTION:
example.org.\t\t600\tIN\tNS\tns1.example.org.

;; ADDITIONAL SECTION:
mx1.example.org.\t600\tIN\tA\t192.0.2.1

;; Query time: 1 msec
;; SERVER: 127.0.0.53#53(127.0.0.53) (UDP)
;; MSG SIZE  rcvd: 97
`;

const NSLOOKUP = `Server:\t\t127.0.0.53
Address:\t127.0.0.53#53

Non-authoritative answer:
example.org\tmail exchanger = 10 mail.example.org.
example.org\ttext = "v=spf1 mx -all"
example.org\tnameserver = ns1.example.net.
www.example.org\tcanonical name = web.example.org.
25.2.0.192.in-addr.arpa\tname = mail.example.org.
_imaps._tcp.example.org\tservice = 0 1 993 mail.example.org.
example.org\trdata_257 = 0 issue "letsencrypt.org"
Name:\tmail.example.org
Address: 192.0.2.25
Name:\tmail.example.org
Address: 2001:db8::25
`;

const WINDOWS = `Server:  dns.example.net
Address:  192.0.2.53

Non-authoritative answer:
example.org     MX preference = 10, mail exchanger = mail.example.org

example.org     text =

        "v=spf1 mx "
        "-all"
Name:    mail.example.org
Addresses:  2001:db8::25
          192.0.2.25
_imaps._tcp.example.org\tSRV service location:
          priority       = 0
          weight         = 1
          port           = 993
          svr hostname   = mail.example.org
`;

describe("readPasted", () => {
  it.each<[string, string, readonly string[], Partial<PasteOptions>?]>([
    [
      "dig's answer section alone, not what came with it",
      DIG,
      ["example.org. IN MX 20 mx2.example.org.", "example.org. IN MX 10 mx1.example.org."],
    ],
    [
      "dig with authority: the TTL is the zone's",
      DIG.replace("flags: qr rd", "flags: qr aa rd"),
      ["example.org. 600 IN MX 20 mx2.example.org.", "example.org. 600 IN MX 10 mx1.example.org."],
    ],
    [
      "dig +short below its command",
      "$ dig +short MX example.org\n10 mail.example.org.\n$ dig +short www.example.org\nweb.example.org.\n192.0.2.80",
      [
        "example.org. IN MX 10 mail.example.org.",
        "www.example.org. IN CNAME web.example.org.",
        "web.example.org. IN A 192.0.2.80",
      ],
    ],
    [
      "nslookup of BIND",
      NSLOOKUP,
      [
        "example.org. IN MX 10 mail.example.org.",
        'example.org. IN TXT "v=spf1 mx -all"',
        "example.org. IN NS ns1.example.net.",
        "www.example.org. IN CNAME web.example.org.",
        "25.2.0.192.in-addr.arpa. IN PTR mail.example.org.",
        "_imaps._tcp.example.org. IN SRV 0 1 993 mail.example.org.",
        'example.org. IN CAA 0 issue "letsencrypt.org"',
        "mail.example.org. IN A 192.0.2.25",
        "mail.example.org. IN AAAA 2001:db8::25",
      ],
    ],
    [
      "nslookup of Windows",
      WINDOWS,
      [
        "example.org. IN MX 10 mail.example.org.",
        'example.org. IN TXT "v=spf1 mx " "-all"',
        "mail.example.org. IN AAAA 2001:db8::25",
        "mail.example.org. IN A 192.0.2.25",
        "_imaps._tcp.example.org. IN SRV 0 1 993 mail.example.org.",
      ],
    ],
    [
      "host",
      [
        "$> host -t MX example.org",
        "example.org mail is handled by 10 mail.example.org.",
        "mail.example.org has address 192.0.2.25",
        "mail.example.org has IPv6 address 2001:db8::25",
        'example.org descriptive text "v=spf1 mx" " -all"',
        "25.2.0.192.in-addr.arpa domain name pointer mail.example.org.",
        "www.example.org is an alias for web.example.org.",
        "example.org name server ns1.example.net.",
        "_imaps._tcp.example.org has SRV record 0 1 993 mail.example.org.",
      ].join("\n"),
      [
        "example.org. IN MX 10 mail.example.org.",
        "mail.example.org. IN A 192.0.2.25",
        "mail.example.org. IN AAAA 2001:db8::25",
        'example.org. IN TXT "v=spf1 mx" " -all"',
        "25.2.0.192.in-addr.arpa. IN PTR mail.example.org.",
        "www.example.org. IN CNAME web.example.org.",
        "example.org. IN NS ns1.example.net.",
        "_imaps._tcp.example.org. IN SRV 0 1 993 mail.example.org.",
      ],
    ],
    [
      "a zone file: origin, TTL, owners left out",
      '$ORIGIN example.org.\n$TTL 1h\n@ IN MX 10 mail\n  IN TXT "v=spf1 mx -all"\nmail 300 A 192.0.2.25 ; the server\n     AAAA 2001:db8::25',
      [
        "example.org. IN MX 10 mail.example.org.",
        'example.org. IN TXT "v=spf1 mx -all"',
        "mail.example.org. 300 IN A 192.0.2.25",
        "mail.example.org. IN AAAA 2001:db8::25",
      ],
    ],
    [
      "amavisd showkeys, comments and all",
      `# amavisd-new showkeys\n; key#1 1024 bits, s=dkim, d=example.org, /var/lib/dkim/example.org.pem\ndkim._domainkey.example.org.\t3600 TXT (\n  "v=DKIM1; p="\n  "${KEY}")\n\n;\n. we just need strings inside`,
      [`dkim._domainkey.example.org. IN TXT "v=DKIM1; p=" "${KEY}"`],
    ],
    [
      "OpenDKIM's file: the domain is in its comment",
      `default._domainkey\tIN\tTXT\t( "v=DKIM1; h=sha256; k=rsa; "\n\t  "p=${KEY}" )  ; ----- DKIM key default for example.org`,
      [`default._domainkey.example.org. IN TXT "v=DKIM1; h=sha256; k=rsa; " "p=${KEY}"`],
    ],
    [
      "dkimpy's file, with domain and selector said",
      `v=DKIM1; k=rsa; h=sha256; p=${KEY}`,
      [`s1._domainkey.example.org. IN TXT "v=DKIM1; k=rsa; h=sha256; p=${KEY}"`],
      { ...DOMAIN, selector: "s1" },
    ],
    [
      "rspamd's settings say whose key it is",
      `domain {\n  example.org {\n    selector = "mail";\n  }\n}\n\nv=DKIM1; k=rsa; p=${KEY}`,
      [`mail._domainkey.example.org. IN TXT "v=DKIM1; k=rsa; p=${KEY}"`],
    ],
    [
      "rspamd's keygen in BIND's form, below the private key",
      `-----BEGIN PRIVATE KEY-----\nMIICdwIBADANBg\n-----END PRIVATE KEY-----\nmail._domainkey IN TXT ( "v=DKIM1; k=rsa; "\n\t"p=${KEY}" ) ;`,
      [`mail._domainkey.example.org. IN TXT "v=DKIM1; k=rsa; " "p=${KEY}"`],
      DOMAIN,
    ],
    [
      "a form's fields in any order, hints behind them",
      "Name: @ (or your domain name)\nType: MX\nValue: mail.example.org\nPriority: 10\nType: A\nName: mail (or your host name without domain)\nValue: 192.0.2.1\nTTL: 300",
      ["example.org. IN MX 10 mail.example.org.", "mail.example.org. 300 IN A 192.0.2.1"],
      DOMAIN,
    ],
    [
      "a form's line",
      "MX | @ | 10 | mail.example.org\nTXT | _dmarc | v=DMARC1; p=none",
      ["example.org. IN MX 10 mail.example.org.", '_dmarc.example.org. IN TXT "v=DMARC1; p=none"'],
      DOMAIN,
    ],
    [
      "a Markdown table",
      "| Record Type | Name | Value | Purpose |\n|---|---|---|---|\n| MX | `@` | `10 mail.example.org` | in |\n| TXT (SPF) | @ | `v=spf1 mx a ~all` | out |",
      ["example.org. IN MX 10 mail.example.org.", 'example.org. IN TXT "v=spf1 mx a ~all"'],
      DOMAIN,
    ],
    [
      "the same table with its cells on lines of their own",
      "| Record Type | Name | Value | Purpose |\n|---|---|---|---|\n| A | `mail` |\n192.0.2.1 |\nResolve the name |",
      ["mail.example.org. IN A 192.0.2.1"],
      DOMAIN,
    ],
    [
      "columns between tabs",
      "Name\tType\tPriority\tContent\n@\tMX\t10\tmail.example.org\n@\tTXT\t\tv=spf1 mx ~all",
      ["example.org. IN MX 10 mail.example.org.", 'example.org. IN TXT "v=spf1 mx ~all"'],
      DOMAIN,
    ],
    [
      "a list from an API",
      '{"result":[{"type":"MX","name":"example.org","content":"mail.example.org","priority":10,"ttl":300},{"type":"TXT","name":"_dmarc.example.org","content":"\\"v=DMARC1; p=none\\"","ttl":300}]}',
      ["example.org. 300 IN MX 10 mail.example.org.", '_dmarc.example.org. 300 IN TXT "v=DMARC1; p=none"'],
      DOMAIN,
    ],
    [
      "arrows",
      "example.org —(MX)–> mx.example.org\nmx.example.org -(A)-> 1.2.3.4\nmx.example.org —(AAAA)–> 2001:db8::1\n1.2.3.4 —(PTR)–> mx.example.org",
      [
        "example.org. IN MX 10 mx.example.org.",
        "mx.example.org. IN A 1.2.3.4",
        "mx.example.org. IN AAAA 2001:db8::1",
        "4.3.2.1.in-addr.arpa. IN PTR mx.example.org.",
      ],
    ],
    [
      "the type first",
      "MX example.org. 10 mail.example.org.\nA mail.example.org. 192.0.2.1\nA autodiscover.example.org. 10 mail.example.org.",
      [
        "example.org. IN MX 10 mail.example.org.",
        "mail.example.org. IN A 192.0.2.1",
        "autodiscover.example.org. IN CNAME mail.example.org.",
      ],
    ],
    [
      "bare texts, quoted, escaped or neither",
      'v=spf1 mx -all\n"v=DMARC1\\; p=none"\nv=TLSRPTv1; rua=mailto:tls@example.org\nv=STSv1; id=1;',
      [
        'example.org. IN TXT "v=spf1 mx -all"',
        '_dmarc.example.org. IN TXT "v=DMARC1; p=none"',
        '_smtp._tls.example.org. IN TXT "v=TLSRPTv1; rua=mailto:tls@example.org"',
        '_mta-sts.example.org. IN TXT "v=STSv1; id=1;"',
      ],
      DOMAIN,
    ],
    [
      "a string that is longer than strings may be",
      `k._domainkey.example.org. IN TXT "v=DKIM1; p=${"A".repeat(300)}"`,
      [`k._domainkey.example.org. IN TXT "v=DKIM1; p=${"A".repeat(244)}" "${"A".repeat(56)}"`],
    ],
    [
      "dig's semicolons",
      'dkim._domainkey.example.org. 600 IN TXT "v=DKIM1\\; p=AAAA"',
      ['dkim._domainkey.example.org. 600 IN TXT "v=DKIM1; p=AAAA"'],
    ],
    [
      "a quoted mail, a list, and backticks",
      "> example.org. IN MX 10 mail.example.org.\n- mail.example.org. IN A 192.0.2.25\n`*.example.org. IN A 192.0.2.26`",
      [
        "example.org. IN MX 10 mail.example.org.",
        "mail.example.org. IN A 192.0.2.25",
        "*.example.org. IN A 192.0.2.26",
      ],
    ],
    [
      "dig's answer alone, whose TTL may be a cache's",
      "$ dig +noall +answer MX example.org\nexample.org.\t\t512\tIN\tMX\t10 mail.example.org.",
      ["example.org. IN MX 10 mail.example.org."],
    ],
    [
      "prose that speaks of records",
      "SPF is a TXT record type.\nA records map a name to an address.\nThe MX record points to mail.example.org\nv=DMARC1: DMARC version (required)\nmx: Authorizes the servers\nName DNS record type Purpose\nCreate a TXT record with SPF policy:",
      [],
    ],
  ])("reads %s", (_, text, expected, options) => {
    expect(lines(text, options)).toEqual(expected);
  });

  it.each<[string, string, readonly string[], Partial<PasteOptions>?]>([
    [
      "a command that asks another domain",
      "example.org. A 192.0.2.1\nnslookup -type=TXT dkim._domainkey.example.net",
      ["2 pasted-other-domain"],
    ],
    [
      "one that asks what the text is about",
      "example.org. A 192.0.2.1\nnslookup -type=TXT dkim._domainkey.example.org",
      [],
    ],
    ["the number in front of MX", "example.org. 10 mx mail.example.org.", ["1 pasted-preference-place"]],
    [
      "a name as an address",
      "imap.example.org. 10 A mail.example.org.",
      ["1 address-is-name", "1 address-with-priority"],
    ],
    ["half an IPv6 address", "fdeb:37d7:ef39:e063 —(PTR)–> mx.example.org", ["1 pasted-incomplete-address"]],
    ["an address as the owner of a PTR", "192.0.2.1 PTR mail.example.org.", ["1 ptr-wrong-owner"]],
    ["a cache's TTL", DIG, ["15 pasted-cache-ttl"]],
    [
      "the same record with two TTLs",
      'example.org. 3600 TXT "v=spf1 -all"\nexample.org. 600 IN TXT "v=spf1 -all"',
      ["2 pasted-cache-ttl"],
    ],
    ["TXT without quotes", "example.org. TXT v=spf1 mx -all", ["1 pasted-unquoted"]],
    ["typographic quotes", "example.org. TXT “v=spf1 -all”", ["1 txt-typographic-quotes"]],
    [
      "a private key",
      "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----",
      ["1 pasted-private-key"],
    ],
    ["amavisd's test that passes", "TESTING#1: dkim._domainkey.example.org => pass", []],
    [
      "one that fails",
      "TESTING#1: dkim._domainkey.example.org => invalid (public key: not available)",
      ["1 pasted-test-failed"],
    ],
    ["a name that does not exist", "Host none.example.org not found: 3(NXDOMAIN)", ["1 pasted-not-found"]],
    ["a lookup that failed", "** server can't find example.org: SERVFAIL", ["1 pasted-no-answer"]],
    [
      "a host elsewhere without its final dot",
      "example.org. MX 10 mx.example.com",
      ["1 pasted-dotless-target"],
      DOMAIN,
    ],
    ["a host of one's own without it", "example.org. MX 10 mx.com-lan", [], DOMAIN],
    ["an MX without its preference", "example.org. MX mail.example.org.", ["1 pasted-unreadable"]],
    ["an address that is none", "mail.example.org. A 192.0.2.256", ["1 pasted-unreadable"]],
    [
      "dots that stand for the rest",
      'x._domainkey.example.org. TXT "v=DKIM1; p=MIGf..."',
      ["1 pasted-shortened"],
    ],
  ])("remarks on %s", (_, text, expected, options) => {
    expect(codes(text, options)).toEqual(expected);
  });

  it("repeats nothing of a private key", () => {
    const secret = "c2VjcmV0c2VjcmV0c2VjcmV0";
    const text = `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`;
    expect(JSON.stringify(read(text))).not.toContain(secret);
  });

  it.each([
    ["v=spf1 mx -all", "TXT", ""],
    ["mail A 192.0.2.1", "A", "mail"],
    [`v=DKIM1; p=${KEY}`, "TXT", ""],
  ])("asks where %j belongs", (text, type, name) => {
    const { records, unplaced } = read(text);
    expect(records).toEqual([]);
    expect(unplaced).toMatchObject([{ line: 1, type, name }]);
  });

  const fragment = fc.constantFrom(
    "example.org.",
    " ",
    "\t",
    "\n",
    "IN",
    "TXT",
    "MX",
    "A",
    "10",
    "(",
    ")",
    '"',
    ";",
    "|",
    ":",
    "Type:",
    "Name:",
    "Value:",
    "v=spf1",
    "v=DKIM1; p=",
    "-all",
    "192.0.2.1",
    "::1",
    "=",
    "->",
    "—(PTR)–>",
    "$ORIGIN",
    "$TTL",
    ";; ANSWER SECTION:",
    "text =",
    "has address",
    "dig",
    "\\",
    "\\;",
    "{",
    "[",
    ",",
    "...",
    "TESTING#1:",
    "=>",
    "-----BEGIN PUBLIC KEY-----",
    "Name:\t",
    "Address:",
    "\r",
    "\0",
    "@",
  );
  it("takes any text without a throw, and no record from beyond its lines", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(fragment, { maxLength: 60 }).map((parts) => parts.join("")),
        ),
        (text) => {
          const { records, remarks, unplaced } = read(text, DOMAIN);
          const count = text.split(/\r\n|\n|\r/).length;
          for (const { line } of [...records, ...remarks, ...unplaced]) {
            expect(line).toBeGreaterThanOrEqual(1);
            expect(line).toBeLessThanOrEqual(count);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["one line without end", "a".repeat(2_000_000)],
    ["blanks without end", `x${" ".repeat(1_000_000)}A`],
    ["open parentheses", 'x.example.org. TXT ( "a"\n'.repeat(20_000)],
    ["bars without end", "|".repeat(1_000_000)],
    ["rows that never end", "| Type | Name | Value | a | b |\n| A |\n".repeat(20_000)],
    ["quotes without end", '"v=spf1 a"\n'.repeat(50_000)],
    ["keys that never end", "-----BEGIN PUBLIC KEY-----\n".repeat(50_000)],
    ["deep JSON", "[".repeat(100_000)],
    ["colons without end", `Type: ${"a:".repeat(100_000)}`],
  ])("comes to an end with %s", (_, text) => {
    // What grows with the square of it does not end within the test's time.
    expect(read(text, DOMAIN).records.length).toBeLessThan(2);
  });
});
