/** The way of mail, in and out, as stations; and which findings belong to which. */
import type { Concern, Finding } from "../../api/domains.ts";
import { type Severity, worstOf } from "../../parts/severity.tsx";

export const WAY_IN = ["lookup", "mx", "encryption", "server", "mailbox"] as const;
export const WAY_OUT = ["address", "spf", "dkim", "dmarc", "receivers"] as const;
export type Station = (typeof WAY_IN)[number] | (typeof WAY_OUT)[number];
export const STATIONS: readonly Station[] = [...WAY_IN, ...WAY_OUT];

const OF: Readonly<Record<Concern, Station>> = {
  zone: "lookup",
  dnssec: "lookup",
  drift: "lookup",
  mx: "mx",
  "mta-sts": "encryption",
  "tls-rpt": "encryption",
  dane: "encryption",
  caa: "encryption",
  certificate: "encryption",
  address: "server",
  smtp: "server",
  client: "mailbox",
  service: "mailbox",
  reverse: "address",
  spf: "spf",
  dkim: "dkim",
  dmarc: "dmarc",
  reputation: "receivers",
  bimi: "receivers",
};

export const stationOf = ({ concern }: Pick<Finding, "concern">): Station => OF[concern];

export interface StationState {
  readonly station: Station;
  /** Undefined where no finding is about it. */
  readonly worst: Severity | undefined;
  /** How many findings are as bad as that, and ask for something. */
  readonly open: number;
}

const ASKS: readonly Severity[] = ["error", "unknown", "warning"];

export const isOpen = ({ severity, acknowledgedBy }: Pick<Finding, "severity" | "acknowledgedBy">): boolean =>
  acknowledgedBy === null && ASKS.includes(severity);

/** What somebody knows of and has put aside does not colour a station any more. */
export function statesOf(findings: readonly Finding[]): ReadonlyMap<Station, StationState> {
  return new Map(
    STATIONS.map((station) => {
      const own = findings.filter((finding) => stationOf(finding) === station);
      const loud = own.filter(({ acknowledgedBy }) => acknowledgedBy === null);
      const worst = worstOf(loud.map(({ severity }) => severity)) ?? (own.length > 0 ? "notice" : undefined);
      return [
        station,
        { station, worst, open: own.filter((each) => isOpen(each) && each.severity === worst).length },
      ];
    }),
  );
}
