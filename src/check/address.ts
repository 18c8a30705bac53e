/** A and AAAA of the mail hosts: there, public, and the ones that the description names. */
import type { DomainName } from "../standards/dns/name.ts";
import type { ResourceRecord } from "../standards/dns/record.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./finding.ts";
import { knownAddress } from "./host-addresses.ts";
import { isOwnHost, mailHosts } from "./mx.ts";
import { proxyOperator } from "./proxy-networks.ts";

/** Addresses that stand in tutorials and get published by mistake (E2). */
const EXAMPLE_ADDRESSES = new Map([
  ["1.2.3.4", "the example address of many tutorials"],
  ["111.111.111.111", "the example address of a tutorial"],
  ["111.111.111.222", "the example address of a tutorial"],
]);
const MIN_STATIC_TTL_SECONDS = 300;
const MAX_TTL_SECONDS = 86_400;
const MAX_DYNAMIC_TTL_SECONDS = 1800;

export async function checkAddresses(context: Context): Promise<Finding[]> {
  const hosts = new Set(await mailHosts(context));
  for (const { host } of context.options.description?.servers ?? []) {
    const mine = context.wanted(host, "host-address").some(({ domain }) => domain === context.domain);
    if (mine) hosts.add(host);
  }
  return (await Promise.all([...hosts].map((host) => checkHost(host, context)))).flat();
}

async function checkHost(host: DomainName, context: Context): Promise<Finding[]> {
  const [ipv4, ipv6] = await Promise.all([context.lookup(host, "A"), context.lookup(host, "AAAA")]);
  const findings: Finding[] = [];
  const published: ResourceRecord[] = [];
  for (const answer of [ipv4, ipv6]) {
    if (answer.status === "unknown")
      findings.push(context.unknown(host, answer === ipv4 ? "A" : "AAAA", answer));
    if (answer.status !== "found") continue;
    published.push(...answer.records);
    for (const record of answer.records)
      findings.push(...addressFindings(host, record.data.address, record, context));
    findings.push(...ttlFindings(host, answer.records[0]!, context));
  }
  const answered = new Set([
    ...(ipv4.status === "unknown" ? [] : ["A"]),
    ...(ipv6.status === "unknown" ? [] : ["AAAA"]),
  ]);
  findings.push(...(await driftFindings(host, published, answered, context)));
  if (ipv6.status === "absent" && ipv4.status === "found") {
    findings.push(
      context.finding("host-no-ipv6", { owner: host, observed: "A, but no AAAA", verify: "AAAA" }),
    );
  }
  if (findings.length === 0 && published.length > 0) {
    findings.push(
      context.finding("host-ok", { owner: host, observed: published.map(addressOf).join(", "), verify: "A" }),
    );
  }
  return findings;
}

function addressOf({ data }: ResourceRecord): string {
  return data.type === "A" || data.type === "AAAA" ? data.address : "";
}

function addressFindings(
  host: DomainName,
  text: string,
  record: ResourceRecord,
  context: Context,
): Finding[] {
  const address = knownAddress(text);
  const type = address.family === 4 ? "A" : "AAAA";
  const special = context.special(address);
  if (special !== undefined) {
    return [
      context.finding("address-special", {
        owner: host,
        subject: text,
        observed: `${type} ${text} is ${special.description}`,
        verify: type,
        fix: {
          summary: `Publish the address by which the internet reaches ${host} instead of ${text}.`,
          changes: [],
        },
      }),
    ];
  }
  const operator = isOwnHost(host, context) ? proxyOperator(address) : undefined;
  if (operator !== undefined) {
    return [
      context.finding("host-proxied", {
        owner: host,
        subject: text,
        observed: `${type} ${text} belongs to the web proxy of ${operator}`,
        verify: type,
        fix: {
          summary: `Turn the proxy off for ${host} (at Cloudflare: the grey cloud, “DNS only”), so that it has the address of the mail server itself.`,
          changes: [],
        },
      }),
    ];
  }
  const example = EXAMPLE_ADDRESSES.get(text);
  if (example === undefined) return [];
  return [
    context.finding("address-example", {
      owner: record.name,
      subject: text,
      observed: `${type} ${text}, ${example}`,
      verify: type,
    }),
  ];
}

/** R19; only what the name servers themselves say counts, never a cache's countdown (E18). */
function ttlFindings(host: DomainName, record: ResourceRecord, context: Context): Finding[] {
  const ttl = record.ttlSeconds;
  const server = context.options.description?.servers.find((each) => each.host === host);
  const said = {
    owner: record.name,
    subject: record.data.type,
    observed: `TTL ${ttl} s`,
    verify: record.data.type === "AAAA" ? "AAAA" : "A",
  } as const;
  if (ttl > MAX_TTL_SECONDS) return [context.finding("ttl-too-long", said)];
  if (server?.addressKind === "dynamic" && ttl > MAX_DYNAMIC_TTL_SECONDS) {
    return [context.finding("ttl-too-long-for-dynamic", said)];
  }
  if (server?.addressKind === "static" && ttl < MIN_STATIC_TTL_SECONDS)
    return [context.finding("ttl-too-short", said)];
  return [];
}

/** `answered`: the types that could be looked up; of the others nobody knows whether they are there. */
async function driftFindings(
  host: DomainName,
  published: readonly ResourceRecord[],
  answered: ReadonlySet<string>,
  context: Context,
): Promise<Finding[]> {
  const wanted = context
    .wanted(host, "host-address")
    .map(({ record }) => record)
    .filter(({ data }) => answered.has(data.type));
  if (wanted.length === 0) return [];
  const texts = new Set(published.map(addressOf));
  const missing = wanted.filter((record) => !texts.has(addressOf(record)));
  const extra = published.filter((record) => !wanted.some((other) => addressOf(other) === addressOf(record)));
  if (missing.length === 0 && extra.length === 0) return [];
  if (published.length === 0 && answered.size < 2) return []; // what is there may be what was not told
  if (published.length === 0 && (await mailHosts(context)).includes(host)) return []; // mx-host-no-address says it
  return [
    context.finding("host-address-differs", {
      owner: host,
      severity: missing.length === wanted.length ? "error" : "warning",
      expected: wanted.map(addressOf).join(", "),
      observed: published.length === 0 ? "no address" : published.map(addressOf).join(", "),
      verify: "A",
      fix: await context.fix("Publish the addresses of the description.", { create: missing, remove: extra }),
    }),
  ];
}
