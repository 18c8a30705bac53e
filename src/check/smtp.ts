/** Port 25 of every address of every mail server: who answers, by which name, and with which TLS. */

import { reverseName } from "../standards/dns/address.ts";
import type { DomainName } from "../standards/dns/name.ts";
import { isHostName, parseDomainName, tryPrepend } from "../standards/dns/name.ts";
import { certificateFaults } from "./certificate.ts";
import type { Context } from "./context.ts";
import { daneCertifies } from "./dane.ts";
import type { Finding } from "./finding.ts";
import { hostAddresses } from "./host-addresses.ts";
import { servedPolicy } from "./mta-sts-policy.ts";
import { isOwnHost } from "./mx.ts";
import { outboundState } from "./outbound-port.ts";
import type { ServiceSession } from "./probe.ts";
import { connectCommand, socketText, tlsCommand } from "./probe-command.ts";
import { isWelcomed, type Reached, reachedMailServers, sameCertificate, tlsOf } from "./reach.ts";
import { outbound } from "./reverse.ts";

export async function checkMailServers(context: Context): Promise<Finding[]> {
  const reached = await reachedMailServers(context);
  if (reached.length === 0) return [];
  const [connections, sessions, names, encryption, certificates] = await Promise.all([
    connectionFindings(reached, context),
    Promise.all(reached.map((one) => sessionFindings(one, context))),
    Promise.all(reached.map((one) => nameFindings(one, context))),
    encryptionFindings(reached, context),
    certificateFindings(reached, context),
  ]);
  const findings = [...connections, ...sessions.flat(), ...names.flat(), ...encryption, ...certificates];
  return [...findings, ...fineFindings(reached, findings, context)];
}

/** An answer from anywhere on port 25, a refusal too, shows that it is not blocked on our side. */
function showsWayOut(reached: readonly Reached[]): boolean {
  return reached.some(({ probe }) => !["timeout", "unreachable"].includes(probe.status));
}

async function connectionFindings(reached: readonly Reached[], context: Context): Promise<Finding[]> {
  const findings: Finding[] = [];
  const silent = reached.filter(({ probe }) => probe.status === "timeout");
  const wayOut = silent.length === 0 || showsWayOut(reached) ? "open" : await outboundState(context);
  if (wayOut !== "open") {
    findings.push(
      context.finding("smtp-untold", {
        owner: context.domain,
        observed: `no answer on port 25 from ${list(silent)}, ${wayOut === "blocked" ? "and none from servers that are always there" : "and nothing to compare with"}`,
        verify: { command: connectCommand(silent[0]!.address, 25) },
      }),
    );
  }
  const noWay = reached.filter(({ probe }) => probe.status === "unreachable");
  if (noWay.length > 0) {
    const onlyIpv6 = noWay.every(({ address }) => address.family === 6);
    findings.push(
      context.finding(onlyIpv6 ? "probe-no-ipv6" : "smtp-no-route", {
        owner: context.domain,
        observed: `no way from here to ${list(noWay)}`,
        verify: { command: connectCommand(noWay[0]!.address, 25) },
      }),
    );
  }
  const isClosed = ({ probe }: Reached) =>
    probe.status === "refused" || (probe.status === "timeout" && wayOut === "open");
  const takes = reached.find(isWelcomed);
  for (const one of reached.filter(isClosed)) findings.push(closedFinding(one, takes, reached, context));
  return findings;
}

/** Another address takes the mail: senders that try this one first lose time, unless it is their only family. */
function closedFinding(
  { host, address, probe }: Reached,
  takes: Reached | undefined,
  reached: readonly Reached[],
  context: Context,
): Finding {
  const isIpv6 = address.family === 6;
  const instead = takes === undefined ? "" : `; senders go on to ${takes.host} at ${takes.address.text}`;
  const others = reached.some((other) => other.host === host && isWelcomed(other));
  return context.finding(probe.status === "refused" ? "smtp-refused" : "smtp-timeout", {
    owner: host,
    subject: address.text,
    severity: takes === undefined || isIpv6 ? "error" : "warning",
    expected: `a mail server at ${socketText(address, 25)}`,
    observed: `${probe.status === "refused" ? "connection refused" : "no answer"} at ${socketText(address, 25)}${instead}`,
    verify: { command: connectCommand(address, 25) },
    fix: {
      summary:
        isIpv6 && others
          ? `Let the mail server listen on ${address.text} (Postfix: inet_protocols = all), open port 25 for it in the firewall, or delete the AAAA of ${host}.`
          : `Start the mail server on ${address.text} and open port 25 for it in the firewall, or take ${host} out of the MX.`,
      changes: [],
    },
  });
}

