/** Derived records as text, in every format that `zonepost records --format` offers except the table for people. */
import { type DomainName, forDisplay } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { typeOf } from "../standards/dns/record.ts";
import type { TxtStyle } from "../standards/dns/txt-rendering.ts";
import { lookupCommands } from "./command.ts";
import { zoneOf } from "./derive.ts";
import type { Derived, DerivedRecord, ZoneRecords } from "./derived-record.ts";
import type { Description } from "./description.ts";
import { formatDnscontrol } from "./export/dnscontrol.ts";
import { formatOctodns } from "./export/octodns.ts";
import { formatTerraform } from "./export/terraform.ts";
import { formFields, formLine, type NameStyle } from "./form.ts";
import { recordsRequest, reverseRequest, wantedReverse } from "./request.ts";
import { LISTING_TTL_SECONDS, zoneLine } from "./zone-listing.ts";

export const FORMATS = [
  "table",
  "zone",
  "json",
  "csv",
  "markdown",
  "form",
  "email",
  "octodns",
  "dnscontrol",
  "terraform",
] as const;
export type Format = (typeof FORMATS)[number];

export interface FormatOptions {
  readonly nameStyle: NameStyle;
  /** How forms want TXT data; raw where absent. */
  readonly txtStyle?: TxtStyle;
}

/** Grouped by the zone that holds them; what others have to create comes last. */
export function byZone(derived: Derived, description: Description): readonly ZoneRecords[] {
  const groups = Map.groupBy(derived.records, ({ domain }) => domain && zoneOf(domain, description));
  const zones = [...groups].filter(([zone]) => zone !== undefined);
  const foreign = groups.get(undefined) ?? [];
  return [
    ...zones.map(([zone, records]) => ({ zone, records })),
    ...(foreign.length > 0 ? [{ zone: undefined, records: foreign }] : []),
  ];
}

/** A heading for people, with an internationalised name as they know it. */
export function zoneTitle(zone: DomainName | undefined): string {
  if (zone === undefined) return "For others to create: the owners of the addresses, or of another zone";
  const shown = forDisplay(zone);
  return shown === zone ? zone : `${zone} (${shown})`;
}

export function formatRecords(
  derived: Derived,
  description: Description,
  format: Exclude<Format, "table">,
  options: FormatOptions,
): string {
  const zones = byZone(derived, description);
  switch (format) {
    case "zone":
      return formatZone(zones);
    case "json":
      return `${JSON.stringify(toJson(derived, zones), null, 2)}\n`;
    case "csv":
      return formatCsv(zones, options);
    case "markdown":
      return formatMarkdown(zones, options);
    case "form":
      return formatForm(zones, options);
    case "email":
      return formatEmail(zones);
    case "octodns":
      return formatOctodns(zones);
    case "dnscontrol":
      return formatDnscontrol(zones);
    case "terraform":
      return formatTerraform(zones);
    default:
      return format satisfies never;
  }
}

/** One absolute line a record, with its reason as a comment; valid to paste anywhere below a `$TTL`. */
function formatZone(zones: readonly ZoneRecords[]): string {
  const blocks = zones.map(({ zone, records }) => {
    return [
      `; ${zoneTitle(zone)}`,
      ...records.flatMap(({ record, reason }) => [`; ${reason}`, zoneLine(record)]),
    ].join("\n");
  });
  return `$TTL ${LISTING_TTL_SECONDS}\n\n${blocks.join("\n\n")}\n`;
}

function toJson(derived: Derived, zones: readonly ZoneRecords[]): object {
  return {
    records: zones.flatMap(({ zone, records }) => records.map((each) => recordJson(each, zone))),
    files: derived.files,
    notes: derived.notes,
  };
}

