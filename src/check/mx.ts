/** MX: where mail for the domain goes. */
import { mailServersOf } from "../records/derive.ts";
import { parseAddress } from "../standards/dns/address.ts";
import {
  absolute,
  type DomainName,
  isWithin,
  labelTexts,
  parseDomainName,
  prepend,
  ROOT,
} from "../standards/dns/name.ts";
import type { RdataOf, ResourceRecord } from "../standards/dns/record.ts";
import type { Absent, Found } from "../standards/dns/resolver.ts";
import type { Context } from "./context.ts";
import { type Finding, proposed } from "./finding.ts";
import { hostAddresses } from "./host-addresses.ts";

type MxRecord = ResourceRecord<RdataOf<"MX">>;

/** More than any real domain names; senders give up much earlier. */
const MAX_MAIL_HOSTS = 32;

/**
 * The hosts that take the domain's mail, best first; the domain itself where senders fall back to its address.
 * At most `MAX_MAIL_HOSTS`, so that a stranger's list of thousands does not keep us busy.
 */
export async function mailHosts(context: Context): Promise<readonly DomainName[]> {
  const answer = await context.everywhere(context.domain, "MX");
  if (answer.status === "found") {
    const byPreference = answer.records.toSorted((x, y) => x.data.preference - y.data.preference);
    return [...new Set(byPreference.map(({ data }) => data.exchange))]
      .filter((host) => host !== ROOT && addressInMx(host, context.domain) === undefined)
      .slice(0, MAX_MAIL_HOSTS);
  }
  if (answer.status === "unknown") return [];
  const { described } = context;
  return described?.receives === false ? [] : [context.domain];
}

/** One of the domain's own servers, rather than a service in front of them that only receives. */
export function isOwnHost(host: DomainName, context: Context): boolean {
  const { description } = context.options;
  if (description !== undefined) return description.servers.some((server) => server.host === host);
  const organization = context.world.organizationalDomain(context.domain) ?? context.domain;
  return isWithin(host, organization);
}

export async function checkMx(context: Context): Promise<Finding[]> {
  const answer = await context.everywhere(context.domain, "MX");
  switch (answer.status) {
    case "unknown":
      return [context.unknown(context.domain, "MX", answer)];
    case "absent":
      return [await missing(answer, context)];
    case "found":
      return present(answer, context);
    default:
      return answer satisfies never;
  }
}

/** RFC 5321 §5.1: without MX the domain's own address takes the mail; RFC 7505 is the way to say "none". */
async function missing(answer: Absent, context: Context): Promise<Finding> {
  const { domain } = context;
  const { described } = context;
  const wanted = wantedMx(context);
  const fix = async () =>
    context.fix(
      wanted.length > 0
        ? "Create the MX."
        : `Create an MX that names your mail server (mail.${domain} here).`,
      {
        create:
          wanted.length > 0
            ? wanted
            : [proposed(domain, { type: "MX", preference: 10, exchange: prepend("mail", domain) })],
      },
    );
  if (described?.receives === false) {
    return context.finding("mx-null-missing", {
      owner: domain,
      observed: "no MX",
      verify: "MX",
      fix: await context.fix("Publish the null MX.", { create: wanted }),
    });
  }
  const [here, mail] = await Promise.all([
    hostAddresses(domain, context),
    hostAddresses(prepend("mail", domain), context),
  ]);
  const own = here.addresses.map(({ text }) => text);
  if (own.length === 0) {
    const [untold] = here.untold;
    if (untold !== undefined) return untold;
    return context.finding("mx-missing", {
      owner: domain,
      severity: "error",
      observed:
        answer.kind === "nxdomain" ? "the domain does not exist" : "no MX, and no address to fall back to",
      why: "Nobody can write to this domain: it has no MX, and no address that senders could fall back to (RFC 5321 §5.1).",
      verify: "MX",
      fix: await fix(),
    });
  }
  const describedAddresses = context.options.description?.servers.flatMap((server) =>
    server.addresses.map(({ text }) => text),
  );
  const mailAddresses = describedAddresses ?? mail.addresses.map(({ text }) => text);
  const isHere = own.some((address) => mailAddresses.includes(address));
  // Half of its addresses are no ground to say that it is another machine.
  const [half] = describedAddresses === undefined && !isHere ? mail.untold : [];
  if (half !== undefined) return half;
  const elsewhere = mailAddresses.length > 0 && !isHere;
  if (elsewhere) {
    return context.finding("mx-fallback-elsewhere", {
      owner: domain,
      observed: `no MX; the domain's own address is ${own.join(", ")}, the mail server's is ${mailAddresses.join(", ")}`,
      verify: "MX",
      fix: await fix(),
    });
  }
  return context.finding("mx-missing", {
    owner: domain,
    observed: `no MX; senders fall back to the address of ${domain} (${own.join(", ")})`,
    verify: "MX",
    fix: await fix(),
  });
}

function wantedMx(context: Context): readonly ResourceRecord[] {
  return [...context.wanted(context.domain, "mx"), ...context.wanted(context.domain, "null-mx")].map(
    ({ record }) => record,
  );
}

