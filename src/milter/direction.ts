/** Whether a message goes out, to be signed, or comes in, to be authenticated. */
import {
  contains,
  type IpAddress,
  parseAddress,
  specialPurpose,
  unmapped,
} from "../standards/dns/address.ts";
import type { MailEnvelope, MilterConnection } from "./mail-handler.ts";
import type { OutgoingRules } from "./settings.ts";

export interface Direction {
  readonly isOutgoing: boolean;
  /** What decided it, in a word for the log. */
  readonly by: "login" | "network" | "daemon" | "local" | "client";
  readonly clientIp: IpAddress | undefined;
  /** The name that the client has logged in with. */
  readonly login: string | undefined;
}

/** The address of a connection's client; undefined where it has none, as for mail from the host itself. */
export function clientIpOf({ address }: MilterConnection): IpAddress | undefined {
  const parsed = address === undefined ? undefined : parseAddress(address);
  return parsed?.ok ? unmapped(parsed.value) : undefined;
}

export function directionOf(
  connection: Pick<MilterConnection, "macros" | "port">,
  clientIp: IpAddress | undefined,
  { macros }: Pick<MailEnvelope, "macros">,
  rules: OutgoingRules,
): Direction {
  const login = macros.get("auth_authen") || undefined;
  const about = { clientIp, login };
  const daemon = macros.get("daemon_name") ?? connection.macros.get("daemon_name");
  if (rules.authenticated && login !== undefined) return { isOutgoing: true, by: "login", ...about };
  if (daemon !== undefined && rules.daemons.includes(daemon))
    return { isOutgoing: true, by: "daemon", ...about };
  if (clientIp === undefined || isLocalSubmission(clientIp, connection))
    return { isOutgoing: true, by: "local", ...about };
  if (rules.networks.some((network) => contains(network, clientIp)))
    return { isOutgoing: true, by: "network", ...about };
  return { isOutgoing: false, by: "client", ...about };
}

/**
 * Mail that the sendmail command of the host took comes without an address from Sendmail, and from port 0 of loopback
 * from Postfix; no client has that port.
 */
const isLocalSubmission = (clientIp: IpAddress, { port }: Pick<MilterConnection, "port">): boolean =>
  port === 0 && specialPurpose(clientIp)?.kind === "loopback";
