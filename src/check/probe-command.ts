/** What to type to see by hand what a probe saw. */
import { shellWord } from "../records/command.ts";
import type { IpAddress } from "../standards/dns/address.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { Protocol } from "./probe.ts";

/** How openssl calls the protocol; TLS from the first octet where it has no name. */
const STARTTLS: Readonly<Record<Protocol, string | undefined>> = {
  smtp: "smtp",
  submission: "smtp",
  submissions: undefined,
  imap: "imap",
  imaps: undefined,
  pop3: "pop3",
  pop3s: undefined,
  sieve: "sieve",
  "xmpp-client": "xmpp",
  "xmpp-server": "xmpp-server",
  "xmpps-client": undefined,
  "xmpps-server": undefined,
};

export function tlsCommand(
  protocol: Protocol | "https",
  host: DomainName,
  address: IpAddress,
  port: number,
): string {
  const starttls = protocol === "https" ? undefined : STARTTLS[protocol];
  const name = shellWord(host);
  const stream = starttls?.startsWith("xmpp") ? ` -xmpphost ${name}` : "";
  const start = starttls === undefined ? "" : ` -starttls ${starttls}${stream}`;
  return `openssl s_client -connect ${socketText(address, port)} -servername ${name}${start}`;
}

export function connectCommand(address: IpAddress, port: number): string {
  return `nc -vz ${address.text} ${port}`;
}

/** "192.0.2.25:25", "[2001:db8::25]:25" */
export function socketText(address: IpAddress, port: number): string {
  return address.family === 6 ? `[${address.text}]:${port}` : `${address.text}:${port}`;
}
