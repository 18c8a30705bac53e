/** Which servers stand behind a name, and what they answered: the probes that several checks share. */
import type { IpAddress } from "../standards/dns/address.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { Context } from "./context.ts";
import { hostAddresses } from "./host-addresses.ts";
import { mailHosts } from "./mx.ts";
import type { Protocol, ServiceProbe, TlsSession } from "./probe.ts";

/** More than any real host has; the rest would only cost time. */
const MAX_ADDRESSES = 8;

/** One address of one host, and what its port answered. */
export interface Reached {
  readonly host: DomainName;
  readonly address: IpAddress;
  readonly port: number;
  readonly protocol: Protocol;
  readonly probe: ServiceProbe;
}

/** The addresses of a host to which it is decent to connect. */
export async function reachableAddresses(host: DomainName, context: Context): Promise<readonly IpAddress[]> {
  const { addresses } = await hostAddresses(host, context);
  return addresses.filter((address) => context.mayConnectTo(address)).slice(0, MAX_ADDRESSES);
}

export async function probeHost(
  {
    host,
    protocol,
    port,
    domain,
  }: {
    readonly host: DomainName;
    readonly protocol: Protocol;
    readonly port: number;
    readonly domain?: DomainName;
  },
  context: Context,
): Promise<readonly Reached[]> {
  const addresses = await reachableAddresses(host, context);
  return Promise.all(
    addresses.map(async (address) => {
      const target = { protocol, address, port, host, oldTls: true, ...(domain && { domain }) };
      return { host, address, port, protocol, probe: await context.probeService(target) };
    }),
  );
}

/** Port 25 of every address of every mail host, best host first; empty where nothing is to be probed. */
export function reachedMailServers(context: Context): Promise<readonly Reached[]> {
  return context.shared("reached mail servers", async () => {
    if (context.world.prober === undefined) return [];
    const hosts = await mailHosts(context);
    const reached = await Promise.all(
      hosts.map((host) => probeHost({ host, protocol: "smtp", port: 25 }, context)),
    );
    return reached.flat();
  });
}

export function tlsOf({ probe }: Reached): TlsSession | undefined {
  return probe.status === "answered" && probe.tls.status === "established" ? probe.tls : undefined;
}

/** Greeted with a welcome. */
export function isWelcomed({ probe }: Reached): boolean {
  return probe.status === "answered" && (probe.greeting.code ?? 220) < 400;
}

/** Those that show a certificate, in groups of one host and one certificate. */
export function sameCertificate(reached: readonly Reached[]): Iterable<readonly Reached[]> {
  const withTls = reached.filter((one) => (tlsOf(one)?.chain.length ?? 0) > 0);
  return Map.groupBy(
    withTls,
    (one) => `${one.host} ${Buffer.from(tlsOf(one)!.chain[0]!.der).toString("base64")}`,
  ).values();
}
