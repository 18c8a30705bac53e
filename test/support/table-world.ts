/** A `World` from zone text, for tests of `check/`: the table is the whole internet, and every fault is a row. */
import type { World } from "../../src/check/context.ts";
import type { AuthoritativeView, NameServer, RecursiveView, ServerState } from "../../src/check/view.ts";
import { absolute, ancestors, type DomainName, domainName, ROOT } from "../../src/standards/dns/name.ts";
import {
  type RecordType,
  type ResourceRecord,
  type RrsigRdata,
  typeOf,
} from "../../src/standards/dns/record.ts";
import type { Answer, Resolver, Unknown, UnknownCause } from "../../src/standards/dns/resolver.ts";
import { createZoneResolver } from "../../src/standards/dns/zone-resolver.ts";
import { parseZoneText } from "../../src/standards/dns/zone-text.ts";

/** By question: "mail.example.org A", "example.org ZONE" (the walk to the zone), "example.org SOA RRSIG". */
export type Failures = Readonly<Record<string, UnknownCause>>;

export interface WorldRows {
  /** Zone text with absolute names; a zone is where a SOA is, its name servers are its NS. */
  readonly zone: string;
  readonly failing?: Failures;
  /** Name servers that are not like the others, by name. */
  readonly servers?: Readonly<Record<string, ServerRow>>;
  /** What the parent of the zone of a name says of it; the zone's own NS where absent. */
  readonly delegatedTo?: readonly string[];
  readonly unresolvable?: Readonly<Record<string, string>>;
  readonly resolvers?: readonly ResolverRow[];
}

export interface ServerRow {
  readonly state?: ServerState["state"];
  /** Instead of the table's zone text. */
  readonly zone?: string;
}

export interface ResolverRow {
  readonly label: string;
  readonly zone?: string;
  readonly failing?: Failures;
  readonly secure?: boolean;
}

export interface TableWorld extends World {
  /** Every question put to the name servers, in the form of `Failures`, in order. */
  readonly asked: string[];
}

/** The clock of these worlds. */
export const NOW = new Date("2026-11-21T12:00:00Z");

export function tableWorld(rows: WorldRows): TableWorld {
  const asked: string[] = [];
  const failing = rows.failing ?? {};
  const records = recordsOf(rows.zone);
  const table = failingResolver(zoneResolver(records), failing);
  const apexOf = (name: DomainName) =>
    ancestors(name).find((at) => records.some((record) => record.name === at && record.data.type === "SOA"));

  const stateOf = (apex: DomainName, server: NameServer): ServerState => {
    const { state = "ok", zone } = rows.servers?.[server.name] ?? {};
    if (state !== "ok") {
      const detail = state === "lame" ? "answers REFUSED" : "no answer in 1.5 s";
      return { server, state, detail, ...(state === "unknown" && { cause: "timeout" }) };
    }
    const own = zone === undefined ? records : recordsOf(zone);
    const soa = own.find((record) => record.name === apex && record.data.type === "SOA")?.data;
    return {
      server,
      state,
      detail: "answers with authority",
      ...(soa?.type === "SOA" && { serial: soa.serial, negativeTtlSeconds: soa.minimumSeconds }),
      nameServers: nameServersIn(own, apex),
    };
  };

  const serversOf = (apex: DomainName): NameServer[] =>
    nameServersIn(records, apex).flatMap((name) =>
      records.flatMap((record) =>
        record.name === name && record.data.type === "A"
          ? [{ name, address: record.data.address, port: 53 }]
          : [],
      ),
    );

  const authoritative: AuthoritativeView = {
    lookup(name, type) {
      asked.push(`${name} ${type}`);
      return table.lookup(name, type);
    },
    async findZone(name) {
      asked.push(`${name} ZONE`);
      const failure = failing[`${name} ZONE`];
      if (failure !== undefined) return unknown(failure, name);
      const apex = apexOf(name) ?? ROOT;
      const answer = await zoneResolver(records).lookup(name, "SOA");
      if (answer.status === "absent" && answer.kind === "nxdomain")
        return { status: "absent", closest: apex };
      return {
        status: "found",
        zone: {
          apex,
          parent: ROOT,
          delegatedTo: rows.delegatedTo?.map(domainName).sort() ?? nameServersIn(records, apex),
          unresolvable: Object.entries(rows.unresolvable ?? {}).map(([server, why]) => ({
            name: domainName(server),
            why,
          })),
          servers: serversOf(apex).map((server) => stateOf(apex, server)),
        },
      };
    },
    async askEveryServer<T extends RecordType>(name: DomainName, type: T) {
      asked.push(`${name} ${type}`);
      const apex = apexOf(name);
      if (apex === undefined) return [];
      return Promise.all(
        serversOf(apex).map(async (server) => {
          const row = rows.servers?.[server.name];
          const own = row?.zone === undefined ? table : zoneResolver(recordsOf(row.zone));
          const silent = row?.state !== undefined && row.state !== "ok";
          const answer: Answer<T> = silent ? unknown("timeout", name) : await own.lookup(name, type);
          return { server, answer };
        }),
      );
    },
    async lookupSignatures(name, type) {
      asked.push(`${name} ${type} RRSIG`);
      const failure = failing[`${name} ${type} RRSIG`];
      if (failure !== undefined) return unknown(failure, name);
      return records.flatMap(({ name: owner, data }) =>
        owner === name && data.type === "RRSIG" && data.typeCovered === type ? [data as RrsigRdata] : [],
      );
    },
  };
  return {
    authoritative,
    recursive: (rows.resolvers ?? []).map((row) => recursiveView(row, records, failing)),
    now: NOW,
    organizationalDomain: lastTwoLabels,
    randomLabel: () => "zonepost-0123456789ab",
    asked,
  };
}

