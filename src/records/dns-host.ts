/** Who hosts the DNS of a zone, how its form wants a record, and what it cannot hold. The hosts themselves: dns-hosts.ts. */
import { type DomainName, labelTexts, parentOf, parseDomainName, ROOT } from "../standards/dns/name.ts";
import type { Parsed } from "../standards/dns/parsed.ts";
import { formatRdata, parseRdata } from "../standards/dns/rdata-text.ts";
import {
  type CaaRdata,
  parseRecordType,
  type RdataOf,
  type ResourceRecord,
  toCharacterStrings,
  txtText,
  typeOf,
} from "../standards/dns/record.ts";
import { readTxt } from "../standards/dns/txt-rendering.ts";
import type { DnsHost, FieldKey, HostForm, HostStore } from "./dns-host-facts.ts";
import { DNS_HOSTS } from "./dns-hosts.ts";
import { formFields, parseFormName } from "./form.ts";

/** The host of one name server. */
export function dnsHostOfServer(nameServer: DomainName): DnsHost | undefined {
  const labels = labelTexts(nameServer);
  return PATTERNS.find(({ patterns }) => patterns.some((pattern) => matches(labels, pattern)))?.host;
}

const PATTERNS = DNS_HOSTS.map((host) => ({
  host,
  patterns: host.nameServers.map((pattern) => pattern.split(".")),
}));

/** The host that runs every one of the name servers; undefined where one is not known, or two hosts share them. */
export function recognizeDnsHost(nameServers: readonly DomainName[]): DnsHost | undefined {
  const hosts = new Set(nameServers.map(dnsHostOfServer));
  const [host] = hosts;
  return hosts.size === 1 ? host : undefined;
}

export function dnsHostById(id: string): DnsHost | undefined {
  return DNS_HOSTS.find((host) => host.id === id);
}

/** Label by label and from end to end, so that nothing in front or behind passes for the host. */
function matches(labels: readonly string[], wanted: readonly string[]): boolean {
  return labels.length === wanted.length && wanted.every((part, at) => matchesLabel(labels[at]!, part));
}

function matchesLabel(label: string, pattern: string): boolean {
  const [head = "", ...parts] = pattern.split("*");
  if (parts.length === 0) return label === pattern;
  if (!label.startsWith(head)) return false;
  let at = head.length;
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const found = isLast ? label.length - part.length : label.indexOf(part, at + 1);
    if (found < at + 1 || !label.startsWith(part, found)) return false;
    at = found + part.length;
  }
  return true;
}

const LABELS: Readonly<Record<FieldKey, string>> = {
  type: "Type",
  name: "Name",
  service: "Service",
  protocol: "Protocol",
  priority: "Priority",
  weight: "Weight",
  port: "Port",
  flags: "Flags",
  tag: "Tag",
  usage: "Usage",
  selector: "Selector",
  matchingType: "Matching type",
  value: "Value",
  ttl: "TTL",
};

/** One field of the form, as people find it there. */
export interface HostField {
  readonly key: FieldKey;
  readonly label: string;
  readonly value: string;
}

/** The record as the host's form asks for it, in the order of its fields. */
export function formFor(
  record: ResourceRecord,
  zone: DomainName | undefined,
  host: DnsHost,
): readonly HostField[] {
  const { form } = host;
  const type = typeOf(record.data);
  const label = (key: FieldKey) =>
    (key === "value" ? form?.valueLabels?.[type] : undefined) ?? form?.labels?.[key] ?? LABELS[key];
  const field = (key: FieldKey, value: string | number): HostField => ({
    key,
    label: label(key),
    value: String(value),
  });
  const fields = formFields(record, zone, form?.nameStyle, form?.txtStyle);
  return [
    field("type", type),
    ...ownerFields(record, zone, form, fields.name).map(([key, value]) => field(key, value)),
    ...dataFields(record, form, fields.value).map(([key, value]) => field(key, value)),
    field("ttl", Math.max(record.ttlSeconds, form?.minTtlSeconds ?? 0)),
  ];
}

type KeyedValue = readonly [key: FieldKey, value: string | number];

function ownerFields(
  { name, data }: ResourceRecord,
  zone: DomainName | undefined,
  form: HostForm | undefined,
  written: string,
): readonly KeyedValue[] {
  const service = data.type === "SRV" && form?.srv === "service" ? serviceOf(name) : undefined;
  if (service === undefined) return [["name", written]];
  const { host, ...words } = service;
  const { name: below } = formFields({ name: host, data, ttlSeconds: 0 }, zone, form?.nameStyle);
  return [
    ["service", words.service],
    ["protocol", words.protocol],
    ["name", below],
  ];
}

/** "_imaps._tcp.example.org" → its three parts; undefined where the name is none of a service. */
function serviceOf(name: DomainName) {
  const [service = "", protocol = ""] = labelTexts(name);
  const host = parentOf(parentOf(name) ?? ROOT);
  if (!service.startsWith("_") || !protocol.startsWith("_") || host === undefined) return undefined;
  return { service, protocol, host };
}

function dataFields(
  { data }: ResourceRecord,
  form: HostForm | undefined,
  usual: string,
): readonly KeyedValue[] {
  const target = (name: DomainName) =>
    name === ROOT ? "." : form?.finalDot === "wanted" ? `${name}.` : name;
  const inValue = form?.priority === "value";
  switch (data.type) {
    case "MX": {
      const exchange = target(data.exchange);
      if (inValue) return [["value", `${data.preference} ${exchange}`]];
      return [
        ["priority", data.preference],
        ["value", exchange],
      ];
    }
    case "SRV":
      return srvFields(data, target(data.target), form);
    case "CAA":
      if (form?.caa !== "fields" || !/^[a-z0-9]+$/i.test(data.tag)) return [["value", usual]];
      return [
        ["flags", data.flags],
        ["tag", data.tag],
        ["value", caaValue(data)],
      ];
    case "TLSA": {
      if (form?.tlsa !== "fields" || data.associationData.length === 0) return [["value", usual]];
      const hexadecimal = Buffer.from(data.associationData).toString("hex");
      return [
        ["usage", data.usage],
        ["selector", data.tlsaSelector],
        ["matchingType", data.matchingType],
        ["value", hexadecimal],
      ];
    }
    case "NS":
    case "CNAME":
    case "DNAME":
    case "PTR":
      return [["value", target(data.target)]];
    default:
      return [["value", usual]];
  }
}

