/**
 * One question to one server: UDP first, TCP where the reply was cut (RFC 7766), without EDNS where the server
 * does not know it (RFC 6891 §7), again where the packet may have been lost.
 */
import {
  decodeMessage,
  type Edns,
  encodeMessage,
  type Message,
  queryMessage,
  RCODES,
} from "../standards/dns/message.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { RecordType } from "../standards/dns/record.ts";
import { InFlightLimit } from "./in-flight-limit.ts";
import { questionEnd } from "./reply-match.ts";
import { formatServerAddress, type ServerAddress } from "./server-address.ts";
import { TcpTransport } from "./tcp-transport.ts";
import { TimerWheel, type Waiting } from "./timer-wheel.ts";
import { type Asking, type Forget, UdpTransport } from "./udp-transport.ts";

export interface DnsQuery {
  readonly name: DomainName;
  readonly type: RecordType;
  readonly recursionDesired: boolean;
  /** CD: answer even where validation fails (RFC 4035 §3.2.2). */
  readonly checkingDisabled?: boolean;
  /** DO: send signatures too (RFC 3225). */
  readonly dnssecOk?: boolean;
}

/** How long to go on asking. */
export interface Patience {
  /** The first wait for a datagram; each further one is twice as long. */
  readonly firstTimeoutMilliseconds: number;
  /** How many datagrams are sent at most. */
  readonly attempts: number;
  /** When to give up whatever happens, on the clock of `performance.now()`. */
  readonly deadline: number;
  /** Called when the first wait has passed without a reply: time to ask another server as well. */
  readonly onSlow?: () => void;
  /** Ends the wait at once; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export type DnsReply =
  | { readonly ok: true; readonly message: Message; readonly milliseconds: number }
  | { readonly ok: false; readonly cause: "timeout" | "network" | "malformed"; readonly detail: string };

export interface DnsTransport {
  exchange(server: ServerAddress, query: DnsQuery, patience: Patience): Promise<DnsReply>;
  /** Packets that answered nothing we asked (forged, late or broken); they are dropped. */
  readonly strayCount: number;
  /** Queries sent so far, repeated ones and those over TCP among them. */
  readonly sentCount: number;
  /** Queries under way fail with cause `network`. */
  close(): void;
}

/** RFC 9715: what passes nearly every path unfragmented. */
const UDP_PAYLOAD_OCTETS = 1232;
const EDNS: Edns = { udpPayloadOctets: UDP_PAYLOAD_OCTETS, version: 0, dnssecOk: false, options: [] };
const EDNS_DNSSEC_OK: Edns = { ...EDNS, dnssecOk: true };
const MAX_IN_FLIGHT_PER_SERVER = 64;
/** How long a server is spared EDNS after it refused it, and how many such servers are remembered. */
const NO_EDNS_MILLISECONDS = 600_000;
const MAX_REMEMBERED_SERVERS = 10_000;
/** How long IPv6 is left alone after the system said that there is no way out. */
const NO_ROUTE_MILLISECONDS = 30_000;
const TCP_ATTEMPTS = 2;
const TCP_TIMEOUT_MILLISECONDS = 4_000;

const NO_ROUTE_CODES = new Set(["ENETUNREACH", "EAFNOSUPPORT", "EADDRNOTAVAIL"]);

export function createDnsTransport(options: { maxInFlightPerServer?: number } = {}): DnsTransport {
  const surroundings: Surroundings = {
    udp: new UdpTransport(),
    tcp: new TcpTransport(),
    wheel: new TimerWheel(),
    limit: new InFlightLimit(options.maxInFlightPerServer ?? MAX_IN_FLIGHT_PER_SERVER, (job) => job.start()),
    withoutEdns: new Map(),
    noRouteUntil: 0,
    isClosed: false,
    sentCount: 0,
    aborting: new WeakMap(),
  };
  return {
    exchange: (server, query, patience) =>
      new Promise((resolve, reject) => {
        new Exchange(surroundings, server, query, patience, resolve, reject).enter();
      }),
    get sentCount() {
      return surroundings.sentCount;
    },
    get strayCount() {
      return surroundings.udp.strayCount + surroundings.tcp.strayCount;
    },
    close() {
      surroundings.isClosed = true;
      surroundings.udp.close();
      surroundings.tcp.close();
    },
  };
}

