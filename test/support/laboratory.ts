/** Pieces from which tests build worlds: zone texts, signed zones, real servers that end with the test. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { absolute, domainName } from "../../src/standards/dns/name.ts";
import type { ZoneText } from "./dns-program.ts";
import { findProgram, makeServerDirectory } from "./real-server.ts";

/** A zone from its lines (names relative to the apex); `serial` is all of the SOA that tests care about. */
export function zoneText(apex: string, serial: number, lines: readonly string[]): ZoneText {
  const head = [
    `$ORIGIN ${absolute(domainName(apex))}`,
    "$TTL 300",
    `@ SOA ns.invalid. hostmaster.invalid. ${serial} 3600 600 86400 60`,
  ];
  return { apex: domainName(apex), text: `${[...head, ...lines].join("\n")}\n` };
}

export interface SignedZone extends ZoneText {
  /** The DS record for the zone above, in zone text. */
  readonly ds: string;
  /** The key, in zone text: a trust anchor where the zone is the root. */
  readonly key: string;
}

/** Signs with one ECDSA key that the caller never sees again, by BIND's own tools. */
export function signZone({ apex, text }: ZoneText): SignedZone {
  const directory = makeServerDirectory("sign");
  try {
    const origin = absolute(apex);
    const run = (program: string, args: readonly string[]) =>
      execFileSync(findProgram(program) ?? program, args, {
        cwd: directory,
        stdio: ["ignore", "pipe", "pipe"],
      });
    run("dnssec-keygen", ["-q", "-a", "ECDSAP256SHA256", "-f", "KSK", "-n", "ZONE", origin]);
    writeFileSync(join(directory, "zone"), text);
    run("dnssec-signzone", ["-q", "-S", "-z", "-o", origin, "-f", "signed", "zone"]);
    const files = readdirSync(directory);
    const read = (prefix: string, suffix: string) =>
      readFileSync(
        join(directory, files.find((file) => file.startsWith(prefix) && file.endsWith(suffix))!),
        "utf8",
      );
    const key = read("K", ".key")
      .split("\n")
      .find((line) => !line.startsWith(";"))!;
    return { apex, text: read("signed", ""), ds: read("dsset-", "").trim(), key };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** As a zone whose data was changed behind its signatures. */
export function tampered<Z extends ZoneText>(zone: Z, from: string, to: string): Z {
  if (!zone.text.includes(from)) throw new Error(`the zone "${zone.apex}" does not hold ${from}`);
  return { ...zone, text: zone.text.replaceAll(from, to) };
}

/** Things to stop, the last one first. */
export class Stoppables {
  readonly #stops: (() => unknown)[] = [];

  add<S extends { stop(): unknown } | { close(): unknown }>(thing: S): S {
    this.#stops.push(() => ("stop" in thing ? thing.stop() : thing.close()));
    return thing;
  }

  async stopAll(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop();
  }
}
