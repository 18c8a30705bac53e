/** One DNS request on a TCP connection of its own, and all messages that come back (RFC 7766 §8). */
import { connect } from "node:net";
import { formatServerAddress, type ServerAddress } from "./server-address.ts";

export interface StreamBounds {
  /** From the start to the last message. */
  readonly timeoutMilliseconds: number;
  /** Of all messages together, their lengths included. */
  readonly maxOctets: number;
}

export type StreamOutcome =
  | { readonly status: "finished" }
  /** `sent`: the server may have read the request. */
  | { readonly status: "failed"; readonly detail: string; readonly sent: boolean };

/** Hands each message to `onMessage` until that is `finished`; then the connection is closed. */
export function streamRequest(
  server: ServerAddress,
  request: Uint8Array,
  { timeoutMilliseconds, maxOctets }: StreamBounds,
  onMessage: (octets: Uint8Array) => "more" | "finished",
): Promise<StreamOutcome> {
  const where = formatServerAddress(server);
  return new Promise((resolve) => {
    let sent = false;
    let received: Buffer = Buffer.alloc(0);
    let octetCount = 0;
    const socket = connect({ host: server.address, port: server.port, noDelay: true });
    const end = (outcome: StreamOutcome) => {
      clearTimeout(timer);
      socket.removeAllListeners("data");
      socket.destroy();
      resolve(outcome);
    };
    const fail = (detail: string) => end({ status: "failed", detail, sent });
    const timer = setTimeout(
      () => fail(`no ${sent ? "complete answer" : "connection"} within ${timeoutMilliseconds / 1000} s`),
      timeoutMilliseconds,
    );
    socket.once("connect", () => {
      sent = true;
      const framed = Buffer.allocUnsafe(request.length + 2);
      framed.writeUInt16BE(request.length);
      framed.set(request, 2);
      socket.write(framed);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => fail(wordsOf(error)));
    socket.on("close", () => fail("the server closed the connection before its answer was complete"));
    socket.on("data", (octets) => {
      octetCount += octets.length;
      if (octetCount > maxOctets) return fail(`${where} sends more than ${maxOctets} octets`);
      received = received.length === 0 ? octets : Buffer.concat([received, octets]);
      while (received.length >= 2) {
        const length = 2 + received.readUInt16BE();
        if (received.length < length) return;
        const message = new Uint8Array(received.subarray(2, length));
        received = received.subarray(length);
        if (onMessage(message) === "finished") return end({ status: "finished" });
      }
    });
  });
}

function wordsOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "ECONNREFUSED":
      return "the connection was refused; nothing listens there";
    case "ECONNRESET":
      return "the connection was reset";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "there is no way to it from here";
    default:
      return code ?? message;
  }
}
