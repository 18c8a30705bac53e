/** A record that should exist, and everything a person needs to know of it. */
import type { DomainName } from "../standards/dns/name.ts";
import type { Rdata, ResourceRecord } from "../standards/dns/record.ts";

/** What a record is for; permanent ids that screens and exports may rely on. */
export type Purpose =
  | "mx"
  | "null-mx"
  | "host-address"
  | "reverse"
  | "spf"
  | "helo-spf"
  | "dkim"
  | "dkim-revoked"
  | "dmarc"
  | "dmarc-report-authorization"
  | "mta-sts"
  | "mta-sts-host"
  | "tls-rpt"
  | "tlsa"
  | "caa"
  | "client-srv"
  | "autoconfig"
  | "autodiscover"
  | "xmpp"
  | "verification"
  | "delegation"
  | "bimi";

/**
 * `required` no mail without it · `strongly-recommended` the large mailbox providers refuse or junk mail
 * without it · `optional` makes something better.
 */
export type Importance = "required" | "strongly-recommended" | "optional";

/** Who can create it: whoever runs the domain's zone, the owner of the address (PTR), or another zone's owner. */
export type Creator = "you" | "address-owner" | "zone-owner";

export interface DerivedRecord<D extends Rdata = Rdata> {
  readonly record: ResourceRecord<D>;
  readonly purpose: Purpose;
  readonly importance: Importance;
  readonly creator: Creator;
  /** The described domain that the owner name lies in; undefined for reverse zones and hosts of others. */
  readonly domain: DomainName | undefined;
  /** The server it is about, for addresses, PTR, HELO and TLSA. */
  readonly server?: DomainName;
  /** Why it exists, in one plain sentence. */
  readonly reason: string;
  /** "RFC 5321 §5.1" */
  readonly reference: string;
  /** What to be careful of, where there is anything. */
  readonly caution?: string;
}

/** Something worth saying that is not a record: "no IPv6 address, so no AAAA". */
export interface Note {
  readonly about: DomainName;
  readonly text: string;
}

/** A file that has to be served for the records to be true, such as the MTA-STS policy. */
export interface DerivedFile {
  readonly domain: DomainName;
  readonly url: string;
  readonly mediaType: string;
  readonly content: string;
}

export interface Derived {
  readonly records: readonly DerivedRecord[];
  readonly files: readonly DerivedFile[];
  readonly notes: readonly Note[];
}

/** The records of one zone, in the order of the derivation. */
export interface ZoneRecords {
  /** Undefined: reverse zones and the zones of others. */
  readonly zone: DomainName | undefined;
  readonly records: readonly DerivedRecord[];
}
