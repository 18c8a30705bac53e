/** `zonepost wait` on a table's world that changes as time goes on. */
import { describe, expect, it } from "vitest";
import { type CliRun, zonepost } from "../../../test/support/cli.ts";
import { DESCRIPTION, HEALTHY } from "../../../test/support/healthy-world.ts";
import { edited, NOW, tableWorld, type WorldRows } from "../../../test/support/table-world.ts";
import type { World } from "../../check/context.ts";
import type { WaitResult } from "./wait.ts";

const soaOf = (zone: string) => [
  `${zone}. SOA ns1.example.org. hostmaster.example.org. 1 7200 900 1209600 300`,
  `${zone}. NS ns1.example.org.`,
];
/** With the zones of the addresses, which are waited for too. */
const WHOLE = [HEALTHY, ...["2.0.192.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"].flatMap(soaOf)].join("\n");
const WITHOUT = edited(WHOLE, { without: ["_dmarc.example.org"] });
const VALUE = "v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org,mailto:example-org@reports.example.net";
const RESOLVER = "192.0.2.1";

interface Stage {
  /** From this second on. */
  readonly from: number;
  readonly rows: WorldRows;
}
interface Asked {
  readonly who: "name servers" | "resolver";
  readonly question: string;
  readonly second: number;
}

/** The clock moves with the pauses alone. */
async function wait(
  words: readonly string[],
  stages: readonly Stage[],
  files: Readonly<Record<string, string>> = {},
): Promise<CliRun & { asked: Asked[]; pauses: number[] }> {
  let second = 0;
  const asked: Asked[] = [];
  const pauses: number[] = [];
  const current = () => tableWorld(stages.findLast(({ from }) => from <= second)!.rows);
  const world: World = {
    ...current(),
    authoritative: {
      lookup: (name, type) => current().authoritative.lookup(name, type),
      findZone: (name) => current().authoritative.findZone(name),
      lookupSignatures: (name, type) => current().authoritative.lookupSignatures(name, type),
      askEveryServer: (name, type) => {
        asked.push({ who: "name servers", question: `${name} ${type}`, second });
        return current().authoritative.askEveryServer(name, type);
      },
    },
    recursive: current().recursive.map(({ label }, index) => ({
      label,
      lookup: (name, type) => {
        asked.push({ who: "resolver", question: `${name} ${type}`, second });
        return current().recursive[index]!.lookup(name, type);
      },
    })),
  };
  const run = await zonepost(["wait", ...words], {
    files,
    tools: {
      now: () => new Date(NOW.getTime() + second * 1000),
      sleep: async (milliseconds) => {
        pauses.push(milliseconds / 1000);
        second += milliseconds / 1000;
      },
      openWorld: async () => ({ world, queriesSent: () => 0, close: async () => {} }),
    },
  });
  return { ...run, asked, pauses };
}

const stage = (from: number, second: string, resolver: string, more: Partial<WorldRows> = {}): Stage => ({
  from,
  rows: {
    zone: from === 0 ? WITHOUT : WHOLE,
    servers: { "ns2.example.org": { zone: second } },
    resolvers: [{ label: RESOLVER, zone: resolver }],
    ...more,
  },
});
const DMARC = ["_dmarc.example.org", "TXT", VALUE];
const resultOf = ({ out }: CliRun) => JSON.parse(out) as WaitResult;