/** One record as JSON: what it is, why, by whom, and how to see it. */
export function recordJson(derived: DerivedRecord, zone: DomainName | undefined): object {
  const { record, purpose, importance, creator, reason, reference, caution } = derived;
  const type = typeOf(record.data);
  return {
    zone: zone ?? null,
    owner: record.name,
    type,
    ttlSeconds: record.ttlSeconds,
    value: formatRdata(record.data),
    zoneText: zoneLine(record),
    form: formFields(record, zone),
    purpose,
    importance,
    creator,
    reason,
    reference,
    caution: caution ?? null,
    see: lookupCommands(record.name, type),
    ...(record.data.type === "PTR" && { request: reverseRequest(wantedReverse([derived])) }),
  };
}

/** RFC 4180; a cell that a spreadsheet would take for a formula is kept from being one. */
function formatCsv(zones: readonly ZoneRecords[], { nameStyle, txtStyle = "raw" }: FormatOptions): string {
  const cell = (value: string | number | undefined) => {
    const text = String(value ?? "");
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const rows = zones.flatMap(({ zone, records }) =>
    records.map(({ record, importance, creator, reason }) => {
      const { type, name, priority, value, ttlSeconds } = formFields(record, zone, nameStyle, txtStyle);
      // "@" is the form's own word for the apex, not a formula
      return [
        cell(zone ?? ""),
        type,
        name === "@" ? name : cell(name),
        cell(priority),
        cell(value),
        cell(ttlSeconds),
        importance,
        creator,
        cell(reason),
      ].join(",");
    }),
  );
  return `${["zone,type,name,priority,value,ttl,importance,creator,reason", ...rows].join("\r\n")}\r\n`;
}

function formatMarkdown(
  zones: readonly ZoneRecords[],
  { nameStyle, txtStyle = "raw" }: FormatOptions,
): string {
  const cell = (text: string) => text.replaceAll("\\", "\\\\").replaceAll("|", "\\|");
  const code = (text: string) => (text === "" ? "" : codeSpan(text.replaceAll("|", "\\|")));
  const blocks = zones.map(({ zone, records }) => {
    const rows = records.map(({ record, importance, reason }) => {
      const { type, name, priority, value, ttlSeconds } = formFields(record, zone, nameStyle, txtStyle);
      const data = priority === undefined ? value : `${priority} ${value}`;
      return `| ${type} | ${code(name)} | ${code(data)} | ${ttlSeconds} | ${importance.replace("-", " ")} | ${cell(reason)} |`;
    });
    return [
      `## ${zoneTitle(zone)}`,
      "",
      "| Type | Name | Value | TTL | Importance | Why |",
      "|---|---|---|---|---|---|",
      ...rows,
    ].join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}

/** CommonMark §6.1: nothing is escaped inside, and the fence is longer than any run of backticks in it. */
function codeSpan(text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const fence = "`".repeat(1 + Math.max(0, ...runs.map(({ length }) => length)));
  return runs.length === 0 ? `${fence}${text}${fence}` : `${fence} ${text} ${fence}`;
}

function formatForm(zones: readonly ZoneRecords[], { nameStyle, txtStyle = "raw" }: FormatOptions): string {
  const blocks = zones.map(({ zone, records }) => {
    const heading = zone === undefined ? zoneTitle(zone) : `In the form of ${zoneTitle(zone)}`;
    return [
      heading,
      "",
      ...records.map(({ record }) => formLine(formFields(record, zone, nameStyle, txtStyle))),
    ].join("\n");
  });
  return `${blocks.join("\n\n")}\n`;
}

/** Letters for those who run the DNS: one a zone, one a host in the zone of others, one for the owner of the addresses. */
function formatEmail(zones: readonly ZoneRecords[]): string {
  const letters = zones.flatMap(({ zone, records }) => {
    if (zone !== undefined) return [recordsRequest(zone, records)];
    const foreign = records.filter(({ creator }) => creator === "zone-owner");
    const hosts = Map.groupBy(foreign, ({ record, server }) => server ?? record.name);
    const reverse = reverseRequest(wantedReverse(records));
    return [
      ...[...hosts].map(([host, list]) => recordsRequest(host, list)),
      ...(reverse === undefined ? [] : [reverse]),
    ];
  });
  return `${letters.join(`\n\n${"-".repeat(72)}\n\n`)}\n`;
}
