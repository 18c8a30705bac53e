/** One domain, looked at from every side: findings, worst first. */
import { type DomainName, labelsOf, tryPrepend } from "../standards/dns/name.ts";
import { checkAddresses } from "./address.ts";
import { checkBimi } from "./bimi.ts";
import { checkCaa } from "./caa.ts";
import { checkCaaIssuers } from "./caa-issuer.ts";
import { CATALOGUE, GROUPS, type Group } from "./catalogue.ts";
import { checkClientSettings } from "./client-settings.ts";
import { checkClientSetup } from "./client-setup.ts";
import { leavesSomethingOpen } from "./concern.ts";
import { type CheckOptions, Context, type World } from "./context.ts";
import { checkDane } from "./dane.ts";
import { checkDkim } from "./dkim.ts";
import { checkDmarc } from "./dmarc.ts";
import { checkDnsHost } from "./dns-host.ts";
import { checkDnssec } from "./dnssec.ts";
import { checkDrift } from "./drift.ts";
import { type DomainReport, type Finding, summarize } from "./finding.ts";
import { checkMx } from "./mx.ts";
import { checkOutboundPort } from "./outbound-port.ts";
import { checkReputation } from "./reputation.ts";
import { checkReverse } from "./reverse.ts";
import { checkServicePorts } from "./service-ports.ts";
import { SEVERITIES } from "./severity.ts";
import { checkMailServers } from "./smtp.ts";
import { checkSpf } from "./spf.ts";
import { checkMtaSts, checkTlsReports } from "./transport.ts";
import type { ZoneReport } from "./view.ts";
import { checkResolvers, checkSplitHorizon, checkZone, disagreementFindings } from "./zone.ts";

interface Run {
  readonly run: (context: Context) => Promise<readonly Finding[]>;
}

interface Check extends Run {
  /** The groups of what it may say, first the one that it is about. */
  readonly groups: readonly [Group, ...Group[]];
}

const check = (run: Check["run"], ...groups: Check["groups"]): Check => ({
  run: async (context) => {
    const leavesOpen = groups.slice(0, 1);
    return (await run(context)).map((found) =>
      leavesSomethingOpen(found) ? { ...found, leavesOpen } : found,
    );
  },
  groups,
});

const CHECKS: readonly Check[] = [
  check(checkZone, "zone"),
  check(checkDnsHost, "zone"),
  check(checkDnssec, "dnssec"),
  check(checkMx, "mx", "zone"),
  check(checkAddresses, "address"),
  check(checkMailServers, "smtp", "certificate"),
  check(checkReverse, "reverse"),
  check(checkSpf, "spf"),
  check(checkDkim, "dkim"),
  check(checkDmarc, "dmarc"),
  check(checkMtaSts, "mta-sts", "certificate"),
  check(checkTlsReports, "tls-rpt"),
  check(checkDane, "dane"),
  check(checkCaa, "caa"),
  check(checkCaaIssuers, "caa"),
  check(checkClientSetup, "client", "zone"),
  check(checkServicePorts, "service", "certificate"),
  check(checkClientSettings, "client", "certificate"),
  check(checkBimi, "bimi"),
  check(checkOutboundPort, "smtp"),
  check(checkReputation, "reputation"),
  check(checkDrift, "drift"),
  check(checkResolvers, "zone"),
  check(checkSplitHorizon, "zone"),
];

export interface CheckCourse {
  /** Hears of each check that is done. */
  readonly onProgress?: (done: number, of: number) => void;
  /** Only checks that may say something of these groups are run; all where absent. */
  readonly groups?: ReadonlySet<Group>;
  /** What is found out beside the checks, and shares what they look up. */
  readonly beside?: readonly ((context: Context) => Promise<readonly Finding[]>)[];
}

/**
 * Everything that can be told of a domain: from DNS, and with a prober from its servers. All checks run at once and share
 * what they look up.
 */
export async function checkDomain(
  domain: DomainName,
  world: World,
  options: CheckOptions,
  { onProgress, groups, beside = [] }: CheckCourse = {},
): Promise<DomainReport> {
  const context = new Context(domain, world, options);
  if (tryPrepend(LONGEST_PREFIX, domain) === undefined) return report(domain, [tooLong(context)]);
  const asked = CHECKS.filter((one) => groups === undefined || one.groups.some((group) => groups.has(group)));
  const checks: readonly Run[] = (await isThere(context))
    ? [...asked, ...beside.map((run) => ({ run }))]
    : [check(checkZone, "zone")];
  let done = 0;
  const findings = await Promise.all(
    checks.map(async ({ run }) => {
      const found = await run(context);
      onProgress?.(++done, checks.length);
      return found;
    }),
  );
  return report(domain, [...findings.flat(), ...disagreementFindings(context)]);
}

/** As long as the longest of the names that checks ask for below a domain. */
const LONGEST_PREFIX = "x".repeat(48);

function tooLong(context: Context): Finding {
  const { domain } = context;
  return context.finding("zone-name-too-long", {
    owner: domain,
    observed: `a name of ${labelsOf(domain).reduce((sum, label) => sum + label.length + 1, 1)} octets`,
    verify: "SOA",
  });
}

/**
 * A domain that does not exist, or cannot be asked about at all, has one thing to say, not fifty. One answer
 * from its zone is enough to begin; the survey of all its name servers goes on meanwhile.
 */
async function isThere(context: Context): Promise<boolean> {
  const { domain, world } = context;
  const answer = await world.authoritative.lookup(domain, "SOA");
  if (answer.status === "found" || (answer.status === "absent" && answer.kind === "nodata")) return true;
  const zone = await context.zone;
  if (zone.status === "unknown") return world.recursive.length > 0;
  // Zone text has no name servers at all, and is there all the same.
  const isAnswered = ({ servers }: ZoneReport) =>
    servers.length === 0 || servers.some(({ state }) => state === "ok");
  return zone.status === "found" && isAnswered(zone.zone);
}

const GROUP_ORDER = Object.keys(GROUPS) as Group[];

function report(domain: DomainName, findings: readonly Finding[]): DomainReport {
  const unique = new Map<string, Finding>();
  for (const finding of findings) {
    const said = `${finding.code} ${finding.owner} ${finding.expected} ${finding.observed}`;
    const leavesOpen = [...(unique.get(said)?.leavesOpen ?? []), ...(finding.leavesOpen ?? [])];
    unique.set(
      said,
      leavesOpen.length === 0 ? finding : { ...finding, leavesOpen: [...new Set(leavesOpen)] },
    );
  }
  const rank = ({ severity, code }: Finding) =>
    SEVERITIES.indexOf(severity) * GROUP_ORDER.length + GROUP_ORDER.indexOf(CATALOGUE[code].group);
  const sorted = [...unique.values()].sort((x, y) => rank(x) - rank(y));
  return { domain, summary: summarize(sorted), findings: sorted };
}
