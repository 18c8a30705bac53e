/** Queries for strangers' names go to public addresses alone: whoever names a server decides where packets go. */
import { type IpAddress, parseAddress } from "../standards/dns/address.ts";
import type { DnsTransport } from "./dns-transport.ts";

/** As `transport`, but what `mayAsk` refuses is out of reach, and no packet is sent. */
export function createGuardedTransport(
  transport: DnsTransport,
  mayAsk: (address: IpAddress) => boolean,
): DnsTransport {
  return {
    async exchange(server, query, patience) {
      const address = parseAddress(server.address);
      if (address.ok && mayAsk(address.value)) return transport.exchange(server, query, patience);
      return {
        ok: false,
        cause: "network",
        detail: `${server.address} is no public address: it is not asked`,
      };
    },
    get strayCount() {
      return transport.strayCount;
    },
    get sentCount() {
      return transport.sentCount;
    },
    close: () => transport.close(),
  };
}
