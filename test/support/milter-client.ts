/** The MTA's side of a milter's socket: hands in messages one after the other, and collects what is to be added. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { STEP } from "../../src/milter/protocol.ts";
import { type HeaderField, headerField } from "../../src/standards/message/header-field.ts";
import type { MailText } from "./mail-text.ts";
import { CONNECT, macros, negotiation, packet } from "./milter-mta.ts";

/** MTAs send bodies in pieces of this size. */
const CHUNK_OCTETS = 65_535;
/** Each command of CONNECT that is answered. */
const CONNECT_REPLIES = 2;

export class MilterClient {
  readonly #socket: Socket;
  readonly #replies: AsyncGenerator<Buffer>;
  #keepsLeadingSpace = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#replies = packets(socket);
  }

  static async connect(path: string): Promise<MilterClient> {
    const socket = connect(path);
    await once(socket, "connect");
    const client = new MilterClient(socket);
    // Nothing but this is offered: every command then has a reply.
    socket.write(negotiation(6, STEP.headerLeadingSpace));
    const agreed = await client.#reply();
    if (agreed.toString("latin1", 0, 1) !== "O") throw new Error("the milter does not negotiate");
    client.#keepsLeadingSpace = (agreed.readUInt32BE(9) & STEP.headerLeadingSpace) !== 0;
    socket.write(CONNECT);
    for (let each = 0; each < CONNECT_REPLIES; each++) await client.#reply();
    return client;
  }

  /** The fields that the milter adds, as they came, in their order. */
  async process({ fields, body }: MailText, login: string | undefined): Promise<readonly HeaderField[]> {
    const added: HeaderField[] = [];
    for (const octets of this.#messagePackets(fields, body, login)) {
      this.#socket.write(octets);
      for (;;) {
        const reply = await this.#reply();
        const letter = reply.toString("latin1", 0, 1);
        if (letter === "i" || letter === "h") added.push(readField(reply.subarray(letter === "i" ? 5 : 1)));
        else if (letter === "c") break;
        else if (letter === "a") return added;
        else if (!"pme".includes(letter)) throw new Error(`the milter answers ${reply.toString("latin1")}`);
      }
    }
    return added;
  }

  close(): void {
    this.#socket.destroy();
  }

  *#messagePackets(
    fields: readonly HeaderField[],
    body: Buffer,
    login: string | undefined,
  ): Generator<Buffer> {
    yield Buffer.concat([
      macros("M", {
        i: "4Q1",
        ...(login !== undefined && { "{auth_authen}": login, "{auth_type}": "PLAIN" }),
      }),
      packet("M", "<user@example.org>\0"),
    ]);
    yield packet("R", "<user@example.net>\0");
    yield packet("T");
    for (const { name, value } of fields) {
      const kept = this.#keepsLeadingSpace || !value.startsWith(" ") ? value : value.slice(1);
      yield packet("L", `${name}\0${kept.replaceAll("\r\n", "\n")}\0`);
    }
    yield packet("N");
    for (let at = 0; at < body.length; at += CHUNK_OCTETS)
      yield packet("B", body.subarray(at, at + CHUNK_OCTETS));
    yield packet("E");
  }

  async #reply(): Promise<Buffer> {
    const { value, done } = await this.#replies.next();
    if (done === true) throw new Error("the milter has hung up");
    return value;
  }
}

function readField(octets: Buffer): HeaderField {
  const [name = "", value = ""] = octets.toString("latin1").split("\0");
  return headerField(name, value.replace(/\r?\n/g, "\r\n"));
}

/** Without their lengths. */
async function* packets(socket: Socket): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= 4 && held.length >= 4 + held.readUInt32BE()) {
      const end = 4 + held.readUInt32BE();
      yield held.subarray(4, end);
      held = held.subarray(end);
    }
  }
}