function recursiveView(
  row: ResolverRow,
  records: readonly ResourceRecord[],
  failing: Failures,
): RecursiveView {
  const { label, zone, secure } = row;
  const own = failingResolver(zoneResolver(zone === undefined ? records : recordsOf(zone)), {
    ...failing,
    ...row.failing,
  });
  return {
    label,
    async lookup(name, type) {
      const answer = await own.lookup(name, type);
      return answer.status === "unknown" || secure === undefined ? answer : { ...answer, secure };
    },
  };
}

function failingResolver(resolver: Resolver, failing: Failures): Resolver {
  return {
    async lookup<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>> {
      const failure = failing[`${name} ${type}`];
      return failure === undefined ? resolver.lookup(name, type) : unknown(failure, name);
    },
  };
}

function unknown(cause: UnknownCause, name: DomainName): Unknown {
  return { status: "unknown", cause, detail: `the table fails ${absolute(name)} with ${cause}` };
}

const zoneResolver = (records: readonly ResourceRecord[]) =>
  createZoneResolver(records, { apexes: [ROOT], elsewhere: "nowhere" });

function nameServersIn(records: readonly ResourceRecord[], apex: DomainName): DomainName[] {
  return records
    .flatMap(({ name, data }) => (name === apex && data.type === "NS" ? [data.target] : []))
    .sort();
}

/** Every line must be sound: a test's typing mistake is not to pass for a fault of the world. */
export function recordsOf(zone: string): readonly ResourceRecord[] {
  const { records, problems } = parseZoneText(zone, { origin: ROOT, defaultTtlSeconds: 3600 });
  const [first] = problems;
  if (first !== undefined) throw new Error(`line ${first.line}: ${first.problem}`);
  return records;
}

/** Stands in for the public suffix list where all suffixes have one label. */
function lastTwoLabels(name: DomainName): DomainName | undefined {
  const labels = name.split(".");
  return labels.length < 2 ? undefined : domainName(labels.slice(-2).join("."));
}

/** The zone without the records of some names or types ("mail.example.org", "mail.example.org A"), and with some lines more. */
export function edited(
  zone: string,
  { without = [], add = [] }: { readonly without?: readonly string[]; readonly add?: readonly string[] },
): string {
  const unused = new Set(without);
  const lines = zone.split("\n").filter((line) => {
    if (line.trim() === "") return false;
    const [record] = recordsOf(line);
    if (record === undefined) return true;
    const hit = without.filter((key) => [record.name, `${record.name} ${typeOf(record.data)}`].includes(key));
    for (const key of hit) unused.delete(key);
    return hit.length === 0;
  });
  if (unused.size > 0) throw new Error(`the zone does not hold ${[...unused].join(", ")}`);
  return [...lines, ...add].join("\n");
}
