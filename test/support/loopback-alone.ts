/** Loaded into a process before anything else: says on standard error whatever would leave loopback, and holds it back. */
import { Socket as UdpSocket } from "node:dgram";
import { Socket } from "node:net";

const isLocal = (host: unknown): boolean =>
  host === undefined || /^(?:127\.|::1$|localhost$)/.test(String(host));
function leave(host: unknown): never {
  process.stderr.write(`left loopback: ${String(host)}\n`);
  throw new Error(`left loopback: ${String(host)}`);
}

const udp = UdpSocket.prototype as unknown as Record<string, (...given: unknown[]) => unknown>;
for (const name of ["send", "connect"]) {
  const original = udp[name]!;
  udp[name] = function (this: UdpSocket, ...given: unknown[]) {
    const host = given.find((one, at) => at > 0 && typeof one === "string");
    return isLocal(host) ? original.apply(this, given) : leave(host);
  };
}
const tcp = Socket.prototype as unknown as Record<string, (...given: unknown[]) => unknown>;
const connect = tcp["connect"]!;
tcp["connect"] = function (this: Socket, ...given: unknown[]) {
  const [first, second] = (Array.isArray(given[0]) ? given[0] : given) as unknown[];
  const host = typeof first === "object" && first !== null ? (first as { host?: unknown }).host : second;
  return isLocal(typeof host === "function" ? undefined : host) ? connect.apply(this, given) : leave(host);
};
