/**
 * Sockets for milter sessions. A socket file is made aside, with its rights, and then put in its place in one step:
 * nobody can connect before he may, and what a dead process left behind is replaced.
 */
import { once } from "node:events";
import { chmod, chown, lstat, mkdtemp, rename, rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import type { MilterAddress } from "../milter/address.ts";
import type { SessionOwner } from "../milter/session.ts";
import { portOf } from "./session-server.ts";

/** What a connection is handed to: a MilterSession. */
export interface ServedSession {
  readonly hasMessage: boolean;
  receive(chunk: Uint8Array): void;
  disconnected(): void;
}

export interface MilterServerOptions {
  readonly address: MilterAddress;
  readonly createSession: (owner: SessionOwner) => ServedSession;
  /** Of the socket file. Postfix runs as a user of its own, which needs to read and write it. */
  readonly mode?: number;
  /** The socket file's group, by its number; that of the process where it is left out. */
  readonly groupId?: number;
  readonly maxConnections?: number;
  /** An MTA may be silent for as long as its client; libmilter has the same limit. */
  readonly idleSeconds?: number;
  /** One more connection than there may be was closed. */
  readonly onRefused?: () => void;
  /** A connection broke off. */
  readonly onSocketError?: (error: Error) => void;
}

export interface MilterServer {
  /** For port 0, the one that was taken. */
  readonly address: MilterAddress;
  readonly connections: number;
  /**
   * Takes no more connections, and waits for those that there are: an SMTP session whose milter goes away is told to
   * come again later. After the grace, whatever is left is closed.
   */
  close(options?: { readonly graceMilliseconds?: number }): Promise<ClosedConnections>;
}

export interface ClosedConnections {
  /** Over before the grace was. */
  readonly finished: number;
  /** Closed between two messages. */
  readonly idle: number;
  /** Closed in the middle of a message. */
  readonly interrupted: number;
}

const MODE = 0o660;
const MAX_CONNECTIONS = 1000;
const IDLE_SECONDS = 7210;
const BACKLOG = 511;
/** A socket that nobody listens at refuses at once. */
const STALE_PROBE_MILLISECONDS = 2000;
/** Who does not take the last answer is not waited for. */
const LINGER_MILLISECONDS = 5000;

/** Rejects where the address cannot be had. */
export async function startMilterServer(options: MilterServerOptions): Promise<MilterServer> {
  const { address } = options;
  if (address.kind === "inet") {
    return await acceptConnections(options, async (server) => {
      server.listen({ host: address.host, port: address.port, exclusive: true, backlog: BACKLOG });
      await once(server, "listening");
      return async () => {};
    });
  }
  const place = await openSocketPlace(address.path, options);
  try {
    return await acceptConnections(options, async (server) => {
      server.listen({ path: place.made, backlog: BACKLOG });
      await once(server, "listening");
      await place.put();
      return place.leave;
    });
  } catch (error) {
    await place.leave();
    throw error;
  }
}

/** As `startMilterServer`, at a socket that the processes of a cluster share; who made its place puts it there. */
export async function startSharedMilterServer(
  options: MilterServerOptions,
  madePath: string | undefined,
): Promise<MilterServer> {
  const { address } = options;
  return await acceptConnections(options, async (server) => {
    if (address.kind === "inet") server.listen({ host: address.host, port: address.port, backlog: BACKLOG });
    else server.listen({ path: madePath ?? address.path, backlog: BACKLOG });
    await once(server, "listening");
    return async () => {};
  });
}

/** `listen` gives what is to be done when the server listens no more. */
async function acceptConnections(
  options: MilterServerOptions,
  listen: (server: Server) => Promise<() => Promise<void>>,
): Promise<MilterServer> {
  const connections = new Map<Socket, ServedSession>();
  const server = createServer({ noDelay: true });
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  server.on("drop", () => options.onRefused?.());
  server.on("connection", (socket) => serve(socket, options, connections));
  const { address } = options;
  const leave = await listen(server).catch((error: unknown) => {
    server.close();
    throw error;
  });
  // No descriptor left for one more connection: those that there are go on.
  server.on("error", (error) => options.onSocketError?.(error));
  return {
    address: address.kind === "unix" ? address : { ...address, port: portOf(server) },
    get connections() {
      return connections.size;
    },
    async close({ graceMilliseconds = 0 } = {}) {
      const closed = once(server, "close");
      server.close();
      await leave();
      const atFirst = connections.size;
      if (graceMilliseconds > 0 && atFirst > 0) {
        const grace = new AbortController();
        const timer = setTimeout(() => grace.abort(), graceMilliseconds);
        await Promise.race([closed, once(grace.signal, "abort")]);
        clearTimeout(timer);
      }
      const left = [...connections];
      const interrupted = left.filter(([, session]) => session.hasMessage).length;
      for (const [socket] of left) socket.destroy();
      await closed;
      return { finished: atFirst - left.length, idle: left.length - interrupted, interrupted };
    },
  };
}

function serve(
  socket: Socket,
  { createSession, idleSeconds = IDLE_SECONDS, onSocketError }: MilterServerOptions,
  connections: Map<Socket, ServedSession>,
): void {
  let isPausedBySession = false;
  let isCongested = false;
  const session = createSession({
    write(octets) {
      if (!socket.writable || socket.write(octets)) return;
      // An MTA that reads no answers gets no more questions in.
      isCongested = true;
      socket.pause();
    },
    pause() {
      isPausedBySession = true;
      socket.pause();
    },
    resume() {
      isPausedBySession = false;
      if (!isCongested) socket.resume();
    },
    end() {
      socket.end();
      const linger = setTimeout(() => socket.destroy(), LINGER_MILLISECONDS);
      socket.once("close", () => clearTimeout(linger));
    },
  });
  connections.set(socket, session);
  socket.on("data", (chunk: Buffer) => session.receive(chunk));
  socket.on("drain", () => {
    isCongested = false;
    if (!isPausedBySession) socket.resume();
  });
  socket.setTimeout(idleSeconds * 1000, () => socket.destroy());
  socket.on("error", (error) => onSocketError?.(error));
  socket.on("close", () => {
    connections.delete(socket);
    session.disconnected();
  });
}

/** Where a socket file is made, out of everybody's sight, before it is put in its place. */
export interface SocketPlace {
  readonly made: string;
  /** Gives it its rights, and puts it where it belongs. */
  put(): Promise<void>;
  /** Takes it away again, unless another process has put its own there since. */
  leave(): Promise<void>;
}

/** Rejects where the path cannot be had. */
export async function openSocketPlace(
  path: string,
  { mode = MODE, groupId }: Pick<MilterServerOptions, "mode" | "groupId">,
): Promise<SocketPlace> {
  await refuseTakenPath(path);
  // Nobody else looks into a folder of mkdtemp. Its name is short, since a socket's path has 107 octets at most.
  const aside = await mkdtemp(`${dirname(path)}/.`).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new Error(`there is no folder ${dirname(path)}: make it, with leave for the mail server to enter`);
  });
  const made = join(aside, "s");
  let own: { readonly ino: number; readonly dev: number } | undefined;
  return {
    made,
    async put() {
      await chmod(made, mode);
      if (groupId !== undefined) await chown(made, -1, groupId);
      await rename(made, path);
      own = await lstat(path);
    },
    async leave() {
      await rm(aside, { recursive: true, force: true });
      const now = own === undefined ? undefined : await lstat(path).catch(() => undefined);
      if (now !== undefined && now.ino === own?.ino && now.dev === own.dev) await rm(path, { force: true });
    },
  };
}

/** Rejects where somebody listens at the path, or something else than a socket lies there. */
async function refuseTakenPath(path: string): Promise<void> {
  const there = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (there === undefined) return;
  if (!there.isSocket())
    throw new Error(`${path} is there and is no socket: move it away, or listen elsewhere`);
  if (await isAnswered(path))
    throw new Error(`another process listens at ${path}: stop it, or listen elsewhere`);
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = connect({ path });
  socket.setTimeout(STALE_PROBE_MILLISECONDS, () => socket.destroy(new Error("no answer")));
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    // Any other error may well be that of a live one.
    return (error as NodeJS.ErrnoException).code !== "ECONNREFUSED";
  } finally {
    socket.destroy();
  }
}