async function present(answer: Found<"MX">, context: Context): Promise<Finding[]> {
  const { domain } = context;
  const records = answer.records.toSorted((x, y) => x.data.preference - y.data.preference);
  const findings: Finding[] = [];
  const nullMx = records.filter(({ data }) => data.exchange === ROOT);
  if (nullMx.length > 0) {
    findings.push(...(await nullMxFindings(nullMx, records, context)));
    if (nullMx.length === records.length) return findings;
  }
  const hosts = records.filter(({ data }) => data.exchange !== ROOT);
  const byHost = [...Map.groupBy(hosts, ({ data }) => data.exchange)];
  if (byHost.length > MAX_MAIL_HOSTS) {
    findings.push(
      context.finding("mx-too-many", {
        owner: domain,
        observed: `${byHost.length} mail servers; only the first ${MAX_MAIL_HOSTS} were looked at`,
        verify: "MX",
      }),
    );
  }
  for (const [exchange, same] of byHost.slice(0, MAX_MAIL_HOSTS)) {
    if (same.length > 1) {
      findings.push(
        context.finding("mx-duplicate", {
          owner: domain,
          subject: exchange,
          observed: `${exchange} stands ${same.length} times, at ${same.map(({ data }) => data.preference).join(" and ")}`,
          verify: "MX",
          fix: await context.fix("Keep the one with the lowest number.", { remove: same.slice(1) }),
        }),
      );
    }
    findings.push(...(await exchangeFindings(same[0]!, context)));
  }
  if (!findings.some(({ severity }) => severity === "error")) findings.push(orderFinding(hosts, context));
  // A fault in the MX itself has said what should be there.
  const drift = findings.some(({ severity }) => severity === "error")
    ? undefined
    : await driftFinding(hosts, context);
  if (drift) findings.push(drift);
  return findings;
}

async function nullMxFindings(
  nullMx: readonly MxRecord[],
  all: readonly MxRecord[],
  context: Context,
): Promise<Finding[]> {
  const { domain } = context;
  if (all.length > nullMx.length) {
    return [
      context.finding("mx-null-not-alone", {
        owner: domain,
        observed: all.map(({ data }) => `MX ${data.preference} ${absolute(data.exchange)}`).join(", "),
        verify: "MX",
        fix: await context.fix("Remove the null MX, if the domain receives mail.", { remove: nullMx }),
      }),
    ];
  }
  const { described } = context;
  if (described?.receives) {
    return [
      context.finding("mx-differs", {
        owner: domain,
        expected: wantedMx(context).map(mxText).join(", "),
        observed: "a null MX: the domain refuses all mail",
        verify: "MX",
        fix: await context.fix("Replace the null MX.", { remove: nullMx, create: wantedMx(context) }),
      }),
    ];
  }
  if (nullMx.some(({ data }) => data.preference !== 0)) {
    return [
      context.finding("mx-null-preference", {
        owner: domain,
        observed: `MX ${nullMx[0]!.data.preference} .`,
        verify: "MX",
        fix: await context.fix("Give it preference 0.", {
          remove: nullMx,
          create: [{ ...nullMx[0]!, data: { type: "MX", preference: 0, exchange: ROOT } }],
        }),
      }),
    ];
  }
  return [
    context.finding("mx-null", {
      owner: domain,
      observed: "MX 0 .: the domain receives no mail, and says so",
      verify: "MX",
    }),
  ];
}

const mxText = ({ data }: ResourceRecord): string =>
  data.type === "MX" ? `MX ${data.preference} ${absolute(data.exchange)}` : "";

/** `192.0.2.1.` and the relative form `192.0.2.1.example.com.` (R8); the address, where the name is one. */
export function addressInMx(exchange: DomainName, domain: DomainName): string | undefined {
  const candidates = [
    exchange,
    isWithin(exchange, domain) && exchange !== domain ? exchange.slice(0, -domain.length - 1) : "",
  ];
  return candidates.find((text) => parseAddress(text).ok);
}

async function exchangeFindings(record: MxRecord, context: Context): Promise<Finding[]> {
  const { domain } = context;
  const { exchange, preference } = record.data;
  const address = addressInMx(exchange, domain);
  if (address !== undefined) {
    const host = prepend("mail", domain);
    const wanted = wantedMx(context);
    const create =
      wanted.length > 0
        ? wanted
        : [
            proposed(host, { type: address.includes(":") ? "AAAA" : "A", address }),
            { ...record, data: { type: "MX" as const, preference, exchange: host } },
          ];
    return [
      context.finding("mx-is-address", {
        owner: domain,
        subject: exchange,
        observed: `MX ${preference} ${absolute(exchange)}`,
        expected: wanted.length > 0 ? wanted.map(mxText).join(", ") : "a host name",
        verify: "MX",
        fix: await context.fix("Let the MX name the host, and give the host the address.", {
          remove: [record],
          create,
        }),
      }),
    ];
  }
  const doubled = undoubled(exchange, domain);
  if (doubled !== undefined) {
    return [
      context.finding("zone-doubled-name", {
        owner: domain,
        subject: exchange,
        observed: `MX ${preference} ${absolute(exchange)}: the domain stands in it twice`,
        expected: `MX ${preference} ${absolute(doubled)}`,
        verify: "MX",
        fix: await context.fix("Write the name with its final dot, or without the domain.", {
          remove: [record],
          create: [{ ...record, data: { type: "MX", preference, exchange: doubled } }],
        }),
      }),
    ];
  }
  return hostFindings(record, context);
}

