import { expect, it } from "vitest";
import { explainRecord } from "./explain.ts";

it.each<[reason: string, text: string, title: string | undefined, term: string]>([
  ["SPF", "v=spf1 mx -all", "SPF record (RFC 7208)", "mx"],
  ["R33 document 004's", "v=spf1 +mx +a:example.org -all", "SPF record (RFC 7208)", "+a:example.org"],
  ["in quotes", '"v=spf1 mx" " -all"', "SPF record (RFC 7208)", "-all"],
  ["a zone line", 'mydomain.com.   3600    IN  TXT "v=spf1 mx -all"', "SPF record (RFC 7208)", "mx"],
  ["DKIM", "v=DKIM1; p=", "DKIM key record (RFC 6376)", "p="],
  [
    "R49 DKIM as dig shows it",
    'dkim._domainkey.mydomain.com. 600 IN TXT "v=DKIM1\\; p="',
    "DKIM key record (RFC 6376)",
    "p=",
  ],
  [
    "R47 DKIM as amavisd shows it",
    '; key#1\ndkim._domainkey.mydomain.com.\t3600 TXT (\n  "v=DKIM1; p="\n  "MIGfMA0G")\n',
    "DKIM key record (RFC 6376)",
    "p=MIGfMA0G",
  ],
  ["DMARC", "v=DMARC1; p=none", "DMARC record (RFC 9989)", "p=none"],
  [
    "R69 DMARC of document 004",
    "v=DMARC1; p=none;;; fo=1; rf=afrf; sp=none",
    "DMARC record (RFC 9989)",
    "sp=none",
  ],
  ["MTA-STS", "v=STSv1; id=1;", "MTA-STS record (RFC 8461)", "id=1"],
  [
    "an MTA-STS policy",
    "version: STSv1\nmode: testing\nmx: a.example.org\nmax_age: 86400\n",
    "MTA-STS policy (RFC 8461)",
    "mode: testing",
  ],
  [
    "TLS reports",
    "v=TLSRPTv1; rua=mailto:a@example.org",
    "TLS reporting record (RFC 8460)",
    "rua=mailto:a@example.org",
  ],
  ["TLSA", "3 1 1 0b9f", "TLSA record (RFC 6698)", "3"],
  ["a TLSA zone line", "_25._tcp.mail.example.org. 3600 IN TLSA 3 1 1 0b9f", "TLSA record (RFC 6698)", "3"],
  ["CAA", '0 issue "letsencrypt.org"', "CAA record (RFC 8659)", "issue"],
  ["a CAA zone line", 'example.org. IN CAA 0 issue "letsencrypt.org"', "CAA record (RFC 8659)", "issue"],
  [
    "R76 an SRV line",
    "_xmpp-client._tcp.mydomain.com 18000 IN SRV 0 5 5222 mail.mydomain.com",
    "SRV record (RFC 2782)",
    "5222",
  ],
  ["BIMI", "v=BIMI1; l=https://example.org/a.svg", "BIMI record", "l=https://example.org/a.svg"],
  ["an MX line", "example.org. IN MX 10 mail.example.org.", undefined, ""],
  ["nothing", "", undefined, ""],
  ["some other text", "google-site-verification=abc", undefined, ""],
])("%s", (_reason, text, title, term) => {
  const explanation = explainRecord(text);
  if (title === undefined) {
    expect(explanation).toBeUndefined();
  } else {
    expect(explanation?.title).toContain(title);
    expect(explanation?.terms.map((each) => each.text)).toContain(term);
    for (const { meaning } of explanation!.terms) expect(meaning).not.toBe("");
  }
});
