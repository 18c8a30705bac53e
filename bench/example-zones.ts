/** Zones for as many domains as one likes, each as careful people have it, and the zones above them. */
import { type DomainName, domainName } from "../src/standards/dns/name.ts";
import type { ZoneText } from "../test/support/dns-program.ts";

export const ROOT_SERVER = "127.0.0.21";
export const DOMAIN_SERVER = "127.0.0.22";
const PUBLIC_KEY =
  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxOlorHTT/rsI5WWobgA0/+XRWAav1F5As1YoUVEUknIPbIJDuMIbEbV468XdHsp63PvwF2uz9A3iEefaGIMOpcJrgIcb3X5el0/x89kxK/zDDruiAzpcLwdy6urEmQhdRfoi1stdOhDlo8dNQj5vRORceJ2v5fUJ3VUV9eWd7cGOjhladUWedYgdIdiYqsbR6CeYIhpKK1v414UmtB1sKcxHgxbROm+yjM6iJaSQbF9iLUlBEHOBfRc1vVuw0N+LQpRDNaaHSom0SusrMnXnjb33ANNCFMITwL9fZm9mR+sR+m+2QGvhLyODJMsxRCBKSSZhrjP2Csa80ZnOtNX91QIDAQAB";

export function exampleDomains(count: number): DomainName[] {
  return Array.from({ length: count }, (_, at) => domainName(`d${at}.test`));
}

const head = (apex: string) => `$ORIGIN ${apex}\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n`;

/** Mail servers in 198.18.0.0/15 (RFC 2544's range for benchmarks, never asked here): 131,072 of them. */
const octetsOf = (at: number) => [18 + (at >> 16), (at >> 8) & 255, at & 255] as const;
const addressOf = (at: number) => `198.${octetsOf(at).join(".")}`;

/** MX, addresses, SPF with an include, DKIM, DMARC, SRV, autoconfig, and the rest. */
function domainZone(domain: DomainName, at: number): ZoneText {
  const text = `${head(`${domain}.`)}@ NS ns
ns A ${DOMAIN_SERVER}
@ MX 10 mail
@ A ${addressOf(at)}
mail A ${addressOf(at)}
mail AAAA 2001:db8::${(at >> 16).toString(16)}:${(at & 0xffff).toString(16)}
mail TXT "v=spf1 a -all"
@ TXT "v=spf1 mx include:_spf.test ~all"
@ TXT "verification=${at}"
default._domainkey TXT "v=DKIM1; k=rsa; p=${PUBLIC_KEY.slice(0, 200)}" "${PUBLIC_KEY.slice(200)}"
_dmarc TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@${domain}"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@${domain}"
_imaps._tcp SRV 0 1 993 mail
_submissions._tcp SRV 0 1 465 mail
autoconfig CNAME mail
`;
  return { apex: domain, text };
}

/** For `DOMAIN_SERVER`. */
export function ownZones(domains: readonly DomainName[]): ZoneText[] {
  return domains.map(domainZone);
}

/** For `ROOT_SERVER`. */
export function parentZones(domains: readonly DomainName[]): ZoneText[] {
  const delegations = domains
    .map((domain) => `${domain}. NS ns.${domain}.\nns.${domain}. A ${DOMAIN_SERVER}\n`)
    .join("");
  const ns = `@ NS ns.root.\n`;
  const glue = `ns.root. A ${ROOT_SERVER}\n`;
  const cut = (zone: string) => `${zone} NS ns.root.\n`;
  return [
    {
      apex: domainName("."),
      text: `${head(".")}${ns}${glue}${["test.", "198.in-addr.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa."].map(cut).join("")}`,
    },
    {
      apex: domainName("test"),
      text: `${head("test.")}${ns}_spf TXT "v=spf1 ip4:198.18.0.0/15 -all"\n${delegations}`,
    },
    {
      apex: domainName("198.in-addr.arpa"),
      text: `${head("198.in-addr.arpa.")}${ns}${domains.map((domain, at) => `${octetsOf(at).toReversed().join(".")} PTR mail.${domain}.\n`).join("")}`,
    },
    {
      apex: domainName("8.b.d.0.1.0.0.2.ip6.arpa"),
      text: `${head("8.b.d.0.1.0.0.2.ip6.arpa.")}${ns}${domains.map((domain, at) => `${nibbles(at)} PTR mail.${domain}.\n`).join("")}`,
    },
  ];
}

/** The 24 nibbles below 2001:db8::/32 of the address 2001:db8::<at>. */
function nibbles(at: number): string {
  return [...at.toString(16).padStart(24, "0")].reverse().join(".");
}
