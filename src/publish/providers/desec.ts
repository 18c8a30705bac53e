/**
 * deSEC. RRsets with data as in a zone file; one PATCH of several RRsets is one transaction. It signs by itself, and
 * shows nothing of that.
 */
import { z } from "zod";
import type { DomainName } from "../../standards/dns/name.ts";
import { formatName, formatRdata } from "../../standards/dns/rdata-text.ts";
import type { Capabilities, Provider, RrsetChange } from "../provider.ts";
import type { Secret } from "../secret.ts";
import { type Api, type ApiAnswer, type ApiMeans, changedMeanwhile, createApi, unreadable } from "./api.ts";
import { steppedProvider } from "./apply-steps.ts";
import { readingOf, type ZoneReading } from "./zone-reading.ts";

export interface DesecOptions extends ApiMeans {
  readonly token: Secret;
  readonly url?: string;
}

const PUBLIC_URL = "https://desec.io/api/v1";
const MAX_PAGES = 200;

const CAPABILITIES: Capabilities = {
  lacksTypes: [],
  minTtlSeconds: 3600,
  atomic: "call",
  compareAndSwap: "reader",
};

const rrsetsSchema = z.array(
  z.object({
    subname: z.string(),
    type: z.string(),
    ttl: z.int().nonnegative(),
    records: z.array(z.string()),
  }),
);
type StoredRrset = z.output<typeof rrsetsSchema>[number];

export function createDesecProvider({ token, url = PUBLIC_URL, ...means }: DesecOptions): Provider {
  const title = "deSEC";
  const api = createApi(
    {
      title,
      baseUrl: url,
      secrets: [token],
      headers: () => ({
        accept: "application/json",
        "content-type": "application/json",
        authorization: `Token ${token.reveal()}`,
      }),
      needs: "a token whose policies let it read and write the RRsets of this domain",
      complaintIn,
    },
    means,
  );

  const read = async (zone: DomainName): Promise<ApiAnswer<ZoneReading>> => {
    const rrsets = await allRrsets(api, zone);
    if (!rrsets.ok) return rrsets;
    const values = rrsets.value.map(({ subname, type, ttl, records }) => ({
      name: subname === "" ? "@" : subname,
      type,
      ttlSeconds: ttl,
      values: records,
    }));
    return { ...rrsets, value: readingOf(zone, values) };
  };

  return steppedProvider({
    id: "desec",
    title,
    capabilities: CAPABILITIES,
    read: (zone) => read(zone),
    steps: ({ zone, changes }) => [
      {
        completes: changes,
        run: () =>
          api.write(
            "PATCH",
            rrsetsPath(zone),
            changes.map((change) => patchOf(change, zone)),
          ),
      },
    ],
  });
}

function rrsetsPath(zone: DomainName): string {
  return `/domains/${encodeURIComponent(zone)}/rrsets/`;
}

/** An empty cursor asks for pages from the first request on; without it a large zone is refused. */
async function allRrsets(api: Api, zone: DomainName): Promise<ApiAnswer<StoredRrset[]>> {
  const rrsets: StoredRrset[] = [];
  const about = `the zone ${zone}`;
  let path = `${rrsetsPath(zone)}?cursor=`;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await api.get(path, rrsetsSchema, about);
    if (!answer.ok) return answer;
    rrsets.push(...answer.value);
    const cursor = nextCursor(answer.headers["link"]);
    if (cursor === undefined) {
      const keys = new Set(rrsets.map(({ subname, type }) => `${subname} ${type}`));
      return keys.size < rrsets.length ? changedMeanwhile(api.title, zone) : { ...answer, value: rrsets };
    }
    path = `${rrsetsPath(zone)}?cursor=${encodeURIComponent(cursor)}`;
  }
  return unreadable(api.title, about);
}

/** The address of the next page is not followed, only its cursor: the token goes to nobody else. */
function nextCursor(link: string | undefined): string | undefined {
  for (const part of (link ?? "").split(",")) {
    const [, target = ""] = /^\s*<([^>]*)>\s*;.*\brel="?next"?/.exec(part) ?? [];
    if (URL.canParse(target)) return new URL(target).searchParams.get("cursor") ?? undefined;
  }
  return undefined;
}

/** No records: it is to go. */
function patchOf({ name, type, before, after }: RrsetChange, zone: DomainName): object {
  const subname = formatName(name, zone);
  return {
    subname: subname === "@" ? "" : subname,
    type,
    ttl: (after ?? before)?.ttlSeconds,
    records: (after?.data ?? []).map((data) => formatRdata(data)),
  };
}

const MAX_DEPTH = 4;

/** `{detail: …}`, or what is wrong with each field of each RRset, in lists within lists. */
function complaintIn(body: unknown, depth = 0): string | undefined {
  if (typeof body === "string") return body;
  if (body === null || typeof body !== "object" || depth > MAX_DEPTH) return undefined;
  const parts = Array.isArray(body)
    ? body.slice(0, 500).map((each) => complaintIn(each, depth + 1))
    : Object.entries(body).map(([field, value]) => {
        const words = complaintIn(value, depth + 1);
        return words === undefined || /^(?:detail|non_field_errors)$/.test(field)
          ? words
          : `${field}: ${words}`;
      });
  const said = parts.filter((words) => words !== undefined && words !== "");
  return said.length === 0 ? undefined : said.join("; ");
}
