/** `zonepost mail authenticate` on the mails of examples/mails, in the DNS in which they were sent. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { look } from "../../../test/support/cli-world.ts";
import { EXAMPLE_MAIL_ZONE } from "../../../test/support/example-mails.ts";
import type { WorldRows } from "../../../test/support/table-world.ts";

const FOLDER = join(import.meta.dirname, "../../../examples/mails");
const files = Object.fromEntries(
  readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), "utf8")]),
);
const DNS: WorldRows = { zone: EXAMPLE_MAIL_ZONE };
const without = (name: string): WorldRows => ({
  zone: EXAMPLE_MAIL_ZONE.split("\n")
    .filter((line) => !line.startsWith(`${name}. `))
    .join("\n"),
});

async function run(words: string, rows = DNS, own: Readonly<Record<string, string>> = {}) {
  const all = words.match(/'[^']*'|\S+/g)!.map((word) => word.replaceAll("'", ""));
  return look(["mail", "authenticate", ...all], rows, { files: { ...files, ...own } });
}

async function json(words: string, rows = DNS, own: Readonly<Record<string, string>> = {}) {
  const { out, exitCode } = await run(`${words} --json`, rows, own);
  const facts = JSON.parse(out);
  const results = facts.results.map(
    ({ mechanism, result }: { mechanism: string; result: string }) => `${mechanism} ${result}`,
  );
  return { facts, results, exitCode };
}

it("there are four example mails", () => {
  expect(Object.keys(files).sort()).toEqual([
    "direct.eml",
    "forged.eml",
    "old-key.eml",
    "through-a-list.eml",
  ]);
});

const GIVEN = "--ip 192.0.2.25 --helo mail.example.org --mail-from ann@example.org";

describe("results and exit codes", () => {
  it.each<readonly [string, WorldRows, readonly string[], number, string]>([
    [
      `direct.eml ${GIVEN}`,
      DNS,
      ["dmarc pass", "spf pass", "dkim pass", "dkim pass", "arc none", "iprev pass"],
      0,
      "all is well",
    ],
    [
      "direct.eml",
      DNS,
      ["dmarc pass", "spf pass", "dkim pass", "dkim pass", "arc none", "iprev pass"],
      0,
      "guessed",
    ],
    [
      "direct.eml --no-trace",
      DNS,
      ["dmarc pass", "spf could not tell", "dkim pass", "dkim pass", "arc none", "iprev could not tell"],
      0,
      "DKIM is enough",
    ],
    [
      `direct.eml ${GIVEN}`,
      without("25.2.0.192.in-addr.arpa"),
      ["dmarc pass", "spf pass", "dkim pass", "dkim pass", "arc none", "iprev permerror"],
      1,
      "no PTR",
    ],
    [
      `direct.eml ${GIVEN}`,
      without("_dmarc.example.org"),
      ["dmarc none", "spf pass", "dkim pass", "dkim pass", "arc none", "iprev pass"],
      1,
      "no policy",
    ],
    [
      `direct.eml ${GIVEN}`,
      { ...DNS, failing: { "_dmarc.example.org TXT": "servfail" } },
      ["dmarc temperror", "spf pass", "dkim pass", "dkim pass", "arc none", "iprev pass"],
      3,
      "no answer",
    ],
    [
      "through-a-list.eml",
      DNS,
      ["dmarc fail", "spf pass", "dkim fail", "arc pass", "iprev pass"],
      2,
      "a list",
    ],
    [
      "through-a-list.eml --no-trace --mail-from x@lists.example.net",
      DNS,
      ["dmarc fail", "spf could not tell", "dkim fail", "arc pass", "iprev could not tell"],
      2,
      "whatever SPF says of that sender, it does not align",
    ],
    [
      "through-a-list.eml --no-trace --mail-from ann@example.org",
      DNS,
      ["dmarc could not tell", "spf could not tell", "dkim fail", "arc pass", "iprev could not tell"],
      3,
      "SPF might make it pass",
    ],
    [
      "old-key.eml --no-trace",
      DNS,
      ["dmarc could not tell", "spf could not tell", "dkim fail", "arc none", "iprev could not tell"],
      3,
      "SPF might, who knows",
    ],
    ["old-key.eml", DNS, ["dmarc pass", "spf pass", "dkim fail", "arc none", "iprev pass"], 1, "SPF alone"],
    ["forged.eml", DNS, ["dmarc fail", "spf fail", "dkim none", "arc none", "iprev permerror"], 2, "forged"],
    [
      "direct.eml --ip 192.0.2.25 --helo mail.example.org --mail-from ''",
      DNS,
      ["dmarc pass", "spf none", "dkim pass", "dkim pass", "arc none", "iprev pass"],
      0,
      "a bounce; HELO has no SPF",
    ],
    [
      "direct.eml --ip 198.51.100.99 --mail-from ann@example.org",
      DNS,
      ["dmarc pass", "spf fail", "dkim pass", "dkim pass", "arc none", "iprev permerror"],
      1,
      "another client",
    ],
    [
      "through-a-list.eml",
      { ...DNS, failing: { "s1._domainkey.example.org TXT": "timeout" } },
      ["dmarc temperror", "spf pass", "dkim temperror", "arc pass", "iprev pass"],
      3,
      "the key does not come",
    ],
    [
      "direct.eml",
      { zone: EXAMPLE_MAIL_ZONE.replace("v=spf1 mx -all", "v=spf1 mx/99 -all") },
      ["dmarc pass", "spf permerror", "dkim pass", "dkim pass", "arc none", "iprev pass"],
      1,
      "a broken record",
    ],
  ])("%s (%#)", async (words, rows, expected, exitCode) => {
    const { results, exitCode: found } = await json(words, rows);
    expect([results, found]).toEqual([expected, exitCode]);
  });

  it.each([
    ["Subject: x\n\nHello\n", 2, "no From field", "nobody to ask"],
    ["From: a@example.org\nFrom: b@example.com\n\nHello\n", 3, "2 From fields", "two"],
    [
      `From: a@example.org\n${"X: y\n".repeat(3_000)}\n`,
      3,
      "too many fields",
      "a header that is not all read",
    ],
  ])("%#: exit code %d", async (mail, exitCode, words) => {
    const { out, exitCode: found } = await run("m.eml --no-trace", DNS, { "m.eml": mail });
    expect(found).toBe(exitCode);
    expect(out).toContain(words);
  });
});

it("the HELO name of a Received field is not taken for another address", async () => {
  const { facts } = await json("direct.eml --ip 198.51.100.99");
  expect(facts.origin).toEqual({
    clientIp: "198.51.100.99",
    helo: null,
    mailFrom: "ann@example.org",
    guessed: ["mailFrom"],
  });
});

it("tells why a signature failed, also as data", async () => {
  const { facts } = await json("through-a-list.eml");
  expect(facts.dkim[0].diagnoses).toMatchObject([
    {
      cause: "body-text-added",
      certainty: "proven",
      evidence: [expect.any(String), "plans mailing list -- plans@lists.example.net", expect.any(String)],
    },
    {
      cause: "header-field-altered",
      certainty: "proven",
      evidence: ["was Plans for May", "is [plans] Plans for May"],
    },
  ]);
  expect(facts.dmarc).toMatchObject({
    result: "fail",
    disposition: "reject",
    policy: { foundAt: "example.org", tag: "p" },
  });
});

it("writes the Authentication-Results field, without what is not known", async () => {
  const whole = await json(`direct.eml ${GIVEN} --authserv-id mx.example.net`);
  expect(whole.facts.authenticationResults).toMatch(
    /^mx\.example\.net;\s+dmarc=pass .*spf=pass .*dkim=pass .*arc=none;\s+iprev=pass/,
  );
  const part = await json("direct.eml --no-trace");
  expect(part.facts.authenticationResults).not.toMatch(/spf=|iprev=/);
  const open = await json("old-key.eml --no-trace");
  expect(open.facts.authenticationResults).not.toContain("dmarc=");
});

it("reads CRLF as it reads LF, and standard input", async () => {
  const crlf = await json("m.eml", DNS, { "m.eml": files["direct.eml"]!.replaceAll("\n", "\r\n") });
  expect(crlf).toEqual(await json("direct.eml"));
  const { out } = await look(["mail", "authenticate", "-", "--json"], DNS, { stdin: files["direct.eml"]! });
  expect(JSON.parse(out)).toEqual(crlf.facts);
});

it("judges as at a given time", async () => {
  const { results } = await json("direct.eml --at 2030-01-01T00:00:00Z");
  expect(results[2]).toBe("dkim pass");
});

it("steers no terminal", async () => {
  const mail =
    "From: a@example.org\nSubject: \u001b[2J\nReceived: from \u001b[1m ([192.0.2.1] helo=x\u001b[2J) by y\n\n";
  const { out } = await run("m.eml", DNS, { "m.eml": mail });
  expect(out).not.toContain("\u001b");
});

it.each([
  ["m.eml", "there is no such file"],
  ["direct.eml --ip 300.0.0.1", "--ip: "],
  ["direct.eml --at noon", "--at takes times"],
  ["text.txt", "is no mail"],
])("%s: %s", async (words, problem) => {
  const { exitCode, err } = await run(words, DNS, { "text.txt": "Hello\n" });
  expect(exitCode).toBe(64);
  expect(err).toContain(problem);
});
