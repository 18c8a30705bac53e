/** Derived records as lines of a zone file: absolute names, so that a line stays true wherever it is pasted. */
import { absolute } from "../standards/dns/name.ts";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import { type ResourceRecord, typeOf } from "../standards/dns/record.ts";

/** The `$TTL` of a listing; records with this TTL do not repeat it. */
export const LISTING_TTL_SECONDS = 3600;

/** `example.com. IN MX 10 mail.example.com.`, with the TTL in front of the class where it is not the listing's. */
export function zoneLine(record: ResourceRecord): string {
  const ttl = record.ttlSeconds === LISTING_TTL_SECONDS ? "" : `${record.ttlSeconds} `;
  return `${absolute(record.name)} ${ttl}IN ${typeOf(record.data)} ${formatRdata(record.data)}`;
}
