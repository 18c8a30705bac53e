/**
 * An SMTP server for one purpose: it takes mail for one address that nobody can guess, and hands over exactly the octets
 * that came, with all that was seen of the client (RFC 5321). It relays nothing and keeps nothing.
 */
import type { Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type {
  MailSink,
  MailSinkSettings,
  ReceivedMail,
  SinkVisit,
  TlsAgreement,
} from "../milter/mail-exchange.ts";
import { parseAddress, unmapped } from "../standards/dns/address.ts";
import { startSessionServer } from "./session-server.ts";

export interface SmtpSinkOptions extends MailSinkSettings {
  readonly now: () => Date;
  readonly limits?: Partial<SinkLimits>;
}

export interface SinkLimits {
  readonly maxConnections: number;
  readonly idleMilliseconds: number;
  readonly sessionMilliseconds: number;
  readonly maxCommands: number;
  /** Commands that were refused, in one session. */
  readonly maxRefusals: number;
  readonly maxMessageOctets: number;
  /** In one session. */
  readonly maxMessages: number;
}

const LIMITS: SinkLimits = {
  maxConnections: 20,
  idleMilliseconds: 60_000,
  sessionMilliseconds: 300_000,
  maxCommands: 100,
  maxRefusals: 20,
  maxMessageOctets: 25 * 1024 * 1024,
  maxMessages: 5,
};
/** RFC 5321 §4.5.3.1.4 has 512 octets for a command line; extensions ask for more. */
const MAX_LINE_OCTETS = 2048;
/** RFC 5321 §4.5.3.1.2 */
const MAX_HELO_CHARACTERS = 255;
/** Who does not take the last answer is not waited for. */
const FAREWELL_MILLISECONDS = 2_000;

const CRLF = "\r\n";
/** RFC 5321 §4.1.1.4: this alone ends a message; a bare CR or LF ends no line (§2.3.8). */
const END_OF_MESSAGE = "\r\n.\r\n";

/** Rejects where the address or port cannot be had, or certificate and key cannot be used. */
export async function startSmtpSink(options: SmtpSinkOptions): Promise<MailSink> {
  const limits = { ...LIMITS, ...options.limits };
  const { certificate } = options;
  const context =
    certificate &&
    createSecureContext({ cert: certificate.chain, key: certificate.key, minVersion: "TLSv1" });
  return await startSessionServer({
    ...options,
    maxConnections: limits.maxConnections,
    serve(socket, isFull) {
      const session = new Session(socket, options, limits, context);
      session.greet(isFull);
      return session;
    },
  });
}

interface Transaction {
  readonly mailFrom: string;
  isAddressed: boolean;
}

/** One connection, from its greeting to its end. */
class Session {
  readonly ended: Promise<void>;
  readonly #options: SmtpSinkOptions;
  readonly #limits: SinkLimits;
  readonly #context: SecureContext | undefined;
  readonly #connectedAt: Date;
  readonly #address;
  readonly #port: number;
  readonly #sessionTimer: NodeJS.Timeout;
  #idleTimer: NodeJS.Timeout | undefined;
  #plain: Socket;
  #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #helo: string | undefined;
  #tls: TlsAgreement | undefined;
  #transaction: Transaction | undefined;
  /** The message under way; undefined between messages. */
  #message: MessageReader | undefined;
  #isOver = false;
  #commands = 0;
  #refusals = 0;
  #messages = 0;
  #trouble: string | undefined;

  constructor(
    socket: Socket,
    options: SmtpSinkOptions,
    limits: SinkLimits,
    context: SecureContext | undefined,
  ) {
    this.#options = options;
    this.#limits = limits;
    this.#context = context;
    this.#plain = socket;
    this.#socket = socket;
    this.#connectedAt = options.now();
    const address = parseAddress((socket.remoteAddress ?? "").replace(/%.*$/, ""));
    // Of a client that is gone already nobody knows the address; nothing will come of it.
    this.#address = address.ok ? unmapped(address.value) : UNSPECIFIED;
    this.#port = socket.remotePort ?? 0;
    this.#sessionTimer = setTimeout(
      () => this.#sayGoodbye(`421 4.4.2 ${options.hostName} session too long`),
      limits.sessionMilliseconds,
    );
    this.ended = new Promise((resolve) => {
      socket.once("close", () => {
        this.#end();
        resolve();
      });
    });
    socket.on("error", () => {});
    socket.on("data", this.#onData);
    this.#waitAgain();
  }

  greet(isFull: boolean): void {
    const { hostName } = this.#options;
    if (isFull) this.#sayGoodbye(`421 4.3.2 ${hostName} too many connections, come again later`);
    else this.#reply(`220 ${hostName} ESMTP`);
  }

  destroy(): void {
    this.#socket.destroy();
    this.#plain.destroy();
  }

  get #client() {
    return { address: this.#address, port: this.#port, helo: this.#helo, tls: this.#tls };
  }

  #end(): void {
    clearTimeout(this.#sessionTimer);
    clearTimeout(this.#idleTimer);
    this.#isOver = true;
    this.#received = Buffer.alloc(0);
    if (this.#message !== undefined) this.#trouble ??= "it broke off in the middle of the message";
    if (this.#socket instanceof TLSSocket && this.#tls === undefined) {
      this.#trouble ??= "it began TLS and did not come to the end of the handshake";
    }
    this.#message = undefined;
    const visit: SinkVisit = {
      client: this.#client,
      connectedAt: this.#connectedAt,
      mails: this.#messages,
      trouble: this.#trouble,
    };
    this.#options.onVisit(visit);
  }

  #waitAgain(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(
      () => this.#sayGoodbye(`421 4.4.2 ${this.#options.hostName} nothing came for too long`),
      this.#limits.idleMilliseconds,
    );
  }

  #reply(...lines: readonly string[]): void {
    if (this.#socket.writable) this.#socket.write(lines.map((line) => `${line}${CRLF}`).join(""));
  }

  #refuse(line: string): void {
    // What is refused later is mostly a consequence: clients do not wait for each answer.
    this.#trouble ??= line;
    this.#refusals++;
    if (this.#refusals > this.#limits.maxRefusals) {
      this.#sayGoodbye(`421 4.7.0 ${this.#options.hostName} too many mistakes`);
    } else {
      this.#reply(line);
    }
  }

  #sayGoodbye(line: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!line.startsWith("221")) this.#trouble ??= line;
    this.#received = Buffer.alloc(0);
    if (this.#socket.writable) this.#socket.end(`${line}${CRLF}`);
    setTimeout(() => this.destroy(), FAREWELL_MILLISECONDS).unref();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isOver) return;
    if (this.#socket instanceof TLSSocket) this.#tls ??= agreementOf(this.#socket);
    this.#waitAgain();
    let rest = chunk;
    while (rest.length > 0 && !this.#isOver) {
      rest = this.#message === undefined ? this.#readCommand(rest) : this.#readMessage(this.#message, rest);
    }
  };

  /** What is left behind the first command. */
  #readCommand(chunk: Buffer): Buffer {
    const end = chunk.indexOf("\n");
    if (this.#received.length + (end < 0 ? chunk.length : end) > MAX_LINE_OCTETS) {
      this.#sayGoodbye("500 5.5.6 a line of more than 2048 octets");
      return NOTHING;
    }
    if (end < 0) {
      this.#received = Buffer.concat([this.#received, chunk]);
      return NOTHING;
    }
    const line = Buffer.concat([this.#received, chunk.subarray(0, end + 1)]).toString("latin1");
    const rest = chunk.subarray(end + 1);
    this.#received = Buffer.alloc(0);
    this.#commands++;
    if (this.#commands > this.#limits.maxCommands) {
      this.#sayGoodbye(`421 4.7.0 ${this.#options.hostName} too many commands`);
    } else if (!line.endsWith(CRLF) || /[\r\n\0]/.test(line.slice(0, -2))) {
      // RFC 5321 §2.3.8
      this.#refuse("500 5.5.2 lines end with CR and LF, and hold neither");
    } else {
      this.#obey(line.slice(0, -2), rest.length > 0);
    }
    return rest;
  }

  #obey(line: string, moreFollows: boolean): void {
    const { hostName } = this.#options;
    const [, word = "", argument = ""] = /^(\S*)[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    switch (word.toUpperCase()) {
      case "EHLO":
      case "HELO":
        if (argument === "") return this.#refuse("501 5.5.4 say who you are");
        this.#helo = argument.slice(0, MAX_HELO_CHARACTERS);
        this.#transaction = undefined;
        if (word.toUpperCase() === "HELO") return this.#reply(`250 ${hostName}`);
        return this.#reply(...this.#capabilities());
      case "STARTTLS":
        return this.#startTls(argument, moreFollows);
      case "MAIL":
        return this.#beginTransaction(argument);
      case "RCPT":
        return this.#addRecipient(argument);
      case "DATA":
        if (argument !== "") return this.#refuse("501 5.5.4 DATA stands alone");
        if (this.#transaction?.isAddressed !== true) return this.#refuse("503 5.5.1 RCPT first");
        if (this.#messages >= this.#limits.maxMessages) {
          return this.#refuse("452 4.5.3 that was mail enough for one connection");
        }
        this.#message = new MessageReader(this.#limits.maxMessageOctets);
        return this.#reply("354 go on, and end with a dot alone on a line");
      case "RSET":
        this.#transaction = undefined;
        return this.#reply("250 2.0.0 Ok");
      case "NOOP":
        return this.#reply("250 2.0.0 Ok");
      case "VRFY":
        return this.#reply("252 2.5.2 send some mail and see");
      case "QUIT":
        return this.#sayGoodbye(`221 2.0.0 ${hostName} closing connection`);
      default:
        return this.#refuse("500 5.5.2 no such command here");
    }
  }

  #capabilities(): readonly string[] {
    const isTls = this.#socket instanceof TLSSocket;
    const keywords = [
      this.#options.hostName,
      "PIPELINING",
      `SIZE ${this.#limits.maxMessageOctets}`,
      "8BITMIME",
      "SMTPUTF8",
      "ENHANCEDSTATUSCODES",
      ...(this.#context !== undefined && !isTls ? ["STARTTLS"] : []),
    ];
    return keywords.map((keyword, at) => `250${at === keywords.length - 1 ? " " : "-"}${keyword}`);
  }

  #startTls(argument: string, moreFollows: boolean): void {
    if (this.#socket instanceof TLSSocket) return this.#refuse("503 5.5.1 this is TLS already");
    if (this.#context === undefined) return this.#refuse("502 5.5.1 there is no TLS here");
    if (argument !== "") return this.#refuse("501 5.5.4 STARTTLS stands alone");
    // Text in the clear must not pass for what is said in TLS.
    if (moreFollows) return this.#sayGoodbye("501 5.5.1 nothing may follow STARTTLS before TLS");
    this.#reply("220 2.0.0 begin TLS");
    // RFC 3207 §4.2: what was said before TLS is forgotten
    this.#helo = undefined;
    this.#transaction = undefined;
    this.#plain.off("data", this.#onData);
    this.#socket = new TLSSocket(this.#plain, { isServer: true, secureContext: this.#context });
    this.#socket.on("error", ({ code, message }: NodeJS.ErrnoException) => {
      this.#trouble ??= `TLS failed: ${code ?? message}`;
      this.destroy();
    });
    this.#socket.on("close", () => this.#plain.destroy());
    this.#socket.on("data", this.#onData);
  }

  #beginTransaction(argument: string): void {
    if (this.#helo === undefined) return this.#refuse("503 5.5.1 say EHLO first");
    if (this.#transaction !== undefined) return this.#refuse("503 5.5.1 one mail at a time");
    const command = readPath("FROM", argument);
    if (command === undefined) return this.#refuse("501 5.5.4 as in MAIL FROM:<bob@example.org>");
    for (const parameter of command.parameters) {
      const size = /^SIZE=(\d{1,20})$/i.exec(parameter)?.[1];
      if (Number(size) > this.#limits.maxMessageOctets) {
        return this.#refuse("552 5.3.4 the message is too big");
      }
      if (size === undefined && !/^(?:BODY=(?:7BIT|8BITMIME)|SMTPUTF8)$/i.test(parameter)) {
        return this.#refuse("555 5.5.4 no such parameter here");
      }
    }
    this.#transaction = { mailFrom: command.path, isAddressed: false };
    this.#reply("250 2.1.0 Ok");
  }

  #addRecipient(argument: string): void {
    if (this.#transaction === undefined) return this.#refuse("503 5.5.1 MAIL first");
    const command = readPath("TO", argument);
    if (command === undefined) return this.#refuse("501 5.5.4 as in RCPT TO:<bob@example.org>");
    if (command.parameters.length > 0) return this.#refuse("555 5.5.4 no such parameter here");
    if (command.path.toLowerCase() !== this.#options.recipient.toLowerCase()) {
      return this.#refuse("550 5.1.1 nobody of that name is here");
    }
    this.#transaction.isAddressed = true;
    this.#reply("250 2.1.5 Ok");
  }

  /** What is left behind the message. */
  #readMessage(reader: MessageReader, chunk: Buffer): Buffer {
    const rest = reader.read(chunk);
    if (reader.isTooBig) {
      this.#sayGoodbye("552 5.3.4 the message is too big");
      return NOTHING;
    }
    if (rest === undefined) return NOTHING;
    const { mailFrom } = this.#transaction!;
    this.#message = undefined;
    this.#transaction = undefined;
    this.#messages++;
    const mail: ReceivedMail = {
      client: { ...this.#client, helo: this.#helo! },
      mailFrom,
      connectedAt: this.#connectedAt,
      receivedAt: this.#options.now(),
      octets: reader.octets(),
    };
    this.#reply("250 2.0.0 taken, thank you");
    this.#options.onMail(mail);
    return rest;
  }
}

function agreementOf(socket: TLSSocket): TlsAgreement {
  const { standardName, name } = socket.getCipher();
  return { version: socket.getProtocol() ?? "unknown", cipher: standardName ?? name };
}

const NOTHING = Buffer.alloc(0);
const UNSPECIFIED = { family: 4, octets: new Uint8Array(4), text: "0.0.0.0" } as const;

/** RFC 5321 §4.1.2: the path in angle brackets, and what follows it. A source route is dropped (§4.1.1.3). */
function readPath(
  word: "FROM" | "TO",
  argument: string,
): { readonly path: string; readonly parameters: readonly string[] } | undefined {
  const form = /^(FROM|TO):[ \t]*<((?:"(?:[^"\\]|\\.)*"|[^"<>])*)>(?:[ \t]+(.*))?$/i.exec(argument);
  if (form?.[1]?.toUpperCase() !== word) return undefined;
  const path = (form[2] ?? "").replace(/^@[^:]*:/, "");
  const isPath = word === "FROM" ? path === "" || path.includes("@") : path.includes("@");
  if (!isPath) return undefined;
  return { path: utf8Of(path), parameters: (form[3] ?? "").split(/[ \t]+/).filter((each) => each !== "") };
}

