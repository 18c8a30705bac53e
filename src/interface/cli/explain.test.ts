import { describe, expect, it } from "vitest";
import { zonepost } from "../../../test/support/cli.ts";

describe("zonepost explain", () => {
  it("puts each term into words (R34)", async () => {
    const { exitCode, out } = await zonepost([
      "explain",
      "v=spf1 mx a ip4:192.0.2.1 include:example.net -all",
    ]);
    expect(exitCode).toBe(0);
    for (const term of ["v=spf1", "mx", "a", "ip4:192.0.2.1", "include:example.net", "-all"]) {
      expect(out).toMatch(new RegExp(`^  ${term.replace(/[.-]/g, "\\$&")}\n      \\S`, "m"));
    }
  });

  it("takes the words as the shell leaves them, or standard input", async () => {
    const quoted = await zonepost(["explain", "v=spf1 mx ~all"]);
    expect((await zonepost(["explain", "v=spf1", "mx", "~all"])).out).toBe(quoted.out);
    expect((await zonepost(["explain"], { stdin: '"v=spf1 mx ~all"\n' })).out).toBe(quoted.out);
  });

  it.each<[record: string, exitCode: number]>([
    ["v=spf1 mx -all", 0],
    ["v=DMARC1; p=none;;; fo=1", 1],
    ["v=spf1 mx -all mx -all ip4:300.0.0.1", 2],
  ])("%s: exit code %i", async (record, exitCode) => {
    expect((await zonepost(["explain", record])).exitCode).toBe(exitCode);
  });

  it("--json has the terms and the remarks", async () => {
    const { out } = await zonepost(["explain", "v=DMARC1; p=none", "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      title: expect.stringContaining("DMARC"),
      terms: [{ text: "v=DMARC1" }, { text: "p=none" }],
      remarks: expect.any(Array),
    });
  });

  it("a stranger's record cannot steer the terminal", async () => {
    const { out } = await zonepost(["explain", "v=DMARC1; p=none; x=\u001b[2J\u202e"]);
    for (const control of ["\u001b", "\u202e"]) expect(out).not.toContain(control);
    expect(out).toContain("\\u001b[2J");
  });

  it.each<[reason: string, text: string, problem: RegExp]>([
    ["something else", "hello", /^zonepost: this is none of the records known here; SPF begins with v=spf1/],
    [
      "too long for a record",
      `v=spf1 ${"a".repeat(300_000)}`,
      /^zonepost: that is longer than any record\n$/,
    ],
  ])("%s is refused", async (_reason, text, problem) => {
    const run = await zonepost(["explain", text]);
    expect(run).toMatchObject({ exitCode: 64, out: "" });
    expect(run.err).toMatch(problem);
  });
});
