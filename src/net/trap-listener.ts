/**
 * The server behind a trap MX (R12): it listens as a mail server does, takes note of who comes, and sends everybody
 * away to come again. It never takes a message and never refuses one for good: what lands here by right is tried
 * again at the better servers (RFC 5321 §4.2.1).
 */
import type { Socket } from "node:net";
import type { TrapContact } from "../check/mx-trap.ts";
import { startSessionServer } from "./session-server.ts";

export interface TrapListenerOptions {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What the server calls itself. */
  readonly hostName: string;
  readonly now: () => Date;
  /** Once a connection has ended. */
  readonly onContact: (contact: TrapContact) => void;
  readonly limits?: Partial<TrapLimits>;
}

export interface TrapLimits {
  readonly maxConnections: number;
  /** RFC 5321 §4.5.3.2.7: five minutes at least. */
  readonly idleMilliseconds: number;
  readonly sessionMilliseconds: number;
  /** What one client may send in all. */
  readonly maxOctets: number;
  readonly maxCommands: number;
}

const LIMITS: TrapLimits = {
  maxConnections: 200,
  idleMilliseconds: 300_000,
  sessionMilliseconds: 600_000,
  maxOctets: 16_384,
  maxCommands: 50,
};
/** RFC 5321 §4.5.3.1.4 has 512 octets for a command line; extensions ask for more. */
const MAX_LINE_OCTETS = 2048;
/** RFC 5321 §4.5.3.1.2 */
const MAX_HELO_CHARACTERS = 255;

export interface TrapListener {
  readonly port: number;
  close(): Promise<void>;
}

/** Rejects where the address or port cannot be had. */
export async function startTrapListener(options: TrapListenerOptions): Promise<TrapListener> {
  const limits = { ...LIMITS, ...options.limits };
  return await startSessionServer({
    ...options,
    maxConnections: limits.maxConnections,
    serve: (socket, isFull) => ({
      ended: new Promise((resolve) => {
        serve(socket, isFull, options, limits, () => resolve(undefined));
      }),
    }),
  });
}

function serve(
  socket: Socket,
  isFull: boolean,
  { hostName, now, onContact }: TrapListenerOptions,
  limits: TrapLimits,
  onEnd: () => void,
): void {
  const time = now();
  const client = clientOf(socket);
  let helo: string | undefined;
  let waiting = "";
  let octets = 0;
  let commands = 0;

  const reply = (...lines: readonly string[]) => {
    if (socket.writable) socket.write(lines.map((line) => `${line}\r\n`).join(""));
  };
  let isOver = false;
  const goodbye = (line: string) => {
    isOver = true;
    socket.end(`${line}\r\n`);
    // Who does not take the answer is not waited for.
    setTimeout(() => socket.destroy(), 2_000).unref();
  };
  const onLine = (line: string) => {
    commands++;
    if (commands > limits.maxCommands)
      return goodbye(`421 4.7.0 ${hostName} too many commands, come again later`);
    const [, word = "", argument = ""] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(line) ?? [];
    switch (word.toUpperCase()) {
      case "HELO":
      case "EHLO":
        helo = argument.slice(0, MAX_HELO_CHARACTERS);
        return reply(`250 ${hostName}`);
      case "MAIL":
      case "RSET":
      case "NOOP":
        return reply("250 2.0.0 Ok");
      case "RCPT":
      case "DATA":
        return reply("451 4.3.0 Not now: try the other mail servers of the domain, or come again later");
      case "QUIT":
        return goodbye(`221 2.0.0 ${hostName} closing connection`);
      default:
        return reply("451 4.3.0 Not here, not now: come again later");
    }
  };

  socket.setTimeout(limits.idleMilliseconds, () =>
    goodbye(`421 4.4.2 ${hostName} timeout, come again later`),
  );
  const session = setTimeout(
    () => goodbye(`421 4.4.2 ${hostName} session too long, come again later`),
    limits.sessionMilliseconds,
  );
  socket.on("data", (chunk: Buffer) => {
    if (isOver) return;
    octets += chunk.length;
    waiting += chunk.toString("latin1");
    for (let end = waiting.indexOf("\n"); end >= 0 && !isOver; end = waiting.indexOf("\n")) {
      const line = waiting.slice(0, end).replace(/\r$/, "");
      waiting = waiting.slice(end + 1);
      onLine(line);
    }
    if (!isOver && (octets > limits.maxOctets || waiting.length > MAX_LINE_OCTETS)) {
      goodbye(`421 4.7.0 ${hostName} too much was sent, come again later`);
    }
  });
  // A client that breaks off has been seen all the same.
  socket.on("error", () => {});
  socket.on("close", () => {
    clearTimeout(session);
    onContact({ time, client, host: hostName, ...(helo !== undefined && { helo }) });
    onEnd();
  });
  if (isFull) goodbye(`421 4.3.2 ${hostName} too many connections, come again later`);
  else reply(`220 ${hostName} ESMTP`);
}

/** An IPv4 client of a socket for both families has its own address. */
function clientOf({ remoteAddress = "" }: Socket): string {
  return remoteAddress.replace(/^::ffff:(?=\d+\.)/i, "");
}
