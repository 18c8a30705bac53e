/**
 * One connection of an MTA, octets in and octets out: versions 2 to 6 of the protocol, many messages one after the
 * other. Sockets and clocks are arguments. What a handler throws costs the message an answer of its own and nothing
 * else; what an MTA says wrongly ends the connection.
 */
import { headerField, type OctetText } from "../standards/message/header-field.ts";
import { MacroMemory, USUAL_MACROS } from "./macros.ts";
import type {
  BodyInterest,
  ConnectionHandler,
  MailAction,
  MailOutcome,
  MessageHandler,
  MilterConnection,
} from "./mail-handler.ts";
import { encodeOutcome } from "./outcome-packets.ts";
import { PacketDecoder } from "./packet-decoder.ts";
import {
  ACTION,
  COMMAND,
  CONTINUE,
  encodeNegotiation,
  FAMILY,
  type MacroLists,
  NEWEST_VERSION,
  type Negotiation,
  OLDEST_VERSION,
  PROGRESS,
  SKIP,
  STEP,
} from "./protocol.ts";

export interface MilterSessionOptions {
  /** Called for each SMTP connection that the MTA tells of. */
  readonly connect: (connection: MilterConnection) => ConnectionHandler;
  /** What outcomes may ask for. Without leave for it from the MTA there is no session; quarantine alone may be missing. */
  readonly needs: readonly ("addHeaders" | "changeHeaders" | "quarantine")[];
  /** Whether handlers want to know recipients; otherwise they are not sent. */
  readonly wantsRecipients?: boolean;
  /**
   * Whether `skip` keeps the MTA from sending the rest of a body. Every chunk then waits for a reply, which costs a
   * message of one chunk more than it saves; without it, what is skipped still comes, and is thrown away.
   */
  readonly stopsBodies?: boolean;
  readonly macros?: MacroLists;
  /** What becomes of a message whose handler fails or takes too long. */
  readonly fallback?: FallbackAction;
  /** While the end of a message is worked on, the MTA hears this often that it is. */
  readonly progressSeconds?: number;
  /** How long one answer may take. */
  readonly deadlineSeconds?: number;
  /** Calls back once, unless what it returns is called before. */
  readonly after: (milliseconds: number, action: () => void) => () => void;
  readonly onError: (error: Error, source: SessionErrorSource) => void;
}

export type FallbackAction = Exclude<MailAction, { readonly kind: "quarantine" }>;

/** `mta`: the protocol was broken, and the connection is over. The others cost one message its regular answer. */
export type SessionErrorSource = "mta" | "handler" | "deadline";

/** Who holds the connection. None of these calls back into the session before it returns. */
export interface SessionOwner {
  write(octets: Uint8Array): void;
  /** Nothing more is read until `resume`. */
  pause(): void;
  resume(): void;
  /** The session is over; what was written before is still to be sent. */
  end(): void;
}

const TRY_LATER: FallbackAction = {
  kind: "reply",
  code: 451,
  status: "4.7.1",
  text: "This mail cannot be processed at the moment, please try again later",
};
const PROGRESS_SECONDS = 10;
/** Postfix gives up after milter_content_timeout, 300 s, where it hears nothing. */
const DEADLINE_SECONDS = 240;
/** Beyond this, the owner is asked to stop reading. */
const PAUSE_BACKLOG_OCTETS = 131_072;
/** Beyond that, he did not. */
const MAX_BACKLOG_OCTETS = 4_194_304;
/** Names of hosts have 255; an MTA may hand on what a client made up. */
const MAX_NAME_OCTETS = 1024;
/** RFC 5321 §4.5.3.1.3 has 256 for a path. */
const MAX_PATH_OCTETS = 4096;

const WANTED_STEPS =
  STEP.noUnknown |
  STEP.noData |
  STEP.noReplyToHeader |
  STEP.noReplyToConnect |
  STEP.noReplyToHelo |
  STEP.noReplyToMail |
  STEP.noReplyToRecipient |
  STEP.noReplyToData |
  STEP.noReplyToUnknown |
  STEP.noReplyToEndOfHeaders |
  STEP.headerLeadingSpace;

class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

type Stage = "envelope" | "header" | "body";

