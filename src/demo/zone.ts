/** The zones of the demo, as its name servers serve them: changed by a provider like any other's. */
import { createHash } from "node:crypto";
import { keyTag } from "../check/dnssec.ts";
import type { Provider, RrsetChange } from "../publish/provider.ts";
import { groupRrsets, MADE_BY_SERVERS, rrsetKey, staleChanges } from "../publish/rrset.ts";
import {
  type DomainName,
  domainName,
  isWithin,
  labelCount,
  labelsOf,
  parentOf,
  ROOT,
} from "../standards/dns/name.ts";
import { type Rdata, type RdataOf, type ResourceRecord, typeOf } from "../standards/dns/record.ts";

export interface DemoServer {
  /** On loopback; all listen on one port. */
  readonly address: string;
  readonly zones: readonly { readonly apex: DomainName; readonly records: readonly ResourceRecord[] }[];
  /** Takes every question, and says nothing. */
  readonly isSilent: boolean;
}

export interface DemoZones {
  /** As they are now; the servers are always the same, and in the same order. */
  servers(): readonly DemoServer[];
  /** Holds the zone, and tells of each change. */
  provider(): Provider;
}

export const DEMO_ROOT = { name: domainName("root.example"), address: "127.0.0.1" };
const PARENT_ADDRESS = "127.0.0.2";
const ZONE_ADDRESSES = ["127.0.0.3", "127.0.0.4"];
const SILENT_ADDRESS = "127.0.0.5";

const PARENT_ZONES = ["org", "net", "com", "example", "2.0.192.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"].map(
  domainName,
);
const TTL_SECONDS = 3600;
const MAX_SERIAL = 0xffff_ffff;
const record = (name: DomainName, data: Rdata): ResourceRecord => ({ name, ttlSeconds: TTL_SECONDS, data });

interface Held {
  readonly apex: DomainName;
  readonly isSilent: boolean;
  serial: number;
  records: readonly ResourceRecord[];
}

/** `records`: of all zones together; `apexes`: the zones of the second level, each with its own servers. */
export function createDemoZones(
  apexes: readonly { readonly apex: DomainName; readonly isSilent: boolean; readonly isSigned: boolean }[],
  records: readonly ResourceRecord[],
  now: Date,
  onChange: () => void,
): DemoZones {
  const inside = (apex: DomainName) => records.filter(({ name }) => isWithin(name, apex));
  const held = new Map<DomainName, Held>(
    apexes.map(({ apex, isSilent, isSigned }) => {
      const addresses = isSilent ? [SILENT_ADDRESS] : ZONE_ADDRESSES;
      const signed = isSigned ? [dnskey(apex), signature(apex, now)] : [];
      const own = [...delegation(apex, addresses), ...inside(apex), ...signed];
      return [apex, { apex, isSilent, serial: 1, records: own }];
    }),
  );
  const parents = PARENT_ZONES.map((apex) => {
    const below = apexes
      .filter(({ apex: child }) => parentOf(child) === apex)
      .flatMap(({ apex: child, isSilent, isSigned }) => [
        ...delegation(child, isSilent ? [SILENT_ADDRESS] : ZONE_ADDRESSES),
        ...(isSigned ? [ds(child)] : []),
      ]);
    const own = apex.endsWith(".arpa") ? inside(apex) : [];
    return { apex, records: [soa(apex, 1), ...delegation(apex, [PARENT_ADDRESS]), ...below, ...own] };
  });
  const root = {
    apex: ROOT,
    records: [
      soa(ROOT, 1),
      record(ROOT, { type: "NS", target: DEMO_ROOT.name }),
      ...PARENT_ZONES.flatMap((apex) => delegation(apex, [PARENT_ADDRESS])),
    ],
  };
  const served = (isSilent: boolean) =>
    [...held.values()]
      .filter((zone) => zone.isSilent === isSilent)
      .map(({ apex, serial, records: own }) => ({ apex, records: [soa(apex, serial), ...own] }));
  return {
    servers: () => [
      { address: DEMO_ROOT.address, zones: [root], isSilent: false },
      { address: PARENT_ADDRESS, zones: parents, isSilent: false },
      ...ZONE_ADDRESSES.map((address) => ({ address, zones: served(false), isSilent: false })),
      { address: SILENT_ADDRESS, zones: served(true), isSilent: true },
    ],
    provider: () => createDemoProvider(held, onChange),
  };
}

