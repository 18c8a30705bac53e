/** One TCP connection within a bound of time: to a given address, or to a host that the system finds. */
import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
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
  const { address, port } = endpoint;
  const target = { host: address.text, port, family: address.family };
  return open(target, endpointText(endpoint), timeoutMilliseconds, deadline);
}

/** To a server of the user's own, whose name the system looks up; all its addresses are tried. */
export function connectToHost(
  { host, port }: { readonly host: string; readonly port: number },
  timeoutMilliseconds: number,
  deadline: Deadline,
): Promise<Socket | NoConnection | Broken> {
  const target = { host, port, autoSelectFamily: true };
  return open(target, `${host} port ${port}`, timeoutMilliseconds, deadline);
}

function open(
  target: TcpNetConnectOpts,
  where: string,
  timeoutMilliseconds: number,
  deadline: Deadline,
): Promise<Socket | NoConnection | Broken> {
  const wait = Math.min(timeoutMilliseconds, deadline.milliseconds);
  return new Promise((resolve) => {
    if (deadline.signal.aborted) return resolve(noAnswer(where, deadline.text));
    const socket = connect({ ...target, noDelay: true });
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
    case "ENOTFOUND":
      return { status: "unreachable", detail: `no address is known for ${where}` };
    default:
      return {
        status: "unreachable",
        detail: `no way to ${where} from here: ${error.code ?? error.message}`,
      };
  }
}
