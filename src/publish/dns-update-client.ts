/** One DNS server that takes updates and gives its zones away: an interface, so that net/ makes the connections. */
import type { Message } from "../standards/dns/message.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { ResourceRecord } from "../standards/dns/record.ts";
import type { TsigVerdict } from "../standards/dns/tsig.ts";

/** Never rejects. With a key, everything is signed, and nothing counts that is not. */
export interface DnsUpdateClient {
  /** "192.0.2.53" */
  readonly server: string;
  /** The name of the key; absent where requests go unsigned. */
  readonly keyName?: DomainName;
  /** Over TCP; the message gets an id of its own. Throws a RangeError where it is too long to be sent. */
  exchange(message: Message): Promise<ExchangeOutcome>;
  transfer(zone: DomainName): Promise<TransferOutcome>;
  /** Whether the server has authority for the zone, asked without a key: good for saying what may be wrong, no more. */
  serves(zone: DomainName): Promise<boolean | "unknown">;
}

export type ExchangeOutcome =
  /** Verified, or there is no key. */
  { readonly status: "answered"; readonly message: Message } | Unanswered;

export type TransferOutcome =
  /** The SOA first, and no second time. */
  | { readonly status: "transferred"; readonly records: readonly ResourceRecord[] }
  /** The server says no, and it is the server. */
  | { readonly status: "denied"; readonly rcode: number }
  | Unanswered;

export type Unanswered =
  /** No connection, or one that broke; `sent`: the server may have had the request. */
  | { readonly status: "unreachable"; readonly detail: string; readonly sent: boolean }
  | { readonly status: "unreadable"; readonly problem: string }
  /** There is an answer, and its signature does not make it one; times in seconds since 1970. */
  | { readonly status: "unverified"; readonly verdict: UnverifiedReply; readonly ourTime: number };

export type UnverifiedReply = Exclude<TsigVerdict, { readonly status: "verified" | "malformed" }>;
