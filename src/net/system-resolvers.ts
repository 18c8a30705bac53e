/** The resolvers this host uses, from resolv.conf (resolv.conf(5)). */
import { readFile } from "node:fs/promises";
import { DNS_PORT, parseServerAddress, type ServerAddress } from "./server-address.ts";

const MAX_RESOLVERS = 3;

/** The `nameserver` lines, the first three of them as every resolver library reads them; others are passed over. */
export function parseResolvConf(text: string): ServerAddress[] {
  const servers: ServerAddress[] = [];
  for (const line of text.split("\n")) {
    const address = /^nameserver[ \t]+([^ \t\r#;]+)/.exec(line)?.[1];
    // A scope ("fe80::1%eth0") names an interface; such a server cannot be asked from a pool of sockets.
    const server = address === undefined ? undefined : parseServerAddress(address);
    if (server?.ok && server.value.port === DNS_PORT && servers.length < MAX_RESOLVERS)
      servers.push(server.value);
  }
  return servers;
}

/** Empty where the file names none; rejects where it cannot be read. */
export async function readSystemResolvers(path = "/etc/resolv.conf"): Promise<ServerAddress[]> {
  return parseResolvConf(await readFile(path, "utf8"));
}
