/** The zone itself: delegation, name servers, wildcards, names that came out wrong. */

import { shellWord } from "../records/command.ts";
import { absolute, type DomainName, prepend, tryPrepend } from "../standards/dns/name.ts";
import type { Answer } from "../standards/dns/resolver.ts";
import { CATALOGUE } from "./catalogue.ts";
import { answerText, type Context, resolverCommand, texts } from "./context.ts";
import type { Finding } from "./finding.ts";
import { knownAddress } from "./host-addresses.ts";
import { isOwnHost, mailHosts } from "./mx.ts";
import type { ServerState, ZoneReport } from "./view.ts";

export async function checkZone(context: Context): Promise<Finding[]> {
  const { domain } = context;
  const answer = await context.zone;
  switch (answer.status) {
    case "absent":
      return [
        context.finding("zone-not-found", {
          owner: domain,
          observed: `the name servers of ${absolute(answer.closest)} know no ${domain}`,
          verify: "NS",
        }),
      ];
    case "unknown":
      return [
        context.finding("zone-unreachable", {
          owner: domain,
          observed: `${answer.cause}: ${answer.detail}`,
          verify: "SOA",
        }),
      ];
    case "found": {
      const { zone } = answer;
      const parts = await Promise.all([
        aliasFindings(context),
        wildcardFindings(context),
        doubledFindings(zone, context),
        nameServerAliases(zone, context),
      ]);
      return [...serverFindings(zone, context), ...parts.flat()];
    }
    default:
      return answer satisfies never;
  }
}

const label = ({ server }: ServerState): string => `${server.name} (${server.address})`;

function serverFindings(zone: ZoneReport, context: Context): Finding[] {
  const { apex } = zone;
  const findings: Finding[] = [];
  for (const state of zone.servers.filter(({ state }) => state === "lame")) {
    findings.push(
      context.finding("zone-lame-server", {
        owner: apex,
        subject: label(state),
        observed: `${label(state)} ${state.detail}`,
        verify: { command: `dig SOA ${shellWord(apex)} @${state.server.address} +norecurse` },
        fix: {
          summary: `Load the zone ${apex} on ${state.server.name}, or take that name server out of the delegation and the zone's NS records.`,
          changes: [],
        },
      }),
    );
  }
  for (const state of zone.servers.filter(({ state }) => state === "unknown")) {
    findings.push(
      context.finding("zone-server-silent", {
        owner: apex,
        subject: label(state),
        severity: zone.servers.some((other) => other.state === "ok") ? "warning" : "unknown",
        observed: `${label(state)}: ${state.detail}`,
        verify: { command: `dig SOA ${shellWord(apex)} @${state.server.address} +norecurse` },
      }),
    );
  }
  for (const { name, why } of zone.unresolvable) {
    findings.push(
      context.finding("zone-ns-no-address", {
        owner: apex,
        subject: name,
        observed: `${name}: ${why}`,
        verify: "NS",
      }),
    );
  }
  const working = zone.servers.filter(({ state }) => state === "ok");
  findings.push(...nsMismatch(zone, working, context));
  const serials = Map.groupBy(
    working.filter(({ serial }) => serial !== undefined),
    ({ serial }) => serial!,
  );
  if (serials.size > 1) {
    findings.push(
      context.finding("zone-serials-differ", {
        owner: apex,
        observed: [...serials]
          .map(([serial, states]) => `${serial} at ${states.map(label).join(", ")}`)
          .join("; "),
        verify: { command: `dig SOA ${shellWord(apex)} +nssearch` },
      }),
    );
  }
  const names = new Set(zone.servers.map(({ server }) => server.name));
  if (names.size === 1) {
    findings.push(
      context.finding("zone-single-server", { owner: apex, observed: [...names].join(", "), verify: "NS" }),
    );
  }
  if (findings.length === 0 && working.length > 0) {
    const count = working.length === 1 ? "1 address" : `${working.length} addresses`;
    findings.push(
      context.finding("zone-ok", {
        owner: apex,
        observed: `${[...names].join(", ")}: ${count}, all with serial ${[...serials.keys()].join()}`,
        verify: "SOA",
      }),
    );
  }
  return findings;
}

/** The parent's delegation against what each of the zone's own servers lists. */
function nsMismatch(zone: ZoneReport, working: readonly ServerState[], context: Context): Finding[] {
  if (zone.parent === undefined || zone.delegatedTo.length === 0) return [];
  const parent = zone.delegatedTo.join(", ");
  const differing = working.filter(
    ({ nameServers }) => nameServers !== undefined && nameServers.join(", ") !== parent,
  );
  if (differing.length === 0) return [];
  const lists = Map.groupBy(differing, ({ nameServers }) => nameServers!.join(", "));
  const child = [...lists].map(
    ([list, states]) => `${list || "nothing"} (at ${states.map(label).join(", ")})`,
  );
  return [
    context.finding("zone-ns-mismatch", {
      owner: zone.apex,
      expected: `the same list at ${absolute(zone.parent)} and in the zone`,
      observed: `${absolute(zone.parent)} delegates to ${parent}; the zone lists ${child.join("; ")}`,
      verify: "NS",
      fix: {
        summary: "Make the list at the registrar and the NS records in the zone the same.",
        changes: [],
      },
    }),
  ];
}

