/**
 * The one way in which the standards ask DNS. Implementations live in net/ (real sockets) and in
 * test/support (a table).
 */
import type { DomainName } from "./name.ts";
import type { RdataOf, RecordType, ResourceRecord } from "./record.ts";

/** The three answers of DNS. An unknown is never "missing". */
export type Answer<T extends RecordType = RecordType> = Found<T> | Absent | Unknown;

export interface Found<T extends RecordType = RecordType> {
  readonly status: "found";
  /** At least one record, all of the asked type; aliases already followed. */
  readonly records: readonly ResourceRecord<RdataOf<T>>[];
  /** CNAME (and DNAME-made) owners passed on the way, in order; empty where the name holds the records itself. */
  readonly aliases: readonly DomainName[];
  /** The owner of `records`: the asked name, or the end of the alias chain. */
  readonly canonicalName: DomainName;
  /** A validating resolver vouched for the answer (AD bit, RFC 4035 §3.2.3); undefined where nobody validated. */
  readonly secure?: boolean;
}

export interface Absent {
  readonly status: "absent";
  /** `nxdomain`: no such name, nor anything below it (RFC 8020). `nodata`: the name exists without this type (RFC 2308 §2.2). */
  readonly kind: "nxdomain" | "nodata";
  readonly aliases: readonly DomainName[];
  /** How long caches may keep this absence (RFC 2308 §5), where the answer said. */
  readonly negativeTtlSeconds?: number;
  readonly secure?: boolean;
}

export interface Unknown {
  readonly status: "unknown";
  readonly cause: UnknownCause;
  /** One sentence for people: which server said or did what. */
  readonly detail: string;
}

/**
 * `servfail` a server said it failed; `timeout` nobody answered in time; `refused` a server would not answer;
 * `bogus` DNSSEC validation failed; `network` the packets could not be sent or the connection broke;
 * `malformed` the reply could not be read; `loop` aliases or delegations lead nowhere.
 */
export type UnknownCause = "servfail" | "timeout" | "refused" | "bogus" | "network" | "malformed" | "loop";

export interface Resolver {
  /** Never rejects for what DNS can do; a rejection is a bug or an abort. */
  lookup<T extends RecordType>(name: DomainName, type: T): Promise<Answer<T>>;
}
