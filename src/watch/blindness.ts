/**
 * Of which findings a look can say nothing, because something could not be looked up or reached. What it leaves open
 * stays as it was known; everything else that is not seen any more is gone. One name of others that never answers must
 * not keep what has nothing to do with it.
 */
import { CATALOGUE, type FindingCode, type Group } from "../check/catalogue.ts";
import { concernOf, leavesSomethingOpen } from "../check/concern.ts";
import type { Finding } from "../check/finding.ts";
import type { DomainName } from "../standards/dns/name.ts";

interface Look {
  readonly domain: DomainName;
  readonly findings: readonly Finding[];
}

/** Whether a finding that was known, and is not seen, may be there all the same. */
export function blindness(look: Look): (known: Finding) => boolean {
  const { findings } = look;
  const open = findings.filter(leavesSomethingOpen);
  // Without its zone a domain is looked at no further, whatever else is wrong with it.
  const isZoneAlone = findings.length > 0 && findings.every((one) => groupOf(one) === "zone");
  if (isZoneAlone || open.some(isWithoutZone)) return (known) => open.length > 0 || groupOf(known) !== "zone";
  return (known) =>
    open.some((one) =>
      (one.leavesOpen ?? [concernOf(one)]).some((group) => REACHES[group](one, known, look)),
    );
}

const groupOf = ({ code }: Finding): Group => CATALOGUE[code].group;

/** No name server of the domain's own zone has said anything. */
const isWithoutZone = ({ code, severity }: Finding): boolean =>
  severity === "unknown" && (code === "zone-unreachable" || code === "zone-server-silent");

type Reach = (open: Finding, known: Finding, look: Look) => boolean;

const isOf =
  (...groups: readonly Group[]) =>
  (finding: Finding): boolean =>
    groups.includes(groupOf(finding));
const isAny = (...codes: readonly FindingCode[]) => {
  const wanted = new Set(codes);
  return ({ code }: Finding): boolean => wanted.has(code);
};
const isAt = (name: string, { owner }: Finding): boolean => owner === name || owner.endsWith(`.${name}`);

/** What the survey of the name servers tells; where it cannot be made, nothing else is told either. */
const isSurveyed = isAny(
  "zone-lame-server",
  "zone-server-silent",
  "zone-ns-no-address",
  "zone-ns-mismatch",
  "zone-serials-differ",
  "zone-single-server",
);
/** What some name servers show and others do not; who shows what is in its words. */
const isBetweenServers = isAny("servers-differ", "zone-serials-differ", "zone-ns-mismatch");
/** From the certificates that servers show. */
const isSeenLive = isAny("tlsa-mismatch", "tlsa-name-mismatch", "tlsa-single", "caa-forbids-issuer");
const isOfAuthentication = isAny("dmarc-without-authentication", "dmarc-reject-on-spf-alone");
/** What the domain's own record says, whatever it leads to. */
const isOfSpfText = isAny(
  "spf-missing",
  "spf-several-records",
  "spf-version",
  "spf-syntax",
  "spf-missing-space",
  "spf-mail-address",
  "spf-duplicate-modifier",
  "spf-duplicate-term",
  "spf-no-all",
  "spf-pass-all",
  "spf-neutral-all",
  "spf-term-after-all",
  "spf-redirect-ignored",
  "spf-second-version",
  "spf-ptr",
  "spf-macro-p",
  "spf-size",
  "spf-redundant-network",
  "spf-special-address",
  "spf-wide-network",
  "spf-unknown-modifier",
);
/** From the addresses that mail leaves from. */
const isOfSources = (known: Finding): boolean =>
  isOf("reverse", "reputation")(known) ||
  isAny("spf-address-not-covered", "spf-helo-missing", "spf-helo-not-covered")(known);
/** A certificate at port 25, or TLS with it; those at other ports name the service in front of the address. */
const isMailCertificate = (known: Finding): boolean =>
  groupOf(known) === "certificate" && !isOfService(known);
const isOfService = ({ subject }: Finding): boolean => subject?.includes(" ") ?? false;

/** A host whose addresses are not known. */
const reachesHost = ({ owner: host }: Finding, known: Finding): boolean =>
  isOfSources(known) ||
  known.code === "probe-no-ipv6" ||
  (isAt(host, known) &&
    (isOf("mx", "smtp", "certificate", "dane", "service")(known) ||
      isAny("split-horizon", "zone-ttl-lowered")(known))) ||
  (isSeenLive(known) && (isAt(host, known) || known.subject === host));

const isLookup = ({ code }: Finding): boolean => code === "dns-no-answer" || code === "dnssec-bogus";
const asksFor = ({ expected }: Finding, type: string): boolean => expected === `an answer for ${type}`;

