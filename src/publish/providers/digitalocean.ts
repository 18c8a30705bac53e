/**
 * DigitalOcean. Single records with ids, each written by a request of its own. Where one value takes the place of
 * another, the record is rewritten: so an RRset of one record changes at once.
 */
import { z } from "zod";
import { absolute, type DomainName } from "../../standards/dns/name.ts";
import { formatName, formatRdata } from "../../standards/dns/rdata-text.ts";
import { type Rdata, textToOctets, toCharacterStrings, txtText } from "../../standards/dns/record.ts";
import type { Capabilities, Provider, RrsetChange } from "../provider.ts";
import type { Secret } from "../secret.ts";
import { type Api, type ApiAnswer, type ApiMeans, changedMeanwhile, createApi, unreadable } from "./api.ts";
import { type StepOutcome, steppedProvider } from "./apply-steps.ts";
import { editsFor, type RecordRead, type RecordsReading, recordsReadingOf } from "./stored-records.ts";
import { dotted } from "./zone-reading.ts";

export interface DigitaloceanOptions extends ApiMeans {
  readonly token: Secret;
  readonly url?: string;
}

const PUBLIC_URL = "https://api.digitalocean.com/v2";
const PAGE_SIZE = 200;
const MAX_PAGES = 200;

const CAPABILITIES: Capabilities = {
  lacksTypes: ["TLSA", "HTTPS", "SVCB", "PTR", "DS", "DNAME", "SPF"],
  maxTxtOctets: 504,
  minTtlSeconds: 30,
  nullTargets: false,
  atomic: "record",
  compareAndSwap: "reader",
};

const number = z.int().nonnegative().nullish();
const recordSchema = z.object({
  id: z.int().nonnegative(),
  type: z.string(),
  name: z.string(),
  data: z.string().nullish(),
  ttl: z.int().nonnegative(),
  priority: number,
  weight: number,
  port: number,
  flags: number,
  tag: z.string().nullish(),
});
const pageSchema = z.object({
  domain_records: z.array(recordSchema),
  meta: z.object({ total: z.int().nonnegative() }),
});
type StoredRecord = z.output<typeof recordSchema>;
const complaintSchema = z.object({ id: z.string(), message: z.string() });

export function createDigitaloceanProvider({
  token,
  url = PUBLIC_URL,
  ...means
}: DigitaloceanOptions): Provider {
  const title = "DigitalOcean";
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
      needs: "a token with the scopes domain:read, domain:create, domain:update and domain:delete",
      complaintIn: (body) => complaintSchema.safeParse(body).data?.message,
    },
    means,
  );

  return steppedProvider({
    id: "digitalocean",
    title,
    capabilities: CAPABILITIES,
    lacks,
    read: (zone) => read(zone, api),
    steps: ({ zone, changes, reading }) =>
      changes.map((change) => ({ completes: [change], run: () => carryOut(change, zone, reading, api) })),
  });
}

function recordsPath(zone: DomainName): string {
  return `/domains/${encodeURIComponent(zone)}/records`;
}

async function read(zone: DomainName, api: Api): Promise<ApiAnswer<RecordsReading<number>>> {
  const records = new Map<number, StoredRecord>();
  const about = `the zone ${zone}`;
  let total: number | undefined;
  for (let page = 1; page <= MAX_PAGES; page++) {
    const path = `${recordsPath(zone)}?page=${page}&per_page=${PAGE_SIZE}`;
    const answer = await api.get(path, pageSchema, about);
    if (!answer.ok) return answer;
    const { domain_records: some, meta } = answer.value;
    total ??= meta.total;
    const before = records.size;
    for (const record of some) records.set(record.id, record);
    if (meta.total !== total || records.size > total) return changedMeanwhile(api.title, zone);
    if (records.size === total) {
      return { ...answer, value: recordsReadingOf(zone, [...records.values()].map(asRead)) };
    }
    if (some.length === 0 || records.size < before + some.length) return changedMeanwhile(api.title, zone);
  }
  return unreadable(api.title, about);
}

