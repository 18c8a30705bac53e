/** What an authoritative server answers from zones in memory (RFC 1034 §4.3.2, wildcards RFC 4592). Pure. */
import { type Message, type Question, RCODES } from "../standards/dns/message.ts";
import { ancestors, type DomainName, isWithin, parentOf, ROOT } from "../standards/dns/name.ts";
import {
  type Rdata,
  type RecordType,
  type ResourceRecord,
  type SoaRdata,
  typeOf,
} from "../standards/dns/record.ts";
import { MAX_ALIASES, substituted } from "./answer-section.ts";

export interface ServedZone {
  readonly apex: DomainName;
  /** All records of the zone, with its SOA and, below delegations, glue. */
  readonly records: readonly ResourceRecord[];
}

/** A zone ready to be asked. */
export interface ZoneIndex {
  readonly apex: DomainName;
  readonly soa: ResourceRecord<SoaRdata>;
  /** Every name that exists, empty non-terminals too (RFC 4592 §2.2.2). */
  readonly nodes: ReadonlyMap<DomainName, readonly ResourceRecord[]>;
}

/** Throws where a zone has no SOA, or a record lies outside: a fault of whoever made the zone. */
export function indexZone({ apex, records }: ServedZone): ZoneIndex {
  const nodes = new Map<DomainName, ResourceRecord[]>([[apex, []]]);
  for (const record of records) {
    if (!isWithin(record.name, apex))
      throw new RangeError(`"${record.name}" lies outside the zone "${apex}"`);
    for (const name of ancestors(record.name)) {
      if (nodes.has(name)) break;
      nodes.set(name, []);
    }
    nodes.get(record.name)!.push(record);
  }
  const soa = nodes.get(apex)!.find(({ data }) => data.type === "SOA");
  if (soa === undefined) throw new RangeError(`the zone "${apex}" has no SOA record`);
  return { apex, soa: soa as ResourceRecord<SoaRdata>, nodes };
}

/** The sections of an answer; everything else of a reply comes from the query. */
export type ZoneReply = Pick<Message, "rcode" | "authoritative" | "answers" | "authorities" | "additionals">;

const REFUSAL: ZoneReply = {
  rcode: RCODES.REFUSED,
  authoritative: false,
  answers: [],
  authorities: [],
  additionals: [],
};

/** Answers from the zones, by apex; names of no zone are refused. */
export function answerFromZones(
  zones: ReadonlyMap<DomainName, ZoneIndex>,
  { name, type }: Question,
  dnssecOk: boolean,
): ZoneReply {
  const answers: ResourceRecord[] = [];
  const passed = new Set<DomainName>();
  for (let at = name; ; ) {
    const zone = zoneOf(zones, at, type);
    // The end of an alias that leads out of our zones is for the asker to find.
    if (zone === undefined) return answers.length === 0 ? REFUSAL : reply({ answers });
    const cut = delegationOf(zone, at, type);
    if (cut !== undefined) {
      const authorities = cut.filter(
        ({ data }) => data.type === "NS" || (dnssecOk && isAsked(data, "DS", true)),
      );
      return reply({
        answers,
        authorities,
        additionals: glueOf(zone, cut),
        authoritative: answers.length > 0,
      });
    }
    const dname = dnameAbove(zone, at);
    const found = dname === undefined ? recordsAt(zone, at) : synthesized(dname, at);
    if (found === undefined)
      return reply({ rcode: RCODES.NXDOMAIN, answers, authorities: [negativeSoa(zone)] });
    if (dname !== undefined) {
      answers.push(dname);
      if (found.length === 0) return reply({ rcode: RCODES.YXDOMAIN, answers });
    }
    // RFC 8482 §4.1: ANY gets one of the RRsets
    const asked = type === "ANY" && found[0] !== undefined ? typeOf(found[0].data) : type;
    const matching = found.filter(({ data }) => isAsked(data, asked, dnssecOk));
    answers.push(...matching);
    if (matching.length > 0) return reply({ answers });
    const alias = found.find(({ data }) => data.type === "CNAME");
    if (alias?.data.type !== "CNAME") return reply({ answers, authorities: [negativeSoa(zone)] });
    answers.push(alias);
    passed.add(at);
    at = alias.data.target;
    if (passed.has(at) || passed.size === MAX_ALIASES) return reply({ answers });
  }
}

function reply(parts: Partial<ZoneReply>): ZoneReply {
  return {
    rcode: RCODES.NOERROR,
    authoritative: true,
    answers: [],
    authorities: [],
    additionals: [],
    ...parts,
  };
}

/** The deepest zone with the name; DS belongs to the zone above the cut (RFC 4035 §3.1.4.1). */
function zoneOf(
  zones: ReadonlyMap<DomainName, ZoneIndex>,
  name: DomainName,
  type: RecordType,
): ZoneIndex | undefined {
  const enclosing = ancestors(name).flatMap((apex) => zones.get(apex) ?? []);
  return (type === "DS" && enclosing.find(({ apex }) => apex !== name)) || enclosing[0];
}

/** The records at the highest cut between the apex and the name, where there is one. */
function delegationOf(
  zone: ZoneIndex,
  name: DomainName,
  type: RecordType,
): readonly ResourceRecord[] | undefined {
  const below = ancestors(name).filter((at) => at !== zone.apex && isWithin(at, zone.apex));
  const cut = below.findLast((at) => zone.nodes.get(at)?.some(({ data }) => data.type === "NS"));
  return cut === undefined || (type === "DS" && cut === name) ? undefined : zone.nodes.get(cut);
}

function glueOf(zone: ZoneIndex, cut: readonly ResourceRecord[]): ResourceRecord[] {
  return cut
    .flatMap(({ data }) => (data.type === "NS" ? (zone.nodes.get(data.target) ?? []) : []))
    .filter(({ data }) => data.type === "A" || data.type === "AAAA");
}

function dnameAbove(zone: ZoneIndex, name: DomainName): ResourceRecord | undefined {
  for (let at = parentOf(name); at !== undefined && isWithin(at, zone.apex); at = parentOf(at)) {
    const dname = zone.nodes.get(at)?.find(({ data }) => data.type === "DNAME");
    if (dname !== undefined) return dname;
  }
  return undefined;
}

/** RFC 6672 §3.1: the CNAME that a DNAME makes; empty where the new name would be too long. */
function synthesized(dname: ResourceRecord, name: DomainName): ResourceRecord[] {
  const target = dname.data.type === "DNAME" ? substituted(name, dname.name, dname.data.target) : undefined;
  if (target === undefined) return [];
  return [{ name, ttlSeconds: dname.ttlSeconds, data: { type: "CNAME", target } }];
}

/** The records of a name, or those of the wildcard that covers it; undefined where neither exists. */
function recordsAt(zone: ZoneIndex, name: DomainName): readonly ResourceRecord[] | undefined {
  const own = zone.nodes.get(name);
  if (own !== undefined) return own;
  const encloser = ancestors(name).find((at) => zone.nodes.has(at))!;
  const wild = zone.nodes.get((encloser === ROOT ? "*" : `*.${encloser}`) as DomainName);
  return wild?.map((record) => ({ ...record, name }));
}

function isAsked(data: Rdata, type: RecordType, withSignatures: boolean): boolean {
  return typeOf(data) === type || (withSignatures && data.type === "RRSIG" && data.typeCovered === type);
}

function negativeSoa({ soa }: ZoneIndex): ResourceRecord {
  // RFC 2308 §3: the TTL of the SOA in a negative answer is the smaller of the two
  return { ...soa, ttlSeconds: Math.min(soa.ttlSeconds, soa.data.minimumSeconds) };
}
