/** What a finding is about, and what it leaves open. */
import { CATALOGUE, type FindingCode, type Group } from "./catalogue.ts";
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

/** Its group; for a lookup that failed the group of what was looked for. */
export function concernOf({ code, owner, expected }: Finding): Group {
  if (code !== "dns-no-answer") return CATALOGUE[code].group;
  const byOwner = BY_OWNER.find(([pattern]) => pattern.test(owner))?.[1];
  if (expected.startsWith("an SPF result ")) return "spf";
  const type = /^an answer for (\S+)$/.exec(expected)?.[1];
  return byOwner ?? BY_TYPE[type ?? ""] ?? CATALOGUE[code].group;
}

/** Said of the answer, not of what is published or of the server: that may be as it was, or not. */
export function leavesSomethingOpen({ code, severity }: Pick<Finding, "code" | "severity">): boolean {
  return severity === "unknown" || OPEN_WHATEVER_ITS_SEVERITY.has(code);
}

const OPEN_WHATEVER_ITS_SEVERITY: ReadonlySet<FindingCode> = new Set<FindingCode>([
  "dnssec-bogus",
  "dnsbl-refuses",
  "probe-no-ipv6",
  // Others answer: what this one alone showed may still be so.
  "zone-server-silent",
]);