/** Addresses may be UTF-8 (RFC 6531 §3.3). */
function utf8Of(octetText: string): string {
  return Buffer.from(octetText, "latin1").toString("utf8");
}

/** The octets behind DATA, up to the line with nothing but a dot. */
class MessageReader {
  readonly #maxOctets: number;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  /** The last octets, in which the end may have begun; the CRLF of DATA itself counts as the end of a line. */
  #tail: Buffer = Buffer.from(CRLF);
  isTooBig = false;

  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets;
  }

  /** What follows the message once it is complete. */
  read(chunk: Buffer): Buffer | undefined {
    const window = Buffer.concat([this.#tail, chunk]);
    const end = window.indexOf(END_OF_MESSAGE);
    // Below zero: so many octets that were kept before belong to the end.
    const own = end < 0 ? chunk.length : end + CRLF.length - this.#tail.length;
    this.#length += own;
    if (this.#length > this.#maxOctets) {
      this.isTooBig = true;
      this.#chunks.length = 0;
      return undefined;
    }
    if (own > 0) this.#chunks.push(chunk.subarray(0, own));
    if (end >= 0) return window.subarray(end + END_OF_MESSAGE.length);
    this.#tail = window.subarray(1 - END_OF_MESSAGE.length);
    return undefined;
  }

  /** RFC 5321 §4.5.2: the first dot of a line that begins with one is taken out. */
  octets(): Buffer {
    const whole = Buffer.concat(this.#chunks).subarray(0, this.#length);
    const parts: Buffer[] = [];
    let from = whole[0] === DOT ? 1 : 0;
    for (let at = whole.indexOf("\r\n."); at >= 0; at = whole.indexOf("\r\n.", at + 3)) {
      parts.push(whole.subarray(from, at + 2));
      from = at + 3;
    }
    return Buffer.concat([...parts, whole.subarray(from)]);
  }
}

const DOT = 0x2e;
