/** `zonepost mail sign`, with keys of the state and others; what it writes is verified. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CliSetup, zonepost } from "../../../test/support/cli.ts";
import { look } from "../../../test/support/cli-world.ts";
import { inState } from "../../keys/key.ts";
import { formatDkimKey, recordForKey } from "../../standards/dkim/key-record.ts";
import { dkimPublicKeyOf } from "../../standards/dkim/public-key.ts";
import { openStore } from "../../store/open.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zonepost-sign-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const { privateKey } = generateKeyPairSync("ed25519");
const PEM = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
const MAIL = "From: Ann <ann@example.org>\nSubject: Grüße\n\nHello Bob,\nbye\n";
const SIGN = ["m.eml", "--key", "k.pem", "--selector", "s1"];

const sign = (words: readonly string[], setup: CliSetup = {}, mail = MAIL) =>
  zonepost(["mail", "sign", ...words], {
    ...setup,
    files: { "m.eml": mail, "k.pem": PEM, ...setup.files },
    tools: {
      openState: () => openStore({ kind: "sqlite", path: join(folder, "zonepost.db") }),
      ...setup.tools,
    },
  });

const recordOf = (key: Parameters<typeof dkimPublicKeyOf>[0]): string => {
  const read = dkimPublicKeyOf(key);
  if (!read.ok) throw new Error(read.problem);
  return formatDkimKey(recordForKey(read.value));
};

async function verified(mail: string, selector: string, record: string) {
  const zone = `example.org. SOA ns1.example.org. hostmaster.example.org. 1 7200 900 1209600 300
${selector}._domainkey.example.org. TXT "${record}"`;
  const { out } = await look(["mail", "authenticate", "-", "--json"], { zone }, { stdin: mail });
  return JSON.parse(out).dkim;
}

describe("with a key that the user answers for", () => {
  it("signs what SMTP transmits, and changes nothing else", async () => {
    const { out, err, exitCode } = await sign(SIGN);
    expect([exitCode, err]).toEqual([0, "Signed as example.org with the ed25519 key s1.\n"]);
    expect(out.endsWith(`\r\n${MAIL.replaceAll("\n", "\r\n")}`)).toBe(true);
    expect(out.startsWith("DKIM-Signature: v=1; a=ed25519-sha256;")).toBe(true);
    expect(await verified(out, "s1", recordOf(privateKey))).toMatchObject([
      { result: "pass", signingDomain: "example.org" },
    ]);
  });

  it("as it is told", async () => {
    const { files } = await sign([
      ...SIGN,
      "--domain",
      "example.net",
      "--canonicalization",
      "simple/relaxed",
      "--expires-after",
      "7",
      "-o",
      "out.eml",
      "--json",
    ]);
    expect(files["out.eml"]).toMatch(/c=simple\/relaxed; d=example\.net;/);
    const [, from, to] = /t=(\d+);\s+x=(\d+)/.exec(files["out.eml"]!)!;
    expect(Number(to) - Number(from)).toBe(7 * 86_400);
  });

  it("reads standard input", async () => {
    const { out } = await sign(["-", ...SIGN.slice(1)], { stdin: MAIL });
    expect(out).toContain("Hello Bob");
  });

  it.each([
    ["From: a@example.org\n\none\rtwo\n", "carriage returns", "a CR alone"],
    [`From: a@example.org\n\n${"x".repeat(999)}\n`, "999 octets", "too long a line"],
  ])("warns of what will not survive (%#)", async (mail, words) => {
    const { exitCode, err, out } = await sign(SIGN, {}, mail);
    expect(exitCode).toBe(1);
    expect(err).toContain(words);
    expect(out).toContain("DKIM-Signature");
  });

  it.each([
    [["m.eml", "--key", "k.pem"], "--selector", 64],
    [["m.eml", "--key", "no.pem", "--selector", "s1"], "cannot read no.pem", 64],
    [["m.eml", "--key", "m.eml", "--selector", "s1"], "no private key", 64],
    [["m.eml", "--selector", "s1"], "goes with --key", 64],
    [[...SIGN, "--json"], "needs --out", 64],
    [[...SIGN, "--expires-after", "0"], "--expires-after", 64],
    [[...SIGN, "-o", "m.eml"], "--force overwrites", 64],
  ])("%j is refused: %s", async (words, problem, exitCode) => {
    const run = await sign(words);
    expect([run.exitCode, run.out]).toEqual([exitCode, ""]);
    expect(run.err).toContain(problem);
  });

  it.each([
    ["Subject: x\n\n", "no From field"],
    ["From: a@example.org, b@example.net\n\n", "names 2 domains"],
  ])("%j: who signs?", async (mail, problem) => {
    const run = await sign(SIGN, {}, mail);
    expect([run.exitCode, run.out]).toEqual([2, ""]);
    expect(run.err).toContain(problem);
    expect((await sign([...SIGN, "--domain", "example.org"], {}, mail)).exitCode).toBe(0);
  });
});

describe("with the keys that are kept", () => {
  const generate = (setup: CliSetup = {}) =>
    zonepost(
      ["keys", "generate", "example.org", "--selector", "s9", "--algorithm", "ed25519", "--state", folder],
      {
        ...setup,
        tools: { openState: () => openStore({ kind: "sqlite", path: join(folder, "zonepost.db") }) },
      },
    );

  it("refuses where there is none", async () => {
    const run = await sign(["m.eml", "--state", folder]);
    expect([run.exitCode, run.out]).toEqual([2, ""]);
    expect(run.err).toContain("there is no key of example.org");
  });

  it("refuses where none is proven, and signs once one is", async () => {
    const { files } = await generate();
    const early = await sign(["m.eml", "--state", folder], { files });
    expect([early.exitCode, early.out]).toEqual([2, ""]);
    expect(early.err).toContain("no key of example.org may sign (s9 is prepared)");

    const store = await openStore({ kind: "sqlite", path: join(folder, "zonepost.db") });
    const [before] = await store.keys.list();
    await store.keys.change([
      { before: before!, after: inState(before!, "signing", new Date("2026-11-20T00:00:00Z")) },
    ]);
    await store.close();
    const run = await sign(["m.eml", "--state", folder], { files });
    expect([run.exitCode, run.err]).toEqual([0, "Signed as example.org with the ed25519 key s9.\n"]);
    const after = await openStore({ kind: "sqlite", path: join(folder, "zonepost.db") });
    expect((await after.keys.list())[0]?.lastSignedAt).toEqual(new Date("2026-11-21T12:00:00Z"));
    await after.close();
    const record = formatDkimKey(recordForKey(before!.publicKey));
    expect(await verified(run.out, "s9", record)).toMatchObject([{ result: "pass", dkimSelector: "s9" }]);
  });
});
