/**
 * The SRV records by which programs find the services of a mail domain (RFC 2782): which names there are,
 * and what their ports should be.
 */
import { parseAddress } from "../dns/address.ts";
import {
  type DomainName,
  isHostName,
  isWithin,
  labelTexts,
  parentOf,
  parseDomainName,
  ROOT,
} from "../dns/name.ts";
import type { Parsed } from "../dns/parsed.ts";
import type { RdataOf } from "../dns/record.ts";
import type { Remark } from "../dns/remark.ts";

export type SrvData = RdataOf<"SRV">;

export interface ClientService {
  /** The first label of the owner name; the second is always `_tcp`. */
  readonly srvName: string;
  /** What it is, for people. */
  readonly title: string;
  /** The registered port. */
  readonly port: number;
  /** TLS from the first octet; otherwise by STARTTLS, or not at all. */
  readonly implicitTls: boolean;
  readonly reference: string;
}

export const CLIENT_SERVICES = [
  service("_submissions", "mail submission with TLS", 465, true, "RFC 8314 §5.1"),
  service("_submission", "mail submission with STARTTLS", 587, false, "RFC 6186 §3.1"),
  service("_imaps", "IMAP with TLS", 993, true, "RFC 6186 §3.2"),
  service("_imap", "IMAP with STARTTLS", 143, false, "RFC 6186 §3.2"),
  service("_pop3s", "POP3 with TLS", 995, true, "RFC 6186 §3.3"),
  service("_pop3", "POP3 with STARTTLS", 110, false, "RFC 6186 §3.3"),
  service("_sieve", "mail filters (ManageSieve)", 4190, false, "RFC 5804 §1.8"),
  service("_jmap", "JMAP", 443, true, "RFC 8620 §2.2"),
  service("_caldavs", "calendars with TLS", 443, true, "RFC 6764 §3"),
  service("_caldav", "calendars without TLS", 80, false, "RFC 6764 §3"),
  service("_carddavs", "address books with TLS", 443, true, "RFC 6352 §11"),
  service("_carddav", "address books without TLS", 80, false, "RFC 6352 §11"),
  service("_autodiscover", "Outlook's settings (Autodiscover)", 443, true, "MS-OXDISCO"),
  service("_xmpp-client", "XMPP for clients", 5222, false, "RFC 6120 §3.2.1"),
  service("_xmpp-server", "XMPP between servers", 5269, false, "RFC 6120 §3.2.1"),
  service("_xmpps-client", "XMPP for clients with TLS", 5223, true, "XEP-0368"),
  service("_xmpps-server", "XMPP between servers with TLS", 5270, true, "XEP-0368"),
] as const satisfies readonly ClientService[];

function service<N extends string>(
  srvName: N,
  title: string,
  port: number,
  implicitTls: boolean,
  reference: string,
): ClientService & { readonly srvName: N } {
  return { srvName, title, port, implicitTls, reference };
}

/** The service that an owner name such as `_imaps._tcp.example.org` is about. */
export function serviceOf(owner: DomainName): ClientService | undefined {
  const [srvName] = labelTexts(owner);
  return CLIENT_SERVICES.find((known) => known.srvName === srvName);
}

/** Where everything is as it should be, and nothing says that the service is off: empty. */
export function remarksOnSrv(owner: DomainName | undefined, data: SrvData): Remark[] {
  const known = owner && serviceOf(owner);
  return [
    ...(owner === undefined ? [] : ownerRemarks(owner, known)),
    ...(data.target === ROOT
      ? notOfferedRemarks(data, known)
      : [...portRemarks(data, known), ...targetRemarks(data.target, owner)]),
  ];
}

/** What a whole set shows, beyond its records one by one. */
export function remarksOnSrvSet(records: readonly SrvData[]): Remark[] {
  const declined = records.filter(({ target }) => target === ROOT).length;
  if (declined === 0 || records.length === 1) return [];
  const message =
    'a target of "." says that the service is not offered, and must be the only record of the name';
  return [remark("srv-not-offered-beside-others", "error", "RFC 2782", message)];
}

function remark(code: string, severity: Remark["severity"], reference: string, message: string): Remark {
  return { code, severity, message, reference };
}

function ownerRemarks(owner: DomainName, known: ClientService | undefined): Remark[] {
  const [, protocol] = labelTexts(owner);
  if (known === undefined || protocol === "_tcp") return [];
  const message = `nobody asks for ${owner}: the name must begin with ${known.srvName}._tcp`;
  return [remark("srv-protocol", "error", known.reference, message)];
}

