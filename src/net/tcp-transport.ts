/** Queries over TCP (RFC 7766): length prefix, connections kept while in use, several queries under way on each. */
import { connect, type Socket } from "node:net";
import { freshId } from "./query-id.ts";
import { isReplyTo, messageId, setMessageId } from "./reply-match.ts";
import { formatServerAddress, type ServerAddress } from "./server-address.ts";
import type { Asking, Forget } from "./udp-transport.ts";

/** RFC 7766 §6.2.3: a client closes an idle connection after a few seconds. */
const IDLE_MILLISECONDS = 3_000;

export class TcpTransport {
  readonly #connections = new Map<string, Connection>();
  /** Messages that answered nothing we asked. */
  strayCount = 0;

  send(asking: Asking): Forget {
    const key = formatServerAddress(asking.server);
    let connection = this.#connections.get(key);
    if (connection === undefined) {
      const fresh = new Connection(
        asking.server,
        () => this.strayCount++,
        () => this.#connections.get(key) === fresh && this.#connections.delete(key),
      );
      this.#connections.set(key, fresh);
      connection = fresh;
    }
    return connection.send(asking);
  }

  close(): void {
    for (const connection of this.#connections.values())
      connection.close(new Error("the transport was closed"));
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #asking = new Map<number, Asking>();
  readonly #onStray: () => void;
  readonly #onClosed: () => void;
  #received: Buffer = Buffer.alloc(0);

  constructor(server: ServerAddress, onStray: () => void, onClosed: () => void) {
    this.#onStray = onStray;
    this.#onClosed = onClosed;
    this.#socket = connect({ host: server.address, port: server.port, noDelay: true });
    this.#socket.unref();
    this.#socket.on("data", (octets) => this.#receive(octets));
    this.#socket.on("error", (error) => this.close(error));
    this.#socket.on("close", () => this.close(new Error("the server closed the connection")));
    this.#socket.setTimeout(IDLE_MILLISECONDS, () => {
      if (this.#asking.size === 0) this.close(new Error("the connection stood idle"));
    });
  }

  send(asking: Asking): Forget {
    const id = freshId(this.#asking);
    setMessageId(asking.query, id);
    this.#asking.set(id, asking);
    // RFC 7766 §8: the length and the message in one write
    const framed = Buffer.allocUnsafe(asking.query.length + 2);
    framed.writeUInt16BE(asking.query.length);
    framed.set(asking.query, 2);
    this.#socket.write(framed);
    return () => {
      // A server that let one query lie may have stopped reading; the next one gets a new connection.
      if (this.#asking.delete(id)) this.close(new Error("the server did not answer on this connection"));
    };
  }

  #receive(octets: Buffer): void {
    this.#received = this.#received.length === 0 ? octets : Buffer.concat([this.#received, octets]);
    while (this.#received.length >= 2) {
      const end = 2 + this.#received.readUInt16BE();
      if (this.#received.length < end) return;
      const message = this.#received.subarray(2, end);
      this.#received = this.#received.subarray(end);
      this.#dispatch(message);
    }
  }

  #dispatch(octets: Buffer): void {
    const id = octets.length < 2 ? -1 : messageId(octets);
    const asking = this.#asking.get(id);
    if (asking === undefined || !isReplyTo(asking.query, asking.questionEnd, octets)) {
      this.#onStray();
      return;
    }
    this.#asking.delete(id);
    asking.onReply(octets);
  }

  close(reason: Error): void {
    this.#onClosed();
    this.#socket.destroy();
    const asking = [...this.#asking.values()];
    this.#asking.clear();
    for (const each of asking) each.onBroken(reason);
  }
}
