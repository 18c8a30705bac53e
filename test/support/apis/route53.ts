/** Amazon Route 53, as far as hosted zones and their records go; signatures are checked, and pages are small. */
import { createHash, createHmac } from "node:crypto";
import { parseXml, textAt, type XmlElement } from "../../../src/publish/providers/xml-element.ts";
import { type ApiReply, type ApiRequest, type ApiServer, startApiServer } from "./api-server.ts";

export interface Route53Rrset {
  name: string;
  type: string;
  ttl: number;
  values: string[];
  /** Instead of TTL and values, or beside them. */
  extra?: string;
}

export interface Route53Api extends ApiServer {
  readonly rrsets: Route53Rrset[];
  /** As XML; the first is the zone itself. */
  readonly hostedZones: string[];
}

export const ACCESS_KEY_ID = "AKIDEXAMPLE";
export const ZONE_ID = "Z1PA6795UKMFR9";
const PAGE = 7;
const DOC = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"';

export function route53Error(status: number, code: string, message: string): ApiReply {
  return {
    status,
    body: `<?xml version="1.0"?>\n<ErrorResponse ${DOC}><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>b25f48e8-84fd</RequestId></ErrorResponse>`,
  };
}

export function hostedZoneXml(id: string, name: string, isPrivate = false): string {
  return `<HostedZone><Id>/hostedzone/${id}</Id><Name>${name}.</Name><CallerReference>r</CallerReference><Config><PrivateZone>${isPrivate}</PrivateZone></Config></HostedZone>`;
}

const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** Names there have octal escapes for all but letters, digits, hyphens and underscores. */
const octal = (name: string) => name.replace(/\*/g, "\\052");

function isSigned({ method, url, headers, body }: ApiRequest, secret: string): boolean {
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/us-east-1\/route53\/aws4_request, SignedHeaders=host;x-amz-date, Signature=(\w+)$/.exec(
      headers["authorization"] ?? "",
    );
  if (found === null) return false;
  const [, id, day = "", signature] = found;
  const query = url.search.slice(1).split("&").sort().join("&");
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const time = headers["x-amz-date"] ?? "";
  const canonical = `${method}\n${url.pathname}\n${query}\nhost:${headers["host"]}\nx-amz-date:${time}\n\nhost;x-amz-date\n${hash(body)}`;
  let key: Buffer | string = `AWS4${secret}`;
  for (const part of [day, "us-east-1", "route53", "aws4_request"]) {
    key = createHmac("sha256", key).update(part).digest();
  }
  const text = `AWS4-HMAC-SHA256\n${time}\n${day}/us-east-1/route53/aws4_request\n${hash(canonical)}`;
  return id === ACCESS_KEY_ID && createHmac("sha256", key).update(text).digest("hex") === signature;
}

