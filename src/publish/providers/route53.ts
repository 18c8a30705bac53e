/**
 * Amazon Route 53. All changes of one call are one batch, which happens as a whole or not at all; and what is to be
 * deleted has to be there exactly as it was read, so Amazon itself refuses what was planned on another state.
 */
import { z } from "zod";
import { absolute, type DomainName, parseDomainName } from "../../standards/dns/name.ts";
import { formatRdata } from "../../standards/dns/rdata-text.ts";
import { parseRecordType } from "../../standards/dns/record.ts";
import type { Capabilities, FailureCause, Provider, RrsetChange } from "../provider.ts";
import { rrsetKey } from "../rrset.ts";
import type { Secret } from "../secret.ts";
import { type Api, type ApiAnswer, type ApiMeans, createApi, failed, unreadable } from "./api.ts";
import { type StepOutcome, steppedProvider } from "./apply-steps.ts";
import { awsHeaders, awsQuery } from "./aws-signature.ts";
import { elementAt, elementsNamed, escapeXml, parseXml, textAt, type XmlElement } from "./xml-element.ts";
import { readingOf, type ValuesRead, type ZoneReading } from "./zone-reading.ts";

export interface Route53Options extends ApiMeans {
  readonly accessKeyId: Secret;
  readonly secretAccessKey: Secret;
  /** Milliseconds since 1970: signatures count for some minutes. */
  readonly now: () => number;
  readonly url?: string;
}

const PUBLIC_URL = "https://route53.amazonaws.com";
const VERSION = "/2013-04-01";
const NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/";
const PAGE_SIZE = 300;
const MAX_PAGES = 200;
/** Of one batch. */
const MAX_VALUES = 1000;
const MAX_VALUE_CHARACTERS = 32_000;

const CAPABILITIES: Capabilities = {
  lacksTypes: ["DNAME"],
  maxTxtOctets: 4000,
  atomic: "call",
  compareAndSwap: "server",
};

const CAUSES: ReadonlyMap<string, FailureCause> = new Map<string, FailureCause>([
  ["Throttling", "rate-limited"],
  ["ThrottlingException", "rate-limited"],
  ["PriorRequestNotComplete", "rate-limited"],
  ["NoSuchHostedZone", "no-zone"],
  ["RequestExpired", "clock"],
  ["RequestTimeTooSkewed", "clock"],
  ["InvalidClientTokenId", "credentials"],
  ["SignatureDoesNotMatch", "credentials"],
  ["IncompleteSignature", "credentials"],
  ["MissingAuthenticationToken", "credentials"],
  ["ExpiredToken", "credentials"],
  ["AccessDenied", "credentials"],
  ["AccessDeniedException", "credentials"],
]);
const WRONG_TIME = /signature expired|not yet current/i;
/** What Amazon says of a change that was made on another state. */
const STALE = /but it already exists|but it was not found|do not match the current values/i;

/** An RRset in Amazon's words: to be deleted, it has to be told again like this. */
interface StoredRrset {
  readonly name: string;
  readonly type: string;
  readonly ttl: string;
  readonly values: readonly string[];
}

interface Reading extends ZoneReading {
  readonly zoneId: string;
  readonly stored: ReadonlyMap<string, StoredRrset>;
}

export function createRoute53Provider(options: Route53Options): Provider {
  const { accessKeyId, secretAccessKey, now, url = PUBLIC_URL, ...means } = options;
  const title = "Amazon Route 53";
  const signer = { accessKeyId, secretAccessKey, region: "us-east-1", service: "route53" };
  const api = createApi(
    {
      title,
      baseUrl: url,
      secrets: [secretAccessKey, accessKeyId],
      headers: (request) => ({
        accept: "application/xml",
        "content-type": "application/xml",
        ...awsHeaders(request, signer, new Date(now())),
      }),
      needs:
        "a key with route53:ListHostedZonesByName, route53:ListResourceRecordSets and route53:ChangeResourceRecordSets",
      decode: parseXml,
      complaintIn,
      causeOf: (_httpStatus, body) =>
        WRONG_TIME.test(complaintIn(body) ?? "") ? "clock" : CAUSES.get(codeIn(body) ?? ""),
    },
    means,
  );

  return steppedProvider({
    id: "route53",
    title,
    capabilities: CAPABILITIES,
    read: (zone) => read(zone, api),
    steps: ({ changes, reading }) => [{ completes: changes, run: () => sendBatch(changes, reading, api) }],
  });
}

