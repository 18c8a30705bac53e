/** Hetzner's Cloud API, as far as zones and RRsets go; pages are small, and each action takes its time. */
import { type ApiReply, type ApiServer, pageOf, startApiServer } from "./api-server.ts";

export interface HetznerRrset {
  name: string;
  type: string;
  ttl: number | null;
  records: { value: string; comment?: string }[];
}

export interface HetznerApi extends ApiServer {
  readonly rrsets: HetznerRrset[];
  /** What becomes of the actions begun from now on. */
  actionsEnd: "success" | "error" | "never";
}

const MOST_PER_PAGE = 7;
const problem = (status: number, code: string, message: string): ApiReply => ({
  status,
  body: { error: { code, message, details: null } },
});

export async function startHetznerApi(token: string, zone: string): Promise<HetznerApi> {
  const rrsets: HetznerRrset[] = [
    { name: "@", type: "SOA", ttl: null, records: [{ value: `ns. hostmaster. 7 86400 10800 3600000 3600` }] },
    { name: "@", type: "NS", ttl: null, records: [{ value: "hydrogen.ns.hetzner.com." }] },
  ];
  const looks: number[] = [];
  const begun = (): ApiReply => {
    looks.push(0);
    return { status: 201, body: { action: { id: looks.length, status: "running", error: null } } };
  };
  const faultIn = ({ ttl, records, type }: Partial<HetznerRrset>): ApiReply | undefined => {
    if (ttl !== undefined && ttl !== null && (ttl < 60 || ttl > 2_147_483_647)) {
      return problem(422, "invalid_input", "invalid input in field 'ttl'");
    }
    const values = records?.map(({ value }) => value) ?? [];
    const isBad = (value: string) =>
      (type === "TXT" && !/^"/.test(value)) ||
      (/^(?:MX|CNAME|SRV)$/.test(type ?? "") && !value.endsWith("."));
    return values.some(isBad) ? problem(422, "invalid_input", "invalid input in field 'records'") : undefined;
  };

  const server = await startApiServer(({ method, url, segments, headers, body }): ApiReply => {
    if (headers["authorization"] !== `Bearer ${token}`) {
      return problem(401, "unauthorized", "unable to authenticate");
    }
    const [root, id, kind, name, type, actions, action] = segments;
    if (root === "actions") {
      const count = ++looks[Number(id) - 1]!;
      if (count < 2 || state.actionsEnd === "never") {
        return { status: 200, body: { action: { id: Number(id), status: "running", error: null } } };
      }
      const error = state.actionsEnd === "error" ? { code: "action_failed", message: "Action failed" } : null;
      return { status: 200, body: { action: { id: Number(id), status: state.actionsEnd, error } } };
    }
    if (root !== "zones" || id !== zone) return problem(404, "not_found", "zone not found");
    if (kind === undefined) {
      return { status: 200, body: { zone: { id: 42, name: zone, ttl: 3600, mode: "primary" } } };
    }
    if (kind !== "rrsets") return problem(404, "not_found", "not found");
    const at = rrsets.findIndex((each) => each.name === name && each.type === type);
    const found = rrsets[at];
    if (name !== undefined && found === undefined) return problem(404, "not_found", "rrset not found");
    if (method === "GET") {
      const page = Number(url.searchParams.get("page") ?? 1);
      const size = Math.min(Number(url.searchParams.get("per_page") ?? 25), MOST_PER_PAGE);
      const { items, pages } = pageOf(rrsets, page, size);
      const next = page < pages ? page + 1 : null;
      const pagination = { page, per_page: size, next_page: next, total_entries: rrsets.length };
      const shown = items.map((each) => ({ ...each, id: `${each.name}/${each.type}`, labels: {} }));
      return { status: 200, body: { rrsets: shown, meta: { pagination } } };
    }
    if (method === "DELETE") {
      rrsets.splice(at, 1);
      return begun();
    }
    const input = JSON.parse(body) as HetznerRrset;
    const fault = faultIn(found === undefined ? input : { ...input, type: found.type });
    if (fault !== undefined) return fault;
    if (found === undefined) {
      const beside = rrsets.filter((each) => each.name === input.name);
      if (beside.some((each) => each.type === input.type)) {
        return problem(409, "uniqueness_error", "RRSet with the same name and type already exists");
      }
      if (beside.some((each) => (each.type === "CNAME") !== (input.type === "CNAME"))) {
        return problem(422, "invalid_input", "CNAME beside other records");
      }
      rrsets.push(input);
    } else if (actions === "actions" && action === "set_records") found.records = input.records;
    else if (actions === "actions" && action === "change_ttl") found.ttl = input.ttl;
    else return problem(405, "method_not_allowed", "method not allowed");
    return begun();
  });
  const state: HetznerApi = { ...server, rrsets, actionsEnd: "success" };
  return state;
}
