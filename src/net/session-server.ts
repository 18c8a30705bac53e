/** A TCP server whose connections are sessions: how many there may be, and an end that has seen them all. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

export interface ServedConnection {
  /** Resolves when all is done that follows from it. */
  readonly ended: Promise<unknown>;
}

export interface SessionServerOptions {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly maxConnections: number;
  /** `isFull`: it is one too many, and should be told so. */
  readonly serve: (socket: Socket, isFull: boolean) => ServedConnection;
}

export interface SessionServer {
  readonly port: number;
  /** Breaks off what is left; whoever was still there has been seen to the end before this is over. */
  close(): Promise<void>;
}

/** Rejects where it cannot listen. */
export async function startSessionServer(options: SessionServerOptions): Promise<SessionServer> {
  const sessions = new Map<Socket, Promise<unknown>>();
  const server = createServer({ noDelay: true });
  server.on("connection", (socket) => {
    const { ended } = options.serve(socket, sessions.size >= options.maxConnections);
    sessions.set(
      socket,
      ended.finally(() => void sessions.delete(socket)),
    );
  });
  server.listen({ host: options.address, port: options.port, exclusive: true });
  await once(server, "listening");
  return {
    port: portOf(server),
    async close() {
      const closed = once(server, "close");
      server.close();
      const ended = [...sessions.values()];
      for (const socket of sessions.keys()) socket.destroy();
      await Promise.all([closed, ...ended]);
    },
  };
}

/** Of a server that listens at a port. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("a TCP server without a port");
  return address.port;
}
