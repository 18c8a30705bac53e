/** Cloudflare's API, as far as zones and their records go; pages are small. */
import { type ApiReply, type ApiServer, pageOf, startApiServer } from "./api-server.ts";

export interface CloudflareRecord {
  id: string;
  name: string;
  type: string;
  ttl: number;
  content?: string;
  priority?: number;
  data?: Record<string, unknown>;
  proxied?: boolean;
  comment?: string | null;
}

export interface CloudflareApi extends ApiServer {
  readonly records: CloudflareRecord[];
}

const ZONE_ID = "023e105f4ecef8ad9ca31a8372d0c353";
const MOST_PER_PAGE = 7;

const refusal = (status: number, code: number, message: string): ApiReply => ({
  status,
  body: { success: false, errors: [{ code, message }], messages: [], result: null },
});
const result = (value: unknown, info?: object): ApiReply => ({
  status: 200,
  body: { success: true, errors: [], messages: [], result: value, ...(info ? { result_info: info } : {}) },
});

interface Batch {
  deletes?: { id: string }[];
  patches?: (Partial<CloudflareRecord> & { id: string })[];
  posts?: Omit<CloudflareRecord, "id">[];
}

export async function startCloudflareApi(token: string, zone: string): Promise<CloudflareApi> {
  const records: CloudflareRecord[] = [];
  let made = 0;
  /** What it makes of what it is given. */
  const stored = (record: Omit<CloudflareRecord, "id">): CloudflareRecord | ApiReply => {
    const id = (made++).toString(16).padStart(32, "0");
    const { type, content, data } = record;
    if (!record.name.endsWith(zone))
      return refusal(400, 9005, "Content for this name is outside of the zone");
    if (content?.endsWith(".") && content !== ".") return refusal(400, 9005, "Content ends with a dot");
    switch (type) {
      case "TXT": {
        if (content === undefined || content === "") return refusal(400, 9005, "Content is required");
        return { ...record, id, content: content.startsWith('"') ? content : `"${content}"` };
      }
      case "MX":
        if (record.priority === undefined) return refusal(400, 9100, "priority is a required field");
        return { ...record, id };
      case "SRV":
        return { ...record, id, content: `${data!["weight"]}\t${data!["port"]}\t${data!["target"]}` };
      case "CAA":
        return { ...record, id, content: `${data!["flags"]} ${data!["tag"]} "${data!["value"]}"` };
      case "TLSA":
        return { ...record, id, content: Object.values(data!).join(" ") };
      default:
        return content === undefined ? refusal(400, 9005, "Content is required") : { ...record, id };
    }
  };

  const runBatch = ({ deletes = [], patches = [], posts = [] }: Batch): ApiReply => {
    if (deletes.length + patches.length + posts.length > 200) {
      return refusal(400, 81064, "Too many changes in one batch");
    }
    let copy = records.map((record) => ({ ...record }));
    for (const { id } of deletes) {
      if (!copy.some((each) => each.id === id)) return refusal(404, 81044, "Record does not exist.");
      copy = copy.filter((each) => each.id !== id);
    }
    for (const patch of patches) {
      const found = copy.find((each) => each.id === patch.id);
      if (found === undefined) return refusal(404, 81044, "Record does not exist.");
      Object.assign(found, patch);
    }
    for (const post of posts) {
      const record = stored(post);
      if (!("id" in record)) return record;
      const beside = copy.filter((each) => each.name === record.name);
      if (
        beside.some(
          (each) =>
            each.type === record.type && each.content === record.content && each.priority === record.priority,
        )
      ) {
        return refusal(400, 81058, "An identical record already exists.");
      }
      if (beside.some((each) => (each.type === "CNAME") !== (record.type === "CNAME"))) {
        return refusal(400, 81053, "An A, AAAA, or CNAME record with that host already exists.");
      }
      copy.push(record);
    }
    records.splice(0, records.length, ...copy);
    return result({ deletes, patches, posts });
  };

  const server = await startApiServer(({ method, url, segments, headers, body }) => {
    if (headers["authorization"] !== `Bearer ${token}`) return refusal(403, 9109, "Invalid access token");
    const [root, id, kind, action] = segments;
    if (root !== "zones") return refusal(404, 7000, "No route for that URI");
    if (id === undefined) {
      const found = url.searchParams.get("name") === zone;
      return result(found ? [{ id: ZONE_ID, name: zone, status: "active" }] : [], { total_count: 1 });
    }
    if (id !== ZONE_ID || kind !== "dns_records") return refusal(404, 7003, "Could not route");
    if (method === "POST" && action === "batch") return runBatch(JSON.parse(body) as Batch);
    if (method !== "GET") return refusal(405, 10405, "Method not allowed");
    const page = Number(url.searchParams.get("page") ?? 1);
    const size = Math.min(Number(url.searchParams.get("per_page") ?? 100), MOST_PER_PAGE);
    const { items, pages } = pageOf(records, page, size);
    return result(items, {
      page,
      per_page: size,
      count: items.length,
      total_count: records.length,
      total_pages: pages,
    });
  });
  return { ...server, records };
}
