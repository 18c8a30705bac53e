/** The ports that mail programs and XMPP use: those that the description offers, and those that SRV records name. */
import type { Server, Service } from "../records/description.ts";
import { CLIENT_SERVICES } from "../standards/client-setup/srv.ts";
import { type DomainName, prepend, ROOT } from "../standards/dns/name.ts";
import { certificateFaults } from "./certificate.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./finding.ts";
import type { Protocol, ServiceSession } from "./probe.ts";
import { connectCommand, socketText, tlsCommand } from "./probe-command.ts";
import { probeHost, type Reached } from "./reach.ts";
import { isOld } from "./smtp.ts";

interface Offered {
  readonly protocol: Protocol;
  readonly host: DomainName;
  readonly port: number;
  /** XMPP servers show the certificate of the domain, not that of their own name (RFC 6120 §13.7.1). */
  readonly domain?: DomainName;
}

/** By the first label of the SRV owner name. */
const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  _submission: "submission",
  _submissions: "submissions",
  _imap: "imap",
  _imaps: "imaps",
  _pop3: "pop3",
  _pop3s: "pop3s",
  _sieve: "sieve",
  "_xmpp-client": "xmpp-client",
  "_xmpp-server": "xmpp-server",
  "_xmpps-client": "xmpps-client",
  "_xmpps-server": "xmpps-server",
};

/** More servers for one domain than any real one has. */
const MAX_OFFERED = 24;

export async function checkServicePorts(context: Context): Promise<Finding[]> {
  if (context.world.prober === undefined) return [];
  const offered = [...describedServices(context), ...(await publishedServices(context))];
  const unique = [
    ...new Map(offered.map((one) => [`${one.protocol} ${one.host} ${one.port}`, one])).values(),
  ];
  const reached = await Promise.all(
    unique.slice(0, MAX_OFFERED).map(async (one) => ({ one, reached: await probeHost(one, context) })),
  );
  const all = reached.flatMap((each) => each.reached);
  return reached.flatMap((each) =>
    each.reached.flatMap((one) => serviceFindings(one, each.one, all, context)),
  );
}

function describedServices(context: Context): Offered[] {
  const { description } = context.options;
  if (description === undefined || context.described === undefined) return [];
  const concerns = ({ host }: Server) =>
    context.wanted(host, "host-address").some(({ domain }) => domain === context.domain);
  return description.servers.filter(concerns).flatMap(({ host, services }) =>
    services.flatMap((service) => {
      const offer = offerOf(service);
      return offer === undefined ? [] : [{ ...offer, host }];
    }),
  );
}

function offerOf(service: Service): Pick<Offered, "protocol" | "port"> | undefined {
  const protocol = PROTOCOLS[`_${service}`];
  const known = CLIENT_SERVICES.find(({ srvName }) => srvName === `_${service}`);
  return protocol === undefined || known === undefined ? undefined : { protocol, port: known.port };
}

async function publishedServices(context: Context): Promise<Offered[]> {
  const found = await Promise.all(
    Object.entries(PROTOCOLS).map(async ([srvName, protocol]): Promise<Offered[]> => {
      if (!(await isAsked(context))) return [];
      const answer = await context.lookup(prepend(`${srvName}._tcp`, context.domain), "SRV");
      if (answer.status !== "found") return [];
      return answer.records
        .filter(({ data }) => data.target !== ROOT && data.port !== 0)
        .map(({ data: { target, port } }) => ({
          protocol,
          host: target,
          port,
          ...(protocol.startsWith("xmpp") && { domain: context.domain }),
        }));
    }),
  );
  return found.flat();
}

/** RFC 8020: where nothing stands below _tcp, one answer tells it for all services. */
async function isAsked(context: Context): Promise<boolean> {
  const top = await context.lookup(prepend("_tcp", context.domain), "SRV");
  return !(top.status === "absent" && top.kind === "nxdomain");
}

