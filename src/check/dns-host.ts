/** Who hosts the DNS of the domain's zone, and what of the description that host cannot hold. */

import { derivedOf } from "../records/derived-index.ts";
import { cannotStore, dnsHostOfServer, recognizeDnsHost } from "../records/dns-host.ts";
import type { DnsHost } from "../records/dns-host-facts.ts";
import { type DomainName, isWithin } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { typeOf } from "../standards/dns/record.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./finding.ts";
import { nameServersOf } from "./view.ts";

export async function checkDnsHost(context: Context): Promise<Finding[]> {
  const zone = await context.zone;
  if (zone.status !== "found") return [];
  const { apex } = zone.zone;
  const servers = nameServersOf(zone.zone);
  const host = recognizeDnsHost(servers);
  if (host === undefined) return sharedFindings(apex, servers, context);
  const note = host.note === undefined ? "" : ` (${host.note})`;
  return [
    context.finding("dns-host", {
      owner: apex,
      observed: `${host.name} hosts the DNS of ${apex}${note}`,
      verify: "NS",
    }),
    ...(await unstorable(host, apex, context)),
  ];
}

/** Where several hosts serve one zone, a record has to be entered at each. */
function sharedFindings(apex: DomainName, servers: readonly DomainName[], context: Context): Finding[] {
  const groups = Map.groupBy(servers, dnsHostOfServer);
  const known = [...groups].flatMap(([host, names]) => (host ? [`${host.name} (${names.join(", ")})`] : []));
  if (known.length === 0) return [];
  const unknown = groups.get(undefined) ?? [];
  return [
    context.finding("dns-host", {
      owner: apex,
      severity: "notice",
      observed: `the DNS of ${apex} is shared by ${[...known, ...unknown].join(", ")}`,
      why: "Name servers of several hosts serve the zone: unless one copies from the other, each record has to be entered at every one.",
      verify: "NS",
    }),
  ];
}

/** What is published already can evidently be held, whatever is known of the host. */
async function unstorable(host: DnsHost, apex: DomainName, context: Context): Promise<Finding[]> {
  const { derived } = context.options;
  const wanted = (derived ? derivedOf(context.domain, derived) : []).filter(({ record }) =>
    isWithin(record.name, apex),
  );
  const found = await Promise.all(
    wanted.map(async ({ record, importance }) => {
      if (cannotStore(record, host) === undefined) return [];
      const zone = await context.formZoneOf(record);
      const problem = zone?.host && cannotStore(record, zone.host);
      if (problem === undefined) return [];
      const type = typeOf(record.data);
      const answer = await context.lookup(record.name, type);
      if (answer.status === "unknown") return [context.unknown(record.name, type, answer)];
      if (answer.status === "found") return [];
      return [
        context.finding("dns-host-cannot-store", {
          owner: record.name,
          severity: importance === "optional" ? "notice" : "warning",
          expected: `${type} ${formatRdata(record.data)}`,
          observed: problem,
          fix: { summary: problem, changes: [] },
          verify: type,
        }),
      ];
    }),
  );
  return found.flat();
}