interface Message {
  /** Undefined once it has failed: the rest of the message is passed over, and its end has the fallback for an answer. */
  handler: MessageHandler | undefined;
  stage: Stage;
  wantsBody: boolean;
}

interface Wait {
  readonly message: Message;
  readonly isForEnd: boolean;
  cancelTimer: () => void;
}

export class MilterSession {
  readonly #options: MilterSessionOptions;
  readonly #owner: SessionOwner;
  readonly #fallback: MailOutcome;
  readonly #decoder = new PacketDecoder();
  readonly #macros = new MacroMemory();
  readonly #output: Uint8Array[] = [];
  #agreed: Negotiation | undefined;
  #isOver = false;
  #connectionHandler: ConnectionHandler | undefined;
  #hasConnected = false;
  #helo = "";
  #message: Message | undefined;
  #wait: Wait | undefined;
  #isPaused = false;

  constructor(options: MilterSessionOptions, owner: SessionOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#fallback = { action: options.fallback ?? TRY_LATER, changes: [] };
    // A fallback that is none is found out before it is needed.
    encodeOutcome(this.#fallback, { version: NEWEST_VERSION, actions: 0, steps: 0 });
  }

  get hasMessage(): boolean {
    return this.#message !== undefined;
  }

  /** The chunk may change once this has returned. */
  receive(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#decoder.feed(chunk);
    this.#proceed();
  }

  /** The connection is gone, by whatever cause. */
  disconnected(): void {
    this.#isOver = true;
    this.#dropMessage();
  }

  #proceed(): void {
    try {
      while (!this.#isOver && this.#mayRead() && this.#decoder.next()) this.#command();
      this.#decoder.keep();
      if (this.#decoder.backlog > MAX_BACKLOG_OCTETS)
        throw new ProtocolError("more was sent than was asked for");
    } catch (error) {
      this.#fail(error);
    }
    this.#flush();
    if (this.#isOver) return;
    const isFull = this.#wait !== undefined && this.#decoder.backlog > PAUSE_BACKLOG_OCTETS;
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) this.#owner.pause();
    else this.#owner.resume();
  }

  /** While the end of a message is worked on, only what calls it off is heard. */
  #mayRead(): boolean {
    if (this.#wait === undefined) return true;
    if (!this.#wait.isForEnd) return false;
    switch (this.#decoder.peekCommand()) {
      case COMMAND.abort:
      case COMMAND.quit:
      case COMMAND.quitForNewConnection:
        return true;
      default:
        return false;
    }
  }

  #fail(error: unknown): void {
    this.#isOver = true;
    this.#dropMessage();
    this.#report(error, "mta");
    this.#flush();
    this.#owner.end();
  }

  /** All that is to be said now goes out at once. */
  #flush(): void {
    const [first] = this.#output;
    if (first === undefined) return;
    const octets = this.#output.length === 1 ? first : Buffer.concat(this.#output);
    this.#output.length = 0;
    this.#owner.write(octets);
  }

  #report(error: unknown, source: SessionErrorSource): void {
    this.#options.onError(error instanceof Error ? error : new Error(String(error)), source);
  }