describe("a new record", () => {
  const stages = [
    stage(0, WITHOUT, WITHOUT),
    stage(4, WITHOUT, WITHOUT),
    stage(9, WHOLE, WITHOUT),
    stage(30, WHOLE, WHOLE),
  ];

  it("is followed from server to server, and then to the resolver", async () => {
    const run = await wait([...DMARC, "--json"], stages);
    const result = resultOf(run);
    expect(run.exitCode).toBe(0);
    expect(result.verdict).toBe("visible");
    expect(result.records[0]).toMatchObject({ verdict: "visible", oldTtlSeconds: 300, resolversAsked: true });
    expect(run.pauses.slice(0, 4)).toEqual([2, 3, 4.5, 6.75]);
  });

  it("is asked of no resolver before every name server has it", async () => {
    const { asked } = await wait(DMARC, stages);
    const ofResolver = asked.filter(({ who }) => who === "resolver");
    expect(ofResolver.length).toBeGreaterThan(1);
    expect(ofResolver.filter(({ second }) => second < 9)).toEqual([]);
    const early = asked.filter(({ who, second }) => who === "name servers" && second < 9);
    expect(early.length).toBeGreaterThan(2);
  });

  it("may be cached as absent: until when is said", async () => {
    const run = await wait([...DMARC, "--timeout", "12s"], stages);
    expect(run.exitCode).toBe(1);
    expect(run.out).toContain("not visible everywhere");
    expect(run.out).toMatch(/✓ name server ns1\.example\.org \(192\.0\.2\.53\)\n +"v=DMARC1/);
    expect(run.out).toMatch(/· resolver 192\.0\.2\.1\n +no such name/);
    expect(run.out).toMatch(/The old answer may be cached until 2026-11-21 12:05:09 UTC/);
  });

  it("with --once is looked for once, and no resolver is asked too early", async () => {
    const { exitCode, out, pauses, asked } = await wait([...DMARC, "--once"], stages);
    expect({ exitCode, pauses }).toEqual({ exitCode: 1, pauses: [] });
    expect(asked.map(({ who }) => who)).toEqual(["name servers"]);
    expect(out).toContain("Resolvers are not asked before every name server has it");
    expect(out).toContain("caches may hold the old one for up to 300 s more");
  });

  it("comes at an interval of one's own", async () => {
    const { pauses } = await wait([...DMARC, "--interval", "1s", "--timeout", "3s"], stages);
    expect(pauses).toEqual([1, 1, 1]);
  });
});

describe("what else can be waited for", () => {
  const there = stage(1, WHOLE, WHOLE);
  const now = { ...there, from: 0, rows: there.rows };
  it.each<[words: string[], stages: Stage[], exitCode: number, why: string]>([
    [["example.org", "MX", "10 mail.example.org"], [now], 0, "names need no final dot"],
    [["example.org", "MX"], [now], 0, "any record"],
    [["none.example.org", "A", "--timeout", "5s"], [now], 1, "nothing there"],
    [["none.example.org", "A", "--absent"], [now], 0, "nothing there, as wanted"],
    [["example.org", "MX", "--absent", "--timeout", "5s"], [now], 1, "still there"],
    [["example.org", "MX", "5 other.example.org", "--absent"], [now], 0, "that one is not there"],
    [
      ["_dmarc.example.org", "TXT", "--changed"],
      [stage(0, WITHOUT, WHOLE), { ...there, from: 3 }],
      0,
      "a change",
    ],
    [["example.org", "MX", "--changed", "--timeout", "9s"], [now], 1, "no change"],
  ])("%j: %s exit %i: %s", async (words, stages, exitCode) => {
    expect((await wait(words, stages)).exitCode).toBe(exitCode);
  });

  it("all records of a described domain, each for itself", async () => {
    const files = { "a.yaml": DESCRIPTION };
    const all = await wait(["example.org", "--config", "a.yaml", "--json"], [now], files);
    expect(all.exitCode).toBe(0);
    const { records } = resultOf(all);
    expect(records.length).toBeGreaterThan(12);
    expect(records.map(({ name, type }) => `${name} ${type}`)).toContain("25.2.0.192.in-addr.arpa PTR");

    const stages = [stage(0, WITHOUT, WITHOUT)];
    const late = await wait(
      ["example.org", "--config", "a.yaml", "--timeout", "5s", "--json"],
      stages,
      files,
    );
    expect(late.exitCode).toBe(1);
    expect(
      resultOf(late).records.flatMap(({ verdict, name }) => (verdict === "visible" ? [] : [name])),
    ).toEqual(["_dmarc.example.org"]);
    const tooEarly = late.asked.filter(
      ({ who, question }) => who === "resolver" && question.startsWith("_dmarc.example.org "),
    );
    expect(tooEarly).toEqual([]);
  });

  it("one name of a description", async () => {
    const { exitCode, out } = await wait(["_dmarc.example.org", "TXT", "-c", "a.yaml", "--json"], [now], {
      "a.yaml": DESCRIPTION,
    });
    expect(exitCode).toBe(0);
    expect((JSON.parse(out) as WaitResult).records.map(({ wanted }) => wanted)).toEqual([[VALUE]]);
  });
});

it.each<[failing: Record<string, "timeout">, exitCode: number, why: string]>([
  [{ "_dmarc.example.org TXT": "timeout" }, 3, "no name server answers"],
  [{}, 0, "all answer"],
])("%j: exit %i: %s", async (failing, exitCode) => {
  const rows = { zone: HEALTHY, failing };
  const run = await wait([...DMARC, "--timeout", "4s"], [{ from: 0, rows }]);
  expect(run.exitCode).toBe(exitCode);
  if (exitCode === 3) expect(run.out).toContain("could not be told");
});

it("does not call it visible while a name server is silent", async () => {
  const rows: WorldRows = { zone: HEALTHY, servers: { "ns2.example.org": { state: "unknown" } } };
  const run = await wait([...DMARC, "--timeout", "4s"], [{ from: 0, rows }]);
  expect(run.exitCode).toBe(3);
  expect(run.out).toMatch(/\? name server ns2\.example\.org/);
});

it.each<[words: string[], message: string]>([
  [["example.org"], "name a record type"],
  [["example.org", "MXX"], "did you mean MX?"],
  [["example.org", "A", "not-an-address"], '"not-an-address" is no A data'],
  [["example.org", "A", "--timeout", "soon"], "takes a duration, as in 30s, 10m or 2h"],
  [["example.org", "A", "--interval", "0"], "--interval takes 0.2s or more"],
  [["example.org", "A", "192.0.2.1", "--changed"], "goes with no value"],
  [["none.example.net", "-c", "a.yaml"], "wants no record of none.example.net"],
])("%j is wrong usage: %s", async (words, message) => {
  const run = await wait(words, [stage(0, WHOLE, WHOLE)], { "a.yaml": DESCRIPTION });
  expect({ exitCode: run.exitCode, err: run.err }).toEqual({
    exitCode: 64,
    err: expect.stringContaining(message),
  });
});