const list = (reached: readonly Reached[]) =>
  reached.map(({ host, address }) => `${host} (${address.text})`).join(", ");

/** A server that greets with 4xx or 5xx, or breaks off. */
async function sessionFindings(reached: Reached, context: Context): Promise<Finding[]> {
  const { host, address, probe } = reached;
  const verify = { command: tlsCommand("smtp", host, address, 25) };
  const said = { owner: host, subject: address.text, verify } as const;
  const at = `${host} at ${socketText(address, 25)}`;
  if (probe.status === "broken") {
    return [context.finding("smtp-broken", { ...said, observed: `${at}: ${probe.detail}` })];
  }
  if (probe.status !== "answered") return [];
  const { code = 220, text } = probe.greeting;
  const observed = `${at} greets with ${code} ${text.slice(0, 200)}`;
  if (code >= 500) return [context.finding("smtp-rejects", { ...said, observed })];
  if (code >= 400) return [context.finding("smtp-temporary", { ...said, observed })];
  if (probe.serverName === undefined) {
    return [context.finding("smtp-no-ehlo", { ...said, observed: `${at} refuses EHLO` })];
  }
  return [];
}

/** PTR = EHLO = forward (R30), for the servers that also send. */
async function nameFindings(reached: Reached, context: Context): Promise<Finding[]> {
  const { host, address, probe } = reached;
  if (probe.status !== "answered" || probe.serverName === undefined || !isOwnHost(host, context)) return [];
  const verify = { command: tlsCommand("smtp", host, address, 25) };
  const said = { owner: host, subject: address.text, verify } as const;
  const at = socketText(address, 25);
  const name = parseDomainName(probe.serverName);
  if (!name.ok || !isHostName(name.value)) {
    const observed = `${at} calls itself “${probe.serverName.slice(0, 100)}”`;
    return [context.finding("smtp-name-invalid", { ...said, observed, expected: host, fix: nameFix(host) })];
  }
  const forward = await hostAddresses(name.value, context);
  if (forward.addresses.length === 0) {
    if (forward.untold.length > 0) return [...forward.untold];
    const observed = `${at} calls itself ${name.value}, which has no address`;
    return [
      context.finding("smtp-name-no-address", { ...said, observed, expected: host, fix: nameFix(host) }),
    ];
  }
  const source = (await outbound(context)).find((one) => one.address.text === address.text);
  if (source === undefined) return [];
  const pointers = await context.lookup(reverseName(address), "PTR");
  if (pointers.status !== "found") return []; // checkReverse says it
  const names = pointers.records.map(({ data }) => data.target);
  // Where the PTR is another's, the reverse check has said so; here it is the server's own word that counts.
  if (names.includes(name.value) || !names.includes(source.helo)) return [];
  return [
    context.finding("smtp-name-differs", {
      ...said,
      expected: `${at} calls itself ${source.helo}`,
      observed: `${at} calls itself ${name.value}; its PTR is ${names.slice(0, 3).join(", ")}`,
      fix: nameFix(source.helo),
    }),
  ];
}

const nameFix = (host: DomainName) => ({
  summary: `Let the server call itself ${host} (Postfix: myhostname = ${host}; Exim: primary_hostname = ${host}).`,
  changes: [],
});

/** STARTTLS: there, working, and new enough. How much it matters depends on what the domain has promised. */
async function encryptionFindings(reached: readonly Reached[], context: Context): Promise<Finding[]> {
  const policy = await servedPolicy(context);
  const findings = await Promise.all(
    reached.map(async (one) => {
      const { host, address, probe } = one;
      if (!isWelcomed(one) || probe.status !== "answered" || probe.serverName === undefined) return [];
      const promised = await promises(host, policy?.mode === "enforce", context);
      return tlsFindings(one, probe, promised, context).map((finding) => ({
        ...finding,
        subject: address.text,
        verify: tlsCommand("smtp", host, address, 25),
      }));
    }),
  );
  return findings.flat();
}

