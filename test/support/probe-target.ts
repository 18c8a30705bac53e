/** Targets on loopback for the prober. */
import type { HttpsRequest, Protocol, ServiceTarget } from "../../src/check/probe.ts";
import { type IpAddress, parseAddress } from "../../src/standards/dns/address.ts";
import { domainName } from "../../src/standards/dns/name.ts";

export function ipAddress(text: string): IpAddress {
  const address = parseAddress(text);
  if (!address.ok) throw new TypeError(address.problem);
  return address.value;
}

const LOOPBACK = ipAddress("127.0.0.1");

export function serviceAt(protocol: Protocol, port: number, address = LOOPBACK): ServiceTarget {
  return { protocol, address, port, host: domainName("mail.example.org") };
}

export function httpsAt(port: number, path = "/"): HttpsRequest {
  return { host: domainName("mta-sts.example.org"), addresses: [LOOPBACK], port, path, maxOctets: 10_000 };
}
