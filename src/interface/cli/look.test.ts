/** The commands that only look: lookup, spf, lint, explain. */
import { describe, expect, it } from "vitest";
import { zonepost } from "../../../test/support/cli.ts";
import { look } from "../../../test/support/cli-world.ts";
import { HEALTHY } from "../../../test/support/healthy-world.ts";
import { edited, type WorldRows } from "../../../test/support/table-world.ts";
import type { LookupResult } from "./lookup.ts";

const WORLD: WorldRows = { zone: HEALTHY, resolvers: [{ label: "192.0.2.1", secure: true }] };
const OLD = HEALTHY.replace("MX 10 mail.example.org.", "MX 10 old.example.org.");

describe("zonepost lookup", () => {
  it.each<[string, WorldRows, number, string]>([
    ["example.org MX", WORLD, 0, "all agree"],
    ["none.example.org A", WORLD, 0, "all agree that there is nothing"],
    ["example.org MX", { zone: HEALTHY, servers: { "ns2.example.org": { zone: OLD } } }, 1, "one differs"],
    ["example.org MX", { zone: HEALTHY, failing: { "example.org MX": "timeout" } }, 3, "nobody answers"],
  ])("%s: exit code %#", async (question, rows, exitCode, why) => {
    const run = await look(["lookup", ...question.split(" ")], rows);
    expect(run.exitCode, why).toBe(exitCode);
    expect([run.opened, run.closed]).toEqual([1, 1]);
  });

  it("shows every server and resolver with TTL and end of caching", async () => {
    const { out } = await look(["lookup", "example.org", "mx", "--json"], WORLD);
    const result = JSON.parse(out) as LookupResult;
    expect(Object.keys(result)).toEqual(["name", "type", "zone", "agree", "answers"]);
    expect(result.answers.map(({ from, kind, secure }) => `${kind} ${from} ${secure}`)).toEqual([
      "name server ns1.example.org (192.0.2.53) null",
      "name server ns2.example.org (198.51.100.53) null",
      "resolver 192.0.2.1 true",
    ]);
    expect(result.answers[0]).toMatchObject({
      status: "found",
      records: ["10 mail.example.org."],
      ttlSeconds: 3600,
      mayBeCachedUntil: "2026-11-21T13:00:00.000Z",
    });
  });

  it("tells a failure from an absence", async () => {
    const { out } = await look(["lookup", "example.org", "MX"], {
      ...WORLD,
      resolvers: [{ label: "192.0.2.1", failing: { "example.org MX": "servfail" } }],
    });
    expect(out).toMatch(/resolver 192\.0\.2\.1\n +servfail: /);
    const absent = await look(["lookup", "none.example.org"], WORLD);
    expect(absent.out).toContain("no such name");
  });

  it.each([
    [["example.org", "MXX"], 'no record type "MXX"; did you mean MX?'],
    [["192.0.2.1"], "is an address"],
  ])("%j is wrong usage", async (words, message) => {
    const { exitCode, err } = await look(["lookup", ...words], WORLD);
    expect(exitCode).toBe(64);
    expect(err).toContain(message);
  });
});

const spfZone = (text: string) =>
  edited(HEALTHY, { without: ["example.org TXT"], add: [`example.org. TXT "${text}"`] });