/** As many as the root has; no domain needs more. */
const MAX_NAME_SERVERS = 13;

/** RFC 2181 §10.3: an NS target is no alias. */
async function nameServerAliases(zone: ZoneReport, context: Context): Promise<Finding[]> {
  const listed = [...zone.delegatedTo, ...zone.servers.map(({ server }) => server.name)];
  const names = [...new Set(listed)].slice(0, MAX_NAME_SERVERS);
  const found = await Promise.all(
    names.map(async (name) => {
      const answer = await context.lookup(name, "A");
      if (answer.status === "unknown") return [context.unknown(name, "A", answer)];
      if (answer.aliases.length === 0) return [];
      return [
        context.finding("zone-ns-is-alias", { owner: name, observed: `${name} is a CNAME`, verify: "CNAME" }),
      ];
    }),
  );
  return found.flat();
}

/** RFC 1034 §3.6.2: a CNAME is alone at its name, so it can never stand at the apex. */
async function aliasFindings(context: Context): Promise<Finding[]> {
  const { domain } = context;
  const answers: Answer[] = await Promise.all([
    context.everywhere(domain, "MX"),
    context.everywhere(domain, "TXT"),
  ]);
  const aliased = answers.find((answer) => answer.status !== "unknown" && answer.aliases.includes(domain));
  if (aliased === undefined) return [];
  const alias = await context.lookup(domain, "CNAME");
  const target = alias.status === "found" ? alias.records[0]!.data.target : "another name";
  const zone = await context.zone;
  const apex = zone.status === "found" && zone.zone.apex === domain;
  return [
    context.finding(apex ? "zone-apex-cname" : "zone-cname-domain", {
      owner: domain,
      observed: `${domain} is a CNAME for ${target}`,
      verify: "CNAME",
      fix: {
        summary: `Replace the CNAME by A and AAAA records with the addresses of ${target}.`,
        changes: [],
      },
    }),
  ];
}

/** Names with a meaning of their own, for which a wildcard answers in their place (RFC 4592). */
const SPECIAL_LABELS = ["_dmarc", "_mta-sts", "_smtp._tls", "autoconfig", "autodiscover", "mta-sts"];

async function wildcardFindings(context: Context): Promise<Finding[]> {
  const { domain } = context;
  const random = prepend(context.world.randomLabel(), domain);
  const address = await context.lookup(random, "A");
  if (address.status === "unknown") return [context.unknown(random, "A", address)];
  if (address.status === "absent" && address.kind === "nxdomain") return [];
  const [text, mail] = await Promise.all([context.lookup(random, "TXT"), context.lookup(random, "MX")]);
  const untold = context.untold(random, ["TXT", text], ["MX", mail]);
  const answers = { A: address, TXT: text, MX: mail };
  const shown = Object.entries(answers).flatMap(([type, answer]) =>
    answer.status === "found" ? [`${type} ${answerText(answer).replaceAll("\n", ", ")}`] : [],
  );
  if (shown.length === 0) return untold;
  const affected = await Promise.all(
    SPECIAL_LABELS.map(async (label) => {
      const name = prepend(label, domain);
      const type = label.startsWith("_") ? "TXT" : "A";
      const own = await context.lookup(name, type);
      const wild = answers[type];
      if (wild.status === "found") untold.push(...context.untold(name, [type, own]));
      return own.status === "found" && wild.status === "found" && answerText(own) === answerText(wild)
        ? [name]
        : [];
    }),
  );
  const names = affected.flat();
  return [
    ...untold,
    context.finding("zone-wildcard", {
      owner: prepend("*", domain),
      severity: names.length > 0 ? "warning" : "notice",
      observed: `any name below ${domain} answers ${shown.join("; ")}${names.length > 0 ? `; so do ${names.join(", ")}` : ""}`,
      verify: { command: `dig A ${shellWord(random)}` },
      fix:
        names.length > 0
          ? {
              summary: `Give ${names.join(", ")} records of their own: an explicit name stops the wildcard there.`,
              changes: [],
            }
          : null,
    }),
  ];
}

/** Records that a form put at example.org.example.org, because it adds the domain itself (struggle 2). */
async function doubledFindings(zone: ZoneReport, context: Context): Promise<Finding[]> {
  const { domain } = context;
  const doubled = tryPrepend(zone.apex, zone.apex);
  if (doubled === undefined) return [];
  const root = await context.lookup(doubled, "A");
  if (root.status === "unknown") return [context.unknown(doubled, "A", root)];
  if (root.status === "absent" && root.kind === "nxdomain") return [];
  const wildcard = await context.lookup(prepend(context.world.randomLabel(), domain), "A");
  if (wildcard.status !== "absent" || wildcard.kind !== "nxdomain") return []; // a wildcard answers for it, or nobody knows
  const found: { name: DomainName; text: string }[] = [];
  if (root.status === "found") found.push({ name: doubled, text: answerText(root) });
  for (const label of ["_dmarc", "_mta-sts", "mail"]) {
    const name = tryPrepend(label, doubled);
    if (name === undefined) continue;
    const answer = await context.lookup(name, label.startsWith("_") ? "TXT" : "A");
    if (answer.status === "found") found.push({ name, text: answerText(answer) });
  }
  const apexText = await context.lookup(doubled, "TXT");
  for (const { text } of texts(apexText)) found.push({ name: doubled, text });
  return [
    context.finding("zone-doubled-name", {
      owner: doubled,
      observed:
        found.length > 0
          ? found.map(({ name, text }) => `${name}: ${text}`).join("; ")
          : `names exist below ${doubled}`,
      verify: "ANY",
      fix: {
        summary: `Enter these records again with the name alone (“mail”, not “mail.${domain}”), and delete the doubled ones.`,
        changes: [],
      },
    }),
  ];
}

