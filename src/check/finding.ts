/** What a check says: data, with the way out of every problem. */
import { cannotStore, formFor, type HostField } from "../records/dns-host.ts";
import type { DnsHost } from "../records/dns-host-facts.ts";
import { type FormFields, formFields } from "../records/form.ts";
import { zoneLine } from "../records/zone-listing.ts";
import type { DomainName } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { type Rdata, type RecordType, type ResourceRecord, typeOf } from "../standards/dns/record.ts";
import type { FindingCode, Group } from "./catalogue.ts";
import type { Severity } from "./severity.ts";

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** The name that the finding is about. */
  readonly owner: DomainName;
  /** Which one of several of its code at the name: an address, a server, a type. */
  readonly subject?: string;
  readonly expected: string;
  readonly observed: string;
  /** One plain sentence. */
  readonly why: string;
  /** "RFC 7208 §4.6.4" */
  readonly reference: string;
  /** Null where nothing is to be done, or nobody but you can say what. */
  readonly fix: Fix | null;
  /** The command that shows it by hand. */
  readonly verify: string;
  /** Of what could not be told: the checks, by group, that had to leave something open for it. */
  readonly leavesOpen?: readonly Group[];
}

export interface Fix {
  /** What to do, in one sentence. */
  readonly summary: string;
  readonly changes: readonly Change[];
  /** Ready text to send to somebody else, such as the request for a PTR. */
  readonly request?: string;
}

export interface Change {
  readonly action: "create" | "delete";
  readonly owner: DomainName;
  readonly type: RecordType;
  readonly ttlSeconds: number;
  /** The data as zone files write it. */
  readonly value: string;
  /** The whole record as a zone file line. */
  readonly zoneText: string;
  /** The same as the fields of a DNS host's form: of the zone's own host where that is known. */
  readonly form: FormFields;
  /** Null where nobody knows who hosts the zone's DNS. */
  readonly host: ChangeAtHost | null;
}

/** A change in the form of the zone's DNS host. */
export interface ChangeAtHost {
  readonly id: string;
  readonly name: string;
  readonly fields: readonly HostField[];
  /** Why the host cannot hold the record, and the way out; null where it can, or nobody knows. */
  readonly cannotStore: string | null;
}

/** The zone that a record is entered in: what names in its form are relative to, and who hosts it. */
export interface FormZone {
  readonly apex: DomainName;
  readonly host: DnsHost | undefined;
}

/** The record changes of a fix. */
export function change(action: Change["action"], record: ResourceRecord, zone: FormZone | undefined): Change {
  const host = zone?.host;
  return {
    action,
    owner: record.name,
    type: typeOf(record.data),
    ttlSeconds: record.ttlSeconds,
    value: formatRdata(record.data),
    zoneText: zoneLine(record),
    form: formFields(record, zone?.apex, host?.form?.nameStyle, host?.form?.txtStyle),
    host: host === undefined ? null : atHost(record, zone?.apex, host),
  };
}

function atHost(record: ResourceRecord, zone: DomainName | undefined, host: DnsHost): ChangeAtHost {
  return {
    id: host.id,
    name: host.name,
    fields: formFor(record, zone, host),
    cannotStore: cannotStore(record, host) ?? null,
  };
}

/** A TTL for records that a fix proposes, where nothing else is known. */
export const PROPOSED_TTL_SECONDS = 3600;

export const proposed = (name: DomainName, data: Rdata): ResourceRecord => ({
  name,
  ttlSeconds: PROPOSED_TTL_SECONDS,
  data,
});

export interface Summary {
  readonly errors: number;
  readonly warnings: number;
  readonly notices: number;
  readonly unknown: number;
  readonly ok: number;
  /** One sentence for people. */
  readonly sentence: string;
}

export interface DomainReport {
  readonly domain: DomainName;
  readonly summary: Summary;
  /** Worst first, then by group as in the catalogue. */
  readonly findings: readonly Finding[];
}

export function summarize(findings: readonly { readonly severity: Severity }[]): Summary {
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  const counts = {
    errors: count("error"),
    warnings: count("warning"),
    notices: count("notice"),
    unknown: count("unknown"),
    ok: count("ok"),
  };
  return { ...counts, sentence: sentenceOf(counts) };
}

function sentenceOf(counts: Omit<Summary, "sentence">): string {
  const parts = [
    several(counts.errors, "error"),
    several(counts.warnings, "warning"),
    counts.unknown > 0 ? `${counts.unknown} could not be told` : undefined,
    several(counts.notices, "notice"),
  ].filter((part) => part !== undefined);
  const fine = counts.ok === 1 ? "1 check is fine" : `${counts.ok} checks are fine`;
  if (parts.length === 0) return counts.ok === 0 ? "Nothing to object to." : `All is well: ${fine}.`;
  return `${[parts.join(", "), ...(counts.ok === 0 ? [] : [fine])].join("; ")}.`;
}

function several(count: number, noun: string): string | undefined {
  if (count === 0) return undefined;
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
