/** CAA against the authority that issued each live certificate: would it be allowed to renew it? (RFC 8659 §4) */
import { allowsIssuer } from "../standards/caa/evaluate.ts";
import { caaDomainsOf } from "../standards/caa/issuers.ts";
import { lookupRelevantCaa } from "../standards/caa/lookup.ts";
import { type DomainName, domainName } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { policyHost } from "../standards/mta-sts/policy.ts";
import { standsFor } from "./certificate.ts";
import { settingsAnswers } from "./client-settings.ts";
import type { Context } from "./context.ts";
import { type Finding, proposed } from "./finding.ts";
import { fetchPolicy } from "./mta-sts-policy.ts";
import { isOwnHost } from "./mx.ts";
import type { TlsSession } from "./probe.ts";
import { reachedMailServers, tlsOf } from "./reach.ts";

interface Shown {
  readonly host: DomainName;
  readonly tls: TlsSession;
}

export async function checkCaaIssuers(context: Context): Promise<Finding[]> {
  const shown = (await shownCertificates(context)).filter(({ tls }) => tls.trust.ok);
  const unique = new Map(shown.map((one) => [`${one.host} ${one.tls.chain[0]?.issuer}`, one]));
  return (await Promise.all([...unique.values()].map((one) => issuerFindings(one, context)))).flat();
}

/** Mail hosts of others are their business. */
async function shownCertificates(context: Context): Promise<Shown[]> {
  const [servers, policy, settings] = await Promise.all([
    reachedMailServers(context),
    fetchPolicy(context),
    settingsAnswers(context),
  ]);
  return [
    ...servers
      .filter(({ host }) => isOwnHost(host, context))
      .flatMap((one) => {
        const tls = tlsOf(one);
        return tls === undefined ? [] : [{ host: one.host, tls }];
      }),
    ...(policy?.status === "answered" ? [{ host: policyHost(context.domain), tls: policy.tls }] : []),
    ...settings.flatMap(({ host, probe }) => (probe.status === "answered" ? [{ host, tls: probe.tls }] : [])),
  ];
}

async function issuerFindings({ host, tls }: Shown, context: Context): Promise<Finding[]> {
  const [own] = tls.chain;
  const organization = own?.issuerOrganization;
  const issuers = organization === undefined ? [] : caaDomainsOf(organization);
  const covering = own?.names.find((name) => standsFor(name, host));
  if (own === undefined || covering === undefined || issuers.length === 0) return [];
  const wildcard = covering.startsWith("*.");
  const name = wildcard ? domainName(covering.slice(2)) : host;
  const relevant = await lookupRelevantCaa(name, context);
  if (relevant.status === "unknown") return [context.unknown(name, "CAA", relevant)];
  if (relevant.status === "absent") return [];
  const allowed = issuers.some((issuer) => allowsIssuer(relevant.records, issuer, { wildcard }));
  if (allowed) return [];
  const tag =
    wildcard && relevant.records.some((record) => record.tag === "issuewild") ? "issuewild" : "issue";
  return [
    context.finding("caa-forbids-issuer", {
      owner: relevant.owner,
      subject: host,
      expected: `CAA that allows ${issuers[0]}, which issued the certificate of ${host}`,
      observed: relevant.records.map((data) => formatRdata(data)).join(", "),
      verify: "CAA",
      fix: await context.fix(`Allow ${issuers[0]} beside the others, or let an allowed authority issue.`, {
        create: [proposed(relevant.canonicalName, { type: "CAA", flags: 0, tag, value: issuers[0]! })],
      }),
    }),
  ];
}
