/** DANE (RFC 7672): the TLSA records of each mail host, whether DNSSEC makes them count, and the live certificate. */
import { shellWord } from "../records/command.ts";
import { evaluateDane } from "../standards/dane/evaluate.ts";
import { remarksOnTlsa } from "../standards/dane/remarks.ts";
import {
  DANE_EE_SPKI_SHA256,
  formatTlsa,
  type TlsaData,
  tlsaFromCertificate,
} from "../standards/dane/tlsa.ts";
import { type DomainName, tryPrepend } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import type { RdataOf, ResourceRecord } from "../standards/dns/record.ts";
import { standsFor } from "./certificate.ts";
import type { Context } from "./context.ts";
import { type Finding, type Fix, proposed } from "./finding.ts";
import { mailHosts } from "./mx.ts";
import { socketText, tlsCommand } from "./probe-command.ts";
import { type Reached, reachedMailServers, sameCertificate, tlsOf } from "./reach.ts";

export async function checkDane(context: Context): Promise<Finding[]> {
  const hosts = await mailHosts(context);
  return (await Promise.all(hosts.map((host) => hostFindings(host, context)))).flat();
}

async function hostFindings(host: DomainName, context: Context): Promise<Finding[]> {
  const owner = tryPrepend("_25._tcp", host);
  if (owner === undefined) return []; // no room for the name, so no record
  const answer = await context.lookup(owner, "TLSA");
  if (answer.status === "unknown") return [context.unknown(owner, "TLSA", answer)];
  if (answer.status === "absent") return [];
  const findings = answer.records.flatMap(({ data }) =>
    remarksOnTlsa(data).map((remark) =>
      context.remark(remark, { owner, text: formatRdata(data), verify: "TLSA" }),
    ),
  );
  const signatures = await context.world.authoritative.lookupSignatures(owner, "TLSA");
  if ("status" in signatures) return [...findings, context.unknown(owner, "TLSA", signatures)];
  if (signatures.length === 0) {
    findings.push(
      context.finding("tlsa-without-dnssec", {
        owner,
        observed: `${answer.records.length} TLSA, and no signature over them`,
        verify: { command: `dig TLSA ${shellWord(owner)} +dnssec` },
      }),
    );
  }
  const servers = (await reachedMailServers(context)).filter((one) => one.host === host);
  const live = await Promise.all(
    [...sameCertificate(servers)].map((group) => liveFindings(owner, answer.records, group, context)),
  );
  findings.push(...live.flat());
  if (findings.every(({ severity }) => severity === "notice")) {
    const seen = servers.some((one) => tlsOf(one) !== undefined) ? "; the live certificate fits" : "";
    findings.push(
      context.finding("tlsa-ok", {
        owner,
        observed: `${answer.records.map(({ data }) => formatRdata(data)).join(", ")}${seen}`,
        verify: "TLSA",
      }),
    );
  }
  return findings;
}

type TlsaRecord = ResourceRecord<RdataOf<"TLSA">>;

async function liveFindings(
  owner: DomainName,
  records: readonly TlsaRecord[],
  group: readonly Reached[],
  context: Context,
): Promise<Finding[]> {
  const { host, address } = group[0]!;
  const tls = tlsOf(group[0]!)!;
  const chain = tls.chain.map(({ der }) => der);
  const data = records.map((record) => record.data);
  const decision = evaluateDane(data, chain);
  const said = { owner, verify: { command: tlsCommand("smtp", host, address, 25) } } as const;
  const right = chain[0] && proposedTlsa(chain[0]);
  const at = `${host} at ${group.map((one) => socketText(one.address, 25)).join(", ")}`;
  if (!decision.matches) {
    return [
      context.finding("tlsa-mismatch", {
        ...said,
        observed: `${at}: ${decision.reason}; published ${data.map((one) => shortTlsa(one)).join(", ")}`,
        ...(right && { expected: `TLSA ${shortTlsa(right)}` }),
        fix: await mismatchFix(owner, records, right, context),
      }),
    ];
  }
  const own = tls.chain[0]!;
  if (decision.namesCount && !own.names.some((name) => standsFor(name, host))) {
    const observed = `${at}: the certificate is for ${own.names.slice(0, 5).join(", ")}`;
    return [
      context.finding("tlsa-name-mismatch", { ...said, observed, expected: `a certificate for ${host}` }),
    ];
  }
  return data.length === 1 && decision.record.usage === 3
    ? [context.finding("tlsa-single", { ...said, observed: formatTlsa(decision.record) })]
    : [];
}

/** The records that fit nothing may be those of the next certificate: they stay until the new one is seen. */
async function mismatchFix(
  owner: DomainName,
  records: readonly TlsaRecord[],
  right: TlsaData | undefined,
  context: Context,
): Promise<Fix | null> {
  if (right === undefined) return null;
  return context.fix(
    "Publish the record of the live certificate, or go back to the certificate it was made for.",
    {
      remove: records,
      create: [{ ...proposed(owner, right), ttlSeconds: records[0]!.ttlSeconds }],
    },
  );
}

function proposedTlsa(der: Uint8Array): TlsaData | undefined {
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString("base64")}\n-----END CERTIFICATE-----\n`;
  const tlsa = tlsaFromCertificate(pem, DANE_EE_SPKI_SHA256);
  return tlsa.ok ? tlsa.value : undefined;
}

function shortTlsa(data: TlsaData): string {
  const text = formatTlsa(data);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Whether signed TLSA vouch, or may vouch, for the certificate, so that no public authority has to. */
export async function daneCertifies(reached: Reached, context: Context): Promise<boolean> {
  const owner = tryPrepend("_25._tcp", reached.host);
  const tls = tlsOf(reached);
  if (owner === undefined || tls === undefined) return false;
  const answer = await context.lookup(owner, "TLSA");
  // What could not be looked up is no reason to find fault with a certificate.
  if (answer.status === "unknown") return true;
  if (answer.status === "absent") return false;
  const signatures = await context.world.authoritative.lookupSignatures(owner, "TLSA");
  if ("status" in signatures) return true;
  if (signatures.length === 0) return false;
  // A mismatch has its own finding, and the certificate is not at fault.
  return answer.records.some(({ data }) => data.usage === 3 || data.usage === 2);
}
