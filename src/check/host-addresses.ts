/** A and AAAA of a host together, as the checks of mail hosts, reverse names and report mailboxes need them. */
import { type IpAddress, parseAddress } from "../standards/dns/address.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { Context } from "./context.ts";
import type { Finding } from "./finding.ts";

/** The addresses of a host as its name servers publish them; a lookup that failed is not "no address". */
export async function hostAddresses(
  host: DomainName,
  context: Context,
): Promise<{
  readonly addresses: readonly IpAddress[];
  /** The host itself, or the name that it is an alias of. */
  readonly canonicalName: DomainName;
  readonly untold: readonly Finding[];
}> {
  const answers = await Promise.all([context.lookup(host, "A"), context.lookup(host, "AAAA")]);
  const [ipv4, ipv6] = answers;
  const addresses = answers.flatMap((answer) =>
    answer.status === "found" ? answer.records.map(({ data }) => knownAddress(data.address)) : [],
  );
  const found = answers.find(({ status }) => status === "found");
  const canonicalName = found?.status === "found" ? found.canonicalName : host;
  return { addresses, canonicalName, untold: context.untold(host, ["A", ipv4], ["AAAA", ipv6]) };
}

/** An address out of a record, which was checked when the record was read. */
export function knownAddress(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new TypeError(parsed.problem);
  return parsed.value;
}
