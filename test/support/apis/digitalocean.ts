/** DigitalOcean's API, as far as domains and their records go; pages are small. */
import { type ApiReply, type ApiServer, pageOf, startApiServer } from "./api-server.ts";

export interface DigitaloceanRecord {
  id: number;
  type: string;
  name: string;
  data: string;
  ttl: number;
  priority: number | null;
  port: number | null;
  weight: number | null;
  flags: number | null;
  tag: string | null;
}

export interface DigitaloceanApi extends ApiServer {
  readonly records: DigitaloceanRecord[];
}

const MOST_PER_PAGE = 7;
const NONE = { priority: null, port: null, weight: null, flags: null, tag: null };
const problem = (status: number, id: string, message: string): ApiReply => ({
  status,
  body: { id, message, request_id: "4d9d8375-3c56-4925-a3e7-eb137fed17e9" },
});

export async function startDigitaloceanApi(token: string, zone: string): Promise<DigitaloceanApi> {
  const records: DigitaloceanRecord[] = [
    { id: 1, type: "SOA", name: "@", data: "1800", ttl: 1800, ...NONE },
    { id: 2, type: "NS", name: "@", data: "ns1.digitalocean.com", ttl: 1800, ...NONE },
  ];
  let made = 2;
  const stored = (input: Partial<DigitaloceanRecord>, id: number): DigitaloceanRecord | ApiReply => {
    const { type = "", data = "", name = "", ttl = 1800 } = input;
    const unprocessable = (message: string) => problem(422, "unprocessable_entity", message);
    if (name.endsWith(zone) || name === "") return unprocessable("Name is not relative.");
    if (!/^(?:A|AAAA|CAA|CNAME|MX|NS|SRV|TXT)$/.test(type)) return unprocessable("Type is not supported.");
    if (ttl < 30) return unprocessable("TTL must be at least 30.");
    const record = { ...NONE, ...input, id, type, name, ttl };
    const isTarget = /^(?:CNAME|MX|NS|SRV)$/.test(type) || (type === "CAA" && input.tag === "issue");
    if (type === "TXT") {
      if (data.includes("\\") || data === "" || data.length > 504) return unprocessable("Data is invalid.");
      return { ...record, data };
    }
    if (!isTarget) return { ...record, data };
    if (!data.endsWith(".")) return unprocessable("Data needs to end with a dot (.)");
    return { ...record, data: data === `${zone}.` ? "@" : data.slice(0, -1) };
  };

  const server = await startApiServer(({ method, url, segments, headers, body }): ApiReply => {
    if (headers["authorization"] !== `Bearer ${token}`) {
      return problem(401, "unauthorized", "Unable to authenticate you");
    }
    const [domains, domain, kind, id] = segments;
    const missing = problem(404, "not_found", "The resource you were accessing could not be found.");
    if (domains !== "domains" || domain !== zone || kind !== "records") return missing;
    const at = records.findIndex((each) => each.id === Number(id));
    switch (method) {
      case "GET": {
        const page = Number(url.searchParams.get("page") ?? 1);
        const size = Math.min(Number(url.searchParams.get("per_page") ?? 20), MOST_PER_PAGE);
        const { items, pages } = pageOf(records, page, size);
        const links =
          page < pages ? { pages: { next: `https://api.digitalocean.com/?page=${page + 1}` } } : {};
        return { status: 200, body: { domain_records: items, links, meta: { total: records.length } } };
      }
      case "POST": {
        const record = stored(JSON.parse(body) as Partial<DigitaloceanRecord>, ++made);
        if (!("id" in record)) return record;
        const beside = records.filter((each) => each.name === record.name);
        if (beside.some((each) => (each.type === "CNAME") !== (record.type === "CNAME"))) {
          return problem(422, "unprocessable_entity", "CNAME records cannot share a name.");
        }
        records.push(record);
        return { status: 201, body: { domain_record: record } };
      }
      case "PUT": {
        if (at < 0) return missing;
        const record = stored(JSON.parse(body) as Partial<DigitaloceanRecord>, Number(id));
        if (!("id" in record)) return record;
        records[at] = record;
        return { status: 200, body: { domain_record: record } };
      }
      case "DELETE":
        if (at < 0) return missing;
        records.splice(at, 1);
        return { status: 204 };
      default:
        return problem(405, "method_not_allowed", "not here");
    }
  });
  return { ...server, records };
}
