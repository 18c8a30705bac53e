/** deSEC's API, as far as RRsets go; pages are small. */
import { type ApiReply, type ApiServer, startApiServer } from "./api-server.ts";

export interface DesecRrset {
  subname: string;
  type: string;
  ttl: number;
  records: string[];
}

export interface DesecApi extends ApiServer {
  readonly rrsets: DesecRrset[];
}

const PAGE = 7;
const problem = (status: number, detail: string): ApiReply => ({ status, body: { detail } });

export async function startDesecApi(token: string, zone: string): Promise<DesecApi> {
  const rrsets: DesecRrset[] = [
    { subname: "", type: "NS", ttl: 3600, records: ["ns1.desec.io.", "ns2.desec.org."] },
  ];
  const check = ({ subname, type, ttl, records }: DesecRrset): object => {
    if (subname === "@" || subname.endsWith(".")) return { subname: ["Subname can only use characters …"] };
    if (ttl < 3600) return { ttl: ["Ensure this value is greater than or equal to 3600."] };
    if (/^(?:SOA|RRSIG|DNSKEY|NSEC3PARAM)$/.test(type)) return { type: [`The ${type} RR set is managed.`] };
    if (records.some((each) => type === "TXT" && !/^"/.test(each))) return { records: ["Not quoted."] };
    if (records.some((each) => /^(?:MX|CNAME|SRV)$/.test(type) && !each.endsWith("."))) {
      return { records: ["Name not absolute."] };
    }
    return {};
  };
  const patch = (changes: DesecRrset[]): ApiReply => {
    const faults = changes.map(check);
    if (faults.some((each) => Object.keys(each).length > 0)) return { status: 400, body: faults };
    let copy = [...rrsets];
    for (const change of changes) {
      copy = copy.filter(({ subname, type }) => subname !== change.subname || type !== change.type);
      if (change.records.length > 0) copy.push(change);
      const atName = copy.filter(({ subname }) => subname === change.subname);
      if (atName.length > 1 && atName.some(({ type }) => type === "CNAME")) {
        return { status: 400, body: [{ non_field_errors: ["RRset with conflicting type present."] }] };
      }
    }
    rrsets.splice(0, rrsets.length, ...copy);
    return { status: 200, body: changes.filter(({ records }) => records.length > 0) };
  };

  const server = await startApiServer(({ method, url, segments, headers, body }) => {
    if (headers["authorization"] !== `Token ${token}`) return problem(401, "Invalid token.");
    const [domains, name, kind] = segments;
    if (domains !== "domains" || name !== zone || kind !== "rrsets") return problem(404, "Not found.");
    if (method === "PATCH") return patch(JSON.parse(body) as DesecRrset[]);
    if (method !== "GET") return problem(405, `Method "${method}" not allowed.`);
    const cursor = url.searchParams.get("cursor");
    const base = `https://desec.io/api/v1/domains/${name}/rrsets/`;
    if (cursor === null && rrsets.length > PAGE) {
      return {
        ...problem(400, "Pagination required."),
        headers: { link: `<${base}?cursor=>; rel="first"` },
      };
    }
    const from = Number(cursor ?? 0);
    const link = [
      `<${base}?cursor=>; rel="first"`,
      ...(from > 0 ? [`<${base}?cursor=${from - PAGE}>; rel="prev"`] : []),
      ...(from + PAGE < rrsets.length ? [`<${base}?cursor=${from + PAGE}>; rel="next"`] : []),
    ].join(", ");
    const shown = rrsets.slice(from, from + PAGE).map((rrset) => ({
      ...rrset,
      domain: zone,
      name: `${rrset.subname}.${zone}.`,
      created: "2026-01-01T00:00:00.000000Z",
      touched: "2026-01-01T00:00:00.000000Z",
    }));
    return { status: 200, headers: { link }, body: shown };
  });
  return { ...server, rrsets };
}
