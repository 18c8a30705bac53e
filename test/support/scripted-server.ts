/** Servers on loopback that say what a test has written down, right or wrong. */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { createSecureContext, type SecureContextOptions, TLSSocket } from "node:tls";

export interface ScriptedServer {
  readonly port: number;
  /** How many connections came. */
  readonly connectionCount: number;
  /** How many of them are still open. */
  readonly openCount: number;
  close(): Promise<void>;
}

/** Each connection goes to `onConnection`; errors on it are no news. */
export async function startServerOf(onConnection: (socket: Socket) => void): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  let connectionCount = 0;
  const server = createServer((socket) => {
    connectionCount++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    // Who does not read never hears that the other side has closed.
    socket.on("data", () => {});
    onConnection(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server without a port");
  return {
    port: address.port,
    get connectionCount() {
      return connectionCount;
    },
    get openCount() {
      return sockets.size;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

export interface Script {
  /** Said first; nothing where absent. */
  readonly greeting?: string;
  /** What a line begins with → what is said. The first that fits counts. */
  readonly replies: Readonly<Record<string, string>>;
  /** Which commands start TLS, once their reply is sent. */
  readonly startTlsOn?: string;
  /** From then on: other replies, and what is said first where the protocol has that. */
  readonly inTls?: Omit<Script, "startTlsOn">;
  /** All that is said goes out octet by octet. */
  readonly isSplit?: boolean;
}

export interface SpokenServer extends ScriptedServer {
  /** Every line that came, on all connections; empty ones left out. */
  readonly heard: readonly string[];
}

/** A server of a line protocol; `tls` is for STARTTLS, or from the first octet with `isTlsFirst`. */
export async function startScript(
  script: Script,
  tls?: SecureContextOptions,
  { isTlsFirst = false } = {},
): Promise<SpokenServer> {
  const heard: string[] = [];
  const context = tls && createSecureContext(tls);
  const secured = (socket: Socket): TLSSocket => {
    const inside = new TLSSocket(socket, { isServer: true, ...(context && { secureContext: context }) });
    inside.on("error", () => {});
    return inside;
  };
  const converse = (socket: Socket, { greeting, replies, startTlsOn, inTls, isSplit }: Script) => {
    let received = "";
    const say = (text: string) => void sayAll(socket, text, isSplit ?? false);
    if (greeting !== undefined) say(greeting);
    const onData = (chunk: Buffer) => {
      received += chunk;
      for (let end = endOfLine(received); end >= 0; end = endOfLine(received)) {
        const line = received.slice(0, end + 1).trim();
        received = received.slice(end + 1);
        if (line !== "") heard.push(line);
        const key = Object.keys(replies).find((start) => line.toUpperCase().startsWith(start.toUpperCase()));
        const reply = key === undefined ? undefined : replies[key]!;
        if (reply !== undefined) say(reply);
        if (startTlsOn !== undefined && key === startTlsOn) {
          socket.off("data", onData);
          converse(secured(socket), inTls ?? { replies });
          return;
        }
      }
    };
    socket.on("data", onData);
  };
  const server = await startServerOf((socket) => converse(isTlsFirst ? secured(socket) : socket, script));
  return Object.defineProperty(server, "heard", { value: heard }) as SpokenServer;
}

/** An XMPP stream has no lines, but each thing that is said ends with ">". */
function endOfLine(text: string): number {
  return text.indexOf(text.startsWith("<") ? ">" : "\n");
}

async function sayAll(socket: Socket, text: string, isSplit: boolean): Promise<void> {
  for (const part of isSplit ? text : [text]) {
    socket.write(part);
    if (isSplit) await new Promise((resolve) => setImmediate(resolve));
  }
}
