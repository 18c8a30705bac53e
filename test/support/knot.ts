/** A Knot DNS of the test's own, with authority for the zones given. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerAddress } from "../../src/net/server-address.ts";
import { absolute, ROOT } from "../../src/standards/dns/name.ts";
import { answers, type ZoneText, zoneFileName } from "./dns-program.ts";
import { giveTo, isRoot, makeServerDirectory, type RunningServer, startServer } from "./real-server.ts";

export interface KnotOptions extends ServerAddress {
  readonly zones: readonly ZoneText[];
  /** Further sections: keys, access lists, policies. */
  readonly sections?: string;
  /** Further lines for a zone, indented by four; by apex. */
  readonly zoneLines?: (apex: string) => string;
  readonly readyWithinMilliseconds?: number;
}

export function startKnot(settings: KnotOptions): Promise<RunningServer> {
  const { address, port, zones, sections = "", zoneLines = () => "", readyWithinMilliseconds } = settings;
  const directory = makeServerDirectory("knot");
  for (const folder of ["run", "db", "zones"]) mkdirSync(join(directory, folder));
  for (const { apex, text } of zones) writeFileSync(join(directory, "zones", zoneFileName(apex)), text);
  const rows = zones.map(
    ({ apex }) => `  - domain: ${absolute(apex)}
    file: ${zoneFileName(apex)}
${zoneLines(apex)}`,
  );
  const configuration = `
server:
  rundir: ${join(directory, "run")}
${isRoot ? "  user: knot:knot" : ""}
  listen: [ ${address}@${port} ]
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
control:
  listen: ${join(directory, "run", "knot.sock")}
database:
  storage: ${join(directory, "db")}
  journal-db-max-size: 20M
  kasp-db-max-size: 20M
  timer-db-max-size: 20M
log:
  - target: stderr
    any: info
${sections}
template:
  - id: default
    storage: ${join(directory, "zones")}
zone:
${rows.join("\n")}
`;
  writeFileSync(join(directory, "knot.conf"), configuration);
  giveTo("knot", directory);
  return startServer({
    program: "knotd",
    arguments: ["-c", join(directory, "knot.conf")],
    directory,
    readyWithinMilliseconds,
    isReady: () => answers({ address, port }, zones[0]?.apex ?? ROOT),
  });
}
