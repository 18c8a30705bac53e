/** Hands one mail in as a mail program does: to a submission server (RFC 6409), or to the local `sendmail`. */
import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import type { TlsSession } from "../check/probe.ts";
import type {
  MailSubmission,
  OutgoingMail,
  SubmissionServer,
  SubmissionStep,
  SubmitMail,
  TlsAgreement,
} from "../milter/mail-exchange.ts";
import { connectToHost, Deadline } from "./connection.ts";
import { LineSession, SessionBroken } from "./line-session.ts";
import { ask, type Reply, readReply, smtpDialog, textOf } from "./smtp-dialog.ts";
import { createTlsContexts, shakeHands } from "./tls-probe.ts";

export interface SubmissionOptions extends SubmissionServer {
  /** What we call ourselves in EHLO: a domain name, or an address literal. */
  readonly heloName: string;
  /** 10 s where absent. */
  readonly connectTimeoutMilliseconds?: number;
  /** 60 s where absent: a server may look into the mail before it takes it. */
  readonly totalTimeoutMilliseconds?: number;
}

const CONNECT_TIMEOUT_MILLISECONDS = 10_000;
const TOTAL_TIMEOUT_MILLISECONDS = 60_000;
/** RFC 4954 §4: what does not fit into the command waits for the server to ask. */
const MAX_COMMAND_CHARACTERS = 510;

/** A `no` of the server, on its way to become an outcome. */
class Refused extends Error {
  readonly step: SubmissionStep;

  constructor(step: SubmissionStep, problem: string) {
    super(problem);
    this.step = step;
  }
}

/** Rejects only where the mail holds what no command can carry. */
export function createMailSubmission(options: SubmissionOptions): SubmitMail {
  return async (mail) => {
    refuseUnsendable(mail, options.heloName);
    const deadline = new Deadline(options.totalTimeoutMilliseconds ?? TOTAL_TIMEOUT_MILLISECONDS);
    let plain: Socket | undefined;
    try {
      const connected = await connectToHost(
        options,
        options.connectTimeoutMilliseconds ?? CONNECT_TIMEOUT_MILLISECONDS,
        deadline,
      );
      if ("status" in connected) return { status: "failed", detail: connected.detail };
      plain = connected;
      return await submit(plain, mail, options, deadline);
    } catch (error) {
      if (error instanceof Refused) return { status: "refused", step: error.step, detail: error.message };
      if (error instanceof SessionBroken) return { status: "failed", detail: error.message };
      throw error;
    } finally {
      deadline.clear();
      plain?.destroy();
    }
  };
}

function refuseUnsendable({ mailFrom, rcptTo, message }: OutgoingMail, heloName: string): void {
  for (const text of [mailFrom, rcptTo, heloName]) {
    if (/[\p{Cc}<>]/u.test(text)) {
      throw new TypeError(`${JSON.stringify(text)} cannot be part of an SMTP command`);
    }
  }
  // RFC 5321 §2.3.8
  if (/\r(?!\n)|(?<!\r)\n/.test(message))
    throw new TypeError("the message has lines that do not end with CRLF");
}

