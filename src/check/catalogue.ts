/**
 * Every finding there is: permanent codes, with what is expected and why it matters. The reference of finding
 * codes (docs/reference/findings.md) is written from this table.
 */
import type { Severity } from "./finding.ts";

/** In the order in which reports show them. */
export const GROUPS = {
  zone: "Zone and name servers",
  dnssec: "DNSSEC",
  mx: "MX",
  address: "Addresses",
  reverse: "Reverse DNS",
  spf: "SPF",
  dkim: "DKIM",
  dmarc: "DMARC",
  "mta-sts": "MTA-STS",
  "tls-rpt": "TLS reports",
  dane: "DANE",
  caa: "CAA",
  client: "Client set-up",
  bimi: "BIMI",
  drift: "Description",
} as const;
export type Group = keyof typeof GROUPS;

export interface CatalogueEntry {
  readonly group: Group;
  /** The usual severity; a finding may say another where the circumstances ask for it. */
  readonly severity: Severity;
  readonly expected: string;
  readonly why: string;
  readonly reference: string;
}

function row(group: Group, severity: Severity, expected: string, why: string, reference: string): CatalogueEntry {
  return { group, severity, expected, why, reference };
}

const SPF = "spf";
const DMARC = "dmarc";
const DKIM = "dkim";