describe("zonepost spf", () => {
  it.each<[string, string, number]>([
    ["v=spf1 mx include:_spf.example.net ~all", "2 of 10 lookups", 0],
    ["v=spf1 mx", "1 of 10 lookups", 1],
    ["v=spf1 mx include:none.example.net ~all", "has no SPF record", 2],
  ])("tree of %s: %s, exit code %i", async (text, shown, exitCode) => {
    const run = await look(["spf", "tree", "example.org"], { zone: spfZone(text) });
    expect(run.exitCode).toBe(exitCode);
    expect(run.out).toContain(shown);
  });

  it("tree could not be told", async () => {
    const failing = { "_spf.example.net TXT": "servfail" as const };
    const run = await look(["spf", "tree", "example.org", "--json"], { zone: HEALTHY, failing });
    expect(run.exitCode).toBe(3);
    expect(JSON.parse(run.out)).toMatchObject({ lookups: 2, lookupLimit: 10, voidLookups: [] });
  });

  it.each<[string, readonly string[], string, number]>([
    ["v=spf1 mx -all", ["--ip", "192.0.2.25"], "pass", 0],
    ["v=spf1 mx ~all", ["--ip", "198.51.100.7"], "softfail", 1],
    ["v=spf1 mx ?all", ["--ip", "198.51.100.7"], "neutral", 1],
    ["v=spf1 mx -all", ["--ip", "198.51.100.7"], "fail", 2],
    ["v=spf1 mx nonsense -all", ["--ip", "198.51.100.7"], "permerror", 2],
    ["v=spf1 mx -all", ["--ip", "192.0.2.25", "--mail-from", "", "--helo", "mail.example.org"], "pass", 0],
  ])("test of %s with %j: %s, exit code %i", async (text, words, result, exitCode) => {
    const run = await look(["spf", "test", "example.org", ...words, "--json"], { zone: spfZone(text) });
    expect(run.exitCode).toBe(exitCode);
    const shown = JSON.parse(run.out) as Record<string, unknown>;
    expect(Object.keys(shown).slice(0, 4)).toEqual(["result", "explanation", "lookups", "voidLookups"]);
    expect(shown["result"]).toBe(result);
  });

  it("test that could not be told", async () => {
    const failing = { "example.org TXT": "timeout" as const };
    const run = await look(["spf", "test", "example.org", "--ip", "192.0.2.25"], { zone: HEALTHY, failing });
    expect(run.exitCode).toBe(3);
    expect(run.out).toMatch(/^temperror/);
  });

  it.each([
    [["test", "example.org"], "--ip"],
    [["test", "example.org", "--ip", "nonsense"], "--ip: "],
    [["tree"], "domain"],
  ])("%j is wrong usage", async (words, message) => {
    const { exitCode, err } = await look(["spf", ...words], WORLD);
    expect(exitCode).toBe(64);
    expect(err).toContain(message);
  });
});

describe("zonepost lint", () => {
  it.each<[string, number, string]>([
    ['example.org. TXT "v=spf1 mx -all"', 0, "a sound piece"],
    ['example.org. TXT "v=spf1 mx"', 1, "a warning"],
    ["mail.example.org. A 192.168.1.5", 2, "an error"],
    ["this is no zone text", 2, "a line that cannot be read"],
  ])("%s: exit code %i (%s)", async (text, exitCode) => {
    expect((await look(["lint", "--origin", "example.org"], WORLD, { stdin: text })).exitCode).toBe(exitCode);
  });

  it("prints one object", async () => {
    const files = { "zone.txt": "mail.example.org. A 192.168.1.5\nnonsense\n" };
    const { out, opened } = await look(["lint", "zone.txt", "--json"], WORLD, { files });
    const shown = JSON.parse(out) as Record<string, unknown>;
    expect(Object.keys(shown)).toEqual(["origin", "records", "summary", "unreadable", "findings"]);
    expect(shown).toMatchObject({
      origin: "example.org",
      records: 1,
      summary: { errors: 2 },
      unreadable: [{ line: 2 }],
    });
    expect(opened).toBe(0);
  });

  it.each([
    [["none.txt"], "", "cannot read none.txt"],
    [[], " \n", "there is nothing to look at"],
    [["--origin", "192.0.2.1"], "x", "is an address"],
  ])("%j is wrong usage", async (words, stdin, message) => {
    const { exitCode, err } = await look(["lint", ...words], WORLD, { stdin });
    expect(exitCode).toBe(64);
    expect(err).toContain(message);
  });
});

describe("zonepost explain", () => {
  it.each<[string, number]>([
    ["v=spf1 mx -all", 0],
    ["v=spf1 mx", 1],
    ["v=spf1 mx +all", 2],
    ["v=DMARC1; p=reject; rua=mailto:dmarc@example.org", 0],
    ["v=STSv1; id=1;", 0],
    ["v=TLSRPTv1; rua=mailto:tls@example.org", 0],
    [`3 1 1 ${"0b".repeat(32)}`, 0],
    ['0 issue "letsencrypt.org"', 0],
    ["v=BIMI1; l=; a=;", 0],
    ["v=DKIM1; p=", 0],
  ])("%s: exit code %i", async (text, exitCode) => {
    const typed = await zonepost(["explain", text]);
    expect(typed.exitCode).toBe(exitCode);
    expect(typed.out).toMatch(/RFC|draft/);
    const piped = await zonepost(["explain", "--json"], { stdin: `${text}\n` });
    expect(Object.keys(JSON.parse(piped.out) as object)).toEqual(["title", "terms", "remarks"]);
  });

  it.each(["hello", "", "x".repeat(300_000)])("something else is wrong usage", async (text) => {
    expect((await zonepost(["explain"], { stdin: text })).exitCode).toBe(64);
  });

  it("prints nothing that steers a terminal", async () => {
    const { out } = await zonepost(["explain", "v=spf1 exp=\u001b]0;owned\u0007 -all\u009b31m"]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(out).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  });
});
