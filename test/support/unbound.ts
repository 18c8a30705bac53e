/** A validating resolver of the test's own, for a laboratory whose servers all listen on one high port. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerAddress } from "../../src/net/server-address.ts";
import { absolute, type DomainName, ROOT } from "../../src/standards/dns/name.ts";
import { answers } from "./dns-program.ts";
import { isListening } from "./network-namespace.ts";
import { giveTo, isRoot, makeServerDirectory, type RunningServer, startServer } from "./real-server.ts";

export interface UnboundOptions extends ServerAddress {
  /** Every zone with its servers: referrals name no port, so the resolver is told each zone's. */
  readonly zones: readonly { readonly apex: DomainName; readonly servers: readonly ServerAddress[] }[];
  /** DS or DNSKEY of the root in zone text. */
  readonly trustAnchor: string;
  /** The network namespace to run in. */
  readonly namespace?: string;
}

export function startUnbound(options: UnboundOptions): Promise<RunningServer> {
  const { address, port, zones, trustAnchor, namespace } = options;
  const directory = makeServerDirectory("unbound");
  const stubs = zones.map(
    ({ apex, servers }) => `stub-zone:
  name: "${absolute(apex)}"
  stub-prime: no
${servers.map((server) => `  stub-addr: ${server.address}@${server.port}`).join("\n")}`,
  );
  const configuration = `
server:
  directory: "${directory}"
  pidfile: ""
  chroot: ""
  username: "${isRoot ? "unbound" : ""}"
  interface: ${address}@${port}
  access-control: 0.0.0.0/0 allow
  access-control: ::/0 allow
  do-ip6: no
  do-daemonize: no
  use-syslog: no
  logfile: ""
  do-not-query-localhost: no
  num-threads: 1
  module-config: "validator iterator"
  trust-anchor: "${trustAnchor}"
  ede: yes
  val-log-level: 2
  domain-insecure: "test"
remote-control:
  control-enable: no
${stubs.join("\n")}
`;
  writeFileSync(join(directory, "unbound.conf"), configuration);
  giveTo("unbound", directory);
  return startServer({
    program: "unbound",
    arguments: ["-d", "-p", "-c", join(directory, "unbound.conf")],
    directory,
    namespace,
    isReady: ({ pid }) =>
      namespace === undefined ? answers({ address, port }, ROOT) : isListening(pid, [{ address, port }]),
  });
}
