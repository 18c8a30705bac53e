/** Terraform (HCL) for the hashicorp/dns provider, which speaks RFC 2136; what it has no resource for is said in a comment. */
import { absolute, type DomainName } from "../../standards/dns/name.ts";
import { formatRdata } from "../../standards/dns/rdata-text.ts";
import { octetsToText, type Rdata, txtText, typeOf } from "../../standards/dns/record.ts";
import type { DerivedRecord, ZoneRecords } from "../derived-record.ts";
import { formName } from "../form.ts";
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
  const labels = new Labels();
  const blocks = zones.flatMap(({ zone, records }) => {
    if (zone === undefined) return [];
    const rrsets = Map.groupBy(records, ({ record }) => `${record.name} ${typeOf(record.data)}`);
    return [...rrsets.values()].map((rrset) => resource(zone, rrset, labels));
  });
  return `${[head.join("\n"), ...blocks].join("\n\n")}\n`;
}

/** Two names may only differ in what a label cannot hold, and a label counts once a type. */
class Labels {
  readonly #taken = new Set<string>();

  take(type: string, zone: DomainName, name: string): string {
    const plain = `${zone}_${name === "" ? "apex" : name}`
      .replace(/[^A-Za-z0-9_-]/g, "_")
      .replace(/^(?=[\d-])/, "_");
    let label = plain;
    for (let n = 2; this.#taken.has(`${type} ${label}`); n++) label = `${plain}_${n}`;
    this.#taken.add(`${type} ${label}`);
    return label;
  }
}

/** HCL strings: JSON's escapes, and the two template openings doubled. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/[$%](?=\{)/g, "$&$&");
}

type Attribute = readonly [key: string, value: string];

/** As `terraform fmt` writes them: the equals signs below one another. */
function attributeLines(list: readonly Attribute[], indent: string): string[] {
  const width = Math.max(...list.map(([key]) => key.length));
  return list.map(([key, value]) => `${indent}${key.padEnd(width)} = ${value}`);
}

function resource(zone: DomainName, rrset: readonly DerivedRecord[], labels: Labels): string {
  const { record, reason } = rrset[0]!;
  const body = bodyOf(rrset.map((each) => each.record.data));
  if (body === undefined) {
    const lines = rrset.map((each) => `# ${zoneLine(each.record)}`);
    return ["# The dns provider has no resource for this; create it by hand:", ...lines].join("\n");
  }
  const { type, attributes: own = [], lines = [] } = body;
  const name = formName(record.name, zone, "blank") ?? "";
  const head: readonly Attribute[] = [
    ["zone", quote(absolute(zone))],
    ...(name === "" ? [] : [["name", quote(name)] as const]),
    ["ttl", String(record.ttlSeconds)],
    ...own,
  ];
  return [
    `# ${reason}`,
    `resource ${quote(type)} ${quote(labels.take(type, zone, name))} {`,
    ...attributeLines(head, "  "),
    ...lines,
    "}",
  ].join("\n");
}

interface Body {
  readonly type: string;
  readonly attributes?: readonly Attribute[];
  readonly lines?: readonly string[];
}

/** What the data of one RRset makes of a resource; undefined where the provider has none for the type. */
function bodyOf(data: readonly Rdata[]): Body | undefined {
  const first = data[0]!;
  switch (first.type) {
    case "A":
    case "AAAA": {
      const type = first.type === "A" ? "dns_a_record_set" : "dns_aaaa_record_set";
      return {
        type,
        lines: listLines(
          "addresses",
          data.map((each) => formatRdata(each)),
        ),
      };
    }
    case "TXT": {
      const texts = data.flatMap((each) => (each.type === "TXT" ? octetsToText(txtText(each)) : []));
      return { type: "dns_txt_record_set", lines: listLines("txt", texts) };
    }
    case "CNAME":
      return { type: "dns_cname_record", attributes: [["cname", quote(absolute(first.target))]] };
    case "MX":
      return {
        type: "dns_mx_record_set",
        lines: data.flatMap((each) =>
          each.type !== "MX"
            ? []
            : blockLines("mx", [
                ["preference", String(each.preference)],
                ["exchange", quote(absolute(each.exchange))],
              ]),
        ),
      };
    case "SRV":
      return {
        type: "dns_srv_record_set",
        lines: data.flatMap((each) =>
          each.type !== "SRV"
            ? []
            : blockLines("srv", [
                ["priority", String(each.priority)],
                ["weight", String(each.weight)],
                ["port", String(each.port)],
                ["target", quote(absolute(each.target))],
              ]),
        ),
      };
    default:
      return undefined;
  }
}

function listLines(name: string, values: readonly string[]): string[] {
  return [`  ${name} = [`, ...values.map((value) => `    ${quote(value)},`), "  ]"];
}

function blockLines(name: string, attributes: readonly Attribute[]): string[] {
  return ["", `  ${name} {`, ...attributeLines(attributes, "    "), "  }"];
}
