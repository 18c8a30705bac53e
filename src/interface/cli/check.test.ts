import { describe, expect, it } from "vitest";
import { look } from "../../../test/support/cli-world.ts";
import { DESCRIPTION, HEALTHY, OTHER_DKIM_KEY } from "../../../test/support/healthy-world.ts";
import { edited } from "../../../test/support/table-world.ts";
import type { DomainReport } from "../../check/finding.ts";

const PUBLIC = ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"].flatMap((network) => [
  "--assume-public",
  network,
]);
const check = (words: readonly string[], zone = HEALTHY, setup = {}) =>
  look(["check", ...words, ...PUBLIC], { zone }, setup);
const WARNED = edited(HEALTHY, { without: ["example.org TXT"], add: ['example.org. TXT "v=spf1 mx"'] });
const FAULTY = edited(HEALTHY, { without: ["example.org MX"], add: ["example.org. MX 10 192.0.2.25."] });

describe("zonepost check", () => {
  it.each([
    [HEALTHY, {}, 0, "all is well"],
    [WARNED, {}, 1, "a warning"],
    [FAULTY, {}, 2, "an error"],
    [HEALTHY, { "example.org CAA": "timeout" as const }, 3, "a lookup that failed"],
    [
      FAULTY,
      { "example.org CAA": "timeout" as const },
      2,
      "an error weighs more than what could not be told",
    ],
    [WARNED, { "example.org CAA": "timeout" as const }, 3, "and that more than a warning"],
  ])("exit code %#", async (zone, failing, exitCode, why) => {
    const run = await look(["check", "example.org", ...PUBLIC], { zone, failing });
    expect(run.exitCode, why).toBe(exitCode);
    expect([run.opened, run.closed]).toEqual([1, 1]);
  });

  it("prints one object for one domain", async () => {
    const { out } = await check(["example.org", "--json"]);
    const report = JSON.parse(out) as DomainReport;
    expect(Object.keys(report)).toEqual(["domain", "summary", "findings"]);
    expect(Object.keys(report.summary)).toEqual([
      "errors",
      "warnings",
      "notices",
      "unknown",
      "ok",
      "sentence",
    ]);
    expect(Object.keys(report.findings[0]!)).toEqual([
      "code",
      "severity",
      "owner",
      "expected",
      "observed",
      "why",
      "reference",
      "fix",
      "verify",
    ]);
  });

  it("prints an array for several, in the order in which they were named", async () => {
    const { out, exitCode } = await check(["none.example.org", "example.org", "--json"]);
    expect((JSON.parse(out) as DomainReport[]).map(({ domain }) => domain)).toEqual([
      "none.example.org",
      "example.org",
    ]);
    expect(exitCode).toBe(2);
  });

  it("prints a line for each with --from-file, which knows comments and mail addresses", async () => {
    const files = {
      "list.txt": "# ours\nexample.org  # the main one\n\npost@none.example.org\nexample.org\n",
    };
    const { out } = await check(["--from-file", "list.txt", "--json"], HEALTHY, { files });
    const domains = out
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as DomainReport).domain);
    expect(domains.toSorted()).toEqual(["example.org", "none.example.org"]);
  });

  it("reads the list from standard input", async () => {
    const { out } = await check(["--from-file", "-", "--quiet"], FAULTY, { stdin: "example.org\n" });
    expect(out).toMatch(/^example\.org: error mx-is-address example\.org: MX 10 192\.0\.2\.25\.$/m);
  });

  it("takes the domains of the description where none is named", async () => {
    const files = { "zonepost.yaml": DESCRIPTION };
    const { out, exitCode } = await check(["--config", "zonepost.yaml"], HEALTHY, { files });
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^example\.org {2}.*checks are fine\.$/m);
  });

  it("compares the signer's configuration, which lies beside its tables and keys", async () => {
    const files = {
      "/etc/opendkim.conf": "KeyTable /etc/kt\nSigningTable refile:/etc/st\n",
      "/etc/kt": `k example.org:default:/etc/key\nnew example.org:s2026:/etc/none\n`,
      "/etc/st": "*@example.org k\nboss@example.org new\n*@example.net none\n",
      "/etc/key": `-----BEGIN PUBLIC KEY-----\n${OTHER_DKIM_KEY}\n-----END PUBLIC KEY-----\n`,
    };
    const run = await check(["--signer", "/etc/opendkim.conf", "--json"], HEALTHY, { files });
    const { domain, findings } = JSON.parse(run.out) as DomainReport;
    expect(domain).toBe("example.org");
    const signer = findings.filter(({ code }) => code.includes("signer"));
    expect(signer.map(({ code, owner }) => [code, owner])).toEqual([
      ["dkim-signer-key-differs", "default._domainkey.example.org"],
    ]);
    expect(signer[0]!.fix!.changes.map(({ action }) => action)).toEqual(["delete", "create"]);
    expect(signer[0]!.fix!.changes[1]!.value).toContain(OTHER_DKIM_KEY.slice(0, 40));
    expect(signer[0]!.expected).toContain("/etc/kt:1");
    expect(run.err).toBe('/etc/st:3: "*@example.net" names the key "none", which no KeyTable has\n');
    expect(run.exitCode).toBe(2);
  });

  it("cannot tell what a table that is not there would say", async () => {
    const files = { "/o": "KeyTable /kt\nSigningTable refile:/st\n" };
    const run = await check(["example.org", "--signer", "/o", "--quiet"], HEALTHY, { files });
    expect(run.out).toContain("unknown dkim-signer-no-domain example.org: /o could not be read whole");
    expect(run.err).toContain("/o:1: cannot read /kt: there is no such file");
    expect(run.exitCode).toBe(3);
  });

  it("shows the fix, ready to copy, and the command that shows the fault", async () => {
    const { out } = await check(["example.org"], FAULTY);
    expect(out).toContain("- example.org. IN MX 10 192.0.2.25.");
    expect(out).toContain("+ example.org. IN MX 10 mail.example.org.");
    expect(out).toContain("MX | @ | 10 | mail.example.org");
    expect(out).toContain("dig MX example.org");
  });

  it("shows progress on a screen, and nowhere else", async () => {
    expect((await check(["example.org"], HEALTHY, { isInteractive: true })).err).toContain("checks done");
    for (const words of [["example.org"], ["example.org", "--json"], ["example.org", "--quiet"]])
      expect((await check(words)).err).toBe("");
    expect((await check(["example.org", "--json"], HEALTHY, { isInteractive: true })).err).toBe("");
  });

  it.each([
    [[], "name a domain to check"],
    [["192.0.2.1"], '"192.0.2.1" is an address'],
    [["a..b"], "is not a domain name"],
    [["example.org", "--from-file", "none.txt"], "cannot read none.txt: there is no such file"],
    [["example.org", "--config", "none.yaml"], "cannot read none.yaml: there is no such file"],
    [["example.org", "--selector", "a b"], '--selector: "a b" is no selector'],
    [
      ["example.org", "--selector", "x._domainkey.example.org"],
      "the selector is only what precedes ._domainkey",
    ],
    [["example.org", "--signer", "none.conf"], "cannot read none.conf: there is no such file"],
    [["example.org", "--concurrency", "0"], "--concurrency takes a whole number"],
    [["example.org", "--assume-public", "x"], "--assume-public x"],
    [["example.org", "--jason"], "Did you mean --json"],
  ])("%j is wrong usage", async (words, message) => {
    const { exitCode, err, out, opened } = await check(words);
    expect({ exitCode, out, opened }).toEqual({ exitCode: 64, out: "", opened: 0 });
    expect(err).toContain(message);
  });
});
