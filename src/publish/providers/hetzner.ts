/**
 * Hetzner's DNS, which is a part of its Cloud API. RRsets with data as in a zone file; records and TTL of an RRset are
 * changed by two requests. Changes are actions that have to be waited for.
 */
import { z } from "zod";
import type { DomainName } from "../../standards/dns/name.ts";
import { formatName, formatRdata, parseName } from "../../standards/dns/rdata-text.ts";
import { parseRecordType, type Rdata } from "../../standards/dns/record.ts";
import type { Capabilities, Provider, RrsetChange } from "../provider.ts";
import { hasSameData, rrsetKey, valueKey } from "../rrset.ts";
import type { Secret } from "../secret.ts";
import {
  type Api,
  type ApiAnswer,
  type ApiMeans,
  changedMeanwhile,
  createApi,
  failed,
  unreadable,
} from "./api.ts";
import { type StepOutcome, steppedProvider } from "./apply-steps.ts";
import { readingOf, understood, type ZoneReading } from "./zone-reading.ts";

export interface HetznerOptions extends ApiMeans {
  readonly token: Secret;
  readonly url?: string;
}

const PUBLIC_URL = "https://api.hetzner.cloud/v1";
const PAGE_SIZE = 50;
const MAX_PAGES = 200;
const ACTION_WAIT_MILLISECONDS = 500;
const MAX_ACTION_WAITS = 60;

const CAPABILITIES: Capabilities = {
  lacksTypes: ["DNAME", "SPF"],
  minTtlSeconds: 60,
  atomic: "rrset",
  compareAndSwap: "reader",
};

const zoneSchema = z.object({ zone: z.object({ ttl: z.int().nonnegative() }) });
const rrsetSchema = z.object({
  name: z.string(),
  type: z.string(),
  ttl: z.int().nonnegative().nullable(),
  records: z.array(z.object({ value: z.string(), comment: z.string().nullish() })),
});
const pageSchema = z.object({
  rrsets: z.array(rrsetSchema),
  meta: z.object({
    pagination: z.object({ next_page: z.int().nullable(), total_entries: z.int().nullish() }),
  }),
});
type StoredRrset = z.output<typeof rrsetSchema>;
const actionSchema = z.object({
  action: z.object({
    id: z.int(),
    status: z.enum(["running", "success", "error"]),
    error: z.object({ code: z.string(), message: z.string() }).nullish(),
  }),
});
const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

interface Reading extends ZoneReading {
  /** Comments of records, by the key of their RRset and that of their value. */
  readonly comments: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

interface Hetzner {
  readonly api: Api;
  readonly sleep: ApiMeans["sleep"];
}

export function createHetznerProvider({ token, url = PUBLIC_URL, ...means }: HetznerOptions): Provider {
  const title = "Hetzner";
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
      needs: "a token of the zone's Cloud project with the right to read and write",
      complaintIn: (body) => {
        const error = errorSchema.safeParse(body).data?.error;
        return error === undefined ? undefined : `${error.message} (${error.code})`;
      },
      causeOf: (_httpStatus, body) =>
        errorSchema.safeParse(body).data?.error.code === "rate_limit_exceeded" ? "rate-limited" : undefined,
    },
    means,
  );
  const hetzner = { api, sleep: means.sleep };

  return steppedProvider({
    id: "hetzner",
    title,
    capabilities: CAPABILITIES,
    read: (zone) => read(zone, api),
    steps: ({ zone, changes, reading }) =>
      changes.map((change) => ({
        completes: [change],
        run: () => carryOut(change, zone, reading, hetzner),
      })),
  });
}

function zonePath(zone: DomainName): string {
  return `/zones/${encodeURIComponent(zone)}`;
}

async function read(zone: DomainName, api: Api): Promise<ApiAnswer<Reading>> {
  const about = `the zone ${zone}`;
  const holder = await api.get(zonePath(zone), zoneSchema, about);
  if (!holder.ok) return holder;
  const rrsets = new Map<string, StoredRrset>();
  let total: number | undefined;
  for (let page = 1; page <= MAX_PAGES; page++) {
    const path = `${zonePath(zone)}/rrsets?page=${page}&per_page=${PAGE_SIZE}`;
    const answer = await api.get(path, pageSchema, about);
    if (!answer.ok) return answer;
    const { rrsets: some, meta } = answer.value;
    const { next_page: next, total_entries } = meta.pagination;
    const before = rrsets.size;
    for (const rrset of some) rrsets.set(`${rrset.name} ${rrset.type}`, rrset);
    total ??= total_entries ?? undefined;
    const isRepeated = rrsets.size < before + some.length;
    if (isRepeated || (total_entries ?? total) !== total) return changedMeanwhile(api.title, zone);
    if (next !== null) continue;
    if (total !== undefined && rrsets.size !== total) return changedMeanwhile(api.title, zone);
    return { ...answer, value: asReading(zone, [...rrsets.values()], holder.value.zone.ttl) };
  }
  return unreadable(api.title, about);
}

