/**
 * Dynamic updates (RFC 2136): changes of whole RRsets as one message that happens altogether or not at all, and only
 * where every RRset still is what the changes take it to be.
 *
 * Prerequisites compare data alone: TTLs play no part in them (RFC 2136 §2.4.2). So a change of nothing but the TTL is
 * refused where the data is another by now, but not where somebody else changed the TTL; the last one wins.
 *
 * Servers skip a CNAME that would stand beside other records, and records beside a CNAME, and say NOERROR
 * (RFC 2136 §3.4.2.2). Prerequisites of their own keep that from happening: a name that gets its first CNAME must own
 * nothing else, and one that gets anything else must have no CNAME.
 */
import { type Message, RCODES, type WireRecord } from "./message.ts";
import { type DomainName, isWithin } from "./name.ts";
import type { Parsed } from "./parsed.ts";
import { formatRdata } from "./rdata-text.ts";
import { type Rdata, type RecordType, typeCode, typeOf } from "./record.ts";

/** An RRset from one state to another; undefined is "not there". */
export interface RrsetUpdate {
  readonly name: DomainName;
  readonly type: RecordType;
  readonly before: { readonly ttlSeconds: number; readonly data: readonly Rdata[] } | undefined;
  readonly after: { readonly ttlSeconds: number; readonly data: readonly Rdata[] } | undefined;
}

const OPCODE_UPDATE = 5;
const CLASS_NONE = 254;
const CLASS_ANY = 255;
/** RFC 2136 §3.4.1.2 */
const NOT_IN_ZONES: readonly RecordType[] = ["OPT", "TSIG", "IXFR", "AXFR", "ANY", "TYPE253", "TYPE254"];

/** The update, or what makes it impossible to ask. At most one change for each name and type. */
export function updateMessage(
  id: number,
  zone: DomainName,
  changes: readonly RrsetUpdate[],
): Parsed<Message> {
  for (const change of changes) {
    const problem = changeProblem(zone, change);
    if (problem !== undefined) return { ok: false, problem };
  }
  const keys = changes.map(({ name, type }) => `${name} ${type}`);
  const twice = keys.find((key, at) => keys.indexOf(key) !== at);
  if (twice !== undefined) return { ok: false, problem: `${twice} is to be changed twice at once` };
  const prerequisites = [...changes.flatMap(stateOf), ...aloneness(changes)];
  return {
    ok: true,
    value: {
      id,
      isResponse: false,
      opcode: OPCODE_UPDATE,
      authoritative: false,
      truncated: false,
      recursionDesired: false,
      recursionAvailable: false,
      authenticData: false,
      checkingDisabled: false,
      rcode: RCODES.NOERROR,
      questions: [{ name: zone, type: "SOA" }],
      answers: prerequisites,
      authorities: updatesOf(zone, changes),
      additionals: [],
    },
  };
}

function changeProblem(zone: DomainName, { name, type, before, after }: RrsetUpdate): string | undefined {
  const where = `${name} ${type}`;
  if (!isWithin(name, zone)) return `${where} is outside of the zone ${zone}`;
  if (type === "SOA") return `${where}: the SOA is the server's own affair`;
  if (NOT_IN_ZONES.includes(type)) return `${where}: no zone holds this type`;
  if (before === undefined && after === undefined) return `${where}: nothing to change`;
  if (after === undefined && type === "NS" && name === zone)
    return `${where}: servers keep a zone's own NS records`;
  for (const state of [before, after]) {
    if (state === undefined) continue;
    if (state.data.length === 0) return `${where}: an RRset without records`;
    if (state.data.some((data) => typeOf(data) !== type)) return `${where}: data of another type`;
  }
  return undefined;
}

/** RFC 2136 §2.4.2 and §2.4.3: exactly this RRset, or none. */
function stateOf({ name, type, before }: RrsetUpdate): WireRecord[] {
  if (before === undefined) return [{ name, ttlSeconds: 0, classCode: CLASS_NONE, data: empty(type) }];
  return before.data.map((data) => ({ name, ttlSeconds: 0, data }));
}

