/** A dnsconfig.js for DNSControl. It keeps what it did not make: NO_PURGE, as Zonepost does. */
import { absolute, type DomainName } from "../../standards/dns/name.ts";
import { octetsToText, txtText, typeOf } from "../../standards/dns/record.ts";
import type { DerivedRecord, ZoneRecords } from "../derived-record.ts";
import { formName } from "../form.ts";

export function formatDnscontrol(zones: readonly ZoneRecords[]): string {
  const domains = zones.flatMap(({ zone, records }) =>
    zone === undefined ? [] : [domainBlock(zone, records)],
  );
  const head = [
    "// Name your registrar and DNS provider as in creds.json.",
    'var REG_NONE = NewRegistrar("none");',
    'var DSP = NewDnsProvider("dns");',
  ];
  return `${[head.join("\n"), ...domains].join("\n\n")}\n`;
}

function domainBlock(zone: DomainName, records: readonly DerivedRecord[]): string {
  const lines = records.map((derived) => {
    const call = recordCall(derived, zone);
    return `  ${call}, // ${derived.reason}`;
  });
  return [`D(${quote(zone)}, REG_NONE, DnsProvider(DSP), NO_PURGE,`, ...lines, "END);"].join("\n");
}

const quote = (text: string) => JSON.stringify(text);

function recordCall({ record }: DerivedRecord, zone: DomainName): string {
  const name = quote(formName(record.name, zone, "at") ?? absolute(record.name));
  const ttl = `TTL(${record.ttlSeconds})`;
  const { data } = record;
  switch (data.type) {
    case "A":
    case "AAAA":
      return `${data.type}(${name}, ${quote(data.address)}, ${ttl})`;
    case "CNAME":
    case "PTR":
    case "NS":
      return `${data.type}(${name}, ${quote(absolute(data.target))}, ${ttl})`;
    case "MX":
      return `MX(${name}, ${data.preference}, ${quote(absolute(data.exchange))}, ${ttl})`;
    case "SRV":
      return `SRV(${name}, ${data.priority}, ${data.weight}, ${data.port}, ${quote(absolute(data.target))}, ${ttl})`;
    case "TXT":
      return `TXT(${name}, ${quote(octetsToText(txtText(data)))}, ${ttl})`;
    case "CAA":
      return `CAA(${name}, ${quote(data.tag)}, ${quote(octetsToText(data.value))}${data.flags & 128 ? ", CAA_CRITICAL" : ""}, ${ttl})`;
    case "TLSA":
      return `TLSA(${name}, ${data.usage}, ${data.tlsaSelector}, ${data.matchingType}, ${quote(Buffer.from(data.associationData).toString("hex"))}, ${ttl})`;
    default:
      throw new TypeError(`no record of type ${typeOf(data)} is ever derived`);
  }
}