function answerNamed(name: string): z.ZodType<XmlElement> {
  return z.custom<XmlElement>((value) => (value as XmlElement | undefined)?.name === name);
}

async function read(zone: DomainName, api: Api): Promise<ApiAnswer<Reading>> {
  const id = await zoneIdOf(zone, api);
  if (!id.ok) return id;
  const zoneId = id.value;
  const about = `the zone ${zone}`;
  const elements: XmlElement[] = [];
  let from: Record<string, string> = {};
  for (let page = 1; page <= MAX_PAGES; page++) {
    const query = awsQuery({ maxitems: String(PAGE_SIZE), ...from });
    const path = `${VERSION}/hostedzone/${zoneId}/rrset?${query}`;
    const answer = await api.get(path, answerNamed("ListResourceRecordSetsResponse"), about);
    if (!answer.ok) return answer;
    const list = elementAt(answer.value, "ResourceRecordSets");
    if (list === undefined) return unreadable(api.title, about);
    elements.push(...list.children);
    const isTruncated = textAt(answer.value, "IsTruncated");
    if (isTruncated === "false") return { ...answer, value: asReading(zone, zoneId, elements) };
    const name = textAt(answer.value, "NextRecordName");
    const type = textAt(answer.value, "NextRecordType");
    const identifier = textAt(answer.value, "NextRecordIdentifier");
    if (isTruncated !== "true" || name === undefined || type === undefined) break;
    from = { name, type, ...(identifier === undefined ? {} : { identifier }) };
  }
  return unreadable(api.title, about);
}

