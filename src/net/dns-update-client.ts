/** Updates (RFC 2136) and zone transfers (RFC 5936) over TCP, signed and verified with TSIG (RFC 8945). */
import type {
  DnsUpdateClient,
  ExchangeOutcome,
  TransferOutcome,
  Unanswered,
} from "../publish/dns-update-client.ts";
import { decodeMessage, encodeMessage, type Message, queryMessage } from "../standards/dns/message.ts";
import type { DomainName } from "../standards/dns/name.ts";
import { type ChainVerdict, signMessage, TsigChain, type TsigKey } from "../standards/dns/tsig.ts";
import { type StreamBounds, streamRequest } from "./dns-stream.ts";
import { randomUint16 } from "./query-id.ts";
import { formatServerAddress, type ServerAddress } from "./server-address.ts";
import { TransferReading } from "./zone-transfer.ts";

export interface DnsUpdateClientOptions {
  readonly server: ServerAddress;
  /** Without a key nothing is signed, and whoever answers is believed: for servers that go by the address. */
  readonly key?: TsigKey | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly updateTimeoutMilliseconds?: number;
  readonly transferTimeoutMilliseconds?: number;
  readonly maxTransferOctets?: number;
  readonly maxTransferRecords?: number;
}

/** One message of each length that there can be. */
const MAX_REPLY_OCTETS = 65_537;

export function createDnsUpdateClient(options: DnsUpdateClientOptions): DnsUpdateClient {
  const { server, key } = options;
  const {
    updateTimeoutMilliseconds = 15_000,
    transferTimeoutMilliseconds = 60_000,
    maxTransferOctets = 64 * 2 ** 20,
    maxTransferRecords = 200_000,
  } = options;

  return {
    server: formatServerAddress(server),
    ...(key && { keyName: key.name }),

    async exchange(message): Promise<ExchangeOutcome> {
      let answer: Message | undefined;
      const bounds = { timeoutMilliseconds: updateTimeoutMilliseconds, maxOctets: MAX_REPLY_OCTETS };
      const failure = await signedStream(options, message, bounds, (reply) => {
        if (reply.opcode !== message.opcode) return { problem: "it is one to something else" };
        answer = reply;
        return "finished";
      });
      return failure ?? { status: "answered", message: answer! };
    },

    async transfer(zone: DomainName): Promise<TransferOutcome> {
      const reading = new TransferReading(zone, maxTransferRecords);
      let isComplete = false;
      let denied: number | undefined;
      const bounds = { timeoutMilliseconds: transferTimeoutMilliseconds, maxOctets: maxTransferOctets };
      const query = queryMessage(0, { name: zone, type: "AXFR" }, { recursionDesired: false });
      const failure = await signedStream(options, query, bounds, (reply, isVerified) => {
        if (!isComplete) {
          const step = reading.take(reply);
          if (step.status === "broken") return { problem: step.problem };
          if (step.status === "denied") denied = step.rcode;
          if (step.status === "more") return "more";
          isComplete = true;
        } else if (reply.answers.length > 0) {
          return { problem: "records behind the second SOA" };
        }
        // RFC 8945 §5.3.1: the last message must be signed
        return isVerified ? "finished" : "more";
      });
      if (failure !== undefined) return failure;
      return denied === undefined
        ? { status: "transferred", records: reading.records }
        : { status: "denied", rcode: denied };
    },

    async serves(zone: DomainName): Promise<boolean | "unknown"> {
      let reply: Message | undefined;
      const query = queryMessage(0, { name: zone, type: "SOA" }, { recursionDesired: false });
      const bounds = { timeoutMilliseconds: updateTimeoutMilliseconds, maxOctets: MAX_REPLY_OCTETS };
      const failure = await signedStream({ ...options, key: undefined }, query, bounds, (message) => {
        reply = message;
        return "finished";
      });
      if (failure !== undefined || reply === undefined) return "unknown";
      return (
        reply.authoritative && reply.answers.some(({ name, data }) => name === zone && data.type === "SOA")
      );
    },
  };
}

/**
 * Sends the message, and hands over what comes back: verified, or not yet so where a later message will do it. The
 * receiver says how it goes on, or what is wrong.
 */
async function signedStream(
  { server, key, now }: DnsUpdateClientOptions,
  message: Message,
  bounds: StreamBounds,
  receive: (reply: Message, isVerified: boolean) => "more" | "finished" | { readonly problem: string },
): Promise<Unanswered | undefined> {
  const id = randomUint16();
  const seconds = () => Math.floor(now() / 1000);
  const numbered = { ...message, id };
  const signed = key && signMessage(numbered, key, { timeSigned: seconds() });
  const chain = signed && key && new TsigChain(key, { requestId: id, requestMac: signed.mac });
  let failure: Unanswered | undefined;
  const where = formatServerAddress(server);
  const unreadable = (problem: string): "finished" => {
    failure = { status: "unreadable", problem: `${where} sent an unreadable answer: ${problem}` };
    return "finished";
  };
  const outcome = await streamRequest(server, signed?.octets ?? encodeMessage(numbered), bounds, (octets) => {
    const ourTime = seconds();
    const verdict = chain?.take(octets, ourTime) ?? readUnsigned(octets, id);
    switch (verdict.status) {
      case "verified":
      case "unsigned-yet": {
        const next = receive(verdict.message, verdict.status === "verified");
        return typeof next === "string" ? next : unreadable(next.problem);
      }
      case "malformed":
        return unreadable(verdict.problem);
      default:
        failure = { status: "unverified", verdict, ourTime };
        return "finished";
    }
  });
  if (outcome.status === "finished") return failure;
  return { status: "unreachable", detail: `${where}: ${outcome.detail}`, sent: outcome.sent };
}

/** Without a key every reply to the request counts. */
function readUnsigned(octets: Uint8Array, id: number): ChainVerdict {
  const decoded = decodeMessage(octets);
  if (!decoded.ok) return { status: "malformed", problem: decoded.problem };
  const message = decoded.value;
  if (message.id !== id || !message.isResponse)
    return { status: "malformed", problem: "it answers another request" };
  return { status: "verified", message };
}