/** example.org.example.org → example.org: a name that was written in full where the zone was added. */
export function undoubled(name: DomainName, domain: DomainName): DomainName | undefined {
  const twice = labelTexts(domain).length === 0 ? undefined : `${domain}.${domain}`;
  if (twice === undefined || (name !== twice && !name.endsWith(`.${twice}`))) return undefined;
  const parsed = parseDomainName(name.slice(0, -domain.length - 1));
  return parsed.ok ? parsed.value : undefined;
}

async function hostFindings(record: MxRecord, context: Context): Promise<Finding[]> {
  const { exchange: host } = record.data;
  const answers = await Promise.all([context.lookup(host, "A"), context.lookup(host, "AAAA")]);
  const findings: Finding[] = [];
  const [alias] = answers.flatMap((answer) => (answer.status === "unknown" ? [] : answer.aliases));
  if (alias !== undefined) {
    const found = answers.find((answer) => answer.status === "found");
    const target = found?.status === "found" ? found.canonicalName : undefined;
    findings.push(
      context.finding("mx-is-alias", {
        owner: host,
        observed: `${host} is a CNAME${target ? ` for ${target}` : ""}`,
        verify: "CNAME",
        fix: target
          ? await context.fix(`Let the MX name ${target}, or give ${host} the addresses itself.`, {
              remove: [record],
              create: [{ ...record, data: { ...record.data, exchange: target } }],
            })
          : null,
      }),
    );
  }
  if (answers.some((answer) => answer.status === "found")) return findings;
  const [ipv4, ipv6] = answers;
  const untold = context.untold(host, ["A", ipv4], ["AAAA", ipv6]);
  if (untold.length > 0) return [...findings, ...untold];
  const wanted = context.wanted(host, "host-address").map((derived) => derived.record);
  findings.push(
    context.finding("mx-host-no-address", {
      owner: host,
      observed: answers.some((answer) => answer.status === "absent" && answer.kind === "nxdomain")
        ? `${host} does not exist`
        : `${host} has neither A nor AAAA`,
      verify: "A",
      fix:
        wanted.length > 0
          ? await context.fix("Create its addresses.", { create: wanted })
          : {
              summary: `Create an A record for ${host} with the address of your mail server, or let the MX name another host.`,
              changes: [],
            },
    }),
  );
  return findings;
}

/** How senders will go through the list (R4, R6, E16). */
function orderFinding(hosts: readonly MxRecord[], context: Context): Finding {
  const best = hosts[0]!.data.preference;
  const first = hosts.filter(({ data }) => data.preference === best);
  const order = hosts.map(
    ({ data }) => `${data.preference} ${data.exchange}${data.preference === best ? " (tried first)" : ""}`,
  );
  if (first.length > 1) {
    return context.finding("mx-load-shared", {
      owner: context.domain,
      observed: order.join(", "),
      verify: "MX",
    });
  }
  return context.finding("mx-ok", { owner: context.domain, observed: order.join(", "), verify: "MX" });
}

/** Published against described, where there is a description. */
async function driftFinding(hosts: readonly MxRecord[], context: Context): Promise<Finding | undefined> {
  const { description } = context.options;
  const { described } = context;
  if (description === undefined || described === undefined) return undefined;
  const wanted = mailServersOf(described, description);
  const missing = wanted.filter(({ host }) => !hosts.some(({ data }) => data.exchange === host));
  const extra = hosts.filter(({ data }) => !wanted.some(({ host }) => host === data.exchange));
  const moved = wanted.filter(({ host, preference }) => {
    const published = hosts.find(({ data }) => data.exchange === host);
    return published !== undefined && published.data.preference !== preference;
  });
  const expected = wantedMx(context).map(mxText).join(", ");
  const observed = hosts.map(mxText).join(", ");
  if (missing.length + extra.length + moved.length === 0) return undefined;
  const isWanted = (record: ResourceRecord) =>
    wantedMx(context).some((other) => mxText(other) === mxText(record));
  return context.finding("mx-differs", {
    owner: context.domain,
    expected,
    observed,
    verify: "MX",
    fix: await context.fix("Make the MX what the description says.", {
      remove: hosts.filter((record) => !isWanted(record)),
      create: wantedMx(context).filter((record) => !hosts.some((other) => mxText(other) === mxText(record))),
    }),
    ...(missing.length + extra.length === 0 && {
      severity: "warning",
      why: "The order of the mail servers is not the one of the description.",
    }),
  });
}
