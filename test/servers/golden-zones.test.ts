/** What is derived makes zones that BIND loads: each golden domain with a SOA and a name server in front of it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { byZone } from "../../src/records/format.ts";
import { LISTING_TTL_SECONDS, zoneLine } from "../../src/records/zone-listing.ts";
import { absolute, type DomainName, domainName, isWithin } from "../../src/standards/dns/name.ts";
import type { ResourceRecord } from "../../src/standards/dns/record.ts";
import { formatZoneText, parseZoneText } from "../../src/standards/dns/zone-text.ts";
import { EXPORTED } from "../support/exported.ts";
import { describeWithServers, findProgram } from "../support/real-server.ts";

const folder = mkdtempSync(join(tmpdir(), "golden-zones-"));
afterAll(() => rmSync(folder, { recursive: true }));
const REVERSE_ZONES = ["in-addr.arpa", "ip6.arpa"].map(domainName);

/** Whatever BIND can judge without asking other zones; `-W ignore` allows the wildcard that revokes all keys. */
const STRICT = "-i local -k fail -m fail -M fail -n fail -r fail -S fail -T warn -W ignore".split(" ");

/** What BIND reads, or its complaint. */
function compile(apex: DomainName, records: readonly ResourceRecord[]): readonly string[] | string {
  const [file, compiled] = [join(folder, "zone"), join(folder, "compiled")];
  const head = [
    `$TTL ${LISTING_TTL_SECONDS}`,
    `${absolute(apex)} SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60`,
    `${absolute(apex)} NS ns.invalid.`,
  ];
  writeFileSync(file, `${[...head, ...records.map(zoneLine)].join("\n")}\n`);
  const options = [...STRICT, "-f", "text", "-F", "text", "-s", "full", "-o", compiled, apex, file];
  const { status, stdout, stderr } = spawnSync(findProgram("named-compilezone")!, options, {
    encoding: "utf8",
  });
  if (status !== 0) return stdout + stderr;
  return canonical(parseZoneText(readFileSync(compiled, "utf8"), { origin: apex }).records);
}

function canonical(records: readonly ResourceRecord[]): readonly string[] {
  const own = records.filter(({ data }) => data.type !== "SOA" && data.type !== "NS");
  return formatZoneText(own, { align: false }).split("\n").slice(0, -1).sort();
}

describeWithServers(["named-compilezone"], "derived zones as BIND loads them", () => {
  it.each(EXPORTED)("$name", ({ derived, description }) => {
    const zones = byZone(derived, description).flatMap(({ zone, records }) =>
      (zone === undefined ? REVERSE_ZONES : [zone]).map((apex) => ({
        apex,
        records: records.map(({ record }) => record).filter(({ name }) => isWithin(name, apex)),
      })),
    );
    const seen = zones.reduce((sum, { records }) => sum + records.length, 0);
    expect(seen).toBe(derived.records.length);
    for (const { apex, records } of zones) {
      if (records.length > 0) expect(compile(apex, records), apex).toEqual(canonical(records));
    }
  });
});