interface Surroundings {
  readonly udp: UdpTransport;
  readonly tcp: TcpTransport;
  readonly wheel: TimerWheel;
  readonly limit: InFlightLimit<Exchange>;
  /** Servers that refused EDNS → until when they are spared it. */
  readonly withoutEdns: Map<string, number>;
  noRouteUntil: number;
  isClosed: boolean;
  sentCount: number;
  /** One listener per signal, however many exchanges hang on it. */
  readonly aborting: WeakMap<AbortSignal, Set<Exchange>>;
}

class Exchange implements Asking, Waiting {
  readonly server: ServerAddress;
  query: Uint8Array = new Uint8Array(0);
  questionEnd = 0;
  dueTick = -1;
  readonly #question: DnsQuery;
  readonly #patience: Patience;
  readonly #around: Surroundings;
  readonly #resolve: (reply: DnsReply) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #key: string;
  #stage: "queued" | "udp" | "tcp" | "over" = "queued";
  #useEdns = true;
  #datagrams = 0;
  #connections = 0;
  #startedAt: number;
  #sentAt = 0;
  #forget: Forget | undefined;
  /** What was wrong with the datagram, where TCP is tried because of it. */
  #malformed: string | undefined;

  constructor(
    around: Surroundings,
    server: ServerAddress,
    question: DnsQuery,
    patience: Patience,
    resolve: (reply: DnsReply) => void,
    reject: (reason: unknown) => void,
  ) {
    this.server = server;
    this.#around = around;
    this.#question = question;
    this.#patience = patience;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#key = formatServerAddress(server);
    this.#startedAt = performance.now();
  }

