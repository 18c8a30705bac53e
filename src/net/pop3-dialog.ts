/** POP3 as far as a check goes (RFC 1939), with CAPA (RFC 2449) and STLS (RFC 2595). */
import { capability, cut, type Dialog } from "./dialog.ts";
import type { LineSession } from "./line-session.ts";

export const POP3_DIALOG: Dialog = {
  farewell: "QUIT",
  async open(session) {
    session.begin("its greeting");
    const { isOk, text } = await readStatus(session);
    const greeting = { text };
    if (!isOk) return { greeting, isWelcome: false, capabilities: [], offersTls: false };
    const capabilities = await askCapabilities(session);
    return { greeting, isWelcome: true, capabilities, offersTls: capabilities.includes("STLS") };
  },
  async requestTls(session) {
    session.begin("its reply to STLS");
    session.send("STLS");
    const { isOk, text } = await readStatus(session);
    return isOk ? undefined : `-ERR ${text}`;
  },
  reopen: askCapabilities,
};

/** None where the server does not know CAPA. */
async function askCapabilities(session: LineSession): Promise<readonly string[]> {
  session.begin("its reply to CAPA");
  session.send("CAPA");
  const capabilities: string[] = [];
  if (!(await readStatus(session)).isOk) return capabilities;
  for (;;) {
    const line = await session.readLine();
    if (line === ".") return capabilities;
    // RFC 1939 §3: a line that begins with a dot has one more
    capabilities.push(capability(line.startsWith(".") ? line.slice(1) : line));
  }
}

async function readStatus(session: LineSession): Promise<{ isOk: boolean; text: string }> {
  const line = await session.readLine();
  const [, word, text = ""] = /^(\+OK|-ERR)\b ?(.*)$/i.exec(line) ?? [];
  if (word === undefined) throw session.unexpected(line);
  return { isOk: word.startsWith("+"), text: cut(text) };
}
