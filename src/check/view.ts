/**
 * What a check needs to see of the world, as interfaces: net/ looks with real packets, tests with tables.
 *
 * Two viewpoints. The authoritative one walks from the root and asks the name servers themselves: it knows
 * what is published. The recursive one asks resolvers: it knows what the world gets, and whether DNSSEC
 * validates.
 */
import type { DomainName } from "../standards/dns/name.ts";
import type { RecordType, RrsigRdata } from "../standards/dns/record.ts";
import type { Answer, Resolver, Unknown, UnknownCause } from "../standards/dns/resolver.ts";

/** One address of one name server. */
export interface NameServer {
  readonly name: DomainName;
  readonly address: string;
  readonly port: number;
}

/** How one name server behaves for one zone. */
export interface ServerState {
  readonly server: NameServer;
  /**
   * `ok` answers with authority · `lame` answers, but knows nothing of the zone (refers elsewhere, or answers
   * without authority) · `unknown` no usable answer, with its cause.
   */
  readonly state: "ok" | "lame" | "unknown";
  readonly cause?: UnknownCause;
  /** For people: "answers REFUSED", "no answer in 1.5 s". */
  readonly detail: string;
  /** SOA serial as this server has it. */
  readonly serial?: number;
  /** Minimum of SOA TTL and MINIMUM (RFC 2308 §5). */
  readonly negativeTtlSeconds?: number;
  /** NS targets as this server lists them at the apex; sorted. */
  readonly nameServers?: readonly DomainName[];
}

/** A zone, found by walking from the root, with what its parent and its own servers say of it. */
export interface ZoneReport {
  readonly apex: DomainName;
  /** The zone that delegates it; undefined for the root, or where the walk was configured to start here. */
  readonly parent?: DomainName;
  /** NS targets in the parent's referral; sorted. */
  readonly delegatedTo: readonly DomainName[];
  /** Name server names (from either side) for which no address was found, and why. */
  readonly unresolvable: readonly { readonly name: DomainName; readonly why: string }[];
  /** Every address of every name server, from parent and child together. */
  readonly servers: readonly ServerState[];
}

/** Every name server of a zone, as its parent and its own servers list them. */
export function nameServersOf({ delegatedTo, servers }: ZoneReport): readonly DomainName[] {
  const listed = servers.flatMap(({ nameServers, server }) => nameServers ?? [server.name]);
  return [...new Set([...delegatedTo, ...listed])].sort();
}

export type ZoneAnswer =
  | { readonly status: "found"; readonly zone: ZoneReport }
  /** The walk ended: the name's zone does not exist (the closest zone says NXDOMAIN for it). */
  | { readonly status: "absent"; readonly closest: DomainName }
  | { readonly status: "unknown"; readonly cause: UnknownCause; readonly detail: string };

/** One name server's answer; `answer.records` stand as that server sent them, aliases within its zone followed. */
export interface ServerAnswer<T extends RecordType = RecordType> {
  readonly server: NameServer;
  readonly answer: Answer<T>;
}

/** `lookup` asks one responsive name server of the right zone and follows aliases across zones. */
export interface AuthoritativeView extends Resolver {
  /** The zone in which `name` lives (a delegated name is its own zone), and the state of each of its servers. */
  findZone(name: DomainName): Promise<ZoneAnswer>;
  /** The same question to every address of every name server of the zone; empty where no zone was found. */
  askEveryServer<T extends RecordType>(name: DomainName, type: T): Promise<readonly ServerAnswer<T>[]>;
  /** The signatures (RRSIG) over an RRset, as one name server sends them with DO set; empty where unsigned. */
  lookupSignatures(name: DomainName, type: RecordType): Promise<readonly RrsigRdata[] | Unknown>;
}

/** `lookup` sets `secure` from the AD bit, and answers `bogus` for a SERVFAIL that CD turns into an answer. */
export interface RecursiveView extends Resolver {
  /** "9.9.9.9", "127.0.0.1:5353" */
  readonly label: string;
}
