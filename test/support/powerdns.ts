/** A PowerDNS of the test's own, over SQLite, with authority for the zones given. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerAddress } from "../../src/net/server-address.ts";
import { ROOT } from "../../src/standards/dns/name.ts";
import { answers, type ZoneText, zoneFileName } from "./dns-program.ts";
import {
  findProgram,
  giveTo,
  isRoot,
  makeServerDirectory,
  type RunningServer,
  startServer,
} from "./real-server.ts";

export const POWERDNS_PROGRAMS = ["pdns_server", "pdnsutil", "sqlite3"] as const;

export interface PowerdnsOptions extends ServerAddress {
  readonly zones: readonly ZoneText[];
  /** May update and transfer every zone; the secret in base64. */
  readonly key?: { readonly name: string; readonly algorithm: string; readonly secret: string };
  /** Signs every zone. */
  readonly signs?: boolean;
  /** Its HTTP interface, where it is to have one. */
  readonly api?: { readonly port: number; readonly key: string };
  /** Further lines of its configuration. */
  readonly settings?: string;
}

const SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";

export function startPowerdns(options: PowerdnsOptions): Promise<RunningServer> {
  const { address, port, zones, key, signs = false, api, settings = "" } = options;
  const directory = makeServerDirectory("powerdns");
  mkdirSync(join(directory, "run"));
  const database = join(directory, "pdns.db");
  execFileSync(findProgram("sqlite3")!, [database, `.read ${SCHEMA}`]);
  const web = api
    ? `api=yes
api-key=${api.key}
webserver=yes
webserver-address=127.0.0.1
webserver-port=${api.port}
webserver-allow-from=127.0.0.1`
    : "";
  writeFileSync(
    join(directory, "pdns.conf"),
    `launch=gsqlite3
gsqlite3-database=${database}
gsqlite3-dnssec=yes
local-address=${address}
local-port=${port}
socket-dir=${join(directory, "run")}
${isRoot ? "setuid=pdns\nsetgid=pdns" : ""}
daemon=no
guardian=no
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8
allow-axfr-ips=
disable-axfr=no
receiver-threads=1
distributor-threads=1
zone-cache-refresh-interval=0
security-poll-suffix=
${web}
${settings}
`,
  );
  const pdnsutil = (...words: string[]) =>
    execFileSync(findProgram("pdnsutil")!, [`--config-dir=${directory}`, ...words], { stdio: "pipe" });
  if (key) pdnsutil("import-tsig-key", key.name, key.algorithm, key.secret);
  for (const { apex, text } of zones) {
    const file = join(directory, zoneFileName(apex));
    writeFileSync(file, text);
    pdnsutil("load-zone", apex, file);
    if (signs) pdnsutil("secure-zone", apex);
    if (!key) continue;
    pdnsutil("set-meta", apex, "TSIG-ALLOW-DNSUPDATE", key.name);
    pdnsutil("set-meta", apex, "TSIG-ALLOW-AXFR", key.name);
  }
  giveTo("pdns", directory);
  return startServer({
    program: "pdns_server",
    arguments: [`--config-dir=${directory}`],
    directory,
    isReady: () => answers({ address, port }, zones[0]?.apex ?? ROOT),
  });
}
