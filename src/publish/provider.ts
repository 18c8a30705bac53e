/**
 * Whoever holds a zone, as one interface: dynamic updates, a zone file, the HTTP APIs of DNS hosts. Providers know
 * records and nothing of mail; what to change, and whether that is wise, was decided before.
 *
 * The unit of change is the whole RRset, before and after: so a provider can refuse a change that was planned on
 * something that is no longer there, and nothing beside the RRset is touched.
 */
import type { DomainName } from "../standards/dns/name.ts";
import type { Rdata, RecordType } from "../standards/dns/record.ts";

/** All records of one name and type. */
export interface Rrset {
  readonly name: DomainName;
  readonly type: RecordType;
  readonly ttlSeconds: number;
  /** Not empty; in no order that means anything. */
  readonly data: readonly Rdata[];
}

/** From one state of an RRset to another; undefined is "not there". Both are never undefined at once. */
export interface RrsetChange {
  readonly name: DomainName;
  readonly type: RecordType;
  readonly before: Rrset | undefined;
  readonly after: Rrset | undefined;
}

/** What a provider can hold and promise. What is undefined is not known. */
export interface Capabilities {
  /** Types that it cannot store at all. */
  readonly lacksTypes: readonly RecordType[];
  readonly maxTxtOctets?: number;
  readonly minTtlSeconds?: number;
  /** MX 0 "." and SRV to "." */
  readonly nullTargets?: boolean;
  /**
   * What happens together or not at all: every change of one call (`call`), or each RRset (`rrset`), or each record
   * (`record`): then an interruption may leave an RRset in between.
   */
  readonly atomic: "call" | "rrset" | "record";
  /** `server`: the provider itself refuses a change of what is no longer as `before`; `reader`: we read before we write. */
  readonly compareAndSwap: "server" | "reader";
}

/** A zone as its holder has it, signatures and other records that the holder makes by itself left out. */
export interface ZoneContent {
  readonly zone: DomainName;
  readonly rrsets: readonly Rrset[];
  /** Where there is a SOA. */
  readonly serial?: number;
}

export type FailureCause =
  /** Wrong or missing key, token or rights. */
  | "credentials"
  /** The clocks differ too much for a signature to count. */
  | "clock"
  /** The provider knows no such zone. */
  | "no-zone"
  /** It does not take this record, or this change. */
  | "refused"
  /** Too many requests; `retryAfterSeconds` where it says so. */
  | "rate-limited"
  /** No answer, or one that cannot be read. */
  | "unreachable"
  /** An answer that is not signed, or not rightly: it may be anybody's. */
  | "not-authentic"
  /** Something broke at the provider. */
  | "provider-error";

export interface ProviderFailure {
  readonly status: "failed";
  readonly cause: FailureCause;
  /** One sentence: who said what, and what to do. No secrets. */
  readonly detail: string;
  readonly retryAfterSeconds?: number;
}

export type ReadOutcome = { readonly status: "read"; readonly content: ZoneContent } | ProviderFailure;

export type ApplyOutcome =
  /** The provider says that all is done; whether the world sees it is for others to find out. */
  | { readonly status: "applied" }
  /** Nothing was changed: an RRset is not as the plan took it to be. */
  | { readonly status: "stale"; readonly changes: readonly RrsetChange[]; readonly detail: string }
  /**
   * Some was changed, or nobody knows: `applied` for certain, and the rest has to be read again. `failure` says what
   * stopped it.
   */
  | {
      readonly status: "interrupted";
      readonly applied: readonly RrsetChange[];
      readonly failure: ProviderFailure;
    }
  /** Nothing was changed. */
  | ProviderFailure;

export interface Provider {
  /** "rfc2136", "cloudflare" */
  readonly id: string;
  /** For people: "Cloudflare", "dynamic updates to 192.0.2.53". */
  readonly title: string;
  readonly capabilities: Capabilities;
  /** Everything in the zone. Never throws for what the world does. */
  readZone(zone: DomainName): Promise<ReadOutcome>;
  /**
   * Carries out all changes in their order, or as many as it can. Never throws for what the world does. Calling it
   * again with changes that are already done is `stale`, and harms nothing.
   */
  apply(zone: DomainName, changes: readonly RrsetChange[]): Promise<ApplyOutcome>;
  /** Whether it would let us write, where that can be found out without writing; undefined: it would. */
  tryWriting?(zone: DomainName): Promise<ProviderFailure | undefined>;
}