async function submit(
  plain: Socket,
  mail: OutgoingMail,
  options: SubmissionOptions,
  deadline: Deadline,
): Promise<MailSubmission> {
  const where = whereOf(options);
  const { session, capabilities, tls } = await begin(plain, options, deadline);
  try {
    const demand = async (step: SubmissionStep, line: string, command: string, code: string) => {
      const reply = await ask(session, line, command);
      if (!String(reply.code).startsWith(code)) throw refusal(where, step, command, reply);
      return reply;
    };
    if (options.login !== undefined) await logIn(session, capabilities, options.login, options, tls);
    const isAscii = /^[\0-\x7f]*$/.test(mail.mailFrom + mail.rcptTo);
    const parameters = [
      ...(/[^\0-\x7f]/.test(mail.message) && capabilities.includes("8BITMIME") ? [" BODY=8BITMIME"] : []),
      // RFC 6531 §3.4
      ...(isAscii ? [] : [" SMTPUTF8"]),
    ].join("");
    await demand("sender", `MAIL FROM:<${mail.mailFrom}>${parameters}`, "MAIL FROM", "2");
    await demand("recipient", `RCPT TO:<${mail.rcptTo}>`, "RCPT TO", "2");
    await demand("message", "DATA", "DATA", "3");
    session.begin("its reply to the message");
    sendMessage(tls.socket, mail.message);
    const reply = await readReply(session);
    if (reply.code < 200 || reply.code > 299) throw refusal(where, "message", "the message", reply);
    await session.end("QUIT");
    return { status: "accepted", reply: `${reply.code} ${textOf(reply.lines)}`, tls: tls.agreement };
  } finally {
    session.destroy();
  }
}

interface Begun {
  readonly session: LineSession;
  readonly capabilities: readonly string[];
  readonly tls: { readonly socket: Socket; readonly agreement: TlsAgreement | undefined };
}

async function begin(plain: Socket, options: SubmissionOptions, deadline: Deadline): Promise<Begun> {
  const where = whereOf(options);
  const dialog = smtpDialog(options.heloName);
  const contexts = createTlsContexts(options.authorities);
  const secure = async () => {
    const context = contexts("modern");
    const hands = await shakeHands({ socket: plain, where, serverName: options.host, context, deadline });
    if (!hands.ok) {
      if (hands.tls.status === "broken") throw new SessionBroken(hands.tls.detail);
      throw new Refused("tls", hands.tls.detail);
    }
    const problem = options.isTrustedBlindly ? undefined : certificateProblem(hands.session, options.host);
    if (problem !== undefined) {
      hands.socket.destroy();
      throw new Refused("tls", `${where} cannot be trusted: ${problem}`);
    }
    const { version, cipher } = hands.session;
    const session = new LineSession(hands.socket, where, deadline);
    return { session, tls: { socket: hands.socket, agreement: { version, cipher } } };
  };
  const open = async (session: LineSession) => {
    const { isWelcome, greeting, capabilities, offersTls } = await dialog.open(session);
    if (!isWelcome) {
      throw new Refused("greeting", `${where} greets with ${greeting.code ?? ""} ${greeting.text}`);
    }
    return { capabilities, offersTls };
  };

  if (options.tls === "implicit") {
    const { session, tls } = await secure();
    const { capabilities } = await open(session);
    return { session, capabilities, tls };
  }
  const session = new LineSession(plain, where, deadline);
  const { capabilities, offersTls } = await open(session);
  const stayPlain = (problem: string): Begun => {
    if (!options.isTrustedBlindly) throw new Refused("tls", `${where} ${problem}`);
    return { session, capabilities, tls: { socket: plain, agreement: undefined } };
  };
  if (!offersTls) return stayPlain("offers no STARTTLS");
  const no = await dialog.requestTls(session);
  if (no !== undefined) return stayPlain(`offers TLS and refuses it: ${no}`);
  // What came in the clear must not pass for what is said in TLS.
  if (session.hasMore) throw session.broken("sent further text in the clear after it agreed to start TLS");
  session.release();
  const secured = await secure();
  return { ...secured, capabilities: await dialog.reopen(secured.session) };
}

