/** From where a saved message came, as far as the fields tell that servers put on top of it (RFC 5321 §4.4). */
import { type IpAddress, parseAddress, specialPurpose, unmapped } from "../standards/dns/address.ts";
import { type HeaderField, type OctetText, unfolded } from "../standards/message/header-field.ts";
import type { MailOrigin } from "./authentication.ts";

export interface TracedOrigin {
  readonly origin: Partial<MailOrigin>;
  /** The Received field that the address was taken from. */
  readonly received: OctetText | undefined;
}

const MAX_HOPS = 50;
const MAX_HOP_CHARACTERS = 2_000;
/** Between the programs of one host, or the hosts of one house, nobody authenticates. */
const INSIDE: readonly string[] = ["loopback", "private", "link-local", "unspecified"];

/**
 * The topmost Received field whose client is not of an inner network. Whoever sent the message may have written those
 * below the first of a server of yours: what comes of this is a guess, to be told as one.
 */
export function traceOrigin(fields: readonly HeaderField[]): TracedOrigin {
  const hops = fields.filter(({ key }) => key === "received").slice(0, MAX_HOPS);
  const path = fields.find(({ key }) => key === "return-path");
  const sender = path === undefined ? undefined : /^<([^<>\s]{0,320})>$/.exec(unfolded(path.value))?.[1];
  const mailFrom = sender === undefined ? {} : { mailFrom: sender };
  for (const { value } of hops) {
    const hop = readHop(unfolded(value).slice(0, MAX_HOP_CHARACTERS));
    if (hop === undefined || INSIDE.includes(specialPurpose(hop.clientIp)?.kind ?? "")) continue;
    return { origin: { ...hop, ...mailFrom }, received: value };
  }
  return { origin: mailFrom, received: undefined };
}

/** "from HELO (name [ADDRESS])", Exim's "from name ([ADDRESS] helo=HELO)", qmail's "from name (HELO HELO) (ADDRESS)". */
function readHop(text: OctetText): { readonly clientIp: IpAddress; readonly helo?: string } | undefined {
  const from = /^from\s+(.*?)(?:\s+by\s|$)/is.exec(text)?.[1];
  if (from === undefined) return undefined;
  const [, address = ""] = /[[(](?:IPv6:)?([0-9a-f]{0,4}[.:][0-9a-f.:]{2,42})[\])]/i.exec(from) ?? [];
  const parsed = parseAddress(address);
  if (!parsed.ok) return undefined;
  const helo =
    /\b(?:helo=|HELO |EHLO )\[?([^\s()[\]]+)/i.exec(from)?.[1] ?? /^([^\s()[\]]+)\s+\(/.exec(from)?.[1];
  return { clientIp: unmapped(parsed.value), ...(helo !== undefined && helo !== "unknown" && { helo }) };
}
