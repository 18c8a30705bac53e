import { describe, expect, it } from "vitest";
import { zonepost } from "../../../test/support/cli.ts";

const MX = "example.org mail is handled by 10 mail.example.org.";

describe("zonepost import", () => {
  it("prints zone lines, and they are read again as they are", async () => {
    const { exitCode, out } = await zonepost(["import"], { stdin: MX });
    expect(exitCode).toBe(0);
    expect(out).toContain("\nexample.org. IN MX 10 mail.example.org.\n");
    const again = await zonepost(["import", "again.txt"], { files: { "again.txt": out } });
    expect(again.out).toBe(out);
  });

  it.each<[text: string, exitCode: number, reason: string]>([
    [MX, 0, "fine"],
    [`${MX}\ndig TXT k._domainkey.example.net`, 1, "a warning"],
    ["autodiscover.example.org. 10 A mail.example.org.", 2, "an error"],
    ["Dear reader, nothing here.", 64, "no record at all"],
    ["", 64, "nothing"],
  ])("%j: exit code %i, %s", async (text, exitCode) => {
    expect((await zonepost(["import"], { stdin: text })).exitCode).toBe(exitCode);
  });

  it("says the line, why, and what to write instead", async () => {
    const { out } = await zonepost(["import"], { stdin: "\nexample.org. 10 mx mail.example.org." });
    expect(out).toMatch(/line 2 {2}pasted-preference-place/);
    expect(out).toMatch(/\+ example\.org\. IN MX 10 mail\.example\.org\./);
  });

  it("--json has records, mistakes and what has no place", async () => {
    const { out } = await zonepost(["import", "--json"], { stdin: "v=spf1 mx -all" });
    expect(JSON.parse(out)).toMatchObject({
      zone: null,
      records: [],
      unplaced: [{ line: 1, type: "TXT", value: "v=spf1 mx -all" }],
      mistakes: [{ line: 1, code: "pasted-no-owner", severity: "warning" }],
    });
  });

  it("--domain and --selector give bare texts their place, --format form the fields", async () => {
    const { out } = await zonepost(["import", "--domain", "example.org", "--format", "form"], {
      stdin: "v=spf1 mx -all",
    });
    expect(out).toContain("\nTXT | @ | v=spf1 mx -all\n");
    const key = await zonepost(["import", "--domain", "example.org", "--selector", "s1"], {
      stdin: "v=DKIM1; p=",
    });
    expect(key.out).toContain("s1._domainkey.example.org.");
  });

  it("a stranger's text cannot steer the terminal", async () => {
    const { out } = await zonepost(["import"], {
      stdin: 'example.org. TXT "\u001b[2J\u202e"\nexample.org. A x\u001b[2J.1',
    });
    expect(["\u001b", "\u202e"].filter((character) => out.includes(character))).toEqual([]);
  });
});
