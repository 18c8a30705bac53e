/**
 * Cloudflare. Records are single ones with ids; a batch of them is one transaction of its database, so all changes of
 * one call happen together. Values that stay keep their ids, comments, and whether Cloudflare stands in front of them.
 */
import { z } from "zod";
import { type DomainName, ROOT } from "../../standards/dns/name.ts";
import { formatRdata } from "../../standards/dns/rdata-text.ts";
import { type Rdata, textToOctets, toCharacterStrings } from "../../standards/dns/record.ts";
import type { Capabilities, FailureCause, Provider, RrsetChange } from "../provider.ts";
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
import { editsFor, type RecordRead, type RecordsReading, recordsReadingOf } from "./stored-records.ts";
import { dotted } from "./zone-reading.ts";

export interface CloudflareOptions extends ApiMeans {
  readonly token: Secret;
  readonly url?: string;
}

const PUBLIC_URL = "https://api.cloudflare.com/client/v4";
const PAGE_SIZE = 500;
const MAX_PAGES = 200;
/** Of one batch, on the smallest plan. */
const MAX_OPERATIONS = 200;
/** TTL 1 stands for "automatic", which is this. */
const AUTOMATIC_TTL_SECONDS = 300;

const CAPABILITIES: Capabilities = {
  lacksTypes: ["DNAME", "SPF"],
  maxTxtOctets: 4080,
  minTtlSeconds: 60,
  atomic: "call",
  compareAndSwap: "reader",
};

const zonesSchema = z.object({
  result: z.array(
    z.object({ id: z.string().regex(/^\w+$/), name: z.string(), status: z.string().optional() }),
  ),
});
const recordSchema = z.object({
  id: z.string().regex(/^\w+$/),
  name: z.string(),
  type: z.string(),
  content: z.string().optional(),
  ttl: z.int().nonnegative(),
  priority: z.int().nonnegative().nullish(),
  proxied: z.boolean().nullish(),
  data: z.unknown().optional(),
});
const recordsSchema = z.object({
  result: z.array(recordSchema),
  result_info: z.object({ total_count: z.int().nonnegative() }),
});
interface Reading extends RecordsReading<string> {
  readonly zoneId: string;
}

type StoredRecord = z.output<typeof recordSchema>;
const doneSchema = z.object({ success: z.literal(true) });
const errorsSchema = z.object({ errors: z.array(z.object({ code: z.int(), message: z.string() })) });

const number = z.coerce.number().int().nonnegative();
const srvSchema = z.object({ priority: number, weight: number, port: number, target: z.string() });
const caaSchema = z.object({
  flags: number.max(255),
  tag: z.string().regex(/^[A-Za-z0-9]+$/),
  value: z.string(),
});
const tlsaSchema = z.object({
  usage: number,
  selector: number,
  matching_type: number,
  certificate: z.string(),
});
const svcbSchema = z.object({ priority: number, target: z.string(), value: z.string() });

/** Codes that say more than the HTTP status. */
const CAUSES: ReadonlyMap<number, FailureCause> = new Map<number, FailureCause>([
  [6003, "credentials"], // headers that are no headers of theirs, such as a token of another form
  [6111, "credentials"],
  [9103, "credentials"],
  [9106, "credentials"],
  [9109, "credentials"],
  [10000, "credentials"],
  [10001, "credentials"],
  [7003, "no-zone"],
  [10013, "rate-limited"],
  [971, "rate-limited"],
]);
/** No such record any more; such a record by now. */
const STALE_CODES: ReadonlySet<number> = new Set([81044, 81057, 81058]);

export function createCloudflareProvider({ token, url = PUBLIC_URL, ...means }: CloudflareOptions): Provider {
  const title = "Cloudflare";
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
      needs: "a token with the rights Zone → Zone → Read and Zone → DNS → Edit for this zone",
      complaintIn: (body) =>
        errorsSchema
          .safeParse(body)
          .data?.errors.map(({ code, message }) => `${message} (${code})`)
          .join("; "),
      causeOf: (_httpStatus, body) =>
        codesIn(body)
          .map((code) => CAUSES.get(code))
          .find((cause) => cause !== undefined),
    },
    means,
  );
  const idOf = async (zone: DomainName): Promise<ApiAnswer<string>> => {
    const answer = await api.get(`/zones?name=${encodeURIComponent(zone)}`, zonesSchema, `the zone ${zone}`);
    if (!answer.ok) return answer;
    const mine = answer.value.result.filter(({ name }) => name.toLowerCase() === zone);
    const [found] = [...mine.filter(({ status }) => status === "active"), ...mine];
    if (found !== undefined) return { ...answer, value: found.id };
    const detail = `${title} shows no zone ${zone} to this token: it is in another account, or the token lacks the right Zone → Zone → Read for it.`;
    return { ok: false, failure: failed("no-zone", detail), mayHaveHappened: false };
  };

  const read = async (zone: DomainName): Promise<ApiAnswer<Reading>> => {
    const id = await idOf(zone);
    if (!id.ok) return id;
    const records = await allRecords(api, id.value, zone);
    if (!records.ok) return records;
    return { ...records, value: { zoneId: id.value, ...recordsReadingOf(zone, records.value.map(asRead)) } };
  };

  return steppedProvider({
    id: "cloudflare",
    title,
    capabilities: CAPABILITIES,
    read: (zone) => read(zone),
    steps: ({ changes, reading }) => [{ completes: changes, run: () => sendBatch(api, changes, reading) }],
  });
}

