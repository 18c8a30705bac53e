/** PowerDNS's HTTP API, as far as zones go. */
import { type ApiReply, type ApiServer, startApiServer } from "./api-server.ts";

export interface StoredRrset {
  name: string;
  type: string;
  ttl: number;
  records: { content: string; disabled: boolean }[];
}

export interface PowerdnsApi extends ApiServer {
  /** By the zone's name with its final dot. */
  readonly zones: Map<string, StoredRrset[]>;
}

const problem = (status: number, error: string): ApiReply => ({ status, body: { error } });
const NAMES_INSIDE = /^(?:MX|CNAME|NS|SRV)$/;

export async function startPowerdnsApi(apiKey: string, zone: string): Promise<PowerdnsApi> {
  const apex = `${zone}.`;
  const zones = new Map<string, StoredRrset[]>([
    [
      apex,
      [
        {
          name: apex,
          type: "SOA",
          ttl: 3600,
          records: [{ content: `ns.${apex} hostmaster.${apex} 7 3600 600 86400 60`, disabled: false }],
        },
        { name: apex, type: "NS", ttl: 3600, records: [{ content: `ns.${apex}`, disabled: false }] },
      ],
    ],
  ]);
  const server = await startApiServer(({ method, segments, headers, body }) => {
    if (headers["x-api-key"] !== apiKey) return { status: 401, body: "Unauthorized" };
    const [api, version, servers, id, kind, name = ""] = segments;
    if ([api, version, servers, id, kind].join("/") !== "api/v1/servers/localhost/zones") {
      return problem(404, "Not Found");
    }
    const rrsets = zones.get(name);
    if (rrsets === undefined) return problem(404, "Not Found");
    if (method === "GET") return { status: 200, body: { id: name, name, kind: "Native", serial: 7, rrsets } };
    if (method !== "PATCH") return problem(405, "Method Not Allowed");
    const copy = rrsets.map((rrset) => ({ ...rrset }));
    for (const change of (JSON.parse(body) as { rrsets: (StoredRrset & { changetype: string })[] }).rrsets) {
      const { changetype, ...rrset } = change;
      if (!rrset.name.endsWith(".")) return problem(422, `DNS Name '${rrset.name}' is not canonical`);
      const at = copy.findIndex((each) => each.name === rrset.name && each.type === rrset.type);
      if (at >= 0) copy.splice(at, 1);
      if (changetype === "DELETE") continue;
      if (changetype !== "REPLACE") return problem(422, "Changetype not understood");
      for (const { content } of rrset.records) {
        if (rrset.type === "TXT" && !/^"/.test(content)) return problem(422, `Record ${content}: not quoted`);
        if (NAMES_INSIDE.test(rrset.type) && !content.endsWith(".")) {
          return problem(422, `Record ${content}: Not in expected format`);
        }
      }
      if (copy.some((each) => each.name === rrset.name && each.type === "CNAME")) {
        return problem(422, `RRset ${rrset.name} IN ${rrset.type}: Conflicts with pre-existing RRset`);
      }
      copy.push(rrset);
    }
    zones.set(name, copy);
    return { status: 204 };
  });
  return { ...server, zones };
}