function notOfferedRemarks({ port }: SrvData, known: ClientService | undefined): Remark[] {
  const message = `the domain does not offer ${known?.title ?? "this service"}: the target is "."`;
  const remarks = [remark("srv-not-offered", "notice", "RFC 2782", message)];
  if (port !== 0) {
    const zero = `a service that is not offered has port 0 by custom, not ${port}`;
    remarks.push(remark("srv-not-offered-port", "notice", known?.reference ?? "RFC 2782", zero));
  }
  return remarks;
}

/** Ports on which a program that expects something else finds a protocol that it does not speak. */
const PORT_OWNERS: ReadonlyMap<number, string> = new Map([
  [25, "mail between servers"],
  ...CLIENT_SERVICES.filter(({ port }) => port !== 443).map(({ port, title }) => [port, title] as const),
  [80, "web without TLS"],
]);

function portRemarks({ port }: SrvData, known: ClientService | undefined): Remark[] {
  if (port === 0) {
    const message = 'port 0 cannot be connected to; where the service is not offered, the target must be "."';
    return [remark("srv-port-zero", "error", "RFC 2782", message)];
  }
  if (known === undefined) return [];
  if (port === known.port) return clearTextRemarks(known);
  const other = PORT_OWNERS.get(port);
  if (other !== undefined) {
    const message = `port ${port} is for ${other}; ${known.srvName} is ${known.title}, port ${known.port}`;
    return [remark("srv-wrong-port", "error", known.reference, message)];
  }
  const message = `${known.srvName} usually has port ${known.port}; make sure that ${known.title} listens on ${port}`;
  return [remark("srv-unusual-port", "notice", known.reference, message)];
}

function clearTextRemarks({ srvName, port, title }: ClientService): Remark[] {
  if (port !== 80) return [];
  const message = `${srvName} leads to ${title}: passwords cross the network readable; offer ${srvName}s alone`;
  return [remark("srv-clear-text", "warning", "RFC 6764 §8", message)];
}

function targetRemarks(target: DomainName, owner: DomainName | undefined): Remark[] {
  if (parseAddress(target).ok) {
    const message = `the target must be a host name; ${target} is an address`;
    return [remark("srv-target-address", "error", "RFC 2782", message)];
  }
  if (!isHostName(target)) {
    const message = `the target must be a full host name, which "${target}" is not`;
    return [remark("srv-target-name", "error", "RFC 2782", message)];
  }
  const domain = owner && domainOf(owner);
  if (domain === undefined || !isDoubled(target, domain)) return [];
  const message = `the target ends in ${domain} twice: a final dot was missing when it was entered`;
  return [remark("srv-target-doubled", "error", "RFC 1035 §5.1", message)];
}

/** Behind the two labels of service and protocol. */
function domainOf(owner: DomainName): DomainName | undefined {
  const domain = parentOf(parentOf(owner) ?? ROOT);
  return domain === undefined || domain === ROOT ? undefined : domain;
}

function isDoubled(target: DomainName, domain: DomainName): boolean {
  const inner = parseDomainName(target.slice(0, -domain.length - 1));
  return target !== domain && isWithin(target, domain) && inner.ok && isWithin(inner.value, domain);
}

export interface SrvLine {
  /** Undefined where the text is the data alone. */
  readonly owner: DomainName | undefined;
  readonly data: SrvData;
}

/** Reads `0 1 993 mail.example.org.`, with or without owner, TTL, class and type in front. */
export function parseSrvText(text: string): Parsed<SrvLine> {
  const line = /^\s*(?:(\S+)\s+(?:\d+\s+)?(?:IN\s+)?SRV\s+)?(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s*$/i.exec(text);
  if (line === null) {
    return {
      ok: false,
      problem: "a SRV record is priority, weight, port and target, such as 0 1 993 mail.example.org.",
    };
  }
  const [priority = 0, weight = 0, port = 0] = line.slice(2, 5).map(Number);
  if (Math.max(priority, weight, port) > 65_535) {
    return { ok: false, problem: "priority, weight and port go from 0 to 65535" };
  }
  const owner = line[1] === undefined ? undefined : parseDomainName(line[1]);
  if (owner?.ok === false) return owner;
  const target = parseDomainName(line[5]!);
  if (!target.ok) return target;
  return {
    ok: true,
    value: { owner: owner?.value, data: { type: "SRV", priority, weight, port, target: target.value } },
  };
}