function asReading(zone: DomainName, rrsets: readonly StoredRrset[], defaultTtl: number): Reading {
  const comments = new Map<string, ReadonlyMap<string, string>>();
  for (const { name: nameText, type: typeText, records } of rrsets) {
    const name = parseName(nameText, zone);
    const type = parseRecordType(typeText);
    if (!name.ok || type === undefined) continue;
    const found = records.flatMap(({ value, comment }): [string, string][] => {
      const data = understood(type, value, zone);
      return data === undefined || !comment ? [] : [[valueKey(data), comment]];
    });
    if (found.length > 0) comments.set(rrsetKey({ name: name.value, type }), new Map(found));
  }
  const reading = readingOf(
    zone,
    rrsets.map(({ name, type, ttl, records }) => ({
      name,
      type,
      ttlSeconds: ttl ?? defaultTtl,
      values: records.map(({ value }) => value),
    })),
  );
  return { ...reading, comments };
}

async function carryOut(
  change: RrsetChange,
  zone: DomainName,
  { content, comments }: Reading,
  hetzner: Hetzner,
): Promise<StepOutcome> {
  const { name, type, after } = change;
  const owner = formatName(name, zone);
  const all = `${zonePath(zone)}/rrsets`;
  const one = `${all}/${encodeURIComponent(owner)}/${type}`;
  if (after === undefined) return act("DELETE", one, undefined, hetzner);
  const known = comments.get(rrsetKey(change));
  const records = after.data.map((data) => recordOf(data, known?.get(valueKey(data))));
  const present = content.rrsets.find((rrset) => rrsetKey(rrset) === rrsetKey(change));
  if (present === undefined) {
    return act("POST", all, { name: owner, type, ttl: after.ttlSeconds, records }, hetzner);
  }
  const hasNewData = !hasSameData(present, after);
  if (hasNewData) {
    const outcome = await act("POST", `${one}/actions/set_records`, { records }, hetzner);
    if (!outcome.ok) return outcome;
  }
  if (present.ttlSeconds === after.ttlSeconds) return { ok: true };
  const outcome = await act("POST", `${one}/actions/change_ttl`, { ttl: after.ttlSeconds }, hetzner);
  return outcome.ok ? outcome : { ...outcome, mayHaveHappened: hasNewData || outcome.mayHaveHappened };
}

function recordOf(data: Rdata, comment: string | undefined): object {
  return comment === undefined ? { value: formatRdata(data) } : { value: formatRdata(data), comment };
}

/** One request, and its end awaited: what follows is read and written on top of it. */
async function act(
  method: "POST" | "DELETE",
  path: string,
  body: object | undefined,
  { api, sleep }: Hetzner,
): Promise<StepOutcome> {
  const answer = await api.write(method, path, body);
  if (!answer.ok) {
    const code = errorSchema.safeParse(answer.body).data?.error.code;
    return { ...answer, isStale: answer.httpStatus === 404 || code === "uniqueness_error" };
  }
  const begun = actionSchema.safeParse(answer.value).data;
  if (begun === undefined)
    return { ...unreadable(api.title, "what was to be changed"), mayHaveHappened: true };
  let { action } = begun;
  for (let waits = 0; action.status === "running" && waits < MAX_ACTION_WAITS; waits++) {
    await sleep(ACTION_WAIT_MILLISECONDS);
    const look = await api.get(`/actions/${action.id}`, actionSchema, "the action that was begun");
    if (!look.ok) return { ...look, mayHaveHappened: true };
    action = look.value.action;
  }
  if (action.status === "success") return { ok: true };
  const detail =
    action.status === "running"
      ? `${api.title} has not finished the change after ${(ACTION_WAIT_MILLISECONDS * MAX_ACTION_WAITS) / 1000} s.`
      : `${api.title} began the change and failed (${action.error?.code ?? "without a reason"}).`;
  return { ok: false, failure: failed("provider-error", detail), mayHaveHappened: true };
}
