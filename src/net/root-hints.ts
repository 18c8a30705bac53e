/** Where every walk starts: the servers of the root zone, as IANA lists them (named.root of 2023-11-27 and later). */
import { type DomainName, domainName, ROOT } from "../standards/dns/name.ts";
import type { Parsed } from "../standards/dns/parsed.ts";
import { parseZoneText } from "../standards/dns/zone-text.ts";

/** A name server with the addresses under which it is known beforehand. */
export interface RootHint {
  readonly name: DomainName;
  readonly addresses: readonly string[];
}

export const ROOT_HINTS: readonly RootHint[] = [
  ["a", "198.41.0.4", "2001:503:ba3e::2:30"],
  ["b", "170.247.170.2", "2801:1b8:10::b"],
  ["c", "192.33.4.12", "2001:500:2::c"],
  ["d", "199.7.91.13", "2001:500:2d::d"],
  ["e", "192.203.230.10", "2001:500:a8::e"],
  ["f", "192.5.5.241", "2001:500:2f::f"],
  ["g", "192.112.36.4", "2001:500:12::d0d"],
  ["h", "198.97.190.53", "2001:500:1::53"],
  ["i", "192.36.148.17", "2001:7fe::53"],
  ["j", "192.58.128.30", "2001:503:c27::2:30"],
  ["k", "193.0.14.129", "2001:7fd::1"],
  ["l", "199.7.83.42", "2001:500:9f::42"],
  ["m", "202.12.27.33", "2001:dc3::35"],
].map(([letter, ...addresses]) => ({ name: domainName(`${letter}.root-servers.net`), addresses }));

/** More servers than any zone has, let alone the root. */
const MAX_HINTS_OCTETS = 1_000_000;

/**
 * Reads a root hints file (zone text such as named.root: NS records of one zone, with the addresses of their
 * targets). The zone need not be the root: a laboratory may start lower.
 */
export function parseRootHints(
  text: string,
): Parsed<{ readonly start: DomainName; readonly hints: readonly RootHint[] }> {
  if (text.length > MAX_HINTS_OCTETS) return { ok: false, problem: "the file is larger than 1 MB" };
  const { records, problems } = parseZoneText(text, { origin: ROOT, defaultTtlSeconds: 3600 });
  const [problem] = problems;
  if (problem !== undefined) return { ok: false, problem: `line ${problem.line}: ${problem.problem}` };
  const servers = records.flatMap(({ name, data }) =>
    data.type === "NS" ? [{ zone: name, name: data.target }] : [],
  );
  const start = servers[0]?.zone;
  if (start === undefined) return { ok: false, problem: "the file has no NS record" };
  if (servers.some(({ zone }) => zone !== start))
    return { ok: false, problem: "the NS records belong to several zones" };
  const hints = servers.map(({ name }) => ({
    name,
    addresses: records.flatMap(({ name: owner, data }) =>
      owner === name && (data.type === "A" || data.type === "AAAA") ? [data.address] : [],
    ),
  }));
  if (hints.every(({ addresses }) => addresses.length === 0)) {
    return { ok: false, problem: "the file has no address for any of its name servers" };
  }
  return { ok: true, value: { start, hints: hints.filter(({ addresses }) => addresses.length > 0) } };
}
