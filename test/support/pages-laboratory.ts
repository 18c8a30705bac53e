/** A small internet on loopback for the pages: the tour's, with its three mistakes, until they are mended. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  FOREIGN_RECORDS,
  ROOT_ADDRESS,
  TOUR_DESCRIPTION,
  tourZones,
  withMistakes,
} from "../../src/interface/cli/tour-world.ts";
import { startDnsServer } from "../../src/net/dns-server.ts";
import { derive } from "../../src/records/derive.ts";
import { described } from "./golden.ts";

export interface PagesLaboratory {
  /** For the server's settings. */
  readonly dns: { readonly rootHints: string; readonly port: number };
  mend(): void;
  /** While it is silent, no name server answers. */
  silence(isSilent: boolean): void;
  close(): Promise<void>;
}

export async function startPagesLaboratory(directory: string): Promise<PagesLaboratory> {
  const right = [
    ...derive(described(TOUR_DESCRIPTION)).records.map(({ record }) => record),
    ...FOREIGN_RECORDS,
  ];
  const servers: Awaited<ReturnType<typeof startDnsServer>>[] = [];
  let port = 0;
  let isSilent = false;
  for (const { address, zones } of tourZones(withMistakes(right))) {
    const server = await startDnsServer({
      zones,
      address,
      port,
      laboratory: { alter: (reply) => (isSilent ? undefined : reply) },
    });
    port = server.port;
    servers.push(server);
  }
  const rootHints = join(directory, "root.hints");
  writeFileSync(rootHints, `. NS root.example.org.\nroot.example.org. A ${ROOT_ADDRESS}\n`);
  return {
    dns: { rootHints, port },
    mend() {
      for (const [at, { zones }] of tourZones(right).entries()) servers[at]!.replaceZones(zones);
    },
    silence(next) {
      isSilent = next;
    },
    async close() {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