export const CATALOGUE = {
  "zone-ok": row("zone", "ok", "every name server answers alike", "Every name server of the zone answers with authority and the same serial.", "RFC 1034 §4.2.1"),
  "zone-not-found": row("zone", "error", "a delegated domain", "The domain does not exist in DNS: no mail can be sent to it, and mail from it is refused.", "RFC 1034 §4.2.1"),
  "zone-unreachable": row("zone", "unknown", "name servers that answer", "The name servers of the domain could not be asked, so nothing is said of what they publish.", "RFC 1034 §5.3.3"),
  "zone-lame-server": row("zone", "error", "every delegated name server knows the zone", "A name server that does not know its zone makes lookups slow, and mail fails at random.", "RFC 1912 §2.8"),
  "zone-server-silent": row("zone", "warning", "an answer from every name server", "Lookups that go to this name server wait or fail.", "RFC 2182 §3"),
  "zone-ns-no-address": row("zone", "error", "an address for every name server", "Without an address the name server cannot be asked.", "RFC 1912 §2.8"),
  "zone-ns-is-alias": row("zone", "error", "name servers that are no aliases", "An NS must not name an alias; some resolvers then find no name server at all.", "RFC 2181 §10.3"),
  "zone-ns-mismatch": row("zone", "error", "one list of name servers", "Resolvers use either list; a server that is in one only may hold old data, or get no queries.", "RFC 1034 §4.2.2"),
  "zone-serials-differ": row("zone", "warning", "the same serial everywhere", "Some name servers hold older data than others. After a change this passes within the refresh time.", "RFC 1996 §1"),
  "zone-single-server": row("zone", "notice", "two name servers or more", "With one name server, one outage takes the domain's mail away.", "RFC 1034 §4.1"),
  "zone-apex-cname": row("zone", "error", "no CNAME at the apex", "A CNAME must be alone at its name, but the apex always holds SOA and NS; MX and TXT there get lost.", "RFC 1034 §3.6.2"),
  "zone-cname-domain": row("zone", "warning", "records of its own", "The domain is an alias, so MX and TXT are those of its target, and nothing else can stand here.", "RFC 1034 §3.6.2"),
  "zone-wildcard": row("zone", "notice", "no wildcard", "A wildcard answers for names that were never meant to exist, among them those with a meaning of their own.", "RFC 4592 §2.1"),
  "zone-doubled-name": row("zone", "error", "names that hold the domain once", "The domain stands twice in the name: the form, or a missing final dot, added it again, so nobody finds the record.", "RFC 1035 §5.1"),
  "servers-differ": row("zone", "error", "the same answer from every name server", "What the world gets depends on which name server it asks.", "RFC 1034 §4.2.1"),
  "resolver-differs": row("zone", "warning", "the answer of the name servers", "This resolver gives another answer than the name servers: an older one from its cache, or one of its own.", "RFC 2308 §5"),
  "dns-no-answer": row("zone", "unknown", "an answer", "The lookup failed, so nothing is said of what is published there.", "RFC 2308 §7"),

  "dnssec-ok": row("dnssec", "ok", "a signed zone", "The zone is signed, its key fits the DS, and the signatures last.", "RFC 4035 §5"),
  "dnssec-unsigned": row("dnssec", "notice", "a signed zone", "Without DNSSEC there is no DANE, and answers can be forged on the way.", "RFC 4033 §2"),
  "dnssec-bogus": row("dnssec", "error", "an answer that validates", "Validating resolvers refuse the answer because its DNSSEC is broken; for their users the domain is gone, whatever is published.", "RFC 4035 §5.5"),
  "dnssec-ds-without-key": row("dnssec", "error", "a DNSKEY that fits the DS", "The parent vouches for a key that the zone does not have: validating resolvers refuse all answers.", "RFC 4035 §5.2"),
  "dnssec-signature-missing": row("dnssec", "error", "signatures", "The parent says that the zone is signed, but its answers are not: validating resolvers refuse them.", "RFC 4035 §5.3"),
  "dnssec-signature-expiring": row("dnssec", "warning", "signatures for days to come", "When the signatures run out, validating resolvers refuse all answers.", "RFC 4035 §5.3.1"),
  "dnssec-signature-expired": row("dnssec", "error", "signatures that are still good", "The signatures have run out: validating resolvers refuse all answers.", "RFC 4035 §5.3.1"),

  "mx-ok": row("mx", "ok", "an MX", "Senders try the lowest number first, and go on to the next when it cannot be reached.", "RFC 5321 §5.1"),
  "mx-load-shared": row("mx", "notice", "an MX", "Servers with the same number share the mail: senders choose among them at random.", "RFC 5321 §5.1"),
  "mx-missing": row("mx", "warning", "an explicit MX", "Without MX senders fall back to the domain's own address, A or AAAA; say it explicitly, so that a change of the web server does not take the mail away.", "RFC 5321 §5.1"),
  "mx-fallback-elsewhere": row("mx", "error", "an MX that names the mail server", "Without MX senders go to the domain's own address, and that is another machine than the mail server: mail is lost.", "RFC 5321 §5.1"),
  "mx-null": row("mx", "ok", "an MX", "A null MX says that the domain receives no mail; senders do not fall back to its address.", "RFC 7505 §3"),
  "mx-null-missing": row("mx", "warning", "MX 0 .", "The domain receives no mail, but does not say so: senders try its address for days.", "RFC 7505 §3"),
  "mx-null-not-alone": row("mx", "error", "a null MX alone, or none", "A null MX beside others is not allowed, and senders disagree on what it means.", "RFC 7505 §3"),
  "mx-null-preference": row("mx", "notice", "MX 0 .", "A null MX has preference 0.", "RFC 7505 §3"),
  "mx-duplicate": row("mx", "warning", "each mail server once", "The same server stands in the list more than once; senders try it again for nothing.", "RFC 5321 §5.1"),
  "mx-is-address": row("mx", "error", "a host name", "An MX names a host, never an address: senders look the number up as a name, find nothing, and mail is not delivered.", "RFC 1035 §3.3.9"),
  "mx-is-alias": row("mx", "error", "a host with addresses of its own", "An MX must not name an alias: some senders refuse it, and DANE is switched off.", "RFC 2181 §10.3"),
  "mx-host-no-address": row("mx", "error", "an A or AAAA record", "The mail server has no address: mail is not received.", "RFC 5321 §5.1"),
  "mx-differs": row("mx", "error", "the mail servers of the description", "Mail goes elsewhere than to the servers of the description.", "RFC 5321 §5.1"),

  "host-ok": row("address", "ok", "addresses", "The mail server has addresses that the internet can reach.", "RFC 5321 §5.1"),
  "host-no-ipv6": row("address", "notice", "A and AAAA", "IPv6 is not required; with it, mail flows also where IPv4 is short.", "RFC 3596 §2"),
  "host-address-differs": row("address", "error", "the addresses of the description", "The name leads to other addresses than the description says.", "RFC 1035 §3.4.1"),
  "address-special": row("address", "error", "a public address", "The internet does not route this address: nobody outside reaches the server.", "RFC 6890 §2.2.2"),
  "address-placeholder": row("address", "warning", "your own address", "This is the example address of a tutorial, and most likely not yours.", "RFC 5737 §3"),
  "ttl-too-long": row("address", "warning", "a TTL of at most a day", "Caches keep the record for so long that a change takes days to be seen.", "RFC 1912 §2.2"),
  "ttl-too-long-for-dynamic": row("address", "warning", "a TTL of at most 1800 s", "The address changes, and caches keep the old one for the whole TTL.", "RFC 1912 §2.2"),
  "ttl-too-short": row("address", "warning", "a TTL of at least 300 s", "The address does not change, so so short a TTL only makes every sender ask again.", "RFC 1912 §2.2"),

  "ptr-ok": row("reverse", "ok", "the address leads to the name and back", "Forward and reverse DNS agree.", "RFC 8601 §3"),
  "ptr-missing": row("reverse", "error", "a PTR", "Large mailbox providers refuse mail from addresses without reverse DNS. Receiving is not affected.", "RFC 8601 §3"),
  "ptr-not-confirmed": row("reverse", "error", "the address leads to a name that leads back", "The name of the PTR does not lead back to the address, so receivers take it for forged.", "RFC 8601 §3"),
  "ptr-other-name": row("reverse", "warning", "the PTR is the HELO name", "Forward and reverse agree, but the name is not the one that the server gives in HELO; some receivers lower its standing.", "RFC 5321 §4.1.4"),
  "ptr-generic": row("reverse", "warning", "a name of your own", "The name looks made up by a provider for its customers; many receivers refuse mail from such hosts.", "RFC 5321 §4.1.4"),
  "ptr-multiple": row("reverse", "notice", "exactly one PTR", "Several names for one address are allowed, but receivers may pick the wrong one.", "RFC 2181 §10.2"),

  "spf-ok": row(SPF, "ok", "one SPF record", "The record is sound and within its lookup budget.", "RFC 7208 §3"),
  "spf-missing": row(SPF, "error", "one TXT record that starts with v=spf1", "Without SPF large mailbox providers junk or refuse mail, and anybody can use the domain as a sender.", "RFC 7208 §3.1"),
  "spf-several-records": row(SPF, "error", "one SPF record", "Several records are a permanent error: receivers act as if all mail failed, or as if there were no SPF.", "RFC 7208 §4.5"),
  "spf-version": row(SPF, "error", "v=spf1 and a space", "A record with a wrong beginning is not recognised as SPF at all.", "RFC 7208 §4.5"),
  "spf-syntax": row(SPF, "error", "terms of the grammar", "One broken term makes the whole record a permanent error.", "RFC 7208 §4.6"),
  "spf-missing-space": row(SPF, "error", "a space between terms", "Two terms run together are one broken term.", "RFC 7208 §4.6"),
  "spf-mail-address": row(SPF, "error", "domain names", "SPF names hosts and domains, never mailboxes.", "RFC 7208 §4.6"),
  "spf-duplicate-modifier": row(SPF, "error", "redirect and exp at most once", "A modifier that stands twice is a permanent error.", "RFC 7208 §6"),
  "spf-duplicate-term": row(SPF, "notice", "each term once", "The second copy does nothing, and may cost lookups again.", "RFC 7208 §4.6.2"),
  "spf-too-many-lookups": row(SPF, "error", "at most 10 lookups", "More than ten lookups over the whole tree are a permanent error: SPF fails for all mail.", "RFC 7208 §4.6.4"),
  "spf-lookup-headroom": row(SPF, "notice", "room below 10 lookups", "An include that grows by one term may break the record.", "RFC 7208 §4.6.4"),
  "spf-too-many-mx": row(SPF, "error", "at most 10 names behind an mx", "More than ten MX records behind one term are a permanent error.", "RFC 7208 §4.6.4"),
  "spf-void-lookup": row(SPF, "notice", "lookups that find something", "Lookups that find nothing are counted, and the third is a permanent error.", "RFC 7208 §4.6.4"),
  "spf-void-lookups": row(SPF, "error", "at most 2 lookups that find nothing", "More than two lookups that find nothing are a permanent error.", "RFC 7208 §4.6.4"),
  "spf-void-lookups-ipv6": row(SPF, "warning", "AAAA records where IPv6 senders look", "For a sender with an IPv6 address more than two lookups find nothing, a permanent error.", "RFC 7208 §4.6.4"),
  "spf-include-without-record": row(SPF, "error", "an SPF record at every included name", "An include of a name without SPF is a permanent error.", "RFC 7208 §5.2"),
  "spf-include-several-records": row(SPF, "error", "one SPF record at every included name", "An include of a name with several records is a permanent error.", "RFC 7208 §4.5"),
  "spf-include-broken": row(SPF, "error", "a sound record at every included name", "A broken record behind an include is a permanent error.", "RFC 7208 §5.2"),
  "spf-loop": row(SPF, "error", "includes that end", "An include that leads back to itself uses up the lookups: a permanent error.", "RFC 7208 §4.6.4"),
  "spf-tree-too-large": row(SPF, "warning", "a tree that receivers follow", "The tree is larger than any receiver goes.", "RFC 7208 §4.6.4"),
  "spf-no-all": row(SPF, "warning", "an ending: ~all or -all", "Without all or redirect other senders get neutral, as if there were no record.", "RFC 7208 §5.1"),
  "spf-pass-all": row(SPF, "error", "~all or -all", "The whole internet may send in the domain's name.", "RFC 7208 §5.1"),
  "spf-neutral-all": row(SPF, "warning", "~all or -all", "?all says nothing of other senders, so the record protects nobody.", "RFC 7208 §5.1"),
  "spf-term-after-all": row(SPF, "warning", "all at the end", "What stands behind all is ignored.", "RFC 7208 §5.1"),
  "spf-redirect-ignored": row(SPF, "warning", "redirect, or all", "A redirect beside all is ignored.", "RFC 7208 §6.1"),
  "spf-ptr": row(SPF, "warning", "no ptr", "ptr is slow and unreliable, and should not be used.", "RFC 7208 §5.5"),
  "spf-macro-p": row(SPF, "warning", "no %{p}", "The p macro is slow and unreliable, and should not be used.", "RFC 7208 §7.2"),
  "spf-size": row(SPF, "warning", "at most 450 octets", "A long record may not fit into one UDP answer.", "RFC 7208 §3.4"),
  "spf-redundant-term": row(SPF, "notice", "terms that add something", "The term adds no address that others do not cover, and costs a lookup.", "RFC 7208 §4.6.4"),
  "spf-redundant-network": row(SPF, "notice", "networks that add something", "Another network of the record covers it.", "RFC 7208 §5.6"),
  "spf-special-address": row(SPF, "warning", "public addresses", "Mail on the internet never comes from this address.", "RFC 6890 §2.2.2"),
  "spf-wide-network": row(SPF, "warning", "networks of your own", "So large a network lets strangers send in the domain's name.", "RFC 7208 §5.6"),
  "spf-unknown-modifier": row(SPF, "notice", "known terms", "Receivers ignore a modifier that they do not know.", "RFC 7208 §6"),
  "spf-type-99": row(SPF, "warning", "TXT only", "The record type SPF (99) is dead: nobody looks at it, and it gets out of step.", "RFC 7208 §3.1"),
  "spf-address-not-covered": row(SPF, "error", "pass for every address that sends", "Mail from this address does not pass SPF.", "RFC 7208 §4"),
  "spf-helo-missing": row(SPF, "warning", "an SPF record for the HELO name", "Receivers also check the HELO name; bounces have no other sender.", "RFC 7208 §2.3"),
  "spf-helo-not-covered": row(SPF, "error", "pass for the HELO name", "The HELO name's own record does not allow the server's address.", "RFC 7208 §2.3"),
  "spf-mx-not-ours": row(SPF, "warning", "the servers that send", "Only the MX may send, but the MX is a service that receives for the domain: mail sent from elsewhere fails.", "RFC 7208 §5.4"),
  "spf-differs": row(SPF, "notice", "the terms of the description", "The record lacks terms of the description, though every described address passes.", "RFC 7208 §3"),

  "dkim-ok": row(DKIM, "ok", "a sound key", "The key is published, whole and strong enough.", "RFC 6376 §3.6.1"),
} as const satisfies Record<string, CatalogueEntry>;

export type FindingCode = keyof typeof CATALOGUE;

export function isFindingCode(code: string): code is FindingCode {
  return Object.hasOwn(CATALOGUE, code);
}