async function zoneIdOf(zone: DomainName, api: Api): Promise<ApiAnswer<string>> {
  const path = `${VERSION}/hostedzonesbyname?${awsQuery({ dnsname: absolute(zone), maxitems: "100" })}`;
  const about = `the zone ${zone}`;
  const answer = await api.get(path, answerNamed("ListHostedZonesByNameResponse"), about);
  if (!answer.ok) return answer;
  const list = elementAt(answer.value, "HostedZones");
  if (list === undefined) return unreadable(api.title, about);
  const ids = list.children
    .filter((each) => nameIn(textAt(each, "Name") ?? "") === zone)
    .filter((each) => textAt(each, "Config", "PrivateZone") !== "true")
    .map((each) => (textAt(each, "Id") ?? "").replace(/^\/hostedzone\//, ""));
  const [id] = ids;
  if (id === undefined) {
    const failure = failed("no-zone", `${api.title} has no public hosted zone ${zone} in this account.`);
    return { ok: false, failure, mayHaveHappened: false };
  }
  if (ids.length > 1) {
    const detail = `${api.title} has ${ids.length} public hosted zones ${zone} (${ids.join(", ")}), and which of them is meant cannot be told. Delete those that no name server answers from.`;
    return { ok: false, failure: failed("refused", detail), mayHaveHappened: false };
  }
  return /^[A-Za-z0-9]{1,32}$/.test(id) ? { ...answer, value: id } : unreadable(api.title, about);
}

function asReading(zone: DomainName, zoneId: string, elements: readonly XmlElement[]): Reading {
  const stored = new Map<string, StoredRrset>();
  const all = elements.map((element): ValuesRead => {
    const rrset: StoredRrset = {
      name: textAt(element, "Name") ?? "",
      type: textAt(element, "Type") ?? "",
      ttl: textAt(element, "TTL") ?? "",
      values:
        elementAt(element, "ResourceRecords")?.children.map((each) => textAt(each, "Value") ?? "") ?? [],
    };
    const name = nameIn(rrset.name);
    const type = parseRecordType(rrset.type);
    const ttlSeconds = Number(rrset.ttl);
    // Aliases, and one of several RRsets that Amazon chooses from, are more than records.
    const isPlain =
      rrset.values.length > 0 &&
      /^\d{1,10}$/.test(rrset.ttl) &&
      !["AliasTarget", "SetIdentifier", "TrafficPolicyInstanceId"].some((each) => elementAt(element, each));
    if (name !== undefined && type !== undefined) stored.set(rrsetKey({ name, type }), rrset);
    return {
      name: name === undefined ? rrset.name : absolute(name),
      type: rrset.type,
      ttlSeconds: isPlain ? ttlSeconds : 0,
      values: isPlain ? rrset.values.map(decimalEscapes) : [undefined],
    };
  });
  return { ...readingOf(zone, all), zoneId, stored };
}

function nameIn(text: string): DomainName | undefined {
  const parsed = parseDomainName(decimalEscapes(text));
  return parsed.ok ? parsed.value : undefined;
}

/** Escapes have octal digits there, and decimal ones in zone text (RFC 1035 §5.1). */
function decimalEscapes(text: string): string {
  return text.replace(/\\([0-3][0-7]{2})|\\[\s\S]/g, (whole, octal: string | undefined) =>
    octal === undefined ? whole : `\\${String(Number.parseInt(octal, 8)).padStart(3, "0")}`,
  );
}

function octalEscapes(text: string): string {
  return text.replace(/\\(\d{3})|\\[\s\S]/g, (whole, decimal: string | undefined) =>
    decimal === undefined ? whole : `\\${Number(decimal).toString(8).padStart(3, "0")}`,
  );
}

async function sendBatch(
  changes: readonly RrsetChange[],
  { zoneId, stored }: Reading,
  api: Api,
): Promise<StepOutcome> {
  const parts = changes.flatMap((change) => {
    const { name, type, before, after } = change;
    const old = before === undefined ? undefined : stored.get(rrsetKey(change));
    const fresh: StoredRrset | undefined =
      after === undefined
        ? undefined
        : {
            name: octalEscapes(absolute(name)),
            type,
            ttl: String(after.ttlSeconds),
            values: after.data.map((data) => octalEscapes(formatRdata(data))),
          };
    return [
      ...(old === undefined ? [] : [{ action: "DELETE", rrset: old }]),
      ...(fresh === undefined ? [] : [{ action: "CREATE", rrset: fresh }]),
    ];
  });
  const values = parts.flatMap(({ rrset }) => rrset.values);
  if (values.length > MAX_VALUES || values.join("").length > MAX_VALUE_CHARACTERS) {
    const detail = `${api.title} takes ${MAX_VALUES} values of together ${MAX_VALUE_CHARACTERS} characters at a time, and these are more. Make fewer changes at a time.`;
    return { ok: false, failure: failed("refused", detail), mayHaveHappened: false };
  }
  const list = parts.map(({ action, rrset }) => changeXml(action, rrset)).join("");
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<ChangeResourceRecordSetsRequest xmlns="${NAMESPACE}"><ChangeBatch><Changes>${list}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`;
  const answer = await api.write("POST", `${VERSION}/hostedzone/${zoneId}/rrset/`, body);
  if (!answer.ok) return { ...answer, isStale: STALE.test(complaintIn(answer.body) ?? "") };
  if (answerNamed("ChangeResourceRecordSetsResponse").safeParse(answer.value).success) return { ok: true };
  return { ...unreadable(api.title, "what was to be changed"), mayHaveHappened: true };
}

function changeXml(action: string, { name, type, ttl, values }: StoredRrset): string {
  const records = values.map(
    (value) => `<ResourceRecord><Value>${escapeXml(value)}</Value></ResourceRecord>`,
  );
  return `<Change><Action>${action}</Action><ResourceRecordSet><Name>${escapeXml(name)}</Name><Type>${escapeXml(type)}</Type><TTL>${escapeXml(ttl)}</TTL><ResourceRecords>${records.join("")}</ResourceRecords></ResourceRecordSet></Change>`;
}

/** Of `ErrorResponse`, or of an element that is named like the error itself. */
function codeIn(body: unknown): string | undefined {
  const element = body as XmlElement | undefined;
  if (element === undefined) return undefined;
  return elementsNamed(element, "Code")[0]?.text ?? element.name;
}

function complaintIn(body: unknown): string | undefined {
  const element = body as XmlElement | undefined;
  if (element === undefined) return undefined;
  const messages = elementsNamed(element, "Message").map(({ text }) => text);
  return `${messages.join("; ")} (${codeIn(element)})`;
}