export async function startRoute53Api(secret: string, zone: string, now: () => number): Promise<Route53Api> {
  const hostedZones = [hostedZoneXml(ZONE_ID, zone), hostedZoneXml("ZOTHER", `x.${zone}`)];
  const rrsets: Route53Rrset[] = [
    { name: `${zone}.`, type: "NS", ttl: 172_800, values: ["ns-1.awsdns-01.org.", "ns-2.awsdns-02.com."] },
    { name: `${zone}.`, type: "SOA", ttl: 900, values: ["ns-1.awsdns-01.org. a.amazon.com. 1 2 3 4 5"] },
  ];

  const change = (copy: Route53Rrset[], element: XmlElement): string | undefined => {
    const action = textAt(element, "Action");
    const set = element.children.find(({ name }) => name === "ResourceRecordSet")!;
    const rrset: Route53Rrset = {
      name: textAt(set, "Name")!,
      type: textAt(set, "Type")!,
      ttl: Number(textAt(set, "TTL")),
      values: set.children
        .find(({ name }) => name === "ResourceRecords")!
        .children.map((each) => textAt(each, "Value")!),
    };
    const at = copy.findIndex(({ name, type }) => octal(name) === octal(rrset.name) && type === rrset.type);
    const it = `resource record set [name='${rrset.name}', type='${rrset.type}']`;
    if (action === "DELETE") {
      const there = copy[at];
      if (there === undefined) return `Tried to delete ${it} but it was not found`;
      if (there.ttl !== rrset.ttl || there.values.toSorted().join() !== rrset.values.toSorted().join()) {
        return `Tried to delete ${it} but the values provided do not match the current values`;
      }
      copy.splice(at, 1);
      return undefined;
    }
    if (action !== "CREATE") return `Invalid action ${action}`;
    if (at >= 0) return `Tried to create ${it} but it already exists`;
    const beside = copy.filter(({ name }) => octal(name) === octal(rrset.name));
    if (beside.some(({ type }) => (type === "CNAME") !== (rrset.type === "CNAME"))) {
      return `RRSet of type ${rrset.type} with DNS name ${rrset.name} is not permitted as it conflicts with other records with the same DNS name`;
    }
    const isBad = (value: string) =>
      rrset.type === "TXT" && !/^"(?:[^"\\]|\\.)*"(?: "(?:[^"\\]|\\.)*")*$/.test(value);
    if (rrset.values.some(isBad)) return "Invalid Resource Record: INVALID_CHARACTER_STRING";
    copy.push(rrset);
    return undefined;
  };

  const changeAll = (body: string): ApiReply => {
    const batch = parseXml(body)?.children[0]?.children.find(({ name }) => name === "Changes");
    if (batch === undefined) return route53Error(400, "MalformedInput", "not XML");
    const copy = [...rrsets];
    for (const element of batch.children) {
      const problem = change(copy, element);
      if (problem !== undefined) return route53Error(400, "InvalidChangeBatch", `[${problem}]`);
    }
    rrsets.splice(0, rrsets.length, ...copy);
    const info = "<ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status></ChangeInfo>";
    return {
      status: 200,
      body: `<?xml version="1.0"?>\n<ChangeResourceRecordSetsResponse ${DOC}>${info}</ChangeResourceRecordSetsResponse>`,
    };
  };

  const list = (url: URL): ApiReply => {
    const keyOf = ({ name, type }: { name: string; type: string }) => `${octal(name)} ${type}`;
    const sorted = rrsets.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
    const name = url.searchParams.get("name");
    const from = name === null ? "" : `${name} ${url.searchParams.get("type")}`;
    const rest = sorted.filter((rrset) => keyOf(rrset) >= from);
    const shown = rest.slice(0, PAGE).map(({ name, type, ttl, values, extra }) => {
      const records = values.map(
        (value) => `<ResourceRecord><Value>${escaped(value)}</Value></ResourceRecord>`,
      );
      const plain = `<TTL>${ttl}</TTL><ResourceRecords>${records.join("")}</ResourceRecords>`;
      return `<ResourceRecordSet><Name>${octal(name)}</Name><Type>${type}</Type>${values.length > 0 ? plain : ""}${extra ?? ""}</ResourceRecordSet>`;
    });
    const next = rest[PAGE];
    const more =
      next === undefined
        ? "<IsTruncated>false</IsTruncated>"
        : `<IsTruncated>true</IsTruncated><NextRecordName>${octal(next.name)}</NextRecordName><NextRecordType>${next.type}</NextRecordType>`;
    return {
      status: 200,
      body: `<?xml version="1.0"?>\n<ListResourceRecordSetsResponse ${DOC}><ResourceRecordSets>${shown.join("")}</ResourceRecordSets>${more}<MaxItems>${PAGE}</MaxItems></ListResourceRecordSetsResponse>`,
    };
  };

  const server = await startApiServer((request): ApiReply => {
    const { method, url, segments, headers, body } = request;
    if (!isSigned(request, secret)) {
      return route53Error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match");
    }
    const expected = new Date(now())
      .toISOString()
      .replace(/[-:]|\.\d+/g, "")
      .slice(0, 11);
    if (!headers["x-amz-date"]?.startsWith(expected)) {
      return route53Error(403, "SignatureDoesNotMatch", "Signature expired: now it is another time");
    }
    const [version, kind, id, what] = segments;
    if (version !== "2013-04-01") return route53Error(404, "UnknownOperation", "no such version");
    if (kind === "hostedzonesbyname") {
      const body = `<ListHostedZonesByNameResponse ${DOC}><HostedZones>${hostedZones.join("")}</HostedZones><IsTruncated>false</IsTruncated></ListHostedZonesByNameResponse>`;
      return { status: 200, body };
    }
    if (kind !== "hostedzone" || id !== ZONE_ID || what !== "rrset") {
      return route53Error(404, "NoSuchHostedZone", "No hosted zone found with ID");
    }
    return method === "POST" ? changeAll(body) : list(url);
  });
  return { ...server, rrsets, hostedZones };
}
