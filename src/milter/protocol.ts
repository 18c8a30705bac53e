/**
 * The milter protocol as Sendmail and Postfix speak it: numbers and packets. No RFC defines it; these are the values
 * of Sendmail's mfdef.h, versions 2 to 6. A packet is a length of 32 bits, one octet for what it is, and its data.
 */
import type { OctetText } from "../standards/message/header-field.ts";

export const NEWEST_VERSION = 6;
export const OLDEST_VERSION = 2;

/** What the MTA says, by the octet of its letter. */
export const COMMAND = {
  abort: 0x41, // A
  body: 0x42, // B
  connect: 0x43, // C
  macros: 0x44, // D
  endOfBody: 0x45, // E
  helo: 0x48, // H
  quitForNewConnection: 0x4b, // K
  header: 0x4c, // L
  mail: 0x4d, // M
  endOfHeaders: 0x4e, // N
  negotiate: 0x4f, // O
  quit: 0x51, // Q
  recipient: 0x52, // R
  data: 0x54, // T
  unknown: 0x55, // U
} as const;

const REPLY = {
  accept: "a",
  continue: "c",
  discard: "d",
  insertHeader: "i",
  changeHeader: "m",
  negotiate: "O",
  progress: "p",
  quarantine: "q",
  replyCode: "y",
  skip: "s",
} as const;

/** What a milter may do to a message, as it is agreed on. */
export const ACTION = {
  addHeaders: 0x01,
  changeHeaders: 0x10,
  quarantine: 0x20,
  setMacroLists: 0x100,
} as const;

/** Which commands are left out, which get no reply, and how values are written. */
export const STEP = {
  noRecipient: 0x8,
  noReplyToHeader: 0x80,
  noUnknown: 0x100,
  noData: 0x200,
  skip: 0x400,
  noReplyToConnect: 0x1000,
  noReplyToHelo: 0x2000,
  noReplyToMail: 0x4000,
  noReplyToRecipient: 0x8000,
  noReplyToData: 0x1_0000,
  noReplyToUnknown: 0x2_0000,
  noReplyToEndOfHeaders: 0x4_0000,
  noReplyToBody: 0x8_0000,
  headerLeadingSpace: 0x10_0000,
} as const;

/** The stages for which lists of macros can be asked, in the numbers of the protocol. */
const MACRO_STAGE = {
  connect: 0,
  helo: 1,
  mail: 2,
  recipient: 3,
  data: 4,
  endOfBody: 5,
  endOfHeaders: 6,
} as const;
export type MacroStage = keyof typeof MACRO_STAGE;
export type MacroLists = Readonly<Partial<Record<MacroStage, readonly string[]>>>;

/** The families of a client's address. */
export const FAMILY = { unknown: 0x55, unix: 0x4c, ipv4: 0x34, ipv6: 0x36 } as const;

export interface Negotiation {
  readonly version: number;
  readonly actions: number;
  readonly steps: number;
}

const LENGTH_OCTETS = 4;

export function encodeNegotiation(
  { version, actions, steps }: Negotiation,
  macroLists: MacroLists = {},
): Uint8Array {
  const lists = Object.entries(macroLists).map(
    ([stage, names]) => `${uint32(MACRO_STAGE[stage as MacroStage])}${names.join(" ")}\0`,
  );
  return packet(REPLY.negotiate, `${uint32(version)}${uint32(actions)}${uint32(steps)}${lists.join("")}`);
}

export const CONTINUE: Uint8Array = packet(REPLY.continue);
export const SKIP: Uint8Array = packet(REPLY.skip);
export const PROGRESS: Uint8Array = packet(REPLY.progress);
export const ACCEPT: Uint8Array = packet(REPLY.accept);
export const DISCARD: Uint8Array = packet(REPLY.discard);

/** `index` 0 is the top. */
export function encodeInsertHeader(index: number, name: OctetText, value: OctetText): Uint8Array {
  return packet(REPLY.insertHeader, `${uint32(index)}${name}\0${value}\0`);
}

/** `occurrence` counts from 1. An empty value takes the field away. */
export function encodeChangeHeader(occurrence: number, name: OctetText, value: OctetText): Uint8Array {
  return packet(REPLY.changeHeader, `${uint32(occurrence)}${name}\0${value}\0`);
}

/** One line as the client gets it. MTAs read it as a format, in which a percent sign is doubled. */
export function encodeReplyCode(line: OctetText): Uint8Array {
  return packet(REPLY.replyCode, `${line.replaceAll("%", "%%")}\0`);
}

export function encodeQuarantine(reason: OctetText): Uint8Array {
  return packet(REPLY.quarantine, `${reason}\0`);
}

function packet(reply: string, data: OctetText = ""): Uint8Array {
  const octets = Buffer.allocUnsafe(LENGTH_OCTETS + 1 + data.length);
  octets.writeUInt32BE(1 + data.length);
  octets.write(reply + data, LENGTH_OCTETS, "latin1");
  return octets;
}

function uint32(value: number): OctetText {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}
