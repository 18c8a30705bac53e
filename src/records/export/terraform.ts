/** Terraform (HCL) for the hashicorp/dns provider, which speaks RFC 2136; what it has no resource for is said in a comment. */
import { absolute, type DomainName } from "../../standards/dns/name.ts";
import { formatRdata } from "../../standards/dns/rdata-text.ts";
import { txtText, typeOf } from "../../standards/dns/record.ts";
import type { DerivedRecord } from "../derived-record.ts";
import { formName } from "../form.ts";
import type { ZoneRecords } from "../format.ts";
import { zoneLine } from "../zone-listing.ts";

export function formatTerraform(zones: readonly ZoneRecords[]): string {
  const head = [
    "terraform {",
    "  required_providers {",
    "    dns = {",
    '      source = "hashicorp/dns"',
    "    }",
    "  }",
    "}",
  ];
  const blocks = zones.flatMap(({ zone, records }) => {
    if (zone === undefined) return [];
    const rrsets = Map.groupBy(records, ({ record }) => `${record.name} ${typeOf(record.data)}`);
    return [...rrsets.values()].map((rrset) => resource(zone, rrset));
  });
  return `${[head.join("\n"), ...blocks].join("\n\n")}\n`;
}

/** HCL strings: JSON's escapes, and the two template openings doubled. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll("${", "$${").replaceAll("%{", "%%{");
}

function resource(zone: DomainName, records: readonly DerivedRecord[]): string {
  const { record, reason } = records[0]!;
  const name = formName(record.name, zone, "blank") ?? "";
  const label = `${zone}_${name === "" ? "apex" : name}`
    .replace(/[^A-Za-z0-9_-]/g, "_")
    .replace(/^(\d|-)/, "_$1");
  const header = (type: string) => [
    `# ${reason.replaceAll("\n", " ")}`,
    `resource ${quote(type)} ${quote(label)} {`,
    `  zone = ${quote(absolute(zone))}`,
    ...(name === "" ? [] : [`  name = ${quote(name)}`]),
    `  ttl  = ${record.ttlSeconds}`,
  ];
  const data = records.map((each) => each.record.data);
  const [first] = data;
  const list = (key: string, values: readonly string[]) => [
    `  ${key} = [`,
    ...values.map((value) => `    ${quote(value)},`),
    "  ]",
  ];
  switch (first!.type) {
    case "A":
    case "AAAA":
      return [
        ...header(`dns_${first!.type.toLowerCase()}_record_set`),
        ...list(
          "addresses",
          data.map((each) => formatRdata(each)),
        ),
        "}",
      ].join("\n");
    case "TXT":
      return [
        ...header("dns_txt_record_set"),
        ...list(
          "txt",
          data.flatMap((each) => (each.type === "TXT" ? [txtText(each)] : [])),
        ),
        "}",
      ].join("\n");
    case "CNAME":
      return [...header("dns_cname_record"), `  cname = ${quote(absolute(first!.target))}`, "}"].join("\n");
    case "MX":
      return [
        ...header("dns_mx_record_set"),
        ...data.flatMap((each) =>
          each.type === "MX"
            ? [
                "  mx {",
                `    preference = ${each.preference}`,
                `    exchange   = ${quote(absolute(each.exchange))}`,
                "  }",
              ]
            : [],
        ),
        "}",
      ].join("\n");
    case "SRV":
      return [
        ...header("dns_srv_record_set"),
        ...data.flatMap((each) =>
          each.type === "SRV"
            ? [
                "  srv {",
                `    priority = ${each.priority}`,
                `    weight   = ${each.weight}`,
                `    port     = ${each.port}`,
                `    target   = ${quote(absolute(each.target))}`,
                "  }",
              ]
            : [],
        ),
        "}",
      ].join("\n");
    default:
      return records
        .map(
          (each) =>
            `# the dns provider has no resource for this one; create it by hand:\n# ${zoneLine(each.record)}`,
        )
        .join("\n");
  }
}
