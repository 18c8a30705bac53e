/** ManageSieve as far as a check goes (RFC 5804). */
import { capability, cut, type Dialog } from "./dialog.ts";
import type { LineSession } from "./line-session.ts";

export const SIEVE_DIALOG: Dialog = {
  farewell: "LOGOUT",
  async open(session) {
    session.begin("its greeting");
    const { result, text, capabilities } = await readAnswer(session);
    const greeting = { text: text === "" ? (capabilities[0] ?? "") : text };
    const isWelcome = result === "OK";
    return { greeting, isWelcome, capabilities, offersTls: capabilities.includes("STARTTLS") };
  },
  async requestTls(session) {
    session.begin("its reply to STARTTLS");
    session.send("STARTTLS");
    const { result, text } = await readAnswer(session);
    return result === "OK" ? undefined : `${result} ${text}`;
  },
  // RFC 5804 §2.2: after the handshake the server says them again, unasked
  async reopen(session) {
    session.begin("its capabilities in TLS");
    return (await readAnswer(session)).capabilities;
  },
};

/** Lines of strings, up to OK, NO or BYE. */
async function readAnswer(session: LineSession) {
  const capabilities: string[] = [];
  for (;;) {
    const line = await readWithLiteral(session);
    const [, result, rest = ""] = /^(OK|NO|BYE)\b ?(.*)$/i.exec(line) ?? [];
    if (result !== undefined) {
      const text = cut(rest.replace(/^\([^)]*\) ?/, "").replaceAll('"', ""));
      return { result: result.toUpperCase(), text, capabilities };
    }
    const [, name, value = ""] = /^"([^"]+)"(?: (.*))?$/.exec(line) ?? [];
    if (name === undefined) throw session.unexpected(line);
    capabilities.push(capability(`${name} ${value.replaceAll('"', "")}`));
  }
}

/** RFC 5804 §1.2: a string may stand on the next line, its length before it. */
async function readWithLiteral(session: LineSession): Promise<string> {
  const line = await session.readLine();
  const head = /^(.*)\{\d+\+?\}$/.exec(line)?.[1];
  return head === undefined ? line : `${head}"${await session.readLine()}"`;
}
