/** A zone file as a provider: the text that a DNS server reads, changed in its place. */
import { absolute, type DomainName, isWithin } from "../../standards/dns/name.ts";
import type { Parsed } from "../../standards/dns/parsed.ts";
import type { ZoneEntries } from "../../standards/dns/zone-text.ts";
import { editZoneText, readZoneForEdit } from "../edit-zone-text.ts";
import type {
  ApplyOutcome,
  FailureCause,
  Provider,
  ProviderFailure,
  ReadOutcome,
  RrsetChange,
  ZoneContent,
} from "../provider.ts";
import { groupRrsets, staleChanges } from "../rrset.ts";
import type { ZoneFileAccess, ZoneFileReading } from "../zone-file-access.ts";

export interface ZoneFileOptions {
  readonly file: ZoneFileAccess;
  readonly zone: DomainName;
  /**
   * `whole`: the zone's own file, whose serial is raised. `fragment`: a file of our records alone, which the zone's
   * file takes in with $INCLUDE; then its serial is for somebody else to raise, and what it holds is not seen.
   */
  readonly mode: "whole" | "fragment";
  /** Milliseconds since 1970, for serials that are dates (in UTC). */
  readonly now: () => number;
}

/** How often to start anew where somebody else keeps changing other parts of the file. */
const MAX_ATTEMPTS = 50;

/**
 * `applied` means that the file is written, and that the reload, where the file has one (`rndc reload`,
 * `knotc zone-reload`, `nsd-control reload`), has gone well; what the server serves then is for others to see.
 */
export function createZoneFileProvider(options: ZoneFileOptions): Provider {
  const { file, mode } = options;
  return {
    id: "zone-file",
    title: mode === "whole" ? `the zone file ${file.path}` : `the records in ${file.path}`,
    capabilities: { lacksTypes: [], nullTargets: true, atomic: "call", compareAndSwap: "reader" },
    async readZone(zone): Promise<ReadOutcome> {
      const reading = await readFile(zone, options);
      return reading.status === "read"
        ? { status: "read", content: contentOf(reading.entries, zone) }
        : reading;
    },
    apply: (zone, changes) => apply(zone, changes, options),
  };
}

type FileReading =
  | {
      readonly status: "read";
      /** What is on the disk; undefined where there is no file. */
      readonly found: string | undefined;
      readonly text: string;
      readonly entries: ZoneEntries;
    }
  | ProviderFailure;

async function readFile(zone: DomainName, options: ZoneFileOptions): Promise<FileReading> {
  const { file, mode } = options;
  if (zone !== options.zone)
    return failed("no-zone", `${file.path} is for the zone ${options.zone}, not ${zone}.`);
  const reading = await file.read();
  const found = textOf(reading, options);
  if (typeof found === "object") return found;
  const text = found === undefined || found.trim() === "" ? emptyText(options) : found;
  const entries: Parsed<ZoneEntries> = readZoneForEdit(text, zone);
  if (!entries.ok) return failed("refused", `${file.path}, ${entries.problem}.`);
  const soas = entries.value.records.filter(({ data }) => data.type === "SOA");
  if (mode === "whole" && soas[0]?.name !== zone) {
    return failed("no-zone", `${file.path} has no SOA for ${zone}.`);
  }
  if (soas.length > (mode === "whole" ? 1 : 0)) {
    return failed("refused", `${file.path} has a SOA too many; is it the file that you mean?`);
  }
  return { status: "read", found, text, entries: entries.value };
}

function textOf(
  reading: ZoneFileReading,
  { file, mode }: ZoneFileOptions,
): string | undefined | ProviderFailure {
  switch (reading.status) {
    case "read":
      return reading.text;
    case "absent":
      return mode === "fragment" ? undefined : failed("no-zone", `There is no file ${file.path}.`);
    case "dynamic":
      return failed(
        "refused",
        `${file.path} has a journal beside it (${reading.journal}): its server writes the file itself. Publish with dynamic updates instead.`,
      );
    case "failed":
      return failed(
        reading.isForbidden ? "credentials" : "provider-error",
        `${file.path}: ${reading.detail}.`,
      );
    default:
      return reading satisfies never;
  }
}

