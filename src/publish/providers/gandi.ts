/** Gandi's LiveDNS. RRsets with data as in a zone file, each written by a request of its own. */
import { z } from "zod";
import type { DomainName } from "../../standards/dns/name.ts";
import { formatName, formatRdata } from "../../standards/dns/rdata-text.ts";
import type { Capabilities, Provider, RrsetChange } from "../provider.ts";
import type { Secret } from "../secret.ts";
import { type Api, type ApiAnswer, type ApiMeans, changedMeanwhile, createApi, unreadable } from "./api.ts";
import { type StepOutcome, steppedProvider } from "./apply-steps.ts";
import { readingOf, type ZoneReading } from "./zone-reading.ts";

export interface GandiOptions extends ApiMeans {
  /** A personal access token. */
  readonly token: Secret;
  readonly url?: string;
}

const PUBLIC_URL = "https://api.gandi.net/v5/livedns";
const PAGE_SIZE = 100;
const MAX_PAGES = 200;

const CAPABILITIES: Capabilities = {
  lacksTypes: [],
  minTtlSeconds: 300,
  atomic: "rrset",
  compareAndSwap: "reader",
};

const rrsetsSchema = z.array(
  z.object({
    rrset_name: z.string(),
    rrset_type: z.string(),
    rrset_ttl: z.int().nonnegative(),
    rrset_values: z.array(z.string()),
  }),
);
type StoredRrset = z.output<typeof rrsetsSchema>[number];
const complaintSchema = z.object({
  message: z.string().optional(),
  errors: z.array(z.object({ name: z.string().optional(), description: z.string() })).optional(),
});

export function createGandiProvider({ token, url = PUBLIC_URL, ...means }: GandiOptions): Provider {
  const title = "Gandi";
  const api = createApi(
    {
      title,
      baseUrl: url,
      secrets: [token],
      headers: () => ({
        accept: "application/json",
        "content-type": "application/json",
        authorization: `Bearer ${token.reveal()}`,
      }),
      needs: "a personal access token with the right to manage domain name technical configurations",
      complaintIn: (body) => {
        const { message, errors = [] } = complaintSchema.safeParse(body).data ?? {};
        const words = errors.map(({ name, description }) => (name ? `${name}: ${description}` : description));
        return words.length > 0 ? words.join("; ") : message;
      },
    },
    means,
  );

  return steppedProvider({
    id: "gandi",
    title,
    capabilities: CAPABILITIES,
    read: (zone) => read(zone, api),
    steps: ({ zone, changes }) =>
      changes.map((change) => ({ completes: [change], run: () => carryOut(change, zone, api) })),
  });
}

function recordsPath(zone: DomainName): string {
  return `/domains/${encodeURIComponent(zone)}/records`;
}

/** Where the API does not count, the end is where a page brings nothing new: pages may be smaller than asked for. */
async function read(zone: DomainName, api: Api): Promise<ApiAnswer<ZoneReading>> {
  const rrsets = new Map<string, StoredRrset>();
  const about = `the zone ${zone}`;
  let total: string | undefined;
  for (let page = 1; page <= MAX_PAGES; page++) {
    const path = `${recordsPath(zone)}?page=${page}&per_page=${PAGE_SIZE}`;
    const answer = await api.get(path, rrsetsSchema, about);
    if (!answer.ok) return answer;
    const count = answer.headers["total-count"];
    if (page > 1 && count !== total) return changedMeanwhile(api.title, zone);
    total = count;
    const before = rrsets.size;
    for (const rrset of answer.value) rrsets.set(`${rrset.rrset_name} ${rrset.rrset_type}`, rrset);
    const isNothingNew = rrsets.size === before;
    if (total === undefined ? isNothingNew : rrsets.size === Number(total)) {
      return { ...answer, value: asReading(zone, [...rrsets.values()]) };
    }
    if (isNothingNew) return changedMeanwhile(api.title, zone);
  }
  return unreadable(api.title, about);
}

function asReading(zone: DomainName, rrsets: readonly StoredRrset[]): ZoneReading {
  return readingOf(
    zone,
    rrsets.map((rrset) => ({
      name: rrset.rrset_name,
      type: rrset.rrset_type,
      ttlSeconds: rrset.rrset_ttl,
      values: rrset.rrset_values,
    })),
  );
}

async function carryOut(change: RrsetChange, zone: DomainName, api: Api): Promise<StepOutcome> {
  const { name, type, after } = change;
  const path = `${recordsPath(zone)}/${encodeURIComponent(formatName(name, zone))}/${type}`;
  const answer =
    after === undefined
      ? await api.write("DELETE", path)
      : await api.write("PUT", path, {
          rrset_ttl: after.ttlSeconds,
          rrset_values: after.data.map((data) => formatRdata(data)),
        });
  return answer.ok ? answer : { ...answer, isStale: after === undefined && answer.httpStatus === 404 };
}