/** "DANE", "MTA-STS": what makes senders insist on TLS here. */
async function promises(host: DomainName, enforces: boolean, context: Context): Promise<string | undefined> {
  const owner = tryPrepend("_25._tcp", host);
  const tlsa = owner && (await context.lookup(owner, "TLSA"));
  if (tlsa?.status === "found") return "DANE";
  return enforces ? "MTA-STS" : undefined;
}

function tlsFindings(
  { host, address }: Reached,
  { tls }: ServiceSession,
  promised: string | undefined,
  context: Context,
): Finding[] {
  const at = `${host} at ${socketText(address, 25)}`;
  const why = promised && {
    severity: "error" as const,
    why: `Senders that check ${promised} insist on TLS: they do not deliver to this server.`,
  };
  switch (tls.status) {
    case "not-tried":
      return [];
    case "not-offered":
      return [
        context.finding("smtp-no-starttls", { owner: host, observed: `${at} offers no STARTTLS`, ...why }),
      ];
    case "failed":
      return [context.finding("smtp-tls-failed", { owner: host, observed: `${at}: ${tls.detail}`, ...why })];
    case "broken":
      return [
        context.finding("smtp-broken", { owner: host, observed: `${at}, during STARTTLS: ${tls.detail}` }),
      ];
    case "established": {
      const outdated = isOld(tls.version);
      if (!outdated && (tls.oldVersions ?? []).length === 0) return [];
      return [
        context.finding(outdated ? "tls-only-old" : "tls-old-accepted", {
          owner: host,
          severity: outdated ? "error" : "notice",
          observed: `${at}: ${outdated ? `at best ${tls.version}` : `also ${tls.oldVersions!.join(", ")}`}`,
        }),
      ];
    }
    default:
      return tls satisfies never;
  }
}

export function isOld(version: string): boolean {
  return !["TLSv1.2", "TLSv1.3"].includes(version);
}

/**
 * One finding a host and certificate. Without MTA-STS and DANE senders take any certificate, so a bad one costs
 * nothing but the way to either.
 */
async function certificateFindings(reached: readonly Reached[], context: Context): Promise<Finding[]> {
  const policy = await servedPolicy(context);
  const findings = await Promise.all(
    [...sameCertificate(reached)].map(async (group) => {
      const [{ host, address }] = group as [Reached];
      const tls = tlsOf(group[0]!)!;
      if (policy === undefined && (await daneCertifies(group[0]!, context))) return [];
      const severity = policy?.mode === "enforce" ? "error" : "warning";
      return certificateFaults(tls, host, context.world.now).map((fault) =>
        context.finding(fault.code, {
          owner: host,
          subject: "smtp",
          severity,
          ...(fault.expected !== undefined && { expected: fault.expected }),
          observed: `${list(group)} port 25: ${fault.observed}`,
          verify: { command: tlsCommand("smtp", host, address, 25) },
          ...(policy !== undefined && { reference: "RFC 8461 §4.2" }),
          why:
            policy === undefined
              ? "Senders still deliver, since nothing asks them to look at it; with MTA-STS or DANE they would not."
              : policy.mode === "enforce"
                ? "The MTA-STS policy enforces: senders that check it do not deliver to this server."
                : "Senders that check the MTA-STS policy report this; in mode enforce they would not deliver.",
        }),
      );
    }),
  );
  return findings.flat();
}

/** One line for every address that has no fault. */
function fineFindings(
  reached: readonly Reached[],
  findings: readonly Finding[],
  context: Context,
): Finding[] {
  return reached.flatMap((one) => {
    const { host, address, probe } = one;
    if (!isWelcomed(one) || probe.status !== "answered") return [];
    const at = socketText(address, 25);
    const isRed = ({ severity, owner, observed }: Finding) =>
      severity !== "notice" && owner === host && (observed.includes(at) || observed.includes(address.text));
    if (findings.some(isRed)) return [];
    const tls = tlsOf(one);
    return [
      context.finding("smtp-ok", {
        owner: host,
        subject: address.text,
        observed: `${at}: ${probe.serverName ?? "no name"}, ${tls === undefined ? "no TLS" : tls.version}`,
        verify: { command: tlsCommand("smtp", host, address, 25) },
      }),
    ];
  });
}
