/**
 * Macros: what the MTA knows of a connection or message, by name. They come before the command they belong to. Those
 * for single header fields and body chunks are the same as those at the end of the header and of the body, and are
 * passed over (libmilter does so too); those of single recipients are nobody's concern here.
 */
import { COMMAND, type MacroLists } from "./protocol.ts";

/** In Postfix these replace its own lists; what is not named here is not sent. */
export const USUAL_MACROS: MacroLists = {
  connect: ["j", "{daemon_name}", "{daemon_addr}", "{client_addr}", "_"],
  helo: ["{tls_version}"],
  mail: ["i", "{auth_type}", "{auth_authen}", "{mail_addr}"],
  endOfHeaders: ["i"],
  endOfBody: ["i"],
};

const MAX_MACROS = 200;
const MAX_MACRO_OCTETS = 65_536;

export class MacroMemory {
  #connect: ReadonlyMap<string, string> = new Map();
  #helo: ReadonlyMap<string, string> = new Map();
  #message: Map<string, string> | undefined;
  #octets = 0;

  /** The packet's data: one octet for the command, then names and values. Throws where it is too much. */
  learn(source: Buffer, start: number, end: number): void {
    switch (source[start]) {
      case COMMAND.connect:
        this.forgetConnection();
        this.#connect = this.#read(new Map(), source, start + 1, end);
        return;
      case COMMAND.helo:
        this.#helo = this.#read(new Map(), source, start + 1, end);
        return;
      case COMMAND.mail:
        this.forgetMessage();
        this.#read(this.ofMessage(), source, start + 1, end);
        return;
      case COMMAND.data:
      case COMMAND.endOfHeaders:
      case COMMAND.endOfBody:
        this.#read(this.ofMessage(), source, start + 1, end);
        return;
    }
  }

  ofConnection(): ReadonlyMap<string, string> {
    return this.#connect;
  }

  /** One map for a message, with those of its connection. */
  ofMessage(): Map<string, string> {
    this.#message ??= new Map([...this.#connect, ...this.#helo]);
    return this.#message;
  }

  forgetMessage(): void {
    this.#message = undefined;
    this.#octets = 0;
  }

  forgetConnection(): void {
    this.forgetMessage();
    this.#connect = new Map();
    this.#helo = new Map();
  }

  #read(macros: Map<string, string>, source: Buffer, start: number, end: number): Map<string, string> {
    this.#octets += end - start;
    if (this.#octets > MAX_MACRO_OCTETS)
      throw new MacroError(`more than ${MAX_MACRO_OCTETS} octets of macros`);
    for (let at = start; at < end; ) {
      const nameEnd = source.indexOf(0, at);
      const valueEnd = nameEnd < 0 ? -1 : source.indexOf(0, nameEnd + 1);
      if (valueEnd < 0 || valueEnd >= end) throw new MacroError("a macro without its value");
      const isBraced = source[at] === 0x7b && source[nameEnd - 1] === 0x7d;
      const name = isBraced
        ? source.toString("latin1", at + 1, nameEnd - 1)
        : source.toString("latin1", at, nameEnd);
      macros.set(name, source.toString("latin1", nameEnd + 1, valueEnd));
      if (macros.size > MAX_MACROS) throw new MacroError(`more than ${MAX_MACROS} macros`);
      at = valueEnd + 1;
    }
    return macros;
  }
}

export class MacroError extends Error {
  override readonly name = "MacroError";
}
