/** Which packets count as the reply to a query (RFC 5452 §9.1), decided on octets before anything is decoded. */
import { RCODES } from "../standards/dns/message.ts";

const HEADER_OCTETS = 12;

/** Where the question of a query with exactly one question ends: behind its name, type and class. */
export function questionEnd(query: Uint8Array): number {
  let at = HEADER_OCTETS;
  while (query[at] !== 0) at += query[at]! + 1;
  return at + 5;
}

export function messageId(octets: Uint8Array): number {
  return (octets[0]! << 8) | octets[1]!;
}

export function setMessageId(octets: Uint8Array, id: number): void {
  octets[0] = id >> 8;
  octets[1] = id & 0xff;
}

/**
 * The packet is a response and repeats id and question (letters in any case) of the query. A server that does
 * not know EDNS may answer FORMERR or NOTIMP with the bare header (RFC 6891 §7); that counts as well, since it
 * leads to nothing but the same question without EDNS.
 */
export function isReplyTo(query: Uint8Array, end: number, reply: Uint8Array): boolean {
  if (reply.length < HEADER_OCTETS || reply[0] !== query[0] || reply[1] !== query[1]) return false;
  if ((reply[2]! & 0x80) === 0) return false;
  const questions = (reply[4]! << 8) | reply[5]!;
  if (questions === 0) {
    const rcode = reply[3]! & 0xf;
    return reply.length === HEADER_OCTETS && (rcode === RCODES.FORMERR || rcode === RCODES.NOTIMP);
  }
  if (questions !== 1 || reply.length < end) return false;
  for (let at = HEADER_OCTETS; at < end; at++) {
    if (reply[at] !== query[at] && foldCase(reply[at]!) !== foldCase(query[at]!)) return false;
  }
  return true;
}

function foldCase(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}
