/** What a server says on one connection, read within bounds of octets, lines and time. */
import type { Socket } from "node:net";
import type { Deadline } from "./connection.ts";

/** What went wrong outside, on its way to become an outcome. */
export class SessionBroken extends Error {}

/** For one phase: a greeting, or the reply to one command. */
const MAX_OCTETS = 64 * 1024;
const MAX_LINE_OCTETS = 8 * 1024;
const MAX_LINES = 256;
/** How long a server has to close its side after the farewell. */
const FAREWELL_MILLISECONDS = 250;
const NEWLINE = 0x0a;

interface Waiting {
  /** What was waited for, once it is there. */
  readonly take: () => string | undefined;
  readonly resolve: (text: string) => void;
  readonly reject: (reason: SessionBroken) => void;
}

export class LineSession {
  readonly #socket: Socket;
  readonly #where: string;
  readonly #deadline: Deadline;
  #phase = "its greeting";
  #received: Buffer = Buffer.alloc(0);
  #octets = 0;
  #lines = 0;
  #failure: SessionBroken | undefined;
  #waiting: Waiting | undefined;

  /** `where` begins every sentence about what went wrong: "192.0.2.25 port 25". */
  constructor(socket: Socket, where: string, deadline: Deadline) {
    this.#socket = socket;
    this.#where = where;
    this.#deadline = deadline;
    socket.on("data", this.#onData);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    if (deadline.signal.aborted) this.#onDeadline();
    else deadline.signal.addEventListener("abort", this.#onDeadline, { once: true });
  }

  /** A new phase has its own bounds; `phase` ends sentences: "its reply to EHLO". */
  begin(phase: string): void {
    this.#phase = phase;
    this.#octets = this.#received.length;
    this.#lines = 0;
  }

  /** One line of the protocol, CRLF added. Whoever builds it sees to it that it is one. */
  send(line: string): void {
    this.sendText(`${line}\r\n`);
  }

  sendText(text: string): void {
    if (this.#failure === undefined) this.#socket.write(text);
  }

  /** The next line without its end. Rejects with SessionBroken. */
  readLine(): Promise<string> {
    return this.#wait(() => this.#takeLine());
  }

  /** All text up to the end of what the pattern matches; what does not begin with `start` is no such protocol. */
  readThrough(pattern: RegExp, start: string): Promise<string> {
    return this.#wait(() => {
      const text = this.#received.toString("latin1");
      if (!text.startsWith(start.slice(0, text.length))) {
        this.#fail(`said something unexpected in place of ${this.#phase}: ${quoted(text)}`);
        return undefined;
      }
      const found = pattern.exec(text);
      if (found === null) return undefined;
      const end = found.index + found[0].length;
      const taken = this.#received.toString("utf8", 0, end);
      this.#received = this.#received.subarray(end);
      return taken;
    });
  }

  /** Whether something came that nobody has asked for yet. */
  get hasMore(): boolean {
    return this.#received.length > 0;
  }

  /** What a dialog throws when it cannot go on. */
  broken(problem: string): SessionBroken {
    return new SessionBroken(`${this.#where} ${problem}`);
  }

  unexpected(line: string): SessionBroken {
    return this.broken(`said something unexpected in place of ${this.#phase}: ${quoted(line)}`);
  }

  /** Lets go of the socket, so that TLS can take it over. */
  release(): Socket {
    this.#detach();
    return this.#socket;
  }

  /** Says farewell, and waits a moment for the server to close. */
  async end(farewell: string): Promise<void> {
    if (this.#failure !== undefined || this.#socket.destroyed) return this.destroy();
    this.#detach();
    const socket = this.#socket;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, FAREWELL_MILLISECONDS);
      socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      socket.end(`${farewell}\r\n`);
      // What still comes is not read: it cannot be too much.
      socket.destroySoon();
    });
    socket.destroy();
  }

  destroy(): void {
    this.#detach();
    this.#socket.destroy();
  }

  #wait(take: () => string | undefined): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting = { take, resolve, reject };
      this.#serve();
    });
  }

  #serve(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const taken = waiting.take();
    if (taken !== undefined) {
      this.#waiting = undefined;
      waiting.resolve(taken);
    } else if (this.#failure !== undefined) {
      this.#waiting = undefined;
      waiting.reject(this.#failure);
    }
  }

  #takeLine(): string | undefined {
    const end = this.#received.indexOf(NEWLINE);
    if (end < 0 ? this.#received.length > MAX_LINE_OCTETS : end > MAX_LINE_OCTETS) {
      this.#fail(`sent a line of more than 8 KiB in ${this.#phase}`);
      return undefined;
    }
    if (end < 0) return undefined;
    if (++this.#lines > MAX_LINES) {
      this.#fail(`sent more than ${MAX_LINES} lines in ${this.#phase}`);
      return undefined;
    }
    const line = this.#received.toString("utf8", 0, end);
    this.#received = this.#received.subarray(end + 1);
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  }

  readonly #onData = (octets: Buffer): void => {
    this.#octets += octets.length;
    if (this.#octets > MAX_OCTETS) {
      this.#received = Buffer.alloc(0);
      this.#fail(`sent more than 64 KiB before the end of ${this.#phase}`);
      return;
    }
    this.#received = this.#received.length === 0 ? octets : Buffer.concat([this.#received, octets]);
    this.#serve();
  };

  readonly #onError = (error: NodeJS.ErrnoException & { reason?: string }): void => {
    if (error.code === "ECONNRESET" || error.code === "EPIPE") {
      this.#fail(`reset the connection before the end of ${this.#phase}`);
    } else {
      this.#fail(
        `broke off before the end of ${this.#phase}: ${error.reason ?? error.code ?? error.message}`,
      );
    }
  };

  readonly #onClose = (): void => this.#fail(`closed the connection before the end of ${this.#phase}`);

  readonly #onDeadline = (): void => {
    this.#fail(`did not come to the end of ${this.#phase} within ${this.#deadline.text}`);
  };

  /** Complete lines that came before may still be read. */
  #fail(problem: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = this.broken(problem);
    this.#detach();
    this.#socket.destroy();
    this.#serve();
  }

  #detach(): void {
    this.#socket.off("data", this.#onData);
    this.#socket.off("close", this.#onClose);
    this.#socket.off("error", this.#onError);
    // A late error has nobody to tell.
    if (this.#socket.listenerCount("error") === 0) this.#socket.on("error", () => {});
    this.#deadline.signal.removeEventListener("abort", this.#onDeadline);
  }
}

/** A server's words inside a sentence. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
