/** What the mail protocols have in common up to TLS: a greeting, capabilities, a command that starts TLS, a farewell. */
import type { LineSession } from "./line-session.ts";

export interface Opening {
  readonly greeting: { readonly code?: number; readonly text: string };
  /** False where the greeting was a refusal: then nothing more is asked. */
  readonly isWelcome: boolean;
  readonly serverName?: string;
  readonly capabilities: readonly string[];
  readonly offersTls: boolean;
}

/** Each part rejects with SessionBroken where the server hangs, cuts, sends too much, or speaks something else. */
export interface Dialog {
  /** From the greeting to the capabilities. */
  open(session: LineSession): Promise<Opening>;
  /** The server's words where it refuses; undefined where the handshake may begin. */
  requestTls(session: LineSession): Promise<string | undefined>;
  /** The capabilities once more, in TLS that the session was upgraded to. */
  reopen(session: LineSession): Promise<readonly string[]>;
  readonly farewell: string;
}

const MAX_TEXT = 512;

/** A greeting or reply as it is passed on. */
export function cut(text: string): string {
  return text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text;
}

export function capability(text: string): string {
  return cut(text.trim().toUpperCase());
}
