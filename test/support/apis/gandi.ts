/** Gandi's LiveDNS, as far as records go; pages are small. */
import { type ApiReply, type ApiServer, pageOf, startApiServer } from "./api-server.ts";

export interface GandiRrset {
  rrset_name: string;
  rrset_type: string;
  rrset_ttl: number;
  rrset_values: string[];
}

export interface GandiApi extends ApiServer {
  readonly rrsets: GandiRrset[];
  /** `false`: all at once, whatever is asked for, and not counted. */
  hasPages: boolean;
}

const MOST_PER_PAGE = 7;
const problem = (status: number, object: string, message: string): ApiReply => ({
  status,
  body: { code: status, object, message, cause: object.replace("HTTP", "") },
});
const invalid = (name: string, description: string): ApiReply => ({
  status: 400,
  body: { status: "error", errors: [{ location: "body", name, description }] },
});

export async function startGandiApi(token: string, zone: string): Promise<GandiApi> {
  const rrsets: GandiRrset[] = [];
  const put = (rrset: GandiRrset, at: number): ApiReply => {
    if (rrset.rrset_ttl < 300) return invalid("rrset_ttl", "300 is less than minimum value 300");
    const { rrset_name: name, rrset_type: type } = rrset;
    const isBad = (value: string) => type === "TXT" && value.includes(" ") && !value.startsWith('"');
    if (rrset.rrset_values.some(isBad)) return invalid("rrset_values", "invalid TXT");
    const beside = rrsets.filter((each) => each.rrset_name === name && each.rrset_type !== type);
    if (beside.some((each) => (each.rrset_type === "CNAME") !== (type === "CNAME"))) {
      return problem(409, "HTTPConflict", "A CNAME record already exists");
    }
    if (at >= 0) rrsets.splice(at, 1);
    rrsets.push(rrset);
    return { status: 201, body: { message: "DNS Record Created" } };
  };

  const server = await startApiServer(({ method, url, segments, headers, body }): ApiReply => {
    if (headers["authorization"] !== `Bearer ${token}`) {
      return problem(401, "HTTPUnauthorized", "The server could not verify that you authorized");
    }
    const [domains, domain, records, name, type] = segments;
    if (domains !== "domains" || records !== "records" || domain !== zone) {
      return problem(404, "HTTPNotFound", "The resource could not be found.");
    }
    if (name === undefined) {
      if (method !== "GET") return problem(405, "HTTPMethodNotAllowed", "not here");
      if (!state.hasPages) return { status: 200, body: rrsets };
      const size = Math.min(Number(url.searchParams.get("per_page") ?? 100), MOST_PER_PAGE);
      const { items } = pageOf(rrsets, Number(url.searchParams.get("page") ?? 1), size);
      return { status: 200, headers: { "total-count": String(rrsets.length) }, body: items };
    }
    const at = rrsets.findIndex((each) => each.rrset_name === name && each.rrset_type === type);
    if (method === "PUT") {
      const input = JSON.parse(body) as GandiRrset;
      return put({ ...input, rrset_name: name, rrset_type: type! }, at);
    }
    if (at < 0) return problem(404, "HTTPNotFound", "Can't find the DNS record");
    if (method !== "DELETE") return problem(405, "HTTPMethodNotAllowed", "not here");
    rrsets.splice(at, 1);
    return { status: 204 };
  });
  const state: GandiApi = { ...server, rrsets, hasPages: true };
  return state;
}