function asRead(record: StoredRecord): RecordRead<number> {
  const { id, name, type, ttl } = record;
  return { id, name, type, ttlSeconds: ttl, value: valueIn(record) };
}

/** Targets come without their final dot, and the zone itself as "@". */
function valueIn(record: StoredRecord): Rdata | string | undefined {
  const { type, data, priority, weight, port, flags, tag } = record;
  if (data === undefined || data === null) return undefined;
  const target = data === "@" ? data : dotted(data);
  switch (type) {
    case "MX":
      return `${priority ?? 0} ${target}`;
    case "SRV":
      return `${priority ?? 0} ${weight ?? 0} ${port ?? 0} ${target}`;
    case "CNAME":
    case "NS":
      return target;
    case "TXT":
      return { type, strings: toCharacterStrings(textToOctets(data)) };
    case "CAA":
      return `${flags ?? 0} ${tag ?? ""} ${quoted(data.replace(/\.$/, ""))}`;
    default:
      return data;
  }
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** By what others have met: nothing of this is documented. */
function lacks(data: Rdata): string | undefined {
  switch (data.type) {
    case "TXT": {
      const text = txtText(data);
      if (text === "") return "it stores no empty TXT";
      if (text.includes("\\")) return "its TXT cannot hold a backslash";
      return /^[\x20-\x7e]*$/.test(text) ? undefined : "its TXT holds ASCII alone";
    }
    case "CAA":
      return /\s/.test(data.value) ? "its CAA cannot hold spaces" : undefined;
    default:
      return undefined;
  }
}

interface Operation {
  readonly method: "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: object;
}

async function carryOut(
  change: RrsetChange,
  zone: DomainName,
  reading: RecordsReading<number>,
  api: Api,
): Promise<StepOutcome> {
  let isBegun = false;
  for (const { method, path, body } of operationsFor(change, zone, reading)) {
    const answer = await api.write(method, path, body);
    if (!answer.ok) {
      return {
        ...answer,
        mayHaveHappened: isBegun || answer.mayHaveHappened,
        isStale: answer.httpStatus === 404,
      };
    }
    isBegun = true;
  }
  return { ok: true };
}

function operationsFor(
  change: RrsetChange,
  zone: DomainName,
  reading: RecordsReading<number>,
): readonly Operation[] {
  const { remove, add, retime } = editsFor(change, reading);
  const all = recordsPath(zone);
  const body = (data: Rdata) => bodyOf(change, data, zone);
  const replaced = Math.min(remove.length, add.length);
  return [
    ...add
      .slice(0, replaced)
      .map((data, at) => ({ method: "PUT", path: `${all}/${remove[at]}`, body: body(data) }) as const),
    ...retime.map(({ id, data }) => ({ method: "PUT", path: `${all}/${id}`, body: body(data) }) as const),
    ...remove.slice(replaced).map((id) => ({ method: "DELETE", path: `${all}/${id}` }) as const),
    ...add.slice(replaced).map((data) => ({ method: "POST", path: all, body: body(data) }) as const),
  ];
}

function bodyOf({ name, type, after }: RrsetChange, data: Rdata, zone: DomainName): object {
  return { type, name: formatName(name, zone), ttl: after?.ttlSeconds, ...fieldsOf(data) };
}

function fieldsOf(data: Rdata): object {
  switch (data.type) {
    case "MX":
      return { data: absolute(data.exchange), priority: data.preference };
    case "SRV": {
      const { priority, weight, port, target } = data;
      return { data: absolute(target), priority, weight, port };
    }
    case "CNAME":
    case "NS":
      return { data: absolute(data.target) };
    case "TXT":
      return { data: txtText(data) };
    case "CAA": {
      const { flags, tag, value } = data;
      // Names of authorities have to end with a dot there, and come back without it.
      return { data: /^[\w.-]*\w$/.test(value) ? `${value}.` : value, flags, tag };
    }
    default:
      return { data: formatRdata(data) };
  }
}
