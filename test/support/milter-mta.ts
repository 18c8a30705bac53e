/** The MTA's side of the milter protocol, in packets: what it says, and how it reads the replies. */
import { STEP } from "../../src/milter/protocol.ts";

export const ALL_ACTIONS = 0x1ff;
/** What Postfix and Sendmail offer in each version. */
export const OFFERED_STEPS: Readonly<Record<number, number>> = {
  2: 0x7f,
  3: 0x1ff,
  4: 0x3ff,
  6: 0x1f_ffff,
};

export function packet(command: string, data: string | Uint8Array = ""): Buffer {
  const octets = typeof data === "string" ? Buffer.from(data, "latin1") : Buffer.from(data);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + octets.length);
  head.write(command, 4, "latin1");
  return Buffer.concat([head, octets]);
}

export function uint32(...values: readonly number[]): string {
  const octets = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) octets.writeUInt32BE(value, 4 * at);
  return octets.toString("latin1");
}

export function negotiation(version = 6, steps = OFFERED_STEPS[version]!, actions = ALL_ACTIONS): Buffer {
  return packet("O", uint32(version, actions, steps));
}

export function macros(command: string, values: Readonly<Record<string, string>>): Buffer {
  return packet(
    "D",
    `${command}${Object.entries(values)
      .flat()
      .map((text) => `${text}\0`)
      .join("")}`,
  );
}

export const CONNECT: Buffer = Buffer.concat([
  macros("C", { j: "mx.example.org", "{daemon_name}": "smtpd" }),
  packet("C", "client.example.net\x004\x9c\x40192.0.2.10\0"),
  macros("H", {}),
  packet("H", "client.example.net\0"),
]);

export interface SampleMessage {
  readonly mailFrom?: string;
  readonly fields?: readonly (readonly [name: string, value: string])[];
  readonly body?: readonly string[];
  readonly queueId?: string;
}

/** As Postfix does, with macros before each command; the space at the front of values is eaten where it must be. */
export function messagePackets(
  {
    mailFrom = "sender@example.net",
    fields = SAMPLE_FIELDS,
    body = ["Hello\r\n"],
    queueId = "4Q1",
  }: SampleMessage = {},
  agreedSteps = OFFERED_STEPS[6]!,
): Buffer[] {
  const i = { i: queueId };
  const eaten = (value: string) =>
    (agreedSteps & STEP.headerLeadingSpace) === 0 && value.startsWith(" ") ? value.slice(1) : value;
  return [
    macros("M", { "{auth_authen}": "alice", "{mail_addr}": mailFrom }),
    packet("M", `<${mailFrom}>\0SIZE=1000\0`),
    macros("R", { "{rcpt_addr}": "user@example.org" }),
    packet("R", "<user@example.org>\0"),
    macros("T", i),
    packet("T"),
    ...fields.flatMap(([name, value]) => [macros("L", i), packet("L", `${name}\0${eaten(value)}\0`)]),
    macros("N", i),
    packet("N"),
    ...body.flatMap((chunk) => [macros("B", i), packet("B", chunk)]),
    macros("E", i),
    packet("E"),
  ];
}

export const SAMPLE_FIELDS = [
  ["From", " Alice <alice@example.net>"],
  ["Subject", "  two\n\tlines"],
  ["X-Tight", "none"],
  ["X-Octet", " \xe9"],
] as const;

/** Replies as "letter" or "letter data", with NUL as "|" and what is not printable as its number. */
export function readReplies(octets: Uint8Array): string[] {
  const all = Buffer.from(octets);
  const replies: string[] = [];
  for (let at = 0; at < all.length; ) {
    const length = all.readUInt32BE(at);
    if (length === 0 || at + 4 + length > all.length) throw new Error("a reply that is none");
    const letter = all.toString("latin1", at + 4, at + 5);
    const hasIndex = letter === "i" || letter === "m";
    const index = hasIndex ? `${all.readUInt32BE(at + 5)} ` : "";
    const rest = all.toString("latin1", at + 5 + (hasIndex ? 4 : 0), at + 4 + length).replaceAll("\0", "|");
    replies.push(`${letter} ${index}${rest}`.trimEnd());
    at += 4 + length;
  }
  return replies;
}
