/** The words to send to those who must create a record: the owner of an address (R28), the zone's administrator (R84). */
import { type IpAddress, parseReverseName, reverseName } from "../standards/dns/address.ts";
import { absolute, type DomainName } from "../standards/dns/name.ts";
import type { DerivedRecord } from "./derived-record.ts";
import { LISTING_TTL_SECONDS, zoneLine } from "./zone-listing.ts";

/** An address and the name that it should lead to. */
export interface WantedReverse {
  readonly address: IpAddress;
  readonly host: DomainName;
}

/** The reverse names among derived records. */
export function wantedReverse(records: readonly DerivedRecord[]): readonly WantedReverse[] {
  return records.flatMap(({ record }) => {
    const address = record.data.type === "PTR" ? parseReverseName(record.name) : undefined;
    return record.data.type === "PTR" && address?.ok
      ? [{ address: address.value, host: record.data.target }]
      : [];
  });
}

/**
 * The request for reverse names to a hoster or internet provider; undefined for an empty list. Hosters ask
 * that the forward record exists first, so the request shows the command that proves it.
 */
export function reverseRequest(wanted: readonly WantedReverse[]): string | undefined {
  if (wanted.length === 0) return undefined;
  const several = wanted.length > 1;
  const lines = [
    `Subject: Reverse DNS for ${wanted.map(({ address }) => address.text).join(", ")}`,
    "",
    `Please set the reverse DNS (PTR) of our ${several ? "addresses" : "address"}:`,
    "",
    ...wanted.map(({ address, host }) => `  ${address.text}  →  ${host}`),
    "",
    "As zone lines:",
    "",
    ...wanted.map(({ address, host }) => `  ${absolute(reverseName(address))} IN PTR ${absolute(host)}`),
    "",
    "The forward records exist; this shows them:",
    "",
    ...new Set(wanted.map(({ host, address }) => `  dig ${address.family === 4 ? "A" : "AAAA"} ${host}`)),
    "",
    "The server sends mail and gives this name in HELO, so both directions have to agree (RFC 8601 §3).",
  ];
  return lines.join("\n");
}

/** Records of a domain, or of a host, as a letter to whoever runs its DNS. */
export function recordsRequest(name: DomainName, records: readonly DerivedRecord[]): string {
  const count = records.length === 1 ? "this record" : `these ${records.length} records`;
  const lines = [
    `Subject: DNS records for the mail of ${name}`,
    "",
    `Please create ${count} for ${name}. Each line is complete: owner, TTL in seconds`,
    `where it is not ${LISTING_TTL_SECONDS}, class, type, data. If your system adds the zone to names by itself, leave it`,
    "off, and write @ for the zone itself. TXT data is one value, however it is split into quoted strings.",
    "",
    ...records.flatMap(({ record, reason }) => [`; ${reason}`, zoneLine(record), ""]),
    "Please do not remove or change other records there; an existing v=spf1 record has to be merged with ours,",
    "because a domain may have only one.",
  ];
  return lines.join("\n");
}