/** Name servers that do not agree on a record that mail depends on; every `everywhere` has left its trace. */
export function disagreementFindings(context: Context): Finding[] {
  return context.disagreements.map(({ name, type, answers }) =>
    context.finding("servers-differ", {
      owner: name,
      subject: type,
      expected: `the same ${type} at every name server`,
      observed: answers
        .map(({ servers, text }) => `${servers.join(", ")}: ${text.replaceAll("\n", ", ")}`)
        .join("; "),
      verify: type,
    }),
  );
}

/** More mail hosts of one's own than any real domain has. */
const MAX_OWN_HOSTS = 8;

/** Addresses that only this network gets: a resolver that answers for a name on its own (struggle 13). */
export async function checkSplitHorizon(context: Context): Promise<Finding[]> {
  const hosts = (await mailHosts(context)).filter((host) => isOwnHost(host, context)).slice(0, MAX_OWN_HOSTS);
  const questions = hosts.flatMap((host) => [[host, "A"] as const, [host, "AAAA"] as const]);
  const found = context.world.recursive.flatMap((resolver) =>
    questions.map(async ([host, type]) => {
      const [published, held] = await Promise.all([
        context.lookup<"A" | "AAAA">(host, type),
        resolver.lookup<"A" | "AAAA">(host, type),
      ]);
      if (published.status === "unknown" || held.status !== "found") return [];
      if (answerText(held) === answerText(published)) return [];
      // Another public address may be a cache's; a private one is meant for this network.
      const isInner = ({ data }: { readonly data: { readonly address: string } }) =>
        context.special(knownAddress(data.address)) !== undefined;
      if (!held.records.some(isInner)) return [];
      return [
        context.finding("split-horizon", {
          owner: host,
          subject: `${type} at ${resolver.label}`,
          expected: `${type} ${answerText(published).replaceAll("\n", ", ")}`,
          observed: `resolver ${resolver.label} answers ${answerText(held).replaceAll("\n", ", ")} to those who ask it; the world gets ${answerText(published).replaceAll("\n", ", ")}`,
          verify: { command: resolverCommand(host, type, resolver) },
        }),
      ];
    }),
  );
  return (await Promise.all(found)).flat();
}

/** What resolvers hold against what is published: old answers in caches, lies. */
export async function checkResolvers(context: Context): Promise<Finding[]> {
  const { domain } = context;
  const zone = await context.zone;
  if (zone.status !== "found") return [];
  const questions = [
    { name: domain, type: "MX" },
    { name: domain, type: "TXT" },
    { name: prepend("_dmarc", domain), type: "TXT" },
  ] as const;
  const perResolver = context.world.recursive.map(async (resolver) => {
    const mail = await resolver.lookup(domain, "MX");
    const isBogus = mail.status === "unknown" && mail.cause === "bogus";
    const differing = await Promise.all(
      questions.map(async ({ name, type }) => {
        const subject = `${type} at ${resolver.label}`;
        const [published, held] = await Promise.all([
          context.everywhere(name, type),
          resolver.lookup(name, type),
        ]);
        if (held.status === "unknown" && held.cause === "bogus" && isBogus) return []; // checkDnssec says it
        if (held.status === "unknown")
          return [
            {
              ...context.unknown(name, type, {
                ...held,
                detail: `resolver ${resolver.label}: ${held.detail}`,
              }),
              subject,
            },
          ];
        if (published.status === "unknown" || answerText(held) === answerText(published)) return [];
        const ttl = held.status === "found" ? held.records[0]!.ttlSeconds : (held.negativeTtlSeconds ?? 0);
        const until = new Date(context.world.now.getTime() + ttl * 1000)
          .toISOString()
          .slice(0, 16)
          .replace("T", " ");
        return [
          context.finding("resolver-differs", {
            owner: name,
            subject,
            expected: `${type} ${answerText(published).replaceAll("\n", ", ")}`,
            observed: `resolver ${resolver.label} answers ${answerText(held).replaceAll("\n", ", ")}`,
            // Until when is no part of what is observed: it is another at each look.
            why: `${CATALOGUE["resolver-differs"].why} It may keep the answer until ${until} UTC.`,
            verify: { command: resolverCommand(name, type, resolver) },
          }),
        ];
      }),
    );
    return differing.flat();
  });
  return (await Promise.all(perResolver)).flat();
}