  #command(): void {
    const { command, source, start, end } = this.#decoder;
    if (this.#agreed === undefined) {
      if (command === COMMAND.negotiate) return this.#negotiate(source, start, end);
      if (command === COMMAND.quit) return this.#quit();
      throw new ProtocolError(`${letter(command)} came before the negotiation`);
    }
    switch (command) {
      case COMMAND.macros:
        return this.#macros.learn(source, start, end);
      case COMMAND.header:
        return this.#header(source, start, end);
      case COMMAND.body:
        this.#body(this.#messageIn(command, "body"), source, start, end);
        return this.#replyToBody();
      case COMMAND.mail:
        return this.#mail(source, start, end);
      case COMMAND.recipient:
        return this.#recipient(source, start, end);
      case COMMAND.endOfHeaders:
        return this.#endOfHeaders();
      case COMMAND.endOfBody:
        return this.#endOfBody(source, start, end);
      case COMMAND.abort:
        return this.#dropMessage();
      case COMMAND.connect:
        return this.#connect(source, start, end);
      case COMMAND.helo:
        this.#dropMessage();
        this.#helo = bounded(stringAt(source, start, end));
        return this.#continue(STEP.noReplyToHelo);
      case COMMAND.data:
        return this.#continue(STEP.noReplyToData);
      case COMMAND.unknown:
        return this.#continue(STEP.noReplyToUnknown);
      case COMMAND.quit:
        return this.#quit();
      case COMMAND.quitForNewConnection:
        this.#dropMessage();
        return this.#forgetConnection();
      case COMMAND.negotiate:
        throw new ProtocolError("a second negotiation");
      default:
        throw new ProtocolError(`${letter(command)} is no command of versions 2 to 6`);
    }
  }

  #negotiate(source: Buffer, start: number, end: number): void {
    if (end - start < 12) throw new ProtocolError("a negotiation that is cut short");
    const theirs = source.readUInt32BE(start);
    const offeredActions = source.readUInt32BE(start + 4);
    const offeredSteps = source.readUInt32BE(start + 8);
    if (theirs < OLDEST_VERSION)
      throw new ProtocolError(`the MTA speaks version ${theirs}; the oldest known is 2`);
    const version = Math.min(theirs, NEWEST_VERSION);
    const { needs, wantsRecipients = false, stopsBodies = false, macros = USUAL_MACROS } = this.#options;
    const needed = needs.reduce((actions, need) => actions | ACTION[need], 0);
    const missing = needs.filter((need) => need !== "quarantine" && (offeredActions & ACTION[need]) === 0);
    if (missing.length > 0) {
      throw new ProtocolError(
        `the MTA does not offer ${missing.join(" and ")}, which this milter needs: allow it in the MTA's settings`,
      );
    }
    const hasMacroLists = version >= 6 && (offeredActions & ACTION.setMacroLists) !== 0;
    const wantedSteps =
      WANTED_STEPS |
      (stopsBodies && (offeredSteps & STEP.skip) !== 0 ? STEP.skip : STEP.noReplyToBody) |
      (wantsRecipients ? 0 : STEP.noRecipient);
    this.#agreed = {
      version,
      actions: (needed & offeredActions) | (hasMacroLists ? ACTION.setMacroLists : 0),
      steps: wantedSteps & offeredSteps,
    };
    this.#output.push(encodeNegotiation(this.#agreed, hasMacroLists ? macros : {}));
  }

  #connect(source: Buffer, start: number, end: number): void {
    this.#dropMessage();
    const hostName = stringAt(source, start, end);
    const familyAt = start + hostName.length + 1;
    const family = source[familyAt];
    if (familyAt >= end) throw new ProtocolError("a connection without a family of addresses");
    const isInternet = family === FAMILY.ipv4 || family === FAMILY.ipv6;
    if (isInternet && familyAt + 3 > end) throw new ProtocolError("a connection without a port");
    const address = isInternet
      ? bounded(stringAt(source, familyAt + 3, end)).replace(/^IPv6:/i, "")
      : undefined;
    this.#forgetConnectionHandler();
    this.#openConnection({
      hostName: bounded(hostName),
      address: address === "" ? undefined : address,
      port: isInternet ? source.readUInt16BE(familyAt + 1) : undefined,
      macros: this.#macros.ofConnection(),
    });
    this.#continue(STEP.noReplyToConnect);
  }

  #openConnection(connection: MilterConnection): void {
    this.#hasConnected = true;
    try {
      this.#connectionHandler = this.#options.connect(connection);
    } catch (error) {
      this.#report(error, "handler");
    }
  }

  #forgetConnectionHandler(): void {
    this.#connectionHandler = undefined;
    this.#hasConnected = false;
    this.#helo = "";
  }

  #forgetConnection(): void {
    this.#forgetConnectionHandler();
    this.#macros.forgetConnection();
  }

  #mail(source: Buffer, start: number, end: number): void {
    // The macros of this MAIL came before it, and belong to what begins here.
    if (this.#message !== undefined) this.#abandon(this.#message);
    if (!this.#hasConnected) {
      this.#openConnection({ hostName: "", address: undefined, port: undefined, macros: new Map() });
    }
    const path = stringAt(source, start, end);
    const message: Message = { handler: undefined, stage: "envelope", wantsBody: true };
    this.#message = message;
    // A connection that could not be opened has been reported; its messages get the fallback.
    const connection = this.#connectionHandler;
    if (connection !== undefined) {
      this.#try(message, () => {
        if (path.length > MAX_PATH_OCTETS) throw new Error(`a reverse-path of ${path.length} octets`);
        const macros = this.#macros.ofMessage();
        message.handler = connection.begin({ helo: this.#helo, mailFrom: withoutBrackets(path), macros });
      });
    }
    this.#continue(STEP.noReplyToMail);
  }

  #recipient(source: Buffer, start: number, end: number): void {
    const message = this.#messageIn(COMMAND.recipient, "envelope");
    const { handler } = message;
    if (handler?.recipient !== undefined) {
      const path = stringAt(source, start, end);
      this.#try(message, () => {
        if (path.length > MAX_PATH_OCTETS) throw new Error(`a forward-path of ${path.length} octets`);
        handler.recipient?.(withoutBrackets(path));
      });
    }
    this.#continue(STEP.noReplyToRecipient);
  }

  #header(source: Buffer, start: number, end: number): void {
    const message = this.#messageIn(COMMAND.header, "header");
    const { handler } = message;
    if (handler !== undefined) {
      const nameEnd = endOfString(source, start, end);
      const valueEnd = endOfString(source, nameEnd + 1, end);
      const name = source.toString("latin1", start, nameEnd);
      const value = this.#valueAsSent(source.toString("latin1", nameEnd + 1, valueEnd));
      try {
        handler.header(headerField(name, value));
      } catch (error) {
        this.#failMessage(message, error, "handler");
      }
    }
    this.#continue(STEP.noReplyToHeader);
  }

  /**
   * MTAs join the lines of a field with LF, and eat one space at its front unless they were asked not to. Nobody knows
   * then whether there was one; a tab or line end at the front most likely had none before it.
   */
  #valueAsSent(value: OctetText): OctetText {
    const isWhole = (this.#agreed!.steps & STEP.headerLeadingSpace) !== 0 || /^[\t\r\n]/.test(value);
    const withSpace = isWhole ? value : ` ${value}`;
    return withSpace.includes("\n") ? withSpace.replace(/\r?\n/g, "\r\n") : withSpace;
  }

  #endOfHeaders(): void {
    const message = this.#messageIn(COMMAND.endOfHeaders, "header");
    message.stage = "body";
    const { handler } = message;
    const settle = (interest: BodyInterest) => {
      message.wantsBody = interest === "continue";
      this.#continue(STEP.noReplyToEndOfHeaders);
    };
    if (handler === undefined) return settle("skip");
    let answer: BodyInterest | Promise<BodyInterest>;
    try {
      answer = handler.endOfHeaders();
    } catch (error) {
      this.#failMessage(message, error, "handler");
      return settle("skip");
    }
    if (typeof answer === "string") settle(answer);
    else this.#await(message, false, answer, settle, () => settle("skip"));
  }

  #body(message: Message, source: Buffer, start: number, end: number): void {
    const { handler } = message;
    if (handler === undefined || !message.wantsBody || start === end) return;
    try {
      message.wantsBody = handler.body(source.subarray(start, end)) === "continue";
    } catch (error) {
      this.#failMessage(message, error, "handler");
    }
  }

  #replyToBody(): void {
    const { steps } = this.#agreed!;
    if ((steps & STEP.noReplyToBody) !== 0) return;
    this.#output.push((steps & STEP.skip) !== 0 && !this.#message?.wantsBody ? SKIP : CONTINUE);
  }

  #endOfBody(source: Buffer, start: number, end: number): void {
    const message = this.#messageIn(COMMAND.endOfBody, "body");
    // The last chunk may come with the end.
    this.#body(message, source, start, end);
    const { handler } = message;
    const settle = (outcome: MailOutcome) => this.#answer(outcome);
    if (handler === undefined) return settle(this.#fallback);
    let outcome: MailOutcome | Promise<MailOutcome>;
    try {
      outcome = handler.end(this.#macros.ofMessage());
    } catch (error) {
      this.#failMessage(message, error, "handler");
      return settle(this.#fallback);
    }
    if ("then" in outcome) this.#await(message, true, outcome, settle, () => settle(this.#fallback));
    else settle(outcome);
  }

  #answer(outcome: MailOutcome): void {
    this.#message = undefined;
    this.#macros.forgetMessage();
    let packets: readonly Uint8Array[];
    try {
      packets = encodeOutcome(outcome, this.#agreed!);
    } catch (error) {
      this.#report(error, "handler");
      packets = encodeOutcome(this.#fallback, this.#agreed!);
    }
    this.#output.push(...packets);
  }

  /** Reads no more until the answer is there, the deadline has passed, or nobody waits for it any longer. */
  #await<T>(
    message: Message,
    isForEnd: boolean,
    answer: Promise<T>,
    settle: (answer: T) => void,
    giveUp: () => void,
  ): void {
    const wait: Wait = { message, isForEnd, cancelTimer: () => {} };
    this.#wait = wait;
    const isOver = () => {
      // Called off: whatever comes of it now is nobody's answer.
      if (this.#wait !== wait) return true;
      wait.cancelTimer();
      this.#wait = undefined;
      return false;
    };
    this.#startTimer(wait, this.#options.deadlineSeconds ?? DEADLINE_SECONDS, () => {
      if (isOver()) return;
      const { handler } = message;
      this.#failMessage(message, new Error("a message was not dealt with in time"), "deadline");
      this.#abort(handler);
      giveUp();
      this.#proceed();
    });
    answer.then(
      (value) => {
        if (isOver()) return;
        settle(value);
        this.#proceed();
      },
      (error: unknown) => {
        if (isOver()) return;
        this.#failMessage(message, error, "handler");
        giveUp();
        this.#proceed();
      },
    );
  }

  #startTimer(wait: Wait, secondsLeft: number, expire: () => void): void {
    const { progressSeconds = PROGRESS_SECONDS } = this.#options;
    const seconds = wait.isForEnd ? Math.min(progressSeconds, secondsLeft) : secondsLeft;
    wait.cancelTimer = this.#options.after(seconds * 1000, () => {
      if (seconds >= secondsLeft) return expire();
      this.#owner.write(PROGRESS);
      this.#startTimer(wait, secondsLeft - seconds, expire);
    });
  }

  #messageIn(command: number, stage: Stage): Message {
    const message = this.#message;
    if (message === undefined) throw new ProtocolError(`${letter(command)} came before MAIL`);
    if (message.stage === "envelope" && stage === "header") message.stage = "header";
    if (message.stage !== stage) {
      throw new ProtocolError(`${letter(command)} came in the ${message.stage} of a message`);
    }
    return message;
  }

  #try(message: Message, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#failMessage(message, error, "handler");
    }
  }

  #failMessage(message: Message, error: unknown, source: SessionErrorSource): void {
    message.handler = undefined;
    message.wantsBody = false;
    this.#report(error, source);
  }

  #dropMessage(): void {
    this.#macros.forgetMessage();
    if (this.#message !== undefined) this.#abandon(this.#message);
  }

  #abandon(message: Message): void {
    this.#message = undefined;
    this.#wait?.cancelTimer();
    this.#wait = undefined;
    this.#abort(message.handler);
  }

  #abort(handler: MessageHandler | undefined): void {
    try {
      handler?.abort();
    } catch (error) {
      this.#report(error, "handler");
    }
  }

  #quit(): void {
    this.#isOver = true;
    this.#dropMessage();
    this.#flush();
    this.#owner.end();
  }

  #continue(noReply: number): void {
    if ((this.#agreed!.steps & noReply) === 0) this.#output.push(CONTINUE);
  }
}

function letter(command: number): string {
  const isPrintable = command > 0x20 && command < 0x7f;
  return isPrintable ? `"${String.fromCharCode(command)}"` : `command ${command}`;
}

function endOfString(source: Buffer, start: number, end: number): number {
  const at = source.indexOf(0, start);
  if (at < 0 || at >= end) throw new ProtocolError("a text without its end");
  return at;
}

function stringAt(source: Buffer, start: number, end: number): OctetText {
  return source.toString("latin1", start, endOfString(source, start, end));
}

/** Too long for any name: of no use, and no reason to end the connection. */
function bounded(text: OctetText): OctetText {
  return text.length <= MAX_NAME_OCTETS ? text : "";
}

function withoutBrackets(path: OctetText): OctetText {
  return path.startsWith("<") && path.endsWith(">") ? path.slice(1, -1) : path;
}
