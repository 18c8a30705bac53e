/** Where a DNS server listens, and how people write it. */
import { parseAddress } from "../standards/dns/address.ts";
import type { Parsed } from "../standards/dns/parsed.ts";

export interface ServerAddress {
  /** Canonical text: dotted quad, or RFC 5952. */
  readonly address: string;
  readonly port: number;
}

export const DNS_PORT = 53;

/** "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353" (RFC 3986 §3.2.2 for the brackets). */
export function parseServerAddress(text: string): Parsed<ServerAddress> {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text);
  const dotted = /^([^:]*)(?::(\d{1,5}))?$/.exec(text);
  const [, host = text, port = String(DNS_PORT)] = bracketed ?? dotted ?? [];
  const address = parseAddress(host);
  if (!address.ok) return { ok: false, problem: `"${text}" is not an IP address, with or without a port` };
  if (bracketed && address.value.family === 4) {
    return { ok: false, problem: `"${text}": brackets stand around IPv6 addresses only` };
  }
  if (Number(port) < 1 || Number(port) > 65_535) {
    return { ok: false, problem: `"${text}": port ${port} is not between 1 and 65535` };
  }
  return { ok: true, value: { address: address.value.text, port: Number(port) } };
}

/** The inverse: the port is left out where it is 53. */
export function formatServerAddress({ address, port }: ServerAddress): string {
  if (port === DNS_PORT) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
