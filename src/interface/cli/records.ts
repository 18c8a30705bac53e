/** `zonepost records` and `zonepost schema`. */

import { closest } from "../../records/closest.ts";
import { lookupCommands } from "../../records/command.ts";
import { derive, derivedFor } from "../../records/derive.ts";
import type { Derived, DerivedRecord, Importance } from "../../records/derived-record.ts";
import { type Description, descriptionJsonSchema } from "../../records/description.ts";
import { dnsHostById } from "../../records/dns-host.ts";
import type { DnsHost } from "../../records/dns-host-facts.ts";
import { formatForHost, hostJson } from "../../records/dns-host-listing.ts";
import { DNS_HOSTS } from "../../records/dns-hosts.ts";
import { formFields, type NameStyle } from "../../records/form.ts";
import { byZone, type Format, formatRecords, zoneTitle } from "../../records/format.ts";
import { reverseRequest, wantedReverse } from "../../records/request.ts";
import { typeOf } from "../../standards/dns/record.ts";
import type { TxtStyle } from "../../standards/dns/txt-rendering.ts";
import { loadDescription, readDomain } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { table, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";

export interface RecordsOptions {
  readonly config: string;
  readonly format: Format;
  readonly nameStyle: NameStyle;
  readonly txtStyle: TxtStyle;
  readonly details?: boolean;
  readonly dnsHost?: string;
  readonly json?: boolean;
}

export async function runRecords(
  names: readonly string[],
  options: RecordsOptions,
  tools: Tools,
): Promise<ExitCode> {
  if (options.dnsHost === "list") return printDnsHosts(options, tools);
  const host = options.dnsHost === undefined ? undefined : readDnsHost(options.dnsHost);
  const description = loadDescription(options.config, tools);
  const derived = select(names, derive(description), description);
  if (host !== undefined) {
    const zones = byZone(derived, description);
    tools.terminal.out(
      options.json ? `${JSON.stringify(hostJson(zones, host), null, 2)}\n` : formatForHost(zones, host),
    );
    return EXIT.ok;
  }
  const format = options.json ? "json" : options.format;
  tools.terminal.out(
    format === "table"
      ? tableText(derived, description, options, tools)
      : formatRecords(derived, description, format, {
          nameStyle: options.nameStyle,
          txtStyle: options.txtStyle,
        }),
  );
  return EXIT.ok;
}

function readDnsHost(id: string): DnsHost {
  const host = dnsHostById(id);
  if (host !== undefined) return host;
  const near = closest(
    id,
    DNS_HOSTS.map((each) => each.id),
  );
  throw new UsageError(
    `no DNS host "${id}" is known; ${near ? `did you mean ${near}? ` : ""}--dns-host list names them all`,
  );
}

function printDnsHosts({ json }: RecordsOptions, { terminal }: Tools): ExitCode {
  const rows = DNS_HOSTS.map(({ id, name, nameServers }) => [id, name, nameServers.join(" ")]);
  terminal.out(
    json
      ? `${JSON.stringify(DNS_HOSTS, null, 2)}\n`
      : `${table(["ID", "NAME", "NAME SERVERS"], rows, terminal.style)}\n`,
  );
  return EXIT.ok;
}

function select(names: readonly string[], derived: Derived, description: Description): Derived {
  if (names.length === 0) return derived;
  const known = description.domains.map(({ domain }) => domain);
  const parts = [...new Set(names.map(readDomain))].map((domain) => {
    if (!known.includes(domain)) {
      const near = closest(domain, known);
      throw new UsageError(
        `the description has no domain "${domain}"; ${near ? `did you mean ${near}?` : `it has ${known.slice(0, 5).join(", ")}`}`,
      );
    }
    return derivedFor(domain, derived, description);
  });
  return {
    records: [...new Set(parts.flatMap(({ records }) => records))],
    files: parts.flatMap(({ files }) => files),
    notes: [...new Set(parts.flatMap(({ notes }) => notes))],
  };
}

const IMPORTANCE_WORDS: Readonly<Record<Importance, string>> = {
  required: "required",
  "strongly-recommended": "recommended",
  optional: "optional",
};

function tableText(
  derived: Derived,
  description: Description,
  options: RecordsOptions,
  tools: Tools,
): string {
  const { style } = tools.terminal;
  const blocks = byZone(derived, description).map(({ zone, records }) => {
    const heading = zone === undefined ? zoneTitle(zone) : `Zone ${zoneTitle(zone)}`;
    const shown = options.details
      ? records.map((each) => detailText(each, zone, options.nameStyle, tools)).join("\n\n")
      : table(
          ["TYPE", "NAME", "TTL", "IMPORTANCE", "VALUE"],
          records.map((each) => {
            const { type, name, priority, value, ttlSeconds } = formFields(
              each.record,
              zone,
              options.nameStyle,
            );
            return [
              type,
              name,
              String(ttlSeconds),
              IMPORTANCE_WORDS[each.importance],
              shorten(priority === undefined ? value : `${priority} ${value}`, tools),
            ];
          }),
          style,
        );
    const request = zone === undefined ? reverseRequest(wantedReverse(records)) : undefined;
    const letter =
      request === undefined
        ? ""
        : `\n\n${style.dim("Ready to send to the owner of the addresses:")}\n\n${indented(request)}`;
    return `${style.bold(heading)}\n\n${shown}${letter}`;
  });
  const files = derived.files.map(
    ({ url, content }) => `${style.bold("To serve")} at ${url}\n\n${indented(content.trimEnd())}`,
  );
  const notes = derived.notes.map(
    ({ about, text }) =>
      `${style.blue("·")} ${wrap(`${about}: ${text}`, tools.terminal.columns, "  ").trimStart()}`,
  );
  const hint = options.details
    ? []
    : [style.dim("zonepost records --details says why each exists and what to type to see it.")];
  return `${[...blocks, ...files, ...(notes.length > 0 ? [notes.join("\n")] : []), ...hint].join("\n\n")}\n`;
}

function indented(text: string): string {
  return text.replace(/\r/g, "").replace(/^(?=.)/gm, "    ");
}

/** Long values (DKIM keys) would break the table; the other formats and --details have them whole. */
function shorten(value: string, { terminal }: Tools): string {
  const room = Math.max(40, terminal.columns - 50);
  return terminal.outIsScreen && value.length > room ? `${value.slice(0, room - 1)}…` : value;
}

function detailText(
  derived: DerivedRecord,
  zone: Parameters<typeof formFields>[1],
  nameStyle: NameStyle,
  tools: Tools,
): string {
  const { style, columns } = tools.terminal;
  const { record, reason, reference, importance, creator, caution } = derived;
  const { type, name, priority, value, ttlSeconds } = formFields(record, zone, nameStyle);
  const see = lookupCommands(record.name, typeOf(record.data));
  const by = {
    you: "you",
    "address-owner": "the owner of the address",
    "zone-owner": "whoever runs that zone",
  }[creator];
  const lines = [
    `  ${style.bold(`${type} ${name}`)}  ${style.dim(`TTL ${ttlSeconds}, ${IMPORTANCE_WORDS[importance]}, created by ${by}`)}`,
    `    ${priority === undefined ? "" : `${priority} `}${value}`,
    wrap(`${reason} (${reference})`, columns, "    "),
    ...(caution === undefined ? [] : [style.yellow(wrap(`Careful: ${caution}`, columns, "    "))]),
    style.dim(`    ${see.dig}  |  ${see.nslookup}  |  ${see.host}`),
  ];
  return lines.join("\n");
}

export function runSchema(tools: Tools): ExitCode {
  tools.terminal.out(`${JSON.stringify(descriptionJsonSchema(), null, 2)}\n`);
  return EXIT.ok;
}
