/** IP addresses and networks, as DNS and SPF write them. Pure: no lookups, no interface names. */
import { type DomainName, labelTexts } from "./name.ts";
import type { Parsed } from "./parsed.ts";

export type Family = 4 | 6;

/** An address as its octets (4 or 16) beside its canonical text (dotted quad, or RFC 5952). */
export interface IpAddress {
  readonly family: Family;
  readonly octets: Uint8Array;
  readonly text: string;
}

export interface IpNetwork {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

export function parseAddress(text: string): Parsed<IpAddress> {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** Dotted quad; no leading zeros (they are octal to some readers). */
export function parseIpv4(text: string): Parsed<IpAddress> {
  const octets = DOTTED_QUAD.test(text) ? Uint8Array.from(text.split("."), Number) : undefined;
  return octets === undefined
    ? { ok: false, problem: `"${text}" is not an IPv4 address` }
    : { ok: true, value: { family: 4, octets, text } };
}

const DOTTED_QUAD = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** RFC 4291 §2.2, all three forms; a zone index is refused. */
export function parseIpv6(text: string): Parsed<IpAddress> {
  const refused: Parsed<IpAddress> = { ok: false, problem: `"${text}" is not an IPv6 address` };
  if (!/^[0-9a-fA-F:.]+$/.test(text)) return refused;
  const halves = text.split("::");
  if (halves.length > 2) return refused;
  const head = groupsOf(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groupsOf(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return refused;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 && missing > 0) {
    return { ok: false, problem: `"${text}" is an incomplete IPv6 address: ${head.length} of 8 groups` };
  }
  if (missing < 0 || (halves.length === 2 && missing < 1)) return refused;
  const octets = new Uint8Array(16);
  writeGroups(head, octets, 0);
  writeGroups(tail, octets, 16 - 2 * tail.length);
  return { ok: true, value: addressFromOctets(octets) };
}

/** The 16-bit groups of one side of "::"; a dotted quad may end the last side. */
function groupsOf(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [at, part] of parts.entries()) {
    if (part.includes(".")) {
      if (!mayEndInIpv4 || at !== parts.length - 1) return undefined;
      const quad = parseIpv4(part);
      if (!quad.ok) return undefined;
      const [a, b, c, d] = quad.value.octets as unknown as [number, number, number, number];
      groups.push((a << 8) | b, (c << 8) | d);
    } else {
      if (part === "" || part.length > 4) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function writeGroups(groups: readonly number[], octets: Uint8Array, from: number): void {
  for (let at = 0; at < groups.length; at++) {
    octets[from + 2 * at] = groups[at]! >> 8;
    octets[from + 2 * at + 1] = groups[at]! & 0xff;
  }
}

export function addressFromOctets(octets: Uint8Array): IpAddress {
  return { family: octets.length === 4 ? 4 : 6, octets, text: formatAddress(octets) };
}

/** Dotted quad for 4 octets, RFC 5952 for 16. */
export function formatAddress(octets: Uint8Array): string {
  if (octets.length === 4) return `${octets[0]}.${octets[1]}.${octets[2]}.${octets[3]}`;
  if (octets.length === 16) return formatIpv6(octets);
  throw new TypeError(`an address has 4 or 16 octets, not ${octets.length}`);
}

/** RFC 5952: lower case, no leading zeros, "::" for the first longest run of two or more zero groups. */
function formatIpv6(octets: Uint8Array): string {
  let best = { from: 8, length: 1 };
  for (let from = 0; from < 8; from++) {
    let length = 0;
    while (from + length < 8 && groupAt(octets, from + length) === 0) length++;
    if (length > best.length) best = { from, length };
    from += length; // what follows a run is no zero group
  }
  const head = hexGroups(octets, 0, best.from);
  return best.from === 8 ? head : `${head}::${hexGroups(octets, best.from + best.length, 8)}`;
}

function hexGroups(octets: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let at = from; at < to; at++) text += `${at === from ? "" : ":"}${groupAt(octets, at).toString(16)}`;
  return text;
}

function groupAt(octets: Uint8Array, at: number): number {
  return (octets[2 * at]! << 8) | octets[2 * at + 1]!;
}

/** "192.0.2.0/24", "2001:db8::/32"; a bare address is a network of its own. */
export function parseNetwork(text: string): Parsed<IpNetwork> {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (!address.ok) return address;
  const bits = address.value.family === 4 ? 32 : 128;
  if (slash < 0) return { ok: true, value: { address: address.value, prefixLength: bits } };
  const length = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > bits) {
    return { ok: false, problem: `"/${length}" is not a prefix length of 0 to ${bits}` };
  }
  return { ok: true, value: { address: address.value, prefixLength: Number(length) } };
}

/** Whether the first `prefixLength` bits agree; addresses of the two families never do. */
export function contains(network: IpNetwork, address: IpAddress): boolean {
  if (network.address.family !== address.family) return false;
  const whole = network.prefixLength >> 3;
  for (let at = 0; at < whole; at++) if (network.address.octets[at] !== address.octets[at]) return false;
  const rest = network.prefixLength & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return (network.address.octets[whole]! & mask) === (address.octets[whole]! & mask);
}

/** An IPv4-mapped IPv6 address (::ffff:192.0.2.1, RFC 4291 §2.5.5.2) as IPv4; anything else as it is. */
export function unmapped(address: IpAddress): IpAddress {
  if (address.family === 4) return address;
  const { octets } = address;
  const mapped = octets.subarray(0, 10).every((o) => o === 0) && octets[10] === 0xff && octets[11] === 0xff;
  return mapped ? addressFromOctets(octets.slice(12)) : address;
}

/** The name whose PTR belongs to an address: in-addr.arpa (RFC 1035 §3.5), 32 nibbles in ip6.arpa (RFC 3596 §2.5). */
export function reverseName(address: IpAddress): DomainName {
  let name = address.family === 4 ? "in-addr.arpa" : "ip6.arpa";
  for (const octet of address.octets) {
    name =
      address.family === 4
        ? `${octet}.${name}`
        : `${(octet & 0xf).toString(16)}.${(octet >> 4).toString(16)}.${name}`;
  }
  return name as DomainName; // digits and dots, never too long
}

/** The address a reverse name stands for; says what is wrong with a name of the wrong length. */
export function parseReverseName(name: DomainName): Parsed<IpAddress> {
  const labels = labelTexts(name);
  const tree = labels.slice(-2).join(".");
  const parts = labels.slice(0, -2).reverse();
  if (tree === "in-addr.arpa") {
    if (parts.length !== 4)
      return { ok: false, problem: `an IPv4 reverse name has 4 numbers, this one ${parts.length}` };
    return parseIpv4(parts.join("."));
  }
  if (tree === "ip6.arpa") {
    if (parts.length !== 32) {
      return { ok: false, problem: `an IPv6 reverse name has 32 nibbles, this one ${parts.length}` };
    }
    if (!parts.every((part) => /^[0-9a-f]$/.test(part)))
      return { ok: false, problem: "a nibble is one hex digit" };
    const octets = Uint8Array.from({ length: 16 }, (_, at) =>
      Number.parseInt(parts[2 * at]! + parts[2 * at + 1]!, 16),
    );
    return { ok: true, value: addressFromOctets(octets) };
  }
  return { ok: false, problem: "a reverse name ends in in-addr.arpa or ip6.arpa" };
}

/**
 * What is special about an address that the internet does not route (RFC 6890 and the IANA special-purpose
 * registries); undefined for an ordinary public address.
 */
export interface SpecialPurpose {
  readonly kind:
    | "private"
    | "loopback"
    | "link-local"
    | "documentation"
    | "unspecified"
    | "multicast"
    | "reserved";
  /** For people, with its source: "private (RFC 1918)". */
  readonly description: string;
}

/** Behind NAT64's own prefix stands an IPv4 address, and whoever translates goes there (RFC 6052 §2.1). */
export function specialPurpose(address: IpAddress): SpecialPurpose | undefined {
  if (contains(NAT64.network, address)) {
    const inside = parseAddress([...address.octets.slice(-4)].join("."));
    return inside.ok ? specialPurpose(inside.value) : undefined;
  }
  const row = SPECIAL_NETWORKS.find(({ network }) => contains(network, address));
  return row === undefined ? undefined : { kind: row.kind, description: row.description };
}

function special(cidr: string, kind: SpecialPurpose["kind"], description: string) {
  const network = parseNetwork(cidr);
  if (!network.ok) throw new TypeError(network.problem);
  return { network: network.value, kind, description };
}

const NAT64 = special("64:ff9b::/96", "reserved", "translated to IPv4 (RFC 6052)");

const SPECIAL_NETWORKS = [
  special("10.0.0.0/8", "private", "private (RFC 1918)"),
  special("172.16.0.0/12", "private", "private (RFC 1918)"),
  special("192.168.0.0/16", "private", "private (RFC 1918)"),
  special("100.64.0.0/10", "private", "shared by carriers behind NAT (RFC 6598)"),
  special("127.0.0.0/8", "loopback", "loopback (RFC 1122)"),
  special("169.254.0.0/16", "link-local", "link-local (RFC 3927)"),
  special("192.0.2.0/24", "documentation", "for documentation (TEST-NET-1, RFC 5737)"),
  special("198.51.100.0/24", "documentation", "for documentation (TEST-NET-2, RFC 5737)"),
  special("203.0.113.0/24", "documentation", "for documentation (TEST-NET-3, RFC 5737)"),
  special("0.0.0.0/32", "unspecified", "the unspecified address (RFC 1122)"),
  special("0.0.0.0/8", "reserved", "“this network” (RFC 791)"),
  special("192.0.0.0/24", "reserved", "reserved for protocols (RFC 6890)"),
  special("192.88.99.0/24", "reserved", "the retired 6to4 relay range (RFC 7526)"),
  special("198.18.0.0/15", "reserved", "for benchmarks (RFC 2544)"),
  special("224.0.0.0/4", "multicast", "multicast (RFC 5771)"),
  special("240.0.0.0/4", "reserved", "reserved (RFC 1112)"),
  special("::/128", "unspecified", "the unspecified address (RFC 4291)"),
  special("::1/128", "loopback", "loopback (RFC 4291)"),
  special("::/96", "reserved", "IPv4-compatible, given up (RFC 4291)"),
  special("::ffff:0:0/96", "reserved", "IPv4-mapped (RFC 4291)"),
  special("fc00::/7", "private", "unique local, ULA (RFC 4193)"),
  special("fe80::/10", "link-local", "link-local (RFC 4291)"),
  special("fec0::/10", "private", "site-local, given up (RFC 3879)"),
  special("ff00::/8", "multicast", "multicast (RFC 4291)"),
  special("2001:db8::/32", "documentation", "for documentation (RFC 3849)"),
  special("3fff::/20", "documentation", "for documentation (RFC 9637)"),
  special("100::/64", "reserved", "the discard prefix (RFC 6666)"),
  special("64:ff9b:1::/48", "private", "local translation (RFC 8215)"),
  special("2001::/23", "reserved", "reserved for protocols (RFC 2928)"),
  special("2002::/16", "reserved", "6to4 (RFC 3056)"),
];
