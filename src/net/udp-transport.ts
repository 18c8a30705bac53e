/**
 * Queries as datagrams, over a small pool of unconnected sockets.
 *
 * A forger off the path has to guess the 16-bit id and the port (RFC 5452 §9.2), so each socket has a port
 * that the kernel chose and gives it up after some use; a socket per query would be too slow.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { type Family, parseAddress } from "../standards/dns/address.ts";
import { freshId, randomUint16 } from "./query-id.ts";
import { isReplyTo, messageId, setMessageId } from "./reply-match.ts";
import type { ServerAddress } from "./server-address.ts";

/** One query under way, as the two transports see it. */
export interface Asking {
  readonly server: ServerAddress;
  /** The encoded query; the transport writes the id into it. */
  query: Uint8Array;
  readonly questionEnd: number;
  onReply(octets: Uint8Array): void;
  /** The packet could not be sent, or the connection broke. */
  onBroken(error: Error): void;
}

/** Ends the wait for a reply; a late one counts as stray. */
export type Forget = () => void;

const SOCKETS_PER_FAMILY = 8;
const USES_PER_SOCKET = 2000;
const RECEIVE_BUFFER_OCTETS = 1 << 20;

export class UdpTransport {
  readonly #pools: Record<Family, (PooledSocket | undefined)[]> = { 4: [], 6: [] };
  readonly #open = new Set<PooledSocket>();
  #outbox: (() => void)[] = [];
  /** Datagrams that answered nothing we asked: forged, late, or broken. */
  strayCount = 0;

  /**
   * Queries leave together once all replies at hand are read: each sending wakes the server's process or the
   * network, and one waking for many packets halves what a query costs.
   */
  readonly #defer: Defer = (transmit) => {
    if (this.#outbox.length === 0) setImmediate(this.#flush);
    this.#outbox.push(transmit);
  };

  readonly #flush = (): void => {
    const outbox = this.#outbox;
    this.#outbox = [];
    for (const transmit of outbox) transmit();
  };

  send(asking: Asking): Forget {
    return this.#pick(asking.server.address.includes(":") ? 6 : 4).send(asking);
  }

  #pick(family: Family): PooledSocket {
    const pool = this.#pools[family];
    const at = randomUint16() % SOCKETS_PER_FAMILY;
    const pooled = pool[at];
    if (pooled?.isUsable) return pooled;
    pooled?.retire();
    const fresh = new PooledSocket(
      family,
      this.#defer,
      () => this.strayCount++,
      () => this.#open.delete(fresh),
    );
    this.#open.add(fresh);
    pool[at] = fresh;
    return fresh;
  }

  close(): void {
    for (const pooled of this.#open) pooled.break(new Error("the transport was closed"));
    this.#pools[4] = [];
    this.#pools[6] = [];
  }
}

type Defer = (transmit: () => void) => void;

class PooledSocket {
  readonly #socket: Socket;
  readonly #asking = new Map<number, Asking>();
  readonly #defer: Defer;
  readonly #onStray: () => void;
  readonly #onClosed: () => void;
  #uses = 0;
  #isRetired = false;
  #isClosed = false;

  constructor(family: Family, defer: Defer, onStray: () => void, onClosed: () => void) {
    this.#defer = defer;
    this.#onStray = onStray;
    this.#onClosed = onClosed;
    this.#socket = createSocket({
      type: family === 6 ? "udp6" : "udp4",
      recvBufferSize: RECEIVE_BUFFER_OCTETS,
      // Addresses need no lookup, and without one the packet leaves at once.
      lookup: (address, _options, callback) => callback(null, address, family),
    });
    this.#socket.on("message", this.#receive);
    this.#socket.on("error", (error) => this.break(error));
    this.#socket.bind({ port: 0, exclusive: true });
    this.#socket.unref();
  }

  get isUsable(): boolean {
    return !this.#isClosed && !this.#isRetired && this.#uses < USES_PER_SOCKET;
  }

  send(asking: Asking): Forget {
    this.#uses++;
    const id = freshId(this.#asking);
    setMessageId(asking.query, id);
    this.#asking.set(id, asking);
    this.#defer(() => this.#transmit(id, asking));
    return () => this.#forget(id, asking);
  }

  #transmit(id: number, asking: Asking): void {
    if (this.#asking.get(id) !== asking) return; // given up meanwhile
    const { address, port } = asking.server;
    this.#socket.send(asking.query, port, address, (error) => {
      if (error !== null && this.#forget(id, asking)) asking.onBroken(error);
    });
  }

  #forget(id: number, asking: Asking): boolean {
    const isMine = this.#asking.get(id) === asking && this.#asking.delete(id);
    if (this.#isRetired && this.#asking.size === 0) this.close();
    return isMine;
  }

  readonly #receive = (octets: Buffer, from: RemoteInfo): void => {
    const id = octets.length < 2 ? -1 : messageId(octets);
    const asking = this.#asking.get(id);
    if (
      asking === undefined ||
      from.port !== asking.server.port ||
      !isSameAddress(from.address, asking.server.address) ||
      !isReplyTo(asking.query, asking.questionEnd, octets)
    ) {
      this.#onStray();
      return;
    }
    this.#forget(id, asking);
    asking.onReply(octets);
  };

  /** No new queries; closes when the last wait ends. */
  retire(): void {
    this.#isRetired = true;
    if (this.#asking.size === 0) this.close();
  }

  break(error: Error): void {
    this.close();
    const asking = [...this.#asking.values()];
    this.#asking.clear();
    for (const each of asking) each.onBroken(error);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
    this.#onClosed();
  }
}

/** The system may write an IPv6 address in another form, or with its scope. */
function isSameAddress(seen: string, asked: string): boolean {
  if (seen === asked) return true;
  const parsed = parseAddress(seen.split("%", 1)[0]!);
  return parsed.ok && parsed.value.text === asked;
}
