/** Our reading of zone text against BIND's: what named-compilezone makes of each fixture must be what we make of it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { domainName } from "../../src/standards/dns/name.ts";
import type { ResourceRecord } from "../../src/standards/dns/record.ts";
import { formatZoneText, parseZoneText } from "../../src/standards/dns/zone-text.ts";
import { anyRecord } from "../support/arbitrary-records.ts";
import { fc } from "../support/random-inputs.ts";
import { describeWithServers, findProgram } from "../support/real-server.ts";

const origin = domainName("example.org");
const fixtures = join(import.meta.dirname, "../fixtures/zone-text");
const folder = mkdtempSync(join(tmpdir(), "zone-text-"));
const file = join(folder, "zone");
afterAll(() => rmSync(folder, { recursive: true }));
const compileZone = findProgram("named-compilezone");

/** Text in, canonical text out; undefined where BIND refuses. Its judgements of the zone (glue, MX targets) are off. */
function compile(text: string): string | undefined {
  const options = [
    "-i",
    "none",
    "-k",
    "ignore",
    "-M",
    "ignore",
    "-S",
    "ignore",
    "-r",
    "ignore",
    "-T",
    "ignore",
  ];
  const argv = [...options, "-q", "-f", "text", "-F", "text", "-s", "full", "-o", "-", origin, file];
  writeFileSync(file, text);
  const { status, stdout } = spawnSync(compileZone!, argv, { encoding: "utf8" });
  return status === 0 ? stdout : undefined;
}

/** One line a record, sorted: the order in a zone means nothing. */
function canonical(records: readonly ResourceRecord[]): string[] {
  return formatZoneText(records, { align: false }).split("\n").slice(0, -1).sort();
}

const zonesOf = (folder: string) =>
  readdirSync(join(fixtures, folder))
    .sort()
    .map((file) => [file, readFileSync(join(fixtures, folder, file), "utf8")] as const);

describeWithServers(["named-compilezone"], "zone text as BIND reads it", () => {
  it.each(zonesOf("valid"))("valid/%s", (_file, text) => {
    const compiled = compile(text);
    expect(compiled, "BIND reads it").toBeDefined();
    const theirs = parseZoneText(compiled!, { origin });
    const ours = parseZoneText(text, { origin });
    expect(theirs.problems).toEqual([]);
    expect(ours.problems).toEqual([]);
    expect(ours.records.length).toBeGreaterThan(3);
    expect(canonical(ours.records)).toEqual(canonical(theirs.records));
  });

  it.each(zonesOf("invalid"))("invalid/%s", (_file, text) => {
    expect(compile(text), "BIND refuses it").toBeUndefined();
    expect(parseZoneText(text, { origin, defaultTtlSeconds: 60 }).problems.length).toBeGreaterThan(0);
  });

  it("BIND reads what we write, in every style", () => {
    const head = parseZoneText("@ 60 SOA ns h 1 2 3 4 5\n 60 NS ns.example.com.\n", { origin }).records;
    // BIND judges the inside of DNSSEC and service data; the property is about text
    const judged = [
      "SOA",
      "CNAME",
      "DNAME",
      "NSEC",
      "NSEC3",
      "DNSKEY",
      "DS",
      "RRSIG",
      "SVCB",
      "HTTPS",
      "TLSA",
    ];
    const plain = anyRecord.filter(
      ({ data }) =>
        !judged.includes(data.type) &&
        !(data.type === "OPAQUE" && data.typeCode < 65_280) &&
        !(data.type === "CAA" && /[^A-Za-z0-9]/.test(data.tag)),
    );
    fc.assert(
      fc.property(fc.array(plain, { minLength: 30, maxLength: 60 }), fc.boolean(), (records, align) => {
        const owned = records.map((record, at) => ({
          ...record,
          name: domainName(`n${at}.${origin}`),
          ttlSeconds: record.ttlSeconds % 3,
        }));
        const zone = [...head, ...owned];
        const compiled = compile(formatZoneText(zone, { origin, defaultTtlSeconds: 1, align }));
        expect(compiled).toBeDefined();
        expect(canonical(parseZoneText(compiled!, { origin }).records)).toEqual(canonical(zone));
      }),
      { numRuns: 20 },
    );
  });
});
