/**
 * A small authoritative DNS server over zones in memory, on UDP and TCP. The demonstration tour and the tests
 * build whole worlds of it on loopback; it is not made for the open Internet.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import {
  CLASS_IN,
  decodeMessage,
  encodeMessage,
  MAX_MESSAGE_OCTETS,
  type Message,
  RCODES,
} from "../standards/dns/message.ts";
import type { DomainName } from "../standards/dns/name.ts";
import { answerFromZones, indexZone, type ServedZone, type ZoneIndex } from "./served-zone.ts";
import { formatServerAddress } from "./server-address.ts";

export type Protocol = "udp" | "tcp";

/** Ways to misbehave on purpose, for tests and benchmarks. */
export interface Laboratory {
  /** Every reply waits this long, as on a long line. */
  readonly delayMilliseconds?: number;
  /** What is sent in place of the reply: another message, any octets, or nothing. */
  readonly alter?: (reply: Message, query: Message, over: Protocol) => Message | Uint8Array | undefined;
}

export interface DnsServerOptions {
  readonly zones: readonly ServedZone[];
  readonly address: string;
  /** 0 (any free one) where absent. */
  readonly port?: number;
  readonly laboratory?: Laboratory;
}

export interface DnsServer {
  readonly address: string;
  readonly port: number;
  /** Queries that could be read, on both protocols. */
  readonly queryCount: number;
  replaceZones(zones: readonly ServedZone[]): void;
  close(): Promise<void>;
}

/** Without EDNS a datagram holds 512 octets (RFC 1035 §4.2.1); with it, what the client says, up to this. */
const PLAIN_UDP_OCTETS = 512;
const MAX_UDP_OCTETS = 1232;
const TCP_IDLE_MILLISECONDS = 10_000;
const MAX_TCP_CONNECTIONS = 256;
/** A free TCP port may be taken on UDP; then another is tried. */
const PORT_ATTEMPTS = 10;

/** Rejects where the address or port cannot be had. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { address, laboratory = {} } = options;
  let zones = indexed(options.zones);
  let queryCount = 0;

  const answer = (octets: Uint8Array, over: Protocol, send: (reply: Uint8Array) => void) => {
    const query = decodeMessage(new Uint8Array(octets.buffer, octets.byteOffset, octets.length));
    if (!query.ok) return sendFormatError(octets, send);
    if (query.value.isResponse) return; // never answer an answer: two servers could go on for ever
    queryCount++;
    const reply = replyTo(query.value, zones);
    const sent = laboratory.alter ? laboratory.alter(reply, query.value, over) : reply;
    if (sent === undefined) return;
    const wire = sent instanceof Uint8Array ? sent : encodeWithin(sent, limitOf(query.value, over));
    if (laboratory.delayMilliseconds) setTimeout(send, laboratory.delayMilliseconds, wire);
    else send(wire);
  };

  const { udp, tcp, port } = await listen(address, options.port ?? 0);
  udp.on("message", (octets: Buffer, from: RemoteInfo) => {
    answer(octets, "udp", (wire) => {
      if (isOpen) udp.send(wire, from.port, from.address);
    });
  });
  const connections = new Set<Socket>();
  tcp.on("connection", (socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    serveStream(socket, (octets, send) => answer(octets, "tcp", send));
  });

  let isOpen = true;
  return {
    address,
    port,
    get queryCount() {
      return queryCount;
    },
    replaceZones(replacement) {
      zones = indexed(replacement);
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      for (const socket of connections) socket.destroy();
      const closed = [once(udp, "close"), once(tcp, "close")];
      udp.close();
      tcp.close();
      await Promise.all(closed);
    },
  };
}

function indexed(zones: readonly ServedZone[]): Map<DomainName, ZoneIndex> {
  return new Map(zones.map((zone) => [zone.apex, indexZone(zone)]));
}

/** The same port on both protocols. */
async function listen(address: string, port: number): Promise<{ udp: UdpSocket; tcp: Server; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const tcp = createServer({ noDelay: true });
    tcp.maxConnections = MAX_TCP_CONNECTIONS;
    tcp.listen({ host: address, port, exclusive: true });
    await once(tcp, "listening");
    const bound = tcp.address();
    if (bound === null || typeof bound === "string") throw new TypeError("a TCP server without a port");
    const udp = createSocket(address.includes(":") ? "udp6" : "udp4");
    try {
      udp.bind({ address, port: bound.port, exclusive: true });
      await once(udp, "listening");
      return { udp, tcp, port: bound.port };
    } catch (error) {
      udp.close();
      tcp.close();
      if (port !== 0 || attempt === PORT_ATTEMPTS) {
        const where = formatServerAddress({ address, port: bound.port });
        throw new Error(`cannot serve DNS at ${where}`, { cause: error });
      }
    }
  }
}

