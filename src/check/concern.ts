/** What a finding is about: its group, and for a lookup that failed the group of the record that was looked up. */
import { CATALOGUE, type Group } from "./catalogue.ts";
import type { Finding } from "./finding.ts";

const BY_OWNER: readonly (readonly [RegExp, Group])[] = [
  [/^_dmarc\.|\._report\._dmarc\./, "dmarc"],
  [/\b_domainkey\./, "dkim"],
  [/\.arpa$/, "reverse"],
  [/^_?mta-sts\./, "mta-sts"],
  [/^_smtp\._tls\./, "tls-rpt"],
  [/\._bimi\./, "bimi"],
];
const BY_TYPE: Readonly<Record<string, Group>> = {
  MX: "mx",
  A: "address",
  AAAA: "address",
  TXT: "spf",
  SPF: "spf",
  TLSA: "dane",
  CAA: "caa",
  SRV: "client",
  DS: "dnssec",
  DNSKEY: "dnssec",
};

export function concernOf({ code, owner, expected }: Finding): Group {
  if (code !== "dns-no-answer") return CATALOGUE[code].group;
  const byOwner = BY_OWNER.find(([pattern]) => pattern.test(owner))?.[1];
  const type = /^an answer for (\S+)$/.exec(expected)?.[1];
  return byOwner ?? BY_TYPE[type ?? ""] ?? CATALOGUE[code].group;
}