function soa(apex: DomainName, serial: number): ResourceRecord {
  return record(apex, {
    type: "SOA",
    primary: apex === ROOT ? DEMO_ROOT.name : serverName(apex, 0),
    mailbox: domainName("hostmaster.example.org"),
    serial,
    refreshSeconds: 7200,
    retrySeconds: 900,
    expireSeconds: 1_209_600,
    minimumSeconds: 300,
  });
}

/** A key that signs nothing: nobody here verifies. */
const ZONE_KEY: RdataOf<"DNSKEY"> = {
  type: "DNSKEY",
  flags: 257,
  protocol: 3,
  algorithm: 13,
  publicKey: Uint8Array.from({ length: 64 }, (_, at) => at),
};
const SIGNED_MILLISECONDS = 30 * 86_400_000;

const dnskey = (apex: DomainName): ResourceRecord => record(apex, ZONE_KEY);

/** RFC 4034 §5.1.4 */
function ds(apex: DomainName): ResourceRecord {
  const { flags, protocol, algorithm, publicKey } = ZONE_KEY;
  const hash = createHash("sha256");
  for (const label of labelsOf(apex)) hash.update(Uint8Array.of(label.length)).update(label);
  hash.update(Uint8Array.of(0, flags >> 8, flags & 0xff, protocol, algorithm)).update(publicKey);
  return record(apex, {
    type: "DS",
    keyTag: keyTag(ZONE_KEY),
    algorithm,
    digestType: 2,
    digest: hash.digest(),
  });
}

function signature(apex: DomainName, now: Date): ResourceRecord {
  const seconds = (at: number) => Math.floor(at / 1000);
  return record(apex, {
    type: "RRSIG",
    typeCovered: "SOA",
    algorithm: ZONE_KEY.algorithm,
    labels: labelCount(apex),
    originalTtlSeconds: TTL_SECONDS,
    expiration: seconds(now.getTime() + SIGNED_MILLISECONDS),
    inception: seconds(now.getTime() - SIGNED_MILLISECONDS),
    keyTag: keyTag(ZONE_KEY),
    signerName: apex,
    signature: new Uint8Array(64),
  });
}

const serverName = (apex: DomainName, at: number) => domainName(`ns${at + 1}.${apex}`);

/** NS records with the addresses of their targets. */
function delegation(apex: DomainName, addresses: readonly string[]): ResourceRecord[] {
  return addresses.flatMap((address, at) => [
    record(apex, { type: "NS", target: serverName(apex, at) }),
    record(serverName(apex, at), { type: "A", address }),
  ]);
}

function createDemoProvider(held: ReadonlyMap<DomainName, Held>, onChange: () => void): Provider {
  const contentOf = ({ apex, serial, records }: Held) => ({
    zone: apex,
    rrsets: groupRrsets(records.filter(({ data }) => !MADE_BY_SERVERS.has(typeOf(data)))),
    serial,
  });
  const noZone = (zone: DomainName) =>
    ({ status: "failed", cause: "no-zone", detail: `The demo has no zone ${zone}.` }) as const;
  return {
    id: "demo",
    title: "the demo's own name servers",
    capabilities: { lacksTypes: [], nullTargets: true, atomic: "call", compareAndSwap: "server" },
    async readZone(zone) {
      const found = held.get(zone);
      return found === undefined ? noZone(zone) : { status: "read", content: contentOf(found) };
    },
    async apply(zone, changes) {
      const found = held.get(zone);
      if (found === undefined) return noZone(zone);
      const outside = changes.find(({ name, type }) => !isWithin(name, zone) || type === "SOA");
      if (outside !== undefined)
        return {
          status: "failed",
          cause: "refused",
          detail: `${outside.name} ${outside.type} is not for this zone.`,
        };
      const stale = staleChanges(contentOf(found), changes);
      if (stale.length > 0)
        return { status: "stale", changes: stale, detail: "The zone is no longer as it was planned." };
      found.records = changed(found.records, changes);
      found.serial = (found.serial % MAX_SERIAL) + 1;
      onChange();
      return { status: "applied" };
    },
  };
}

function changed(records: readonly ResourceRecord[], changes: readonly RrsetChange[]): ResourceRecord[] {
  const touched = new Set(changes.map(rrsetKey));
  const kept = records.filter(({ name, data }) => !touched.has(rrsetKey({ name, type: typeOf(data) })));
  const made = changes.flatMap(({ after }) =>
    after === undefined
      ? []
      : after.data.map((data) => ({ name: after.name, ttlSeconds: after.ttlSeconds, data })),
  );
  return [...kept, ...made];
}