function serveStream(
  socket: Socket,
  answer: (octets: Uint8Array, send: (reply: Uint8Array) => void) => void,
): void {
  let received: Buffer = Buffer.alloc(0);
  socket.setTimeout(TCP_IDLE_MILLISECONDS, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (octets) => {
    received = Buffer.concat([received, octets]);
    while (received.length >= 2) {
      const end = 2 + received.readUInt16BE();
      if (received.length < end) return;
      const message = received.subarray(2, end);
      received = received.subarray(end);
      answer(message, (reply) => {
        if (!socket.writable) return;
        const framed = Buffer.allocUnsafe(reply.length + 2);
        framed.writeUInt16BE(reply.length);
        framed.set(reply, 2);
        socket.write(framed);
      });
    }
  });
}

const OPCODE_QUERY = 0;

/** Pure: the whole reply to a query. */
export function replyTo(query: Message, zones: ReadonlyMap<DomainName, ZoneIndex>): Message {
  const { id, opcode, recursionDesired, checkingDisabled, questions, edns } = query;
  const [question] = questions;
  const head = {
    id,
    opcode,
    recursionDesired,
    checkingDisabled,
    questions,
    isResponse: true,
    truncated: false,
    recursionAvailable: false,
    authenticData: false,
    authoritative: false,
    answers: [],
    authorities: [],
    additionals: [],
    ...(edns && {
      edns: { udpPayloadOctets: MAX_UDP_OCTETS, version: 0, dnssecOk: edns.dnssecOk, options: [] },
    }),
  };
  if (opcode !== OPCODE_QUERY) return { ...head, rcode: RCODES.NOTIMP };
  if (edns && edns.version > 0) return { ...head, rcode: RCODES.BADVERS };
  if (question === undefined || questions.length > 1) return { ...head, rcode: RCODES.FORMERR };
  if ((question.classCode ?? CLASS_IN) !== CLASS_IN) return { ...head, rcode: RCODES.REFUSED };
  return { ...head, ...answerFromZones(zones, question, edns?.dnssecOk ?? false) };
}

function limitOf({ edns }: Message, over: Protocol): number {
  if (over === "tcp") return MAX_MESSAGE_OCTETS;
  return Math.min(Math.max(edns?.udpPayloadOctets ?? 0, PLAIN_UDP_OCTETS), MAX_UDP_OCTETS);
}

/** RFC 2181 §9: a reply that does not fit says so, and carries nothing that could be mistaken for the whole. */
function encodeWithin(reply: Message, maxOctets: number): Uint8Array {
  const bare = { ...reply, answers: [], authorities: [], additionals: [] };
  try {
    const octets = encodeMessage(reply);
    return octets.length <= maxOctets ? octets : encodeMessage({ ...bare, truncated: true });
  } catch (error) {
    // An RRset beyond 64 KiB fits no message at all.
    if (error instanceof RangeError) return encodeMessage({ ...bare, rcode: RCODES.SERVFAIL });
    throw error;
  }
}

/** RFC 1035 §4.1.1: what cannot be read gets FORMERR, where there is at least an id to answer to. */
function sendFormatError(octets: Uint8Array, send: (reply: Uint8Array) => void): void {
  const HEADER_OCTETS = 12;
  if (octets.length < HEADER_OCTETS || (octets[2]! & 0x80) !== 0) return;
  const reply = new Uint8Array(HEADER_OCTETS);
  reply.set(octets.subarray(0, 2));
  reply[2] = 0x80 | (octets[2]! & 0x79);
  reply[3] = RCODES.FORMERR;
  send(reply);
}
