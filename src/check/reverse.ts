/** PTR: does each address that mail leaves from lead back to a name that leads to the address? (RFC 8601 §3, FCrDNS) */

import { sendingServersOf } from "../records/derive.ts";
import { outboundAddresses } from "../records/description.ts";
import { reverseRequest } from "../records/request.ts";
import { type IpAddress, reverseName } from "../standards/dns/address.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./finding.ts";
import { hostAddresses } from "./host-addresses.ts";
import { isOwnHost, mailHosts } from "./mx.ts";

export interface Outbound {
  readonly address: IpAddress;
  /** The name that the server gives in HELO: described, or the mail host's own. */
  readonly helo: DomainName;
}

/**
 * The addresses that the domain's mail leaves from: those of the description, else those of the mail hosts
 * of the domain's own organization: a filtering service in front receives, but does not send, and so does the
 * web server that takes the mail where there is no MX.
 */
export async function outbound(context: Context): Promise<readonly Outbound[]> {
  const { description } = context.options;
  const { described } = context;
  if (description !== undefined && described !== undefined) {
    if (!described.sends) return [];
    return sendingServersOf(described, description).flatMap((server) =>
      outboundAddresses(server).map((address) => ({ address, helo: server.helo ?? server.host })),
    );
  }
  const mx = await context.everywhere(context.domain, "MX");
  const hosts = mx.status === "found" ? await mailHosts(context) : [];
  const found = await Promise.all(
    hosts
      .filter((host) => isOwnHost(host, context))
      .map(async (host) => {
        const { addresses, canonicalName } = await hostAddresses(host, context);
        return addresses.map((address) => ({ address, helo: canonicalName }));
      }),
  );
  return found.flat();
}

/** More than any real domain has; the rest would only cost time. */
const MAX_ADDRESSES = 32;
/** RFC 8601 §3 leaves it to receivers how many names of one address they look at; ten is what SPF allows (RFC 7208 §5.5). */
const MAX_NAMES = 10;

export async function checkReverse(context: Context): Promise<Finding[]> {
  const sources = (await outbound(context)).slice(0, MAX_ADDRESSES);
  const unique = [...new Map(sources.map((source) => [source.address.text, source])).values()];
  return (await Promise.all(unique.map((source) => checkSource(source, context)))).flat();
}

async function checkSource({ address, helo }: Outbound, context: Context): Promise<Finding[]> {
  if (context.special(address) !== undefined) return []; // address-special says it; nobody delegates its reverse zone
  const owner = reverseName(address);
  const verify = { command: `dig -x ${address.text}` };
  const answer = await context.lookup(owner, "PTR");
  if (answer.status === "unknown") return [context.unknown(owner, "PTR", answer)];
  const fix = () => ({
    summary: `Ask the owner of ${address.text} (your hoster or provider) for the PTR ${helo}.`,
    changes: [],
    request: reverseRequest([{ address, host: helo }])!,
  });
  if (answer.status === "absent") {
    return [
      context.finding("ptr-missing", {
        owner,
        expected: `${address.text} → ${helo}`,
        observed: `${address.text} has no PTR`,
        verify,
        fix: fix(),
      }),
    ];
  }
  const names = [...new Set(answer.records.map(({ data }) => data.target))];
  const findings: Finding[] = [];
  if (names.length > 1) {
    findings.push(
      context.finding("ptr-multiple", {
        owner,
        observed: `${names.length} names: ${names.slice(0, 5).join(", ")}`,
        verify,
      }),
    );
  }
  const forwards = await Promise.all(
    names.slice(0, MAX_NAMES).map(async (name) => ({ name, ...(await hostAddresses(name, context)) })),
  );
  const confirmed = forwards.filter(({ addresses }) => addresses.some(({ text }) => text === address.text));
  if (!confirmed.some(({ name }) => name === helo)) {
    const type = address.family === 4 ? "A" : "AAAA";
    const suspects =
      confirmed.length === 0 ? names.slice(0, MAX_NAMES) : names.filter((name) => name === helo);
    const untold = await Promise.all(
      suspects.map(async (name) => context.untold(name, [type, await context.lookup(name, type)])),
    );
    const open = untold.flat().map((one) => ({ ...one, subject: owner }));
    if (open.length > 0) return [...findings, ...open];
  }
  if (confirmed.length === 0) {
    const back = forwards.map(
      ({ name, addresses }) => `${name} → ${addresses.map(({ text }) => text).join(", ") || "no address"}`,
    );
    return [
      ...findings,
      context.finding("ptr-not-confirmed", {
        owner,
        expected: `${address.text} → ${helo} → ${address.text}`,
        observed: `${address.text} → ${back.join("; ")}`,
        verify,
        fix: fix(),
      }),
    ];
  }
  if (!confirmed.some(({ name }) => name === helo)) {
    const generic = confirmed.every(({ name }) => isGeneric(name, address));
    findings.push(
      context.finding(generic ? "ptr-generic" : "ptr-other-name", {
        owner,
        expected: `${address.text} → ${helo}`,
        observed: `${address.text} → ${confirmed.map(({ name }) => name).join(", ")}`,
        verify,
        fix: fix(),
      }),
    );
    return findings;
  }
  return [
    ...findings,
    context.finding("ptr-ok", { owner, observed: `${address.text} → ${helo} → ${address.text}`, verify }),
  ];
}

/** A provider's made-up name: the address stands in it, or a word that dial-up and customer pools use. */
export function isGeneric(name: DomainName, address: IpAddress): boolean {
  const numbers = address.family === 4 ? Array.from(address.octets, String) : [];
  const label = name.split(".").slice(0, -2).join(".");
  const inIt =
    numbers.length > 0 &&
    numbers.every((number) => new RegExp(`(^|[^0-9])0*${number}([^0-9]|$)`).test(label));
  const hex = Buffer.from(address.octets).toString("hex");
  return (
    inIt ||
    label.includes(hex) ||
    /(^|[.-])(dyn(amic)?|dial(up|in)?|pool|dsl|adsl|cable|dhcp|ppp|client|customer|static-ip|unassigned)([.-]|\d|$)/.test(
      label,
    )
  );
}
