/** octoDNS zone files (YAML provider): one document a zone, to be saved as `<zone>.yaml`. */
import { stringify } from "yaml";
import { absolute, type DomainName } from "../../standards/dns/name.ts";
import { formatRdata } from "../../standards/dns/rdata-text.ts";
import { octetsToText, type Rdata, txtText, typeOf } from "../../standards/dns/record.ts";
import type { DerivedRecord, ZoneRecords } from "../derived-record.ts";
import { formName } from "../form.ts";
import { zoneLine } from "../zone-listing.ts";

export function formatOctodns(zones: readonly ZoneRecords[]): string {
  return zones
    .flatMap(({ zone, records }) => (zone === undefined ? [] : [document(zone, records)]))
    .join("---\n");
}

/** Names relative to the zone ("" is the apex). The tool's loader insists on natural order in every mapping. */
function document(zone: DomainName, records: readonly DerivedRecord[]): string {
  const foreign = records.filter(({ record }) => !isExpressible(record.data));
  const own = records.filter(({ record }) => isExpressible(record.data));
  const byName = Map.groupBy(own, ({ record }) => formName(record.name, zone, "blank") ?? record.name);
  const entries = [...byName].map(([name, list]) => {
    const types = [...Map.groupBy(list, ({ record }) => typeOf(record.data)).values()].map(rrset);
    return [name, types.length === 1 ? types[0] : types] as const;
  });
  const text = stringify(Object.fromEntries(entries), {
    version: "1.1",
    lineWidth: 0,
    sortMapEntries: (one, other) => compareNaturally(String(one.key), String(other.key)),
  });
  const byHand = foreign.map(
    ({ record }) => `# octoDNS has no way to say this; create it by hand: ${zoneLine(record)}\n`,
  );
  return `# ${zone}.yaml\n${byHand.join("")}${text}`;
}

/** Texts are ASCII to octoDNS, and it knows no escape but that of the semicolon. */
function isExpressible(data: Rdata): boolean {
  return data.type !== "TXT" || /^[\x20-\x7e]*$/.test(txtText(data));
}

/** "s2" before "s10": runs of digits count as numbers, everything else by code point. */
function compareNaturally(x: string, y: string): number {
  const [xParts, yParts] = [x, y].map((text) => text.split(/(\d+)/));
  for (const [at, part] of xParts!.entries()) {
    const other = yParts![at];
    if (other === undefined) return 1;
    if (part === other) continue;
    if (at % 2 === 1 && Number(part) !== Number(other)) return Number(part) - Number(other);
    return part < other ? -1 : 1;
  }
  return -1;
}

function rrset(records: readonly DerivedRecord[]): object {
  const data = records.map(({ record }) => record.data);
  const values = data.map(value);
  return {
    type: typeOf(data[0]!),
    ttl: records[0]!.record.ttlSeconds,
    ...(values.length === 1 ? { value: values[0] } : { values }),
  };
}

function value(data: Rdata): string | object {
  switch (data.type) {
    case "MX":
      return { preference: data.preference, exchange: absolute(data.exchange) };
    case "SRV":
      return { priority: data.priority, weight: data.weight, port: data.port, target: absolute(data.target) };
    case "CAA":
      return { flags: data.flags, tag: data.tag, value: octetsToText(data.value) };
    case "TLSA":
      return {
        certificate_usage: data.usage,
        selector: data.tlsaSelector,
        matching_type: data.matchingType,
        certificate_association_data: Buffer.from(data.associationData).toString("hex"),
      };
    case "TXT":
      return txtText(data).replaceAll(";", "\\;"); // the tool wants semicolons escaped
    case "CNAME":
    case "PTR":
    case "NS":
      return absolute(data.target);
    default:
      return formatRdata(data);
  }
}