function serviceFindings(
  reached: Reached,
  offered: Offered,
  all: readonly Reached[],
  context: Context,
): Finding[] {
  const { host, address, port, protocol, probe } = reached;
  const at = `${protocol} at ${host}, ${socketText(address, port)}`;
  const subject = `${protocol} ${socketText(address, port)}`;
  const connect = { owner: host, subject, verify: { command: connectCommand(address, port) } } as const;
  switch (probe.status) {
    case "refused":
      return [context.finding("service-closed", { ...connect, observed: `${at}: connection refused` })];
    case "timeout": {
      // Another port of the same address answers, so it is this one that is filtered.
      const answers = all.some(
        (other) => other.address.text === address.text && other.probe.status === "answered",
      );
      const code = answers ? "service-filtered" : "service-untold";
      return [context.finding(code, { ...connect, observed: `${at}: no answer` })];
    }
    case "unreachable":
      return address.family === 6
        ? [context.finding("probe-no-ipv6", { ...connect, observed: `no way from here to ${address.text}` })]
        : [context.finding("service-untold", { ...connect, observed: `${at}: ${probe.detail}` })];
    case "broken":
      return [context.finding("service-untold", { ...connect, observed: `${at}: ${probe.detail}` })];
    case "answered":
      return sessionFindings(reached, probe, offered, at, context);
    default:
      return probe satisfies never;
  }
}

function sessionFindings(
  { host, address, port, protocol }: Reached,
  session: ServiceSession,
  { domain }: Offered,
  at: string,
  context: Context,
): Finding[] {
  const said = {
    owner: host,
    subject: `${protocol} ${socketText(address, port)}`,
    verify: { command: tlsCommand(protocol, domain ?? host, address, port) },
  } as const;
  const { greeting, tls } = session;
  if ((greeting.code ?? 0) >= 400) {
    return [
      context.finding("service-rejects", {
        ...said,
        observed: `${at}: ${greeting.code} ${greeting.text.slice(0, 200)}`,
      }),
    ];
  }
  const findings: Finding[] = [];
  if (offersPlainAuth(protocol, session.capabilities, tls.status)) {
    findings.push(
      context.finding("service-auth-in-clear", {
        ...said,
        observed: `${at}: ${
          session.capabilities
            .filter((one) => /^(AUTH|SASL)\b/.test(one))
            .join(", ")
            .slice(0, 200) || "takes a password"
        } before TLS`,
      }),
    );
  }
  switch (tls.status) {
    case "not-offered":
      findings.push(context.finding("service-no-tls", { ...said, observed: `${at}: no STARTTLS` }));
      break;
    case "failed":
      findings.push(context.finding("service-tls-failed", { ...said, observed: `${at}: ${tls.detail}` }));
      break;
    case "broken":
    case "not-tried":
      findings.push(
        context.finding("service-untold", {
          ...said,
          observed: `${at}: ${tls.status === "broken" ? tls.detail : "it did not come to TLS"}`,
        }),
      );
      break;
    case "established":
      if (isOld(tls.version)) {
        findings.push(
          context.finding("tls-only-old", {
            ...said,
            severity: "error",
            observed: `${at}: at best ${tls.version}`,
          }),
        );
      } else if ((tls.oldVersions ?? []).length > 0) {
        findings.push(
          context.finding("tls-old-accepted", {
            ...said,
            observed: `${at}: also ${tls.oldVersions!.join(", ")}`,
          }),
        );
      }
      findings.push(
        ...certificateFaults(tls, domain ?? host, context.world.now).map((fault) =>
          context.finding(fault.code, {
            ...said,
            ...(fault.expected !== undefined && { expected: fault.expected }),
            observed: `${at}: ${fault.observed}`,
          }),
        ),
      );
      break;
    default:
      return tls satisfies never;
  }
  if (findings.some(({ severity }) => severity !== "notice")) return findings;
  const version = tls.status === "established" ? `, ${tls.version}` : "";
  return [...findings, context.finding("service-ok", { ...said, observed: `${at}${version}` })];
}

/** Passwords that are offered a way before TLS are sent that way by some program (RFC 8314 §4). */
function offersPlainAuth(
  protocol: Protocol,
  capabilities: readonly string[],
  tls: ServiceSession["tls"]["status"],
): boolean {
  if (tls === "not-tried") return false;
  const has = (pattern: RegExp) => capabilities.some((one) => pattern.test(one.toUpperCase()));
  switch (protocol) {
    case "submission":
      return has(/^AUTH[ =].*\b(PLAIN|LOGIN)\b/);
    case "imap":
      return capabilities.length > 0 && !has(/^LOGINDISABLED$/);
    case "pop3":
      return has(/^USER$/) || has(/^SASL .*\b(PLAIN|LOGIN)\b/);
    case "sieve":
      return has(/^"?SASL"?\b.*\b(PLAIN|LOGIN)\b/);
    default:
      return false;
  }
}
