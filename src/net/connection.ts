/** One TCP connection to a given address, within a bound of time; no name is looked up. */
import { connect, type Socket } from "node:net";
import type { Broken, NoConnection } from "../check/probe.ts";
import type { IpAddress } from "../standards/dns/address.ts";

/** The end of a probe's time, for all that is done within it. */
export class Deadline {
  readonly milliseconds: number;
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;

  constructor(milliseconds: number) {
    this.milliseconds = milliseconds;
    const controller = new AbortController();
    this.signal = controller.signal;
    this.#timer = setTimeout(() => controller.abort(), milliseconds);
  }

  /** "10 s" */
  get text(): string {
    return secondsText(this.milliseconds);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

export interface Endpoint {
  readonly address: IpAddress;
  readonly port: number;
}

/** "192.0.2.25 port 25" */
export function endpointText({ address, port }: Endpoint): string {
  return `${address.text} port ${port}`;
}

/** The caller destroys the socket; an error on it that nobody listens for is dropped. */
export function connectTo(
  endpoint: Endpoint,
  timeoutMilliseconds: number,
  deadline: Deadline,
): Promise<Socket | NoConnection | Broken> {
  const where = endpointText(endpoint);
  const wait = Math.min(timeoutMilliseconds, deadline.milliseconds);
  return new Promise((resolve) => {
    const { address, port } = endpoint;
    if (deadline.signal.aborted) return resolve(noAnswer(where, deadline.text));
    const socket = connect({ host: address.text, port, family: address.family, noDelay: true });
    const settle = (outcome: Socket | NoConnection | Broken) => {
      clearTimeout(timer);
      deadline.signal.removeEventListener("abort", giveUp);
      if (outcome !== socket) socket.destroy();
      resolve(outcome);
    };
    const giveUp = () => settle(noAnswer(where, secondsText(wait)));
    const timer = setTimeout(giveUp, timeoutMilliseconds);
    deadline.signal.addEventListener("abort", giveUp, { once: true });
    socket.once("connect", () => settle(socket));
    socket.on("error", (error: NodeJS.ErrnoException) => settle(noConnection(where, error)));
  });
}

function secondsText(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(1))} s`;
}

function noAnswer(where: string, time: string): NoConnection {
  return { status: "timeout", detail: `no answer from ${where} within ${time}` };
}

function noConnection(where: string, error: NodeJS.ErrnoException): NoConnection | Broken {
  switch (error.code) {
    case "ECONNRESET":
      return { status: "broken", detail: `${where} reset the connection at once` };
    case "ECONNREFUSED":
      return { status: "refused", detail: `connection refused by ${where}` };
    case "ETIMEDOUT":
      return { status: "timeout", detail: `no answer from ${where}` };
    default:
      return {
        status: "unreachable",
        detail: `no way to ${where} from here: ${error.code ?? error.message}`,
      };
  }
}