  enter(): void {
    const { signal } = this.#patience;
    if (signal?.aborted) return this.abort(signal.reason);
    if (this.#remaining() <= 0) return this.#fail("timeout", "there was no time left to ask");
    if (signal !== undefined) exchangesOf(signal, this.#around.aborting).add(this);
    this.#around.limit.enter(this.#key, this);
    if (this.#stage === "queued") this.#around.wheel.wait(this, this.#remaining());
  }

  /** It is this exchange's turn at its server. */
  start(): void {
    this.#startedAt = performance.now();
    if (this.#around.isClosed) return this.#fail("network", "the DNS client was closed");
    this.#useEdns = !isSparedEdns(this.#key, this.#around.withoutEdns);
    if (this.#hasNoRoute()) return this.#fail("network", "this host has no IPv6 route");
    this.#sendDatagram();
  }

  #encode(): void {
    this.#around.sentCount++;
    const { recursionDesired, checkingDisabled = false, dnssecOk = false, name, type } = this.#question;
    // RFC 6840 §5.7: AD in a query asks for the AD bit of the reply
    const flags = { recursionDesired, authenticData: recursionDesired, checkingDisabled };
    const edns = dnssecOk ? EDNS_DNSSEC_OK : EDNS;
    this.query = encodeMessage(queryMessage(0, { name, type }, this.#useEdns ? { ...flags, edns } : flags));
    this.questionEnd = questionEnd(this.query);
  }

  #sendDatagram(): void {
    this.#stage = "udp";
    this.#encode();
    this.#sentAt = performance.now();
    const timeout = this.#patience.firstTimeoutMilliseconds * 2 ** this.#datagrams++;
    this.#around.wheel.wait(this, Math.min(timeout, this.#remaining()));
    this.#forget = this.#around.udp.send(this);
  }

  #connect(): void {
    this.#stage = "tcp";
    this.#connections++;
    this.#encode();
    this.#sentAt = performance.now();
    this.#around.wheel.wait(this, Math.min(TCP_TIMEOUT_MILLISECONDS, this.#remaining()));
    this.#forget = this.#around.tcp.send(this);
  }

  onReply(octets: Uint8Array): void {
    if (this.#stage === "over") return;
    // A plain view: `slice` of a Buffer would share its memory with the decoded values
    const decoded = decodeMessage(new Uint8Array(octets.buffer, octets.byteOffset, octets.length));
    const isTruncated = (octets[2]! & 0x02) !== 0;
    if (this.#stage === "udp" && (isTruncated || !decoded.ok)) {
      // RFC 2181 §9: nothing in a cut reply is used
      if (!decoded.ok && !isTruncated) this.#malformed = decoded.problem;
      return this.#connect();
    }
    if (!decoded.ok) {
      return this.#fail("malformed", `${this.#key} sent an unreadable reply: ${decoded.problem}`);
    }
    const { rcode } = decoded.value;
    const refusesEdns = rcode === RCODES.FORMERR || rcode === RCODES.NOTIMP || rcode === RCODES.BADVERS;
    if (this.#useEdns && refusesEdns) {
      this.#useEdns = false;
      remember(this.#key, this.#around.withoutEdns);
      if (this.#stage === "udp") return this.#sendDatagram();
      return this.#connect();
    }
    const milliseconds = performance.now() - this.#sentAt;
    if (this.#finish()) this.#resolve({ ok: true, message: decoded.value, milliseconds });
  }

  onBroken(error: NodeJS.ErrnoException): void {
    if (this.#stage === "over") return;
    if (NO_ROUTE_CODES.has(error.code ?? "") && isGlobalIpv6(this.server.address)) {
      this.#around.noRouteUntil = performance.now() + NO_ROUTE_MILLISECONDS;
    }
    // RFC 7766 §6.2.4: a server may close a connection any time; the query is then asked again
    const mayReconnect = this.#connections < TCP_ATTEMPTS && !this.#around.isClosed;
    if (this.#stage === "tcp" && mayReconnect) return this.#connect();
    if (this.#malformed !== undefined) return this.#failMalformed(this.#malformed);
    this.#fail("network", `${this.#key} cannot be reached: ${error.message}`);
  }

  expire(): void {
    this.#forget?.();
    if (this.#stage === "over") return;
    const hasTime = this.#remaining() > 0;
    if (this.#stage === "udp" && this.#datagrams === 1) this.#patience.onSlow?.();
    if (this.#stage === "udp" && hasTime && this.#datagrams < this.#patience.attempts) {
      return this.#sendDatagram();
    }
    if (this.#malformed !== undefined) return this.#failMalformed(this.#malformed);
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    this.#fail("timeout", `no answer from ${this.#key} in ${seconds} s`);
  }

  abort(reason: unknown): void {
    if (this.#finish()) this.#reject(reason);
  }

  #failMalformed(problem: string): void {
    this.#fail("malformed", `${this.#key} sent an unreadable reply: ${problem}`);
  }

  #fail(cause: "timeout" | "network" | "malformed", detail: string): void {
    if (this.#finish()) this.#resolve({ ok: false, cause, detail });
  }

  /** True the first time. */
  #finish(): boolean {
    if (this.#stage === "over") return false;
    this.#stage = "over";
    this.#around.wheel.stop(this);
    this.#forget?.();
    this.#forget = undefined;
    const { signal } = this.#patience;
    if (signal !== undefined) this.#around.aborting.get(signal)?.delete(this);
    this.#around.limit.leave(this.#key, this);
    return true;
  }

  #remaining(): number {
    return this.#patience.deadline - performance.now();
  }

  #hasNoRoute(): boolean {
    return performance.now() < this.#around.noRouteUntil && isGlobalIpv6(this.server.address);
  }
}

/** RFC 4291 §2.4: what is routed between sites starts with the bits 001. */
function isGlobalIpv6(address: string): boolean {
  return /^[23][0-9a-f]{3}:/.test(address);
}

function exchangesOf(signal: AbortSignal, aborting: WeakMap<AbortSignal, Set<Exchange>>): Set<Exchange> {
  const known = aborting.get(signal);
  if (known !== undefined) return known;
  const exchanges = new Set<Exchange>();
  aborting.set(signal, exchanges);
  const abortAll = () => {
    for (const exchange of [...exchanges]) exchange.abort(signal.reason);
  };
  signal.addEventListener("abort", abortAll, { once: true });
  return exchanges;
}

function isSparedEdns(key: string, withoutEdns: Map<string, number>): boolean {
  if (withoutEdns.size === 0) return false;
  const until = withoutEdns.get(key);
  if (until === undefined) return false;
  if (performance.now() < until) return true;
  withoutEdns.delete(key);
  return false;
}

function remember(key: string, withoutEdns: Map<string, number>): void {
  if (withoutEdns.size >= MAX_REMEMBERED_SERVERS) withoutEdns.clear();
  withoutEdns.set(key, performance.now() + NO_EDNS_MILLISECONDS);
}
