/** The descriptions that newcomers copy: each is right, and what comes of it is too. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { zonepost } from "./support/cli.ts";

const FOLDER = join(import.meta.dirname, "../examples");
const files = Object.fromEntries(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => [name, readFileSync(join(FOLDER, name), "utf8")]),
);
/** The addresses of the examples are for documentation. */
const PUBLIC = ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"].flatMap((cidr) => [
  "--assume-public",
  cidr,
]);

it("are four", () => {
  expect(Object.keys(files).sort()).toEqual([
    "hoster.yaml",
    "no-mail.yaml",
    "one-server.yaml",
    "publishing.yaml",
  ]);
});

describe.each(Object.keys(files))("%s", (config) => {
  const domains = [...files[config]!.matchAll(/^ {2}- domain: (\S+)/gm)].map(([, domain]) => domain!);

  it("derives records for each of its domains", async () => {
    const { exitCode, out, err } = await zonepost(["records", "--config", config, "--json"], { files });
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    const zones = JSON.parse(out).records.map(({ zone }: { zone: string | null }) => zone);
    expect([...new Set(zones)].filter((zone) => zone !== null)).toEqual(domains);
  });

  it.each(domains)("makes a zone %s without a mistake", async (domain) => {
    const { out } = await zonepost(["records", "--config", config, "--format", "zone"], { files });
    const lint = await zonepost(["lint", "--origin", domain, ...PUBLIC, "--json"], { stdin: out });
    const { unreadable, findings } = JSON.parse(lint.out);
    expect(unreadable).toEqual([]);
    expect(findings.length).toBeGreaterThan(2);
    expect(findings.filter(({ severity }: { severity: string }) => severity === "error")).toEqual([]);
  });
});
