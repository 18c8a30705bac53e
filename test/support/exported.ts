/** What an export must hold, in one form that every reader of exports can be compared in. */

import { derive } from "../../src/records/derive.ts";
import { byZone, formatRecords } from "../../src/records/format.ts";
import { absolute, type DomainName } from "../../src/standards/dns/name.ts";
import { formatRdata } from "../../src/standards/dns/rdata-text.ts";
import { type Rdata, textToOctets, toCharacterStrings, typeOf } from "../../src/standards/dns/record.ts";
import { described, GOLDEN_DOMAINS, type GoldenDomain } from "./golden.ts";

/** Names and texts that break what is quoted carelessly, beside the golden domains. */
const AWKWARD = described(`
servers:
  - { host: a.b.example.com, addresses: [192.0.2.1, 192.0.2.2] }
  - { host: a-b.example.com, addresses: 192.0.2.3 }
  - { host: apex.example.com, addresses: 192.0.2.4 }
  - { host: "10.example.com", addresses: 192.0.2.5 }
  - { host: "9.example.com", addresses: 192.0.2.6 }
  - { host: no.example.com, addresses: 192.0.2.7 }
  - { host: 1e3.example.com, addresses: 192.0.2.8 }
domains:
  - domain: example.com
    spf: { mechanisms: [addresses] }
    verification:
      - '\${interpolated} %{directive} $\${ %%{ $\{'
      - "it's \\"quoted\\" \\\\ and */ // # commented <!-- -->"
      - "yes"
      - "null"
      - "0x10"
      - "12:30:45"
      - "- dash"
      - { name: a_b.example.com, value: x }
      - { name: y.example.com, value: x }
      - { name: on.example.com, value: x }
  - domain: 4.example.net
    receives: false
    sends: false
`);

export const EXPORTED: readonly GoldenDomain[] = [
  ...GOLDEN_DOMAINS,
  { name: "awkward names and texts", folder: "", description: AWKWARD, derived: derive(AWKWARD) },
];

/** "example.com. 3600 MX 10 mail.example.com.", sorted. */
export function exportLine(name: DomainName | string, ttlSeconds: number, data: Rdata): string {
  return `${name.endsWith(".") ? name : absolute(name as DomainName)} ${ttlSeconds} ${typeOf(data)} ${formatRdata(data)}`;
}

/** The records of our own zones; nobody exports those of others. */
export function exportedLines({ derived, description }: GoldenDomain): readonly string[] {
  return byZone(derived, description)
    .flatMap(({ zone, records }) => (zone === undefined ? [] : records))
    .map(({ record }) => exportLine(record.name, record.ttlSeconds, record.data))
    .sort();
}

export function exported(
  { derived, description }: GoldenDomain,
  format: "octodns" | "dnscontrol" | "terraform",
): string {
  return formatRecords(derived, description, format, { nameStyle: "at" });
}

/** A name as exports write it: relative to the zone, or the zone itself. */
export function nameIn(zone: string, name: string): string {
  return name === "" || name === "@" ? zone : `${name}.${zone}`;
}

export function txt(text: string): Rdata {
  return { type: "TXT", strings: toCharacterStrings(textToOctets(text)) };
}
