/** IMAP as far as a check goes (RFC 9051). */
import { capability, cut, type Dialog } from "./dialog.ts";
import type { LineSession } from "./line-session.ts";

export const IMAP_DIALOG: Dialog = {
  farewell: "z1 LOGOUT",
  async open(session) {
    session.begin("its greeting");
    const line = await session.readLine();
    const [, word = "", text = ""] = /^\* (OK|PREAUTH|BYE)\b ?(.*)$/i.exec(line) ?? [];
    if (word === "") throw session.unexpected(line);
    const greeting = { text: cut(text) };
    // RFC 9051 §7.1.5: BYE in place of a greeting refuses the connection
    if (word.toUpperCase() === "BYE") {
      return { greeting, isWelcome: false, capabilities: [], offersTls: false };
    }
    const capabilities = await askCapabilities(session, "a1");
    return { greeting, isWelcome: true, capabilities, offersTls: capabilities.includes("STARTTLS") };
  },
  async requestTls(session) {
    const { result, text } = await command(session, "a2", "STARTTLS");
    return result === "OK" ? undefined : `${result} ${text}`;
  },
  reopen: (session) => askCapabilities(session, "a3"),
};

async function askCapabilities(session: LineSession, tag: string): Promise<readonly string[]> {
  const { untagged } = await command(session, tag, "CAPABILITY");
  // RFC 9051 §7.2.2: one untagged answer with all of them
  return untagged.flatMap((line) => {
    const [, list = ""] = /^\* CAPABILITY (.*)$/i.exec(line) ?? [];
    return list.split(" ").filter(Boolean).map(capability);
  });
}

async function command(session: LineSession, tag: string, name: string) {
  session.begin(`its reply to ${name}`);
  session.send(`${tag} ${name}`);
  const untagged: string[] = [];
  for (;;) {
    const line = await session.readLine();
    if (line.startsWith("* ")) {
      untagged.push(line);
      continue;
    }
    const [, said, result = "", text = ""] = /^(\S+) (OK|NO|BAD)\b ?(.*)$/i.exec(line) ?? [];
    if (said !== tag) throw session.unexpected(line);
    return { result: result.toUpperCase(), text: cut(text), untagged };
  }
}
