/** All records as one DNS host's form asks for them, and what that host cannot hold. */
import type { ResourceRecord } from "../standards/dns/record.ts";
import type { ZoneRecords } from "./derived-record.ts";
import { cannotStore, formFor, hostFormLine } from "./dns-host.ts";
import type { DnsHost } from "./dns-host-facts.ts";
import { zoneTitle } from "./format.ts";
import { zoneLine } from "./zone-listing.ts";

const inForm = ({ zone }: ZoneRecords) => zone !== undefined;

export function formatForHost(zones: readonly ZoneRecords[], host: DnsHost): string {
  const blocks = zones.map(({ zone, records }) => {
    if (zone === undefined) return [zoneTitle(zone), "", ...records.map(({ record }) => zoneLine(record))];
    const lines = records.map(({ record }) => hostFormLine(formFor(record, zone, host)));
    return [`In the form of ${host.name}, for ${zoneTitle(zone)}`, "", ...lines];
  });
  const refused = zones.filter(inForm).flatMap(({ records }) => refusals(records, host));
  const warnings =
    refused.length === 0
      ? []
      : [
          [
            `What ${host.name} cannot hold`,
            "",
            ...refused.map(({ owner, problem }) => `${owner}: ${problem}`),
          ],
        ];
  const unsure =
    host.form === undefined
      ? [[`How the form of ${host.name} looks is not known here; the fields are the usual ones.`]]
      : [];
  return `${[...blocks, ...warnings, ...unsure].map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function refusals(records: readonly { readonly record: ResourceRecord }[], host: DnsHost) {
  return records.flatMap(({ record }) => {
    const problem = cannotStore(record, host);
    return problem === undefined ? [] : [{ owner: record.name, problem }];
  });
}

export function hostJson(zones: readonly ZoneRecords[], host: DnsHost): object {
  return {
    host: { id: host.id, name: host.name },
    records: zones.flatMap(({ zone, records }) =>
      records.map(({ record, creator }) => ({
        zone: zone ?? null,
        owner: record.name,
        creator,
        zoneText: zoneLine(record),
        fields: zone === undefined ? null : formFor(record, zone, host),
        cannotStore: zone === undefined ? null : (cannotStore(record, host) ?? null),
      })),
    ),
  };
}
