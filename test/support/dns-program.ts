/** What the real DNS servers of the tests have in common. */

import { createDnsTransport } from "../../src/net/dns-transport.ts";
import type { ServerAddress } from "../../src/net/server-address.ts";
import { RCODES } from "../../src/standards/dns/message.ts";
import { type DomainName, ROOT } from "../../src/standards/dns/name.ts";

/** A zone as text in the form of RFC 1035 §5. */
export interface ZoneText {
  readonly apex: DomainName;
  readonly text: string;
}

/** "example.org." → a name for its file. */
export function zoneFileName(apex: DomainName): string {
  return apex === ROOT ? "root.zone" : `${apex}.zone`;
}

/** Whether the server gives any answer but SERVFAIL: it listens, and its zones are loaded. */
export async function answers(server: ServerAddress, name: DomainName): Promise<boolean> {
  const transport = createDnsTransport();
  const deadline = performance.now() + 200;
  const patience = { firstTimeoutMilliseconds: 200, attempts: 1, deadline };
  const reply = await transport.exchange(server, { name, type: "SOA", recursionDesired: true }, patience);
  transport.close();
  return reply.ok && reply.message.rcode !== RCODES.SERVFAIL;
}
