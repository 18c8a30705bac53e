import { describe, expect, it } from "vitest";
import { zonepost } from "../../../test/support/cli.ts";
import { look } from "../../../test/support/cli-world.ts";
import { HEALTHY } from "../../../test/support/healthy-world.ts";
import { edited } from "../../../test/support/table-world.ts";

const LABORATORY = ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"].flatMap((network) => [
  "--assume-public",
  network,
]);
const command = (...words: string[]) => ["troubleshoot", ...words, ...LABORATORY];
const NO_REVERSE = { zone: edited(HEALTHY, { without: ["25.2.0.192.in-addr.arpa PTR"] }) };
const REFUSED =
  "status=bounced (host gmail-smtp-in.l.google.com[198.51.100.1] said: 550-5.7.25 [192.0.2.25] The IP address sending this message does not have a PTR record - gsmtp)";
const FROM = `from=<alice@example.org>, ${REFUSED}`;

describe("zonepost troubleshoot --symptom", () => {
  it("stops at the first cause, and shows its fix", async () => {
    const { exitCode, out, opened, closed } = await look(
      command("example.org", "--symptom", "marked-as-spam"),
      NO_REVERSE,
    );
    expect(exitCode).toBe(2);
    expect(out).toMatch(/✓ SPF is right/);
    expect(out).toMatch(/✗ The sending addresses have reverse names/);
    expect(out).toMatch(/– No block list .*not looked at/);
    expect(out).toContain("ptr-missing");
    expect(out).toMatch(/fix {2,}\S/);
    expect([opened, closed]).toEqual([1, 1]);
  });

  it("says so where nothing brings it about", async () => {
    const { exitCode, out } = await look(command("example.org", "--symptom", "not-received"), {
      zone: HEALTHY,
    });
    expect(exitCode).toBe(0);
    expect(out).toContain("Nothing here brings it about");
  });

  it("a lookup that failed: exit code 3", async () => {
    const { exitCode, out } = await look(command("example.org", "--symptom", "not-received"), {
      zone: HEALTHY,
      failing: { "example.org MX": "timeout" },
    });
    expect(exitCode).toBe(3);
    expect(out).toContain("could not be told");
  });

  it.each([
    ["2", 2],
    ["marked-as-spam", 2],
    ["9", 64],
  ])("asks on a terminal, and takes %j", async (answer, exitCode) => {
    const run = await look(command("example.org"), NO_REVERSE, { answers: [answer] });
    expect(run.exitCode).toBe(exitCode);
    expect(run.questions[0]).toContain("1 not-received");
  });

  it.each<[string, readonly string[], RegExp]>([
    ["no symptom, and nobody to ask", ["example.org"], /--symptom: not-received, marked-as-spam/],
    ["no domain", ["--symptom", "spf-fails"], /name a domain/],
    ["both", ["--symptom", "spf-fails", "--bounce", "-"], /cannot be used with/],
  ])("%s is wrong usage", async (_, words, message) => {
    const { exitCode, err } = await zonepost(["troubleshoot", ...words]);
    expect(exitCode).toBe(64);
    expect(err).toMatch(message);
  });

  it("--json has the steps and the cause", async () => {
    const { out } = await look(command("example.org", "--symptom", "marked-as-spam", "--json"), NO_REVERSE);
    expect(JSON.parse(out)).toMatchObject({
      domain: "example.org",
      symptom: "marked-as-spam",
      cause: { code: "ptr-missing" },
    });
  });
});

describe("zonepost troubleshoot --bounce", () => {
  it("reads it, and looks at the domain that it names", async () => {
    const { exitCode, out } = await look(command("--bounce"), NO_REVERSE, { stdin: FROM });
    expect(exitCode).toBe(2);
    expect(out).toMatch(/code +550 5\.7\.25/);
    expect(out).toMatch(/said by +Gmail/);
    expect(out).toMatch(/see +dig -x 192\.0\.2\.25$/m);
    expect(out).toContain("ptr-missing");
  });

  it("a file, and a domain said by hand", async () => {
    const { out, opened } = await look(command("example.org", "--bounce", "bounce.txt"), NO_REVERSE, {
      files: { "bounce.txt": REFUSED },
    });
    expect(out).toContain("ptr-missing");
    expect(opened).toBe(1);
  });

  it("what was mended since", async () => {
    const { exitCode, out } = await look(command("--bounce"), { zone: HEALTHY }, { stdin: FROM });
    expect(exitCode).toBe(0);
    expect(out).toContain("shows nothing of the kind now");
  });

  it.each<[string, string, number, RegExp]>([
    ["no domain in it", REFUSED, 0, /does not name the sender's domain/],
    ["a cause that is not DNS", "550 5.1.1 <bob@example.net>: User unknown", 0, /no such mailbox/],
    ["words that nobody knows", "550 5.7.1 Purple cows only", 3, /a rule of the receiver.*not known here/s],
    ["no refusal", "Dear Bob, all is well", 64, /^$/],
  ])("%s", async (_, stdin, exitCode, expected) => {
    const run = await zonepost(["troubleshoot", "--bounce"], { stdin });
    expect(run.exitCode).toBe(exitCode);
    expect(run.out).toMatch(expected);
  });

  it("a stranger's words cannot steer the terminal", async () => {
    const { out } = await zonepost(["troubleshoot", "--bounce"], {
      stdin: "550 5.7.1 \u001b[2J\u202eDMARC policy",
    });
    expect(["\u001b", "\u202e"].filter((character) => out.includes(character))).toEqual([]);
  });

  it("--json", async () => {
    const { out } = await look(command("--bounce", "--json"), NO_REVERSE, { stdin: FROM });
    expect(JSON.parse(out)).toMatchObject({
      replyCode: 550,
      enhancedCode: "5.7.25",
      provider: "google",
      address: "192.0.2.25",
      cause: { id: "gmail-reverse" },
      domain: "example.org",
      findings: [{ code: "ptr-missing" }],
    });
  });
});
