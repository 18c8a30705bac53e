/** SMTP as a client speaks it (RFC 5321, and RFC 6409 for submission); a check of others never goes as far as DATA. */
import type { SmtpReply } from "../check/probe.ts";
import { capability, cut, type Dialog } from "./dialog.ts";
import type { LineSession } from "./line-session.ts";

export interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** `heloName`: what we call ourselves in EHLO, a domain name or an address literal. */
export function smtpDialog(heloName: string): Dialog {
  return {
    farewell: "QUIT",
    async open(session) {
      session.begin("its greeting");
      const { code, lines } = await readReply(session);
      const greeting = { code, text: textOf(lines) };
      if (code !== 220) return { greeting, isWelcome: false, capabilities: [], offersTls: false };
      const hello = await sayHello(session, heloName);
      return { greeting, ...hello, offersTls: hello.capabilities.includes("STARTTLS") };
    },
    async requestTls(session) {
      const { code, lines } = await ask(session, "STARTTLS");
      return code === 220 ? undefined : `${code} ${textOf(lines)}`;
    },
    // RFC 3207 §4.2: what was said before TLS is forgotten
    async reopen(session) {
      return (await sayHello(session, heloName)).capabilities;
    },
  };
}

/** Whether the server would take the mail, as far as it lets us ask. */
export async function askEnvelope(
  session: LineSession,
  { mailFrom, rcptTo }: { readonly mailFrom: string; readonly rcptTo: string },
): Promise<readonly SmtpReply[]> {
  const replies: SmtpReply[] = [];
  const isAscii = /^[\0-\x7f]*$/.test(mailFrom + rcptTo);
  const commands = [
    // RFC 6531 §3.4
    ["MAIL FROM", `MAIL FROM:<${mailFrom}>${isAscii ? "" : " SMTPUTF8"}`],
    ["RCPT TO", `RCPT TO:<${rcptTo}>`],
  ] as const;
  for (const [command, line] of commands) {
    const { code, lines } = await ask(session, line, command);
    replies.push({ command, code, text: textOf(lines) });
    if (code < 200 || code > 299) break;
  }
  await ask(session, "RSET");
  return replies;
}

/** RFC 5321 §3.2: HELO where EHLO is refused; a passing refusal (4yz) is no welcome. */
async function sayHello(session: LineSession, heloName: string) {
  const ehlo = await ask(session, `EHLO ${heloName}`, "EHLO");
  if (ehlo.code === 250) {
    const [first = "", ...keywords] = ehlo.lines;
    const serverName = nameIn(first);
    const capabilities = keywords.map(capability).filter((keyword) => keyword !== "");
    return { isWelcome: true, capabilities, ...(serverName !== undefined && { serverName }) };
  }
  if (ehlo.code < 500) return { isWelcome: false, capabilities: [] };
  const helo = await ask(session, `HELO ${heloName}`, "HELO");
  return { isWelcome: helo.code === 250, capabilities: [] };
}

/** RFC 5321 §4.1.1.1: the server's domain, or an address literal, stands first. */
function nameIn(line: string): string | undefined {
  const [word = ""] = line.split(/\s/, 1);
  return word === "" || word.length > 255 ? undefined : word;
}

/** `command` is what sentences call the line, where it is not to be seen as a whole. */
export function ask(session: LineSession, line: string, command = line): Promise<Reply> {
  session.begin(`its reply to ${command}`);
  session.send(line);
  return readReply(session);
}

/** RFC 5321 §4.2.1: a hyphen behind the code says that more lines follow, all with the same code. */
export async function readReply(session: LineSession): Promise<Reply> {
  const lines: string[] = [];
  let code: string | undefined;
  for (;;) {
    const line = await session.readLine();
    const [, digits = "", sign, text = ""] = /^([2-5]\d\d)(?:([ -])(.*))?$/.exec(line) ?? [];
    if (digits === "" || (code !== undefined && digits !== code)) throw session.unexpected(line);
    code = digits;
    lines.push(text);
    if (sign !== "-") return { code: Number(code), lines };
  }
}

export function textOf(lines: readonly string[]): string {
  return cut(lines.join(" "));
}
