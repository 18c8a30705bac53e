/** How the reply of an authoritative server is read: an answer, a referral further down, or of no use. Pure. */
import { type Message, RCODES, rcodeName } from "../standards/dns/message.ts";
import { type DomainName, isWithin } from "../standards/dns/name.ts";
import type { RecordType, ResourceRecord, SoaRdata } from "../standards/dns/record.ts";
import type { UnknownCause } from "../standards/dns/resolver.ts";
import type { ChainStep } from "./alias-chain.ts";
import { followAliases, negativeTtlSeconds, soaFor } from "./answer-section.ts";

/** Bounds on what one referral may bring. */
const MAX_NAME_SERVERS = 32;
const MAX_ADDRESSES_PER_NAME_SERVER = 8;

/** A zone as the zone above describes it. */
export interface Delegation {
  readonly apex: DomainName;
  /** Undefined where the walk starts. */
  readonly parent?: DomainName;
  /** NS targets, sorted. */
  readonly nameServers: readonly DomainName[];
  /** Addresses that came with the referral, by name; only those that the parent may speak for. */
  readonly glue: ReadonlyMap<DomainName, readonly string[]>;
  readonly ttlSeconds: number;
}

export type Verdict<T extends RecordType = RecordType> =
  | {
      readonly kind: "answer";
      readonly step: ChainStep<T>;
      /** From a negative answer: its owner is the apex of the zone. */
      readonly soa?: ResourceRecord<SoaRdata>;
      readonly message: Message;
    }
  | { readonly kind: "referral"; readonly delegation: Delegation }
  | Fault;

/** Why a server's reply is of no use; `isLame` where it knows nothing of the zone (RFC 1912 §2.8). */
export interface Fault {
  readonly kind: "fault";
  readonly isLame: boolean;
  readonly cause: UnknownCause;
  readonly detail: string;
}

/** Reads the reply of a server that was asked as one of `zone`'s. */
export function readAuthoritative<T extends RecordType>(
  message: Message,
  name: DomainName,
  type: T,
  zone: DomainName,
): Verdict<T> {
  const { rcode } = message;
  if (rcode === RCODES.REFUSED || rcode === RCODES.NOTAUTH) {
    return fault("refused", `answers ${rcodeName(rcode)}`, true);
  }
  if (rcode !== RCODES.NOERROR && rcode !== RCODES.NXDOMAIN) {
    return fault("servfail", `answers ${rcodeName(rcode)}`, false);
  }
  const delegation = referralIn(message, name, type, zone);
  if (delegation !== undefined) return { kind: "referral", delegation };
  if (!message.authoritative) return fault("loop", lameness(message), true);

  const end = followAliases(message.answers, name, type, zone);
  if (end.records.length > 0 || end.problem !== undefined) return { kind: "answer", step: { end }, message };
  const isWithinZone = isWithin(end.name, zone);
  const ownSoa = isWithinZone ? soaFor(message, end.name) : undefined;
  const soa = ownSoa && isWithin(ownSoa.name, zone) ? ownSoa : undefined;
  const isNxdomain = rcode === RCODES.NXDOMAIN;
  if (end.aliases.length === 0 && message.answers.length > 0 && !isNxdomain && soa === undefined) {
    return fault("malformed", "answers with records that nobody asked for", false);
  }
  // The far end of an alias is believed only within the zone, and only where the server speaks of it.
  if (end.aliases.length > 0 && !(isWithinZone && (isNxdomain || soa !== undefined))) {
    return { kind: "answer", step: { end }, message };
  }
  const absence = {
    kind: isNxdomain ? ("nxdomain" as const) : ("nodata" as const),
    ...(soa && { negativeTtlSeconds: negativeTtlSeconds(soa) }),
  };
  return { kind: "answer", step: { end, absence }, message, ...(soa && { soa }) };
}

export function fault(cause: UnknownCause, detail: string, isLame: boolean): Fault {
  return { kind: "fault", isLame, cause, detail };
}

/** RFC 1034 §4.3.2 step 3b: no answer, and the NS records of a zone further down towards the name. */
function referralIn(
  message: Message,
  name: DomainName,
  type: RecordType,
  zone: DomainName,
): Delegation | undefined {
  if (message.rcode !== RCODES.NOERROR || message.answers.length > 0) return undefined;
  if (message.authorities.some(({ data }) => data.type === "SOA")) return undefined;
  const first = message.authorities.find(({ data }) => data.type === "NS");
  if (first === undefined) return undefined;
  const apex = first.name;
  const isFurtherDown = apex !== zone && isWithin(apex, zone) && isWithin(name, apex);
  // RFC 4035 §3.1.4.1: DS is the parent's to answer, so a referral to the name itself is none
  if (!isFurtherDown || (type === "DS" && apex === name)) return undefined;
  const set = message.authorities.filter(({ data, name: owner }) => data.type === "NS" && owner === apex);
  const targets = set.flatMap(({ data }) => (data.type === "NS" ? [data.target] : []));
  const nameServers = [...new Set(targets)].sort().slice(0, MAX_NAME_SERVERS);
  return {
    apex,
    parent: zone,
    nameServers,
    glue: glueIn(message, nameServers, zone),
    ttlSeconds: Math.min(...set.map(({ ttlSeconds }) => ttlSeconds)),
  };
}

/** Addresses of the name servers, where the zone that sent them is above those names (RFC 5452 §6). */
export function glueIn(
  message: Message,
  nameServers: readonly DomainName[],
  zone: DomainName,
): Map<DomainName, string[]> {
  const glue = new Map<DomainName, string[]>();
  for (const { name, data } of message.additionals) {
    if (data.type !== "A" && data.type !== "AAAA") continue;
    if (!nameServers.includes(name) || !isWithin(name, zone)) continue;
    const addresses = glue.get(name);
    if (addresses === undefined) glue.set(name, [data.address]);
    else if (addresses.length < MAX_ADDRESSES_PER_NAME_SERVER) addresses.push(data.address);
  }
  return glue;
}

function lameness(message: Message): string {
  const referral = message.authorities.find(({ data }) => data.type === "NS");
  if (message.answers.length === 0 && referral !== undefined) {
    return `refers to the servers of "${referral.name}" instead of answering`;
  }
  return "answers without authority";
}
