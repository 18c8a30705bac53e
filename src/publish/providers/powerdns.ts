/**
 * PowerDNS's own name server over its HTTP API. All changes of one call are one PATCH, which happens as a whole or not
 * at all. An RRset is replaced as a whole, so records that are switched off there are sent along, and stay.
 */
import { z } from "zod";
import { absolute, type DomainName } from "../../standards/dns/name.ts";
import { formatRdata, parseName } from "../../standards/dns/rdata-text.ts";
import type { Capabilities, Provider, RrsetChange } from "../provider.ts";
import { rrsetKey } from "../rrset.ts";
import type { Secret } from "../secret.ts";
import { type ApiAnswer, type ApiMeans, createApi } from "./api.ts";
import { steppedProvider } from "./apply-steps.ts";
import { readingOf, type ZoneReading } from "./zone-reading.ts";

export interface PowerdnsOptions extends ApiMeans {
  /** "http://127.0.0.1:8081"; "/api/v1" may follow. */
  readonly url: string;
  /** The server's id in the API, "localhost" nearly everywhere. */
  readonly server: string;
  readonly apiKey: Secret;
}

const zoneSchema = z.object({
  rrsets: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      ttl: z.int().nonnegative(),
      records: z.array(z.object({ content: z.string(), disabled: z.boolean().default(false) })),
    }),
  ),
});
const complaintSchema = z.object({ error: z.string() });

interface Reading extends ZoneReading {
  /** Contents of records that are switched off, by the key of their RRset. */
  readonly disabled: ReadonlyMap<string, readonly string[]>;
  readonly ttls: ReadonlyMap<string, number>;
}

const CAPABILITIES: Capabilities = {
  lacksTypes: [],
  nullTargets: true,
  atomic: "call",
  compareAndSwap: "reader",
};

export function createPowerdnsProvider({ url, server, apiKey, ...means }: PowerdnsOptions): Provider {
  const title = `PowerDNS at ${url}`;
  const api = createApi(
    {
      title,
      baseUrl: `${url.replace(/\/+$/, "").replace(/\/api\/v1$/, "")}/api/v1/servers/${encodeURIComponent(server)}`,
      secrets: [apiKey],
      headers: () => ({
        accept: "application/json",
        "content-type": "application/json",
        "x-api-key": apiKey.reveal(),
      }),
      needs: "the api-key of the server's configuration",
      complaintIn: (body) => complaintSchema.safeParse(body).data?.error,
      causeOf: (httpStatus, body) =>
        httpStatus === 422 && /could not find domain/i.test(complaintSchema.safeParse(body).data?.error ?? "")
          ? "no-zone"
          : undefined,
    },
    means,
  );

  const read = async (zone: DomainName): Promise<ApiAnswer<Reading>> => {
    const answer = await api.get(zonePath(zone), zoneSchema, `the zone ${zone}`);
    return answer.ok ? { ...answer, value: asReading(zone, answer.value) } : answer;
  };

  return steppedProvider({
    id: "powerdns",
    title,
    capabilities: CAPABILITIES,
    read: (zone) => read(zone),
    steps: ({ zone, changes, reading }) => [
      {
        completes: changes,
        run: () =>
          api.write("PATCH", zonePath(zone), {
            rrsets: changes.map((change) => patchOf(change, reading)),
          }),
      },
    ],
  });
}

/** What has no place in a path is written as =2F by PowerDNS's own rule for its ids. */
function zonePath(zone: DomainName): string {
  const id = [...absolute(zone)].map((char) =>
    /[A-Za-z0-9._-]/.test(char) ? char : `=${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
  return `/zones/${id.join("")}`;
}

function asReading(zone: DomainName, { rrsets }: z.output<typeof zoneSchema>): Reading {
  const reading = readingOf(
    zone,
    rrsets.map(({ name, type, ttl, records }) => ({
      name,
      type,
      ttlSeconds: ttl,
      values: records.filter(({ disabled }) => !disabled).map(({ content }) => content),
    })),
  );
  const keyed = rrsets.map((rrset) => [keyOf(zone, rrset), rrset] as const);
  const off = keyed.map(
    ([key, { records }]) =>
      [key, records.filter(({ disabled }) => disabled).map(({ content }) => content)] as const,
  );
  return {
    ...reading,
    disabled: new Map(off.filter(([, contents]) => contents.length > 0)),
    ttls: new Map(keyed.map(([key, { ttl }]) => [key, ttl])),
  };
}

function keyOf(zone: DomainName, { name, type }: { readonly name: string; readonly type: string }): string {
  const parsed = parseName(name, zone);
  return `${parsed.ok ? parsed.value : name} ${type}`;
}

function patchOf(change: RrsetChange, { disabled, ttls }: Reading): object {
  const { name, type, after } = change;
  const off = disabled.get(rrsetKey(change)) ?? [];
  const target = { name: absolute(name), type };
  if (after === undefined && off.length === 0) return { ...target, changetype: "DELETE" };
  return {
    ...target,
    changetype: "REPLACE",
    ttl: after?.ttlSeconds ?? ttls.get(rrsetKey(change)),
    records: [
      ...(after?.data ?? []).map((data) => ({ content: formatRdata(data), disabled: false })),
      ...off.map((content) => ({ content, disabled: true })),
    ],
  };
}