/** By what the look was at when something stayed open. */
const REACHES: Readonly<Record<Group, Reach>> = {
  zone: (open, known) => {
    if (open.subject === undefined) return groupOf(known) === "zone" && !isSurveyed(known);
    if (open.code === "zone-server-silent") {
      // It may be the one that does not show the key.
      if (known.code === "dkim-signing-key-lost") return true;
      if (isBetweenServers(known)) return isNamed(open.subject, known);
    }
    return known.owner === open.owner && known.subject === open.subject;
  },
  dnssec: (_, known) => groupOf(known) === "dnssec",
  mx: (open, known, { domain }) => {
    if (groupOf(known) === "mx") return true;
    if (!asksFor(open, "MX") || open.owner !== domain) return reachesHost(open, known);
    // Without the mail servers' names nothing is told of them.
    return (
      isOf("address", "smtp", "certificate", "dane", "mta-sts")(known) ||
      isOfSources(known) ||
      isSeenLive(known) ||
      isAny("zone-doubled-name", "split-horizon", "zone-ttl-lowered")(known)
    );
  },
  address: (open, known) => groupOf(known) === "address" || reachesHost(open, known),
  smtp: (open, known, { domain }) => {
    if (isLookup(open)) return known.code.startsWith("smtp-name-");
    const isAtPort25 = groupOf(known) === "smtp" || isMailCertificate(known) || isSeenLive(known);
    if (open.code === "probe-no-ipv6") return isAtPort25 && isAtIpv6(known);
    if (known.code === "caa-forbids-issuer" && known.subject === undefined) return true;
    const host =
      known.code === "caa-forbids-issuer" ? known.subject! : known.owner.replace(/^_25\._tcp\./, "");
    if (open.owner === domain && open.code !== "smtp-broken") return isAtPort25 && isListed(host, open);
    if (known.code === "caa-forbids-issuer") return host === open.owner;
    const isSame =
      open.subject === undefined || known.observed.includes(open.subject) || known.code === "tlsa-single";
    return isAtPort25 && isAt(open.owner, known) && isSame;
  },
  reverse: (open, known) => groupOf(known) === "reverse" && known.owner === (open.subject ?? open.owner),
  spf: (open, known, { domain }) => {
    const isRecord = asksFor(open, "TXT") && open.owner === domain;
    if (isRecord && (isOfAuthentication(known) || known.code === "dmarc-wrong-owner")) return true;
    // Whoever has asked for what the record names has read the record.
    return groupOf(known) === "spf" && (isRecord || !isOfSpfText(known));
  },
  dkim: (open, known, { domain }) => {
    if (!isLookup(open)) return isAny("dkim-selector-unused")(known) || known.code.startsWith("dkim-signer-");
    const parent = `_domainkey.${domain}`;
    if (open.owner === parent && isOfAuthentication(known)) return true;
    // Of one selector nothing is told of the others; a key that got lost is looked for elsewhere.
    const isOther = open.owner.endsWith(`.${parent}`) && known.owner.endsWith(`.${parent}`);
    return groupOf(known) === "dkim" && (!isOther || known.owner === open.owner);
  },
  dmarc: (open, known, { domain }) => {
    const above = open.owner.replace(/^_dmarc\./, "");
    const isOwn = above === domain || domain.endsWith(`.${above}`);
    const isOfPolicy = known.code === "bimi-without-dmarc" || groupOf(known) === "dmarc";
    return isOwn ? isOfPolicy : known.code.startsWith("dmarc-report-");
  },
  "mta-sts": (_, known, { domain, findings }) => {
    if (groupOf(known) === "mta-sts" || isAt(`mta-sts.${domain}`, known)) return true;
    if (known.code === "caa-forbids-issuer")
      return known.subject === undefined || known.subject === `mta-sts.${domain}`;
    // Beside TLSA the policy alone makes a certificate count.
    const tlsa = `_25._tcp.${known.owner}`;
    return isMailCertificate(known) && findings.some(({ owner }) => owner === tlsa);
  },
  "tls-rpt": (_, known) => groupOf(known) === "tls-rpt",
  dane: (open, known) =>
    isOf("dane")(known)
      ? known.owner === open.owner
      : isMailCertificate(known) && open.owner.endsWith(`.${known.owner}`),
  caa: (_, known) => groupOf(known) === "caa",
  certificate: (_, known) => groupOf(known) === "certificate",
  client: (open, known) => {
    if (open.code === "settings-untold") {
      const isOfHost = isOf("client", "certificate")(known) && known.owner === open.owner;
      return (
        isOfHost || (known.code === "caa-forbids-issuer" && (known.subject ?? open.owner) === open.owner)
      );
    }
    if (!asksFor(open, "SRV")) return isOf("client", "service")(known) || reachesHost(open, known);
    const isOfName = isOf("client", "zone")(known) && known.owner === open.owner;
    return (
      isOfName ||
      groupOf(known) === "service" ||
      (groupOf(known) === "certificate" && (known.subject === undefined || isOfService(known)))
    );
  },
  service: (open, known) => {
    if (!isOf("service", "certificate")(known) || known.owner !== open.owner) return false;
    if (open.code === "probe-no-ipv6") return isAtIpv6(known);
    return known.subject === undefined || open.subject === undefined || known.subject === open.subject;
  },
  bimi: (_, known) => groupOf(known) === "bimi",
  reputation: (open, known) => groupOf(known) === "reputation" && isAt(open.owner, known),
  drift: (open, known) =>
    groupOf(known) === "drift" && (known.owner === open.owner || known.expected.includes(open.owner)),
};

/** A long list is cut. */
const isNamed = (name: string, { observed }: Finding): boolean =>
  observed.includes(name) || observed.endsWith("…");

/** "no answer on port 25 from mail.example.org (192.0.2.25), mx2.example.org (192.0.2.26)" */
const isListed = (host: string, finding: Finding): boolean => isNamed(` ${host} (`, finding);

/** "[2001:db8::25]:25", "(2001:db8::25)" */
const isAtIpv6 = ({ observed }: Finding): boolean => /[[(][0-9a-f]*:[0-9a-f:.]+[\])]/.test(observed);
