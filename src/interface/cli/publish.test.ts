import { describe, expect, it } from "vitest";
import { type CliSetup, zonepost } from "../../../test/support/cli.ts";
import { publishLaboratory } from "../../../test/support/publish-laboratory.ts";

const CONFIG = `servers:
  - host: mail.example.org
    addresses: [192.0.2.25]
domains:
  - domain: example.org
    dmarc: { policy: quarantine }
    clientSetup: false
publish:
  - provider: zone-file
    file: unused
`;
const ZONE = `example.org. SOA ns1.example.net. hostmaster.example.org. 1 7200 900 1209600 300
example.org. NS ns1.example.net.
example.org. TXT "some-site-verification=123"`;

interface Setup extends CliSetup {
  readonly zone?: string;
  readonly config?: string;
}

function laboratory({ zone = ZONE, config = CONFIG, ...setup }: Setup = {}) {
  const { provider, directories, tools } = publishLaboratory(zone, "ns1.example.net. A 192.0.2.53");
  const run = (...words: string[]) =>
    zonepost(["publish", ...words], {
      environment: { HOME: "/home/me" },
      ...setup,
      files: { "zonepost.yaml": config },
      tools,
    });
  return { provider, run, directories };
}

describe("zonepost publish", () => {
  it("plans without changing anything", async () => {
    const { provider, run } = laboratory();
    const { exitCode, out } = await run("plan");
    expect(exitCode).toBe(0);
    expect(out).toContain("+ example.org. 3600 IN MX 10 mail.example.org.");
    expect(out).toContain("after 5 min, until no resolver remembers");
    expect(out).toContain("3 that are not ours stay too");
    expect(provider.applies).toBe(0);
  });

  it("waits long where nobody tells how long absences are kept", async () => {
    const { run } = laboratory({ zone: ZONE.replace("ns1.example.net.\n", "nowhere.example.net.\n") });
    expect((await run("plan")).out).toContain("after 3 h, until no resolver remembers");
  });

  it("plans as JSON", async () => {
    const { out } = await laboratory().run("plan", "--json");
    const plan = JSON.parse(out);
    expect(Object.keys(plan)).toEqual(["zone", "values", "steps", "guards", "leftOut", "notes"]);
    expect(plan.steps[0].changes[0]).toEqual({
      name: expect.any(String),
      type: expect.any(String),
      before: null,
      after: expect.any(Array),
      ttlSeconds: 3600,
    });
  });

  it("asks before it applies, and takes no for an answer", async () => {
    const asked = laboratory({ answers: ["n"] });
    expect(await asked.run("apply")).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining("Nothing was changed"),
    });
    expect(asked.provider.applies).toBe(0);
    const agreed = laboratory({ answers: ["y"] });
    const { exitCode, out, questions } = await agreed.run("apply");
    expect({ exitCode, questions }).toEqual({
      exitCode: 0,
      questions: ["Carry this out at a zone in memory? [y/N] "],
    });
    expect(out).toContain("done, and every name server shows it");
  });

  it("changes nothing where nobody is there to be asked", async () => {
    const { provider, run } = laboratory();
    expect(await run("apply")).toMatchObject({ exitCode: 64, err: expect.stringContaining("--yes") });
    expect(await run("undo", "example.org")).toMatchObject({ exitCode: 64 });
    expect(provider.applies).toBe(0);
  });

  it("applies, has nothing more to do, and takes it back", async () => {
    const { provider, run } = laboratory();
    const before = [...provider.rrsets.keys()].sort();
    expect(await run("apply", "--yes")).toMatchObject({ exitCode: 0 });
    expect(await run("apply", "--yes")).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining("nothing to change"),
    });
    expect(await run("undo", "example.org", "--yes")).toMatchObject({ exitCode: 0 });
    expect([...provider.rrsets.keys()].sort()).toEqual(before);
    expect(await run("undo", "example.org", "--yes")).toMatchObject({
      out: expect.stringContaining("nothing to take back"),
    });
  });

  it("stops at a guard, and goes on where the user insists", async () => {
    const { provider, run } = laboratory({ zone: `${ZONE}\nexample.org. MX 10 mx.example.net.` });
    expect(await run("apply", "--yes")).toMatchObject({
      exitCode: 2,
      out: expect.stringContaining("(--allow foreign-record"),
    });
    expect(provider.applies).toBe(0);
    expect(await run("apply", "--yes", "--allow", "foreign-record")).toMatchObject({ exitCode: 0 });
    expect(await run("plan", "--allow", "nonsense")).toMatchObject({
      exitCode: 64,
      err: expect.stringContaining("foreign-record"),
    });
  });

  it("says where it was stopped, and goes on the next time", async () => {
    const { provider, run } = laboratory();
    provider.faults.push("half");
    expect(await run("apply", "--yes")).toMatchObject({
      exitCode: 3,
      out: expect.stringContaining("Run this again to go on"),
    });
    expect(await run("apply", "--yes")).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining("every name server shows it"),
    });
  });

  it("tells what name servers do not show", async () => {
    const { provider, run } = laboratory();
    provider.faults.push("ignore");
    const { exitCode, out } = await run("apply", "--yes", "--look", "1");
    expect(exitCode).toBe(1);
    expect(out).toContain("ns1.example.net (192.0.2.53) has none for mail.example.org A");
  });

  it("cannot tell while the provider gives no answer", async () => {
    const { provider, run } = laboratory();
    provider.isDown = true;
    expect(await run("plan")).toMatchObject({
      exitCode: 3,
      out: expect.stringContaining("unreachable: no answer"),
    });
    expect(await run("apply", "--yes", "--json")).toMatchObject({ exitCode: 3 });
  });

  it.each([
    ["nobody holds the zones", CONFIG.replace(/publish:[\s\S]*/, ""), ["plan"], "publish"],
    [
      "nobody holds this zone",
      CONFIG.replace("    file: unused", "    file: unused\n    zones: [example.net]"),
      ["plan", "example.org"],
      "does not say who holds example.org",
    ],
    ["a zone that is not described", CONFIG, ["plan", "example.com"], "example.com is not described"],
    [
      "a secret in the description",
      CONFIG.replace("provider: zone-file\n    file: unused", "provider: cloudflare\n    token: abc"),
      ["plan"],
      "publish[0].token",
    ],
  ])("%s: usage", async (_, config, words, said) => {
    const { exitCode, err } = await laboratory({ config }).run(...words);
    expect({ exitCode, err }).toEqual({ exitCode: 64, err: expect.stringContaining(said) });
  });

  it.each([
    [{ ZONEPOST_STATE: "/told" }, [], "/told"],
    [{ STATE_DIRECTORY: "/given:/more", HOME: "/home/me" }, [], "/given"],
    [{ XDG_STATE_HOME: "/xdg", HOME: "/home/me" }, [], "/xdg/zonepost"],
    [{ HOME: "/home/me" }, [], "/home/me/.local/state/zonepost"],
    [{ ZONEPOST_STATE: "/told" }, ["--state", "here"], "here"],
  ])("keeps its state by %j %j in %s", async (environment, words, directory) => {
    const { directories, run } = laboratory({ environment });
    await run("plan", ...words);
    expect(directories).toEqual([directory]);
  });
});
