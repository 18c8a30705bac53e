/** The servers that take dynamic updates, each with the same key for all of its zones. */
import { startBind } from "./bind.ts";
import type { ZoneText } from "./dns-program.ts";
import { startKnot } from "./knot.ts";
import { POWERDNS_PROGRAMS, startPowerdns } from "./powerdns.ts";
import type { RunningServer } from "./real-server.ts";

export const UPDATE_KEY = {
  name: "testkey",
  algorithm: "hmac-sha256",
  secret: Buffer.alloc(32, 5).toString("base64"),
} as const;

/** Sections of Knot's configuration; zones refer to `testacl`. */
export const KNOT_KEY = `key:
  - id: ${UPDATE_KEY.name}
    algorithm: ${UPDATE_KEY.algorithm}
    secret: ${UPDATE_KEY.secret}
acl:
  - id: testacl
    key: ${UPDATE_KEY.name}
    action: [ update, transfer ]`;

export interface UpdateServer {
  readonly title: string;
  readonly programs: readonly string[];
  start(port: number, zones: readonly ZoneText[]): Promise<RunningServer>;
}

const ADDRESS = "127.0.0.1";

export const UPDATE_SERVERS: readonly UpdateServer[] = [
  {
    title: "BIND",
    programs: ["named"],
    start: (port, zones) =>
      startBind({
        address: ADDRESS,
        port,
        zones,
        options: `allow-transfer { key ${UPDATE_KEY.name}; };`,
        statements: `key ${UPDATE_KEY.name} { algorithm ${UPDATE_KEY.algorithm}; secret "${UPDATE_KEY.secret}"; };`,
        zoneStatements: () => `update-policy { grant ${UPDATE_KEY.name} zonesub ANY; };`,
      }),
  },
  {
    title: "Knot",
    programs: ["knotd"],
    start: (port, zones) =>
      startKnot({
        address: ADDRESS,
        port,
        zones,
        sections: KNOT_KEY,
        zoneLines: () => "    acl: testacl",
      }),
  },
  {
    title: "PowerDNS",
    programs: POWERDNS_PROGRAMS,
    start: (port, zones) => startPowerdns({ address: ADDRESS, port, zones, key: UPDATE_KEY }),
  },
];
