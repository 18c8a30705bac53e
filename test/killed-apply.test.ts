/** kill -9 at every step of an apply: the next run knows the truth and goes on, and nothing of others is lost. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { domainName } from "../src/standards/dns/name.ts";
import { formatRdata } from "../src/standards/dns/rdata-text.ts";
import { parseZoneText } from "../src/standards/dns/zone-text.ts";

const ZONE = `$TTL 3600
; kept as it is
@ SOA ns.example.net. hostmaster 1 3600 600 86400 60
@ NS ns.example.net.
@ A 192.0.2.80
@ TXT "some-site-verification=1"   ; a token
@ TXT "v=spf1 include:_spf.example.net -all"
`;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "zonepost-killed-"));
  writeFileSync(join(directory, "zone"), ZONE);
});
afterEach(() => rmSync(directory, { recursive: true }));

interface Run {
  readonly signal: string | null;
  readonly status?: string;
  readonly chances?: number;
  readonly owned?: readonly string[];
}

function run(address: string, killAt?: number): Run {
  const words = [
    "test/support/killed-apply.ts",
    directory,
    address,
    ...(killAt === undefined ? [] : [String(killAt)]),
  ];
  const { signal, stdout, stderr, status } = spawnSync(process.execPath, words, { encoding: "utf8" });
  if (signal !== null) return { signal };
  if (status !== 0) throw new Error(stderr);
  return { signal, ...(JSON.parse(stdout) as object) };
}

function records(): readonly string[] {
  const { records: all } = parseZoneText(readFileSync(join(directory, "zone"), "utf8"), {
    origin: domainName("example.org"),
  });
  return all
    .filter(({ data }) => data.type !== "SOA")
    .map(({ name, data }) => `${name} ${data.type} ${formatRdata(data)}`)
    .sort();
}

it("at every chance, then once more", { timeout: 900_000 }, () => {
  const straight = run("192.0.2.25");
  expect(straight.status).toBe("done");
  const [wanted, chances] = [records(), straight.chances!];
  expect(chances).toBeGreaterThan(15);
  expect(wanted).toContain('example.org TXT "some-site-verification=1"');
  for (let at = 1; at <= chances; at++) {
    rmSync(directory, { recursive: true });
    directory = mkdtempSync(join(tmpdir(), "zonepost-killed-"));
    writeFileSync(join(directory, "zone"), ZONE);
    expect(run("192.0.2.25", at).signal, `at chance ${at}`).toBe("SIGKILL");
    const next = run("192.0.2.25");
    expect(["done", "nothing-to-do"], `after chance ${at}`).toContain(next.status);
    expect(records(), `after chance ${at}`).toEqual(wanted);
    expect(next.owned, `after chance ${at}`).toEqual(straight.owned);
    expect(readFileSync(join(directory, "zone"), "utf8")).toContain("; kept as it is");
  }
});