/** Its own $ORIGIN: so it does not matter where the other file takes it in. */
function emptyText({ mode, zone }: ZoneFileOptions): string {
  if (mode === "whole") return "";
  return `; records of ${absolute(zone)}, to be taken in with $INCLUDE\n$ORIGIN ${absolute(zone)}\n`;
}

/** Without the SOA, and without what lies outside of the zone, which servers leave out too. */
function contentOf({ records }: ZoneEntries, zone: DomainName): ZoneContent {
  const soa = records.find(({ data }) => data.type === "SOA")?.data;
  const own = records.filter(({ name, data }) => data.type !== "SOA" && isWithin(name, zone));
  return { zone, rrsets: groupRrsets(own), ...(soa?.type === "SOA" && { serial: soa.serial }) };
}

async function apply(
  zone: DomainName,
  changes: readonly RrsetChange[],
  options: ZoneFileOptions,
): Promise<ApplyOutcome> {
  const { file, mode, now } = options;
  const problem = changes.map((change) => changeProblem(zone, change)).find((each) => each !== undefined);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const reading = await readFile(zone, options);
    if (reading.status === "failed") return reading;
    if (problem !== undefined) return failed("refused", `${problem}.`);
    const stale = staleChanges(contentOf(reading.entries, zone), changes);
    if (stale.length > 0) {
      const which = stale.map(({ name, type }) => `${name} ${type}`).join(", ");
      return { status: "stale", changes: stale, detail: `${file.path} is no longer as planned: ${which}.` };
    }
    const edited = editZoneText(reading.text, reading.entries, {
      zone,
      changes,
      ...(mode === "whole" && { today: dateText(now()) }),
    });
    if (!edited.ok) return failed("refused", `${file.path}: ${edited.problem}.`);
    if (edited.value === reading.text) return { status: "applied" };
    const collision = aliasCollision(edited.value, zone, changes);
    if (collision !== undefined) return failed("refused", `${collision}.`);
    const outcome = await file.replace(reading.found, edited.value);
    switch (outcome.status) {
      case "replaced":
        return { status: "applied" };
      case "not-loaded":
        return {
          status: "interrupted",
          applied: changes,
          failure: failed(
            "provider-error",
            `${file.path} is written, but the name server has not loaded it: ${outcome.detail}`,
          ),
        };
      case "changed":
        continue;
      case "rejected":
        return failed(
          "refused",
          `The check of ${file.path} says no: ${outcome.detail}. The file is as it was.`,
        );
      case "failed":
        return failed(
          outcome.isForbidden ? "credentials" : "provider-error",
          `${file.path} cannot be written: ${outcome.detail}. It is as it was.`,
        );
      default:
        outcome satisfies never;
    }
  }
  return failed("provider-error", `${file.path} changes all the time; it was left alone.`);
}

function changeProblem(zone: DomainName, { name, type, after }: RrsetChange): string | undefined {
  if (!isWithin(name, zone)) return `${name} ${type} is outside of the zone ${zone}`;
  if (type === "SOA")
    return `${name} SOA: its serial is raised with every change, and the rest is not for us`;
  if (type === "NS" && name === zone && after === undefined) return `${name} NS: a zone needs its servers`;
  return undefined;
}

/** A CNAME stands alone (RFC 1034 §3.6.2); a server would not load the zone. */
function aliasCollision(text: string, zone: DomainName, changes: readonly RrsetChange[]): string | undefined {
  const reading = readZoneForEdit(text, zone);
  if (!reading.ok) return reading.problem;
  for (const { name } of changes) {
    const own = reading.value.entries.filter(({ owner }) => owner === name);
    if (own.length > 1 && own.some(({ record }) => record?.data.type === "CNAME")) {
      return `${name} would have a CNAME beside other records, and a CNAME stands alone`;
    }
  }
  return undefined;
}

/** "20261121" */
function dateText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10).replaceAll("-", "");
}

function failed(cause: FailureCause, detail: string): ProviderFailure {
  return { status: "failed", cause, detail };
}