/** Half a zone is never taken for the whole: what comes is counted, and the count has to stay the same. */
async function allRecords(api: Api, zoneId: string, zone: DomainName): Promise<ApiAnswer<StoredRecord[]>> {
  const records = new Map<string, StoredRecord>();
  const about = `the records of ${zone}`;
  let total: number | undefined;
  for (let page = 1; page <= MAX_PAGES; page++) {
    const path = `/zones/${zoneId}/dns_records?per_page=${PAGE_SIZE}&page=${page}`;
    const answer = await api.get(path, recordsSchema, about);
    if (!answer.ok) return answer;
    const { result, result_info: info } = answer.value;
    total ??= info.total_count;
    const before = records.size;
    for (const record of result) records.set(record.id, record);
    if (info.total_count !== total || records.size > total) return changedMeanwhile(api.title, zone);
    if (records.size === total) return { ...answer, value: [...records.values()] };
    if (records.size < before + result.length || result.length === 0)
      return changedMeanwhile(api.title, zone);
  }
  return unreadable(api.title, about);
}

function asRead(record: StoredRecord): RecordRead<string> {
  const { id, name, type, ttl, proxied } = record;
  return {
    id,
    name: dotted(name),
    type,
    ttlSeconds: ttl === 1 ? AUTOMATIC_TTL_SECONDS : ttl,
    hasFixedTtl: proxied === true,
    value: valueIn(record),
  };
}

function valueIn({ type, content, priority, data }: StoredRecord): Rdata | string | undefined {
  switch (type) {
    case "MX":
      return content === undefined ? undefined : `${priority ?? 0} ${dotted(content)}`;
    case "CNAME":
    case "NS":
    case "PTR":
      return content === undefined ? undefined : dotted(content);
    case "TXT":
      return content === undefined ? undefined : txtOf(content);
    case "SRV": {
      const srv = srvSchema.safeParse(data).data;
      if (srv !== undefined) return `${srv.priority} ${srv.weight} ${srv.port} ${dotted(srv.target)}`;
      return content === undefined ? undefined : `${priority ?? 0} ${dotted(content)}`;
    }
    case "CAA": {
      const caa = caaSchema.safeParse(data).data;
      return caa === undefined ? content : { type, ...caa, value: textToOctets(caa.value) };
    }
    case "TLSA": {
      const tlsa = tlsaSchema.safeParse(data).data;
      if (tlsa === undefined) return content;
      return `${tlsa.usage} ${tlsa.selector} ${tlsa.matching_type} ${tlsa.certificate}`;
    }
    case "HTTPS":
    case "SVCB": {
      const svcb = svcbSchema.safeParse(data).data;
      return svcb === undefined ? content : `${svcb.priority} ${dotted(svcb.target)} ${svcb.value}`;
    }
    default:
      return content;
  }
}

/** Quoted strings, as in a zone file; records of older days are one text without quotes. */
function txtOf(content: string): Rdata | string {
  return /^".*"$/s.test(content)
    ? content
    : { type: "TXT", strings: toCharacterStrings(textToOctets(content)) };
}

async function sendBatch(api: Api, changes: readonly RrsetChange[], reading: Reading): Promise<StepOutcome> {
  const edits = changes.map((change) => ({ change, ...editsFor(change, reading) }));
  const batch = {
    deletes: edits.flatMap(({ remove }) => remove.map((id) => ({ id }))),
    patches: edits.flatMap(({ change, retime }) =>
      retime.map(({ id }) => ({ id, ttl: change.after?.ttlSeconds })),
    ),
    posts: edits.flatMap(({ change, add }) => add.map((data) => recordOf(change, data))),
  };
  const count = batch.deletes.length + batch.patches.length + batch.posts.length;
  if (count === 0) return { ok: true };
  if (count > MAX_OPERATIONS) {
    const detail = `${api.title} takes ${MAX_OPERATIONS} changes of records at a time, and these are ${count}. Make fewer at a time.`;
    return { ok: false, failure: failed("refused", detail), mayHaveHappened: false };
  }
  const answer = await api.write("POST", `/zones/${reading.zoneId}/dns_records/batch`, batch);
  if (answer.ok) {
    if (doneSchema.safeParse(answer.value).success) return answer;
    return { ...unreadable(api.title, "what was to be changed"), mayHaveHappened: true };
  }
  return { ...answer, isStale: codesIn(answer.body).some((code) => STALE_CODES.has(code)) };
}

function codesIn(body: unknown): number[] {
  return errorsSchema.safeParse(body).data?.errors.map(({ code }) => code) ?? [];
}

function recordOf({ name, type, after }: RrsetChange, data: Rdata): object {
  return { name, type, ttl: after?.ttlSeconds, ...contentOf(data) };
}

function contentOf(data: Rdata): object {
  switch (data.type) {
    case "MX":
      return { content: target(data.exchange), priority: data.preference };
    case "CNAME":
    case "NS":
    case "PTR":
      return { content: target(data.target) };
    case "SRV": {
      const { priority, weight, port } = data;
      return { data: { priority, weight, port, target: target(data.target) } };
    }
    case "CAA": {
      const { flags, tag, value } = data;
      return { data: { flags, tag, value } };
    }
    case "TLSA": {
      const certificate = Buffer.from(data.associationData).toString("hex");
      const { usage, tlsaSelector: selector, matchingType } = data;
      return { data: { usage, selector, matching_type: matchingType, certificate } };
    }
    case "DS": {
      const { keyTag, algorithm, digestType, digest } = data;
      const hex = Buffer.from(digest).toString("hex");
      return { data: { key_tag: keyTag, algorithm, digest_type: digestType, digest: hex } };
    }
    case "HTTPS":
    case "SVCB": {
      const value = formatRdata(data).split(" ").slice(2).join(" ");
      return { data: { priority: data.priority, target: target(data.target), value } };
    }
    default:
      return { content: formatRdata(data) };
  }
}

function target(name: DomainName): string {
  return name === ROOT ? "." : name;
}