/** The value alone: quoted as the whole is, for it may hold blanks. */
function caaValue(data: CaaRdata): string {
  return formatRdata(data).replace(/^\S+ \S+ "(.*)"$/s, "$1");
}

function srvFields(data: RdataOf<"SRV">, target: string, form: HostForm | undefined): readonly KeyedValue[] {
  const { priority, weight, port } = data;
  if (form?.srv === "fields" || form?.srv === "service") {
    return [
      ["priority", priority],
      ["weight", weight],
      ["port", port],
      ["value", target],
    ];
  }
  if (form?.priority === "value") return [["value", `${priority} ${weight} ${port} ${target}`]];
  return [
    ["priority", priority],
    ["value", `${weight} ${port} ${target}`],
  ];
}

/** "Type MX, Name @, …": the fields on one line, what is left empty said so. */
export function hostFormLine(fields: readonly HostField[]): string {
  return fields.map(({ label, value }) => `${label}: ${value === "" ? "(empty)" : value}`).join(" | ");
}

/** What a filled-in form stands for: the inverse of `formFor`, for names within the zone. */
export function readForm(
  fields: readonly Pick<HostField, "key" | "value">[],
  zone: DomainName,
  host: DnsHost,
): Parsed<ResourceRecord> {
  const { form } = host;
  const value = (key: FieldKey) => fields.find((field) => field.key === key)?.value;
  const type = parseRecordType(value("type") ?? "");
  if (type === undefined) return { ok: false, problem: `there is no record type "${value("type") ?? ""}"` };
  const named = parseFormName(value("name") ?? "", zone, form?.nameStyle ?? "at");
  if (!named.ok) return named;
  const service = value("service");
  const name =
    service === undefined ? named : parseDomainName(`${service}.${value("protocol") ?? ""}.${named.value}`);
  if (!name.ok) return name;
  const ttlSeconds = Number(value("ttl"));
  if (type === "TXT") {
    const strings = toCharacterStrings(readTxt(value("value") ?? "").value);
    return { ok: true, value: { name: name.value, ttlSeconds, data: { type, strings } } };
  }
  const isCaaField = type === "CAA" && value("tag") !== undefined;
  const words = DATA_ORDER.flatMap((key) => value(key) ?? []);
  const text = [...words, isCaaField ? `"${value("value") ?? ""}"` : (value("value") ?? "")].join(" ");
  // A form's names are whole, with or without the final dot.
  const data = parseRdata(type, text, ROOT);
  return data.ok ? { ok: true, value: { name: name.value, ttlSeconds, data: data.value } } : data;
}

/** The fields before the value, in the order of the data in zone text. */
const DATA_ORDER: readonly FieldKey[] = [
  "priority",
  "weight",
  "port",
  "flags",
  "tag",
  "usage",
  "selector",
  "matchingType",
];

/** Why the host cannot hold the record, with the way out; undefined where it can, or nobody knows. */
export function cannotStore(record: ResourceRecord, { name: host, store }: DnsHost): string | undefined {
  const { data, name } = record;
  const type = typeOf(data);
  if (store?.types?.[type as keyof typeof store.types] === false) {
    return `${host} cannot hold ${type} records: ${wayOut(record, store)}`;
  }
  if (data.type === "MX" && data.exchange === ROOT && store?.nullMx === false) {
    return `${host} cannot hold an MX with the exchange ".": a name without MX, A and AAAA receives no mail either.`;
  }
  if (data.type === "SRV" && data.target === ROOT && store?.nullSrv === false) {
    return `${host} cannot hold an SRV with the target ".": leave it out; programs then find no service there.`;
  }
  if (data.type === "TXT" && store?.maxTxtOctets !== undefined) {
    const octets = txtText(data).length;
    if (octets > store.maxTxtOctets) {
      return `${host} holds TXT values of at most ${store.maxTxtOctets} octets, and this one has ${octets}: ${shorterTxt(name, txtText(data))}`;
    }
  }
  return undefined;
}

function wayOut({ name, data }: ResourceRecord, store: HostStore): string {
  if (data.type === "CAA")
    return "leave it out, for nothing depends on it, or move the DNS to a host that can.";
  const first = labelTexts(name)[0] ?? "";
  const parent = parentOf(name);
  // _25._tcp.mail.example.org: what is delegated is _tcp.mail.example.org, which holds all ports.
  if (!first.startsWith("_") || parent === undefined || store.types?.NS === false) {
    return "move the DNS to a host that can.";
  }
  return `delegate ${parent} as a zone of its own, with NS records there, to name servers that can (for TLSA it has to be signed, with a DS), or move the DNS to a host that can.`;
}

function shorterTxt(name: DomainName, text: string): string {
  if (labelTexts(name)[1] === "_domainkey") {
    return `make ${name} a CNAME to a name in a zone that can hold the key, or use an RSA key of 2048 bits, or Ed25519 beside it: its record is short.`;
  }
  if (/^v=spf1/i.test(text)) return "move a part of the terms to a name of their own, and include that.";
  return "shorten it, or make the name a CNAME to one in a zone that can hold it.";
}