/** RFC 4954 §4; the password is in no sentence. */
async function logIn(
  session: LineSession,
  capabilities: readonly string[],
  { user, password }: NonNullable<SubmissionServer["login"]>,
  options: SubmissionOptions,
  { agreement }: Begun["tls"],
): Promise<void> {
  const where = whereOf(options);
  if (agreement === undefined && !options.isTrustedBlindly) {
    throw new Refused("login", `${where} has no TLS: no password is sent in the clear`);
  }
  const offered = capabilities.flatMap((each) =>
    /^AUTH[ =]/.test(each) ? each.split(/[ =]+/).slice(1) : [],
  );
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const step = async (line: string, code: number) => {
    const reply = await ask(session, line, "AUTH");
    if (reply.code !== code) throw refusal(where, "login", "AUTH", reply);
  };
  if (offered.includes("PLAIN")) {
    const response = base64(`\0${user}\0${password.reveal()}`);
    const line = `AUTH PLAIN ${response}`;
    if (line.length <= MAX_COMMAND_CHARACTERS) return step(line, 235);
    await step("AUTH PLAIN", 334);
    return step(response, 235);
  }
  if (offered.includes("LOGIN")) {
    await step("AUTH LOGIN", 334);
    await step(base64(user), 334);
    return step(base64(password.reveal()), 235);
  }
  const list = offered.length === 0 ? "no way to log in" : `only ${offered.slice(0, 10).join(", ")}`;
  throw new Refused("login", `${where} offers ${list}; PLAIN or LOGIN is needed`);
}

/** RFC 5321 §4.5.2: a dot that begins a line is doubled. */
function sendMessage(socket: Socket, message: string): void {
  const ended = message === "" || message.endsWith("\r\n") ? message : `${message}\r\n`;
  socket.write(Buffer.from(`${ended.replace(/^\./gm, "..")}.\r\n`, "latin1"));
}

function certificateProblem({ trust, chain }: TlsSession, host: string): string | undefined {
  if (!trust.ok) return `its certificate: ${trust.detail}`;
  const [own] = chain;
  const certificate = own && new X509Certificate(own.der);
  const fits = isIP(host) === 0 ? certificate?.checkHost(host) : certificate?.checkIP(host);
  if (fits !== undefined) return undefined;
  return `its certificate stands for ${own?.names.slice(0, 5).join(", ") || "no name"}, not for ${host}`;
}

function refusal(where: string, step: SubmissionStep, command: string, { code, lines }: Reply): Refused {
  return new Refused(step, `${where} answered ${command} with ${code} ${textOf(lines)}`);
}

function whereOf({ host, port }: SubmissionServer): string {
  return `${host} port ${port}`;
}

const MAX_PROGRAM_WORDS = 4_096;
const PROGRAM_MILLISECONDS = 60_000;

/** `program` is the path of a `sendmail`, as Postfix and others have one. */
export function createLocalSubmission(program: string, milliseconds = PROGRAM_MILLISECONDS): SubmitMail {
  return async (mail) => {
    refuseUnsendable(mail, "");
    if (mail.mailFrom.startsWith("-") || mail.rcptTo.startsWith("-")) {
      throw new TypeError("an address that begins with a hyphen would be an option");
    }
    return new Promise((resolve) => {
      const args = ["-i", "-f", mail.mailFrom, "--", mail.rcptTo];
      const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
      let words = "";
      const hear = (chunk: Buffer) => {
        words = (words + chunk.toString("utf8")).slice(0, MAX_PROGRAM_WORDS);
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        resolve({ status: "failed", detail: `${program} did not end within ${milliseconds / 1000} s` });
      }, milliseconds);
      child.on("error", (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        const why = error.code === "ENOENT" ? "there is no such program" : error.message;
        resolve({ status: "failed", detail: `cannot run ${program}: ${why}` });
      });
      child.on("close", (code) => {
        clearTimeout(timer);
        const said = words.trim().replace(/\s+/g, " ").slice(0, 500);
        if (code === 0) resolve({ status: "accepted", reply: said, tls: undefined });
        else {
          const detail = `${program} ended with ${code}${said === "" ? "" : `: ${said}`}`;
          resolve({ status: "refused", step: "message", detail });
        }
      });
      // A program that does not read is told about by its end.
      child.stdin.on("error", () => {});
      // Local programs read lines as the system has them.
      child.stdin.end(Buffer.from(mail.message.replaceAll("\r\n", "\n"), "latin1"));
    });
  };
}
