/** What is remembered of a TLSA on its way: all else is seen anew at each look. */
import type { TlsaData } from "../standards/dane/tlsa.ts";
import type { DomainName } from "../standards/dns/name.ts";

export interface TlsaSighting {
  /** Since this look every name server that answered has shown the next record, and all of them did at least once. */
  readonly everywhereSince?: Date;
  /** When a name server was last seen to have other records there, and not the next one. */
  readonly lackingAt?: Date;
  /** Since when every address of the host shows a certificate with the next key. */
  readonly liveSince?: Date;
  /** The longest TTL that was seen at the name. */
  readonly longestTtlSeconds?: number;
  /** The key that goes: of the live certificate, before it changed. */
  readonly current?: TlsaData;
}

/** Where sightings are kept, as an interface; every call is on disk when it resolves. */
export interface TlsaSightingStore {
  /** `owner`: as in _25._tcp.mail.example.org. */
  get(owner: DomainName, next: TlsaData): Promise<TlsaSighting | undefined>;
  put(owner: DomainName, next: TlsaData, sighting: TlsaSighting): Promise<void>;
}
