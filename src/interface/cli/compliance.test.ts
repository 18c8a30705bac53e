import { describe, expect, it } from "vitest";
import { look } from "../../../test/support/cli-world.ts";
import { HEALTHY } from "../../../test/support/healthy-world.ts";
import { edited, type WorldRows } from "../../../test/support/table-world.ts";

const WORDS = ["compliance", "example.org", "--selector", "default"].concat(
  ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"].flatMap((network) => ["--assume-public", network]),
);
const without = (...names: string[]) => ({ zone: edited(HEALTHY, { without: names }) });

describe("zonepost compliance", () => {
  it.each<[string, WorldRows, number]>([
    ["all is well", { zone: HEALTHY }, 0],
    ["a rule for bulk senders is broken", without("_dmarc.example.org TXT"), 1],
    ["a rule for everybody is broken", without("25.2.0.192.in-addr.arpa PTR"), 2],
    ["a lookup failed", { zone: HEALTHY, failing: { "_dmarc.example.org TXT": "timeout" } }, 3],
  ])("%s: exit code", async (_, rows, exitCode) => {
    expect((await look(WORDS, rows)).exitCode).toBe(exitCode);
  });

  it("names every provider, its rules, their evidence, and what nobody can see", async () => {
    const { out, opened, closed } = await look(WORDS, { zone: HEALTHY });
    for (const provider of ["Gmail", "Yahoo", "Microsoft", "Apple iCloud"]) expect(out).toContain(provider);
    expect(out).toMatch(/✓ a DMARC record.*bulk senders\n +_dmarc\.example\.org: v=DMARC1/);
    expect(out).toMatch(/cannot be seen from outside: the receiver alone counts complaints/);
    expect([opened, closed]).toEqual([1, 1]);
  });

  it("--json has a verdict for each rule", async () => {
    const { out } = await look([...WORDS, "--json"], { zone: HEALTHY });
    const { domain, rules } = JSON.parse(out);
    expect(domain).toBe("example.org");
    expect(rules.find(({ id }: { id: string }) => id === "google-dmarc")).toMatchObject({
      provider: "google",
      appliesTo: "bulk",
      verdict: "met",
      evidence: [{ code: expect.stringMatching(/^dmarc-/) }],
    });
  });
});