/** A CNAME stands alone (RFC 1034 §3.6.2): asked for, because servers skip what breaks it without a word. */
function aloneness(changes: readonly RrsetUpdate[]): WireRecord[] {
  const names = Map.groupBy(changes, ({ name }) => name);
  return [...names].flatMap(([name, own]): WireRecord[] => {
    // What is there already has its own prerequisite. Beside records that go, nothing can be asked about the rest.
    if (own.some(({ before }) => before !== undefined)) return [];
    const unwanted = own.some(({ type }) => type === "CNAME") ? "ANY" : "CNAME"; // RFC 2136 §2.4.5, §2.4.3
    return [{ name, ttlSeconds: 0, classCode: CLASS_NONE, data: empty(unwanted) }];
  });
}

/** RFC 2136 §2.5: what goes first, then what comes, so that an alias can take the place of addresses. */
function updatesOf(zone: DomainName, changes: readonly RrsetUpdate[]): WireRecord[] {
  const parts = changes.map((change) => {
    const { name, type, before, after } = change;
    const kept = new Set(before?.data.map((data) => formatRdata(data)));
    const wanted = new Set(after?.data.map((data) => formatRdata(data)));
    const isApexNs = type === "NS" && name === zone;
    const hasNewTtl = before !== undefined && after !== undefined && before.ttlSeconds !== after.ttlSeconds;
    const surplus = before?.data.filter((data) => !wanted.has(formatRdata(data))) ?? [];
    const fresh = after?.data.filter((data) => !kept.has(formatRdata(data))) ?? [];
    const add = (data: Rdata): WireRecord => ({ name, ttlSeconds: after?.ttlSeconds ?? 0, data });
    const drop = (data: Rdata): WireRecord => ({ name, ttlSeconds: 0, classCode: CLASS_NONE, data });
    const dropAll = { name, ttlSeconds: 0, classCode: CLASS_ANY, data: empty(type) };
    if (isApexNs) {
      // RFC 2136 §3.4.2.4 keeps the last NS of a zone: the new ones come before the old ones go. And §3.4.2.2 lets a
      // record that is there take its new TTL.
      const added = (hasNewTtl ? after.data : fresh).map(add);
      return { gone: [], come: [...added, ...surplus.map(drop)] };
    }
    if (after === undefined) return { gone: [dropAll], come: [] };
    // RFC 2181 §5.2: one TTL for the whole RRset; servers differ in what they make of two, so none is left over.
    if (hasNewTtl) return { gone: [dropAll], come: after.data.map(add) };
    return { gone: surplus.map(drop), come: fresh.map(add) };
  });
  return [...parts.flatMap(({ gone }) => gone), ...parts.flatMap(({ come }) => come)];
}

/** No data, whatever the type (RFC 2136 §2.4 and §2.5). */
function empty(type: RecordType): Rdata {
  return { type: "OPAQUE", typeCode: typeCode(type), octets: new Uint8Array(0) };
}

/** What a server's answer means for the update as a whole. */
export type UpdateOutcome =
  | "done"
  /** A prerequisite does not hold. */
  | "stale"
  | "refused"
  | "not-its-zone"
  /** It knows no updates, or not this one. */
  | "not-understood"
  | "server-failed";

/** RFC 2136 §2.2 and §3. */
export function updateOutcome(rcode: number): UpdateOutcome {
  switch (rcode) {
    case RCODES.NOERROR:
      return "done";
    case RCODES.YXDOMAIN:
    case RCODES.YXRRSET:
    case RCODES.NXRRSET:
    case RCODES.NXDOMAIN:
      return "stale";
    case RCODES.REFUSED:
      return "refused";
    case RCODES.NOTAUTH:
    case RCODES.NOTZONE:
      return "not-its-zone";
    case RCODES.FORMERR:
    case RCODES.NOTIMP:
      return "not-understood";
    default:
      return "server-failed";
  }
}
