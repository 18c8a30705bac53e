/** A world in which all is well: example.org as its description derives it, on two name servers, signed. */
import { createHash } from "node:crypto";
import type { CheckOptions } from "../../src/check/context.ts";
import { derive } from "../../src/records/derive.ts";
import { parseDescription } from "../../src/records/description.ts";
import { zoneLine } from "../../src/records/zone-listing.ts";
import { type IpNetwork, parseNetwork } from "../../src/standards/dns/address.ts";
import { domainName } from "../../src/standards/dns/name.ts";

export const DOMAIN = domainName("example.org");

/** Public keys of 2048 bits; their private halves were never kept. */
export const DKIM_KEY =
  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAymk81/9M1AKyBqaZIPwfY/fIp76VjPZ3OryT3JzROAczihmr" +
  "PTiccWC+UzfM8i5aQv8A7Iw6UCMX93nnKt3qC5EQfKZJXOI+pkp01L652x3NQwBTniByrnFk/vQoCa+/wdhltwaAxdRg" +
  "jemgben0AvAzlOkx3ZuHjEfJRcsal2TtZhY/ARLRdrQfCtPyOFePdKSo1dhSqhbRQz2XfQiJkB1aR+q5fRdKssmTzdu7" +
  "neXfepHQ4T08NaX6BF+lwho4JWwMmHxjRf8fdeIrjx9uaqUkq0hMn5y+cOebksjeop5Cdmu1agMdi5tAJZ5GLMqf7ltp" +
  "kGyd1QrWbieU/sxpmwIDAQAB";
export const OTHER_DKIM_KEY =
  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwQdAQm4XPdwN/TL37E5So8t+n6EVfHy+CEOWTRNjPUhBb3P0" +
  "JwxsRBKzoQeKWAUzYMwepO89O84+KKxHL36+TCcIv890dOqDme+oG3OPmwlj1WPa++koNOgt3hyqEBJxPfgXwNCRKRPg" +
  "T5cP5iwKtibHx1c4HFm3b2Df8oQazj3xueHr2hBDk+5Jvk0fBTewpaNio8eNoEAuw7/0ZJ77aw7llyu276UdlfJmwYD/" +
  "pO25zpbEBWAh4xd/jua0wjpkPq7acK/ZnqW5sBI0gkJEA0KKZ3zPXvDNufej9Cs8+yvzgl9O/4hWuayABELFAiFEbesG" +
  "eUTVaYwQLtYuKlkQUwIDAQAB";

export const DESCRIPTION = `servers:
  - host: mail.example.org
    addresses: [192.0.2.25, "2001:db8::25"]
    tlsa:
      - record: 3 1 1 ${"0b".repeat(32)}
domains:
  - domain: example.org
    spf:
      mechanisms: [mx, addresses]
      include: [_spf.example.net]
    dkim:
      - selector: default
        publicKey: ${DKIM_KEY}
    dmarc:
      policy: quarantine
      reports: [dmarc@example.org, example-org@reports.example.net]
    mtaSts: { mode: testing }
    tlsReports: tls@example.org
    caa: [letsencrypt.org]
    bimi: { logo: "https://example.org/logo.svg" }
    verification: [some-site-verification=0123456789]
`;

export const KEY_RDATA = Uint8Array.of(1, 1, 3, 13, ...Array.from({ length: 64 }, (_, at) => at));

/** RFC 4034 §5.1.4, and appendix B for the tag; written out here, so that the check does not vouch for itself. */
function dsOf(owner: readonly string[], key: Uint8Array): string {
  const wireName = [...owner.flatMap((label) => [label.length, ...Buffer.from(label)]), 0];
  const digest = createHash("sha256").update(Uint8Array.from(wireName)).update(key).digest("hex");
  const sum = key.reduce((total, octet, at) => total + (at % 2 === 0 ? octet * 256 : octet), 0);
  return `${(sum + Math.floor(sum / 65_536)) % 65_536} 13 2 ${digest}`;
}

export const DNSKEY = `257 3 13 ${Buffer.from(KEY_RDATA.subarray(4)).toString("base64")}`;
export const DS = dsOf(["example", "org"], KEY_RDATA);
export const signature = (owner: string, type: string, expires: string) =>
  `${owner}. RRSIG ${type} 13 2 3600 ${expires} 20261101000000 1 example.org. AAAA`;

export function optionsOf(description: string, more: Partial<CheckOptions> = {}): CheckOptions {
  const parsed = parseDescription(description);
  if (!parsed.ok)
    throw new Error(parsed.problems.map(({ path, problem }) => `${path}: ${problem}`).join("\n"));
  return { ...BARE, description: parsed.description, derived: derive(parsed.description), ...more };
}

/** The example networks, which stand for public ones here. */
export const LABORATORY: readonly IpNetwork[] = ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"].map(
  (text) => {
    const network = parseNetwork(text);
    if (!network.ok) throw new Error(network.problem);
    return network.value;
  },
);

/** As for a domain of which nothing is known. */
export const BARE: CheckOptions = { dkimSelectors: [], assumePublic: LABORATORY };
export const DESCRIBED = optionsOf(DESCRIPTION);

const derivedLines = DESCRIBED.derived!.records.map(({ record }) => zoneLine(record));

/** Zone text of everything there is, with absolute names. */
export const HEALTHY = [
  "example.org. SOA ns1.example.org. hostmaster.example.org. 2026112101 7200 900 1209600 300",
  "example.org. NS ns1.example.org.",
  "example.org. NS ns2.example.org.",
  "ns1.example.org. A 192.0.2.53",
  "ns2.example.org. A 198.51.100.53",
  "example.org. A 192.0.2.80",
  "www.example.org. CNAME example.org.",
  `example.org. DS ${DS}`,
  `example.org. DNSKEY ${DNSKEY}`,
  signature("example.org", "SOA", "20261212000000"),
  signature("_25._tcp.mail.example.org", "TLSA", "20261212000000"),
  ...derivedLines,
  '_spf.example.net. TXT "v=spf1 ip4:198.51.100.0/24 -all"',
  "reports.example.net. MX 10 mx.example.net.",
  "mx.example.net. A 198.51.100.25",
  'example.org._report._dmarc.reports.example.net. TXT "v=DMARC1"',
].join("\n");
