/** `zonepost keys`: whole commands on a store in a folder of its own, and on a table's DNS. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CliRun, type CliSetup, zonepost } from "../../../test/support/cli.ts";
import { tableWorld, type WorldRows } from "../../../test/support/table-world.ts";
import { totpBinding } from "../../access/login.ts";
import { createSecretBox } from "../../access/secret-box.ts";
import { readMasterKey } from "../../keys/sealing.ts";
import { providerBinding } from "../../publish/provider-store.ts";
import { readTxt } from "../../standards/dns/txt-rendering.ts";
import { openStore } from "../../store/open.ts";

let folder: string;
let files: Record<string, string>;
let now: Date;
let dns: WorldRows;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zonepost-keys-"));
  files = {};
  now = new Date("2026-11-21T12:00:00Z");
  publish();
});
afterEach(() => rmSync(folder, { recursive: true }));

const SOA = `example.org. SOA ns1.example.org. hostmaster.example.org. 1 7200 900 1209600 300
example.org. NS ns1.example.org.
example.org. NS ns2.example.org.
ns1.example.org. A 192.0.2.1
ns2.example.org. A 192.0.2.2
`;

/** What both name servers have, or the second one alone. */
function publish(lines: readonly string[] = [], second?: readonly string[] | "silent"): void {
  const servers =
    second === undefined
      ? {}
      : {
          "ns2.example.org":
            second === "silent" ? { state: "unknown" as const } : { zone: SOA + second.join("\n") },
        };
  dns = { zone: SOA + lines.join("\n"), servers };
}

/** Files that commands write stay for the next one; the store is real. */
async function keys(words: string, setup: CliSetup = {}): Promise<CliRun> {
  const run = await zonepost(["keys", ...words.split(" ")], {
    files: { ...files, ...setup.files },
    ...(setup.environment && { environment: setup.environment }),
    ...(setup.answers && { answers: setup.answers }),
    tools: {
      now: () => now,
      isAdministrator: true,
      openState: () => openStore({ kind: "sqlite", path: join(folder, "zonepost.db") }),
      openWorld: async () => ({ world: tableWorld(dns), queriesSent: () => 0, close: async () => {} }),
      ...setup.tools,
    },
  });
  files = { ...run.files };
  return run;
}

async function json(words: string) {
  return JSON.parse((await keys(`${words} --json`)).out);
}

const hours = (count: number) => {
  now = new Date(now.getTime() + count * 3_600_000);
};

/** The zone line of a key. */
async function record(selector = "default"): Promise<string> {
  const { shapes } = await json(`show example.org --selector ${selector}`);
  return shapes["zone file"];
}

const SEAL = "/var/lib/zonepost/seal.key";

const master = (path: string) => {
  const read = readMasterKey(Buffer.from(files[path]!));
  if (!read.ok) throw new Error(read.problem);
  return createSecretBox(read.value.key, (count) => randomBytes(count));
};
const open = () => openStore({ kind: "sqlite", path: join(folder, "zonepost.db") });

describe("keys generate", () => {
  it("makes a key and a seal key, and prints the record", async () => {
    const run = await keys("generate example.org");
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.out).toMatch(/^default\._domainkey\.example\.org {2}RSA with 2048 bits, fingerprint/);
    expect(run.out).toMatch(/^default\._domainkey\.example\.org\. IN TXT "v=DKIM1; k=rsa; p=MII\S+" "\S+"$/m);
    expect(run.err).toMatch(/^Made a seal key: \/var\/lib\/zonepost\/seal\.key/);
    expect(run.files[SEAL]).toMatch(/^[\w+/]{43}=\n$/);
    const again = await keys("generate example.org");
    expect(again.out).toMatch(/^default-2\._domainkey/);
    expect(again.err).toBe("");
  });

  it.each<[words: string, exitCode: number, said: RegExp]>([
    ["--bits 1024", 64, /1024 are too weak/],
    ["--bits 3072", 0, /forms of DNS\s+hosts often cut it/],
    ["--algorithm ed25519", 0, /not every verifier knows Ed25519/],
    ["--selector {yyyy}{mm}", 0, /^Made a seal key/],
    ["--selector a_b._domainkey", 64, /is an owner name/],
    ["--seal-key missing", 64, /cannot read the seal key missing/],
  ])("with %s", async (words, exitCode, said) => {
    const run = await keys(`generate example.org ${words}`);
    expect(run.err).toMatch(said);
    expect(run.exitCode).toBe(exitCode);
  });

  it.each<[name: string, setup: CliSetup, words: string, said: RegExp | undefined]>([
    [
      "from the environment",
      { environment: { ZONEPOST_SEAL_KEY: "0123456789abcdef".repeat(4) } },
      "",
      undefined,
    ],
    [
      "from systemd",
      {
        environment: { CREDENTIALS_DIRECTORY: "/run/c" },
        files: { "/run/c/zonepost-seal-key": "0123456789abcdef".repeat(4) },
      },
      "",
      undefined,
    ],
    ["from a file", { files: { "k.txt": "0123456789abcdef".repeat(4) } }, " --seal-key k.txt", undefined],
    ["that is none", { files: { "k.txt": "secret" } }, " --seal-key k.txt", /k.txt: a seal key is 32 random/],
    [
      "that is none, in the environment",
      { environment: { ZONEPOST_SEAL_KEY: "secret" } },
      "",
      /ZONEPOST_SEAL_KEY: a/,
    ],
  ])("takes a seal key %s, and makes none", async (_, setup, words, said) => {
    const run = await keys(`generate example.org${words}`, setup);
    expect(run.exitCode).toBe(said === undefined ? 0 : 64);
    if (said !== undefined) expect(run.err).toMatch(said);
    expect(run.err).not.toContain("secret");
    expect(run.files).not.toHaveProperty([SEAL]);
  });

  it("makes no seal key where a secret is sealed, and takes none that does not open it", async () => {
    files[SEAL] = "0123456789abcdef".repeat(4);
    const state = await open();
    const sealed = master(SEAL).seal(Buffer.from("a token"), providerBinding("p1"));
    const provider = { id: "p1", settings: {}, sealed, enteredAt: now, enteredBy: "ann", revision: 1 };
    await state.providers.add({ ...provider, removedAt: undefined });
    await state.close();
    files = {};
    expect((await keys("generate example.org")).err).toMatch(/the seal key is not there/);
    const words = "generate example.org --seal-key k.txt";
    const wrong = await keys(words, { files: { "k.txt": "fedcba9876543210".repeat(4) } });
    expect(wrong.err).toMatch(/of the provider p1 does not open with the seal key at hand/);
    expect((await keys(words, { files: { "k.txt": "0123456789abcdef".repeat(4) } })).exitCode).toBe(0);
  });

  it("seals nothing under another seal key, and makes none where the old one is lost", async () => {
    await keys("generate example.org");
    const other = await keys("generate example.net", {
      environment: { ZONEPOST_SEAL_KEY: "0123456789abcdef".repeat(4) },
    });
    expect(other.exitCode).toBe(64);
    expect(other.err).toMatch(/was sealed under another seal key/);
    files = {};
    const lost = await keys("generate example.net");
    expect(lost.err).toMatch(/the seal key is not there .* the 1 private keys nor what else/);
    expect(await json("list")).toHaveLength(1);
  });
});

describe("keys list and show", () => {
  it("show what there is, and no private key unless it is asked for", async () => {
    expect((await keys("list")).out).toMatch(/There are no keys yet/);
    await keys("generate example.org");
    const runs = [
      await keys("list"),
      await keys("show example.org"),
      await keys("list --json"),
      await keys("show example.org --json"),
    ];
    const { out } = await keys("show example.org --private");
    const [, pem] =
      /^private key\n(-----BEGIN RSA PRIVATE KEY-----[\s\S]+-----END RSA PRIVATE KEY-----)$/m.exec(out)!;
    const body = pem!.split("\n").at(-4)!;
    for (const run of runs) {
      expect(run.out + run.err).not.toContain(body);
      expect(run.out).not.toContain("zonepost-sealed");
    }
    expect(runs[0]!.out).toMatch(
      /^default\._domainkey\.example\.org +RSA with 2048 bits +prepared +2026-11-21 /m,
    );
  });

  it("show the record in shapes that all read back to the same value", async () => {
    await keys("generate example.org");
    const { shapes } = await json("show example.org");
    const value = shapes["value alone"];
    expect(value).toMatch(/^v=DKIM1; k=rsa; p=MII[\w+/]+=*$/);
    const texts = Object.entries<string>(shapes).filter(([name]) => !name.startsWith("in a form"));
    for (const [name, text] of texts) {
      expect(readTxt(text).value.replace("k=rsa; ", "").replace("h=sha256; ", ""), name).toBe(
        value.replace("k=rsa; ", ""),
      );
    }
    expect(shapes["in a form"]).toBe(`Name: default._domainkey\nType: TXT\nValue: ${value}`);
    expect(texts).toHaveLength(8);
  });

  it.each([
    ["show example.net", /there is no key of example\.net: zonepost keys generate/],
    ["show example.org --selector x", /has no key "x"; there are default \(prepared\), default-2/],
    ["show example.org", /which key of example\.org\? Name it with --selector/],
    ["test example.net", /no key to test/],
    ["rotate example.net", /there is no key of example\.net/],
    ["export --format pem --output /o", /no key may sign yet/],
    ["export --format pem --output /o --selector x", /there is no key "x"/],
  ])("%s: %s", async (words, said) => {
    await keys("generate example.org");
    await keys("generate example.org");
    const run = await keys(words);
    expect(run.err).toMatch(said);
    expect(run.exitCode).toBe(64);
  });
});

describe("keys test", () => {
  const other = `v=DKIM1; p=${generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "der", type: "spki" }).toString("base64")}`;
  const strings = (text: string) => (text.match(/.{1,255}/g) ?? []).map((each) => `"${each}"`).join(" ");
  const OWNER = "default._domainkey.example.org";

  it.each<
    [name: string, make: (line: string) => void, exitCode: number, result: RegExp, notes: readonly RegExp[]]
  >([
    [
      "published",
      (line) => publish([line]),
      0,
      /^TESTING#1: default\._domainkey\.example\.org => pass\n$/,
      [],
    ],
    [
      "not published",
      () => publish(),
      2,
      /=> invalid \(public key: not available\)$/m,
      [/It is not published/],
    ],
    [
      "published at the domain",
      (line) => publish([line.replace(OWNER, "example.org")]),
      2,
      /not available/,
      [/stands at example\.org, where nobody looks/],
    ],
    [
      "published without _domainkey",
      (line) => publish([line.replace(OWNER, "default.example.org")]),
      2,
      /not available/,
      [/stands at default\.example\.org/],
    ],
    [
      "published with a doubled name",
      (line) => publish([line.replace(OWNER, `${OWNER}.example.org`)]),
      2,
      /not available/,
      [/stands at default\._domainkey\.example\.org\.example\.org/],
    ],
    [
      "revoked",
      () => publish([`${OWNER}. 300 IN TXT "v=DKIM1; p="`]),
      2,
      /=> invalid \(public key: revoked\)/,
      [],
    ],
    [
      "cut off",
      (line) => publish([line.replace(/" "[^"]*"/, '"')]),
      2,
      /=> invalid \(public key: cut off\)/,
      [/The key is cut off after 23\d characters/],
    ],
    [
      "stored with its quotes",
      (line) => publish([line.replace(/"(.*)" "(.*)"/, '"\\"" "$1" "\\" \\"" "$2" "\\""')]),
      2,
      /public key: damaged/,
      [/damaged in copying/],
    ],
    [
      "joined with a blank",
      (line) => publish([line.replace('" "', '" " ')]),
      0,
      /=> pass/,
      [/where two strings of a zone file met/],
    ],
    [
      "several",
      (line) => publish([line, `${OWNER}. 300 IN TXT "v=spf1 -all"`]),
      2,
      /public key: 2 TXT records/,
      [],
    ],
    [
      "a foreign key",
      () => publish([`${OWNER}. 300 IN TXT ${strings(other)}`]),
      2,
      /=> fail \(another key is published\)/,
      [/a key that is not kept here \(RSA/],
    ],
    [
      "missing at one server",
      (line) => publish([line], []),
      2,
      /not available/,
      [
        /Some name servers show it/,
        /ns1\.example\.org shows the key/,
        /ns2\.example\.org has no record there/,
      ],
    ],
    [
      "one server silent",
      (line) => publish([line], "silent"),
      3,
      /=> unknown \(not every name server answered\)/,
      [/ns2\.example\.org could not be asked/],
    ],
  ])("%s", async (_, make, exitCode, result, notes) => {
    await keys("generate example.org");
    make(await record());
    const run = await keys("test example.org");
    expect(run.out).toMatch(result);
    for (const note of notes) expect(run.out.replace(/\n +/g, " ")).toMatch(note);
    expect(run.exitCode).toBe(exitCode);
  });

  it("says which of the kept keys stands in the place of this one", async () => {
    await keys("generate example.org");
    await keys("generate example.org --selector second");
    publish([(await record("second")).replace("second", "default")]);
    const run = await keys("test --selector default");
    expect(run.out).toMatch(/Published is the key of second\._domainkey\.example\.org \(prepared, /);
    expect(await json("test")).toMatchObject([{ result: "fail" }, { result: "invalid", servers: [{}, {}] }]);
  });
});

describe("keys rotate", () => {
  it("leads from a first key to the second, and the first out of DNS", async () => {
    await keys("generate example.org");
    const first = await keys("rotate example.org");
    expect(first.out).toMatch(
      /publish default\n +No name server has it yet: publish it\.\n +default\._domainkey/,
    );
    expect(first.exitCode).toBe(1);
    const one = await record();

    publish([one], []);
    expect((await keys("rotate")).out).toMatch(/wait default\n.*ns2\.example\.org has no/);
    publish([one]);
    const waiting = await keys("rotate");
    expect(waiting.out).toMatch(/wait default, until 2026-11-21T12:05Z/);
    expect(waiting.exitCode).toBe(0);
    hours(1);
    expect((await keys("rotate")).out).toMatch(/sign with default[\s\S]*zonepost keys export example\.org/);
    expect((await keys("rotate")).out).toMatch(/done default\n/);

    expect((await keys("rotate example.org --begin")).out).toMatch(/publish 202611\n/);
    const refused = await keys("rotate example.org --begin");
    expect(refused.err).toMatch(/202611\._domainkey\.example\.org is on its way already/);
    const two = await record("202611");
    publish([one, two]);
    hours(1);
    await keys("rotate");
    hours(1);
    const turned = await keys("rotate");
    expect(turned.out).toMatch(/sign with 202611/);
    expect(turned.out).toMatch(/wait default, until 2026-11-28T15:00Z/);
    expect((await json("list")).map(({ state }: { state: string }) => state)).toEqual([
      "retiring",
      "signing",
    ]);

    hours(24 * 7);
    expect((await keys("rotate")).out).toMatch(
      /revoke default[\s\S]*default\._domainkey\.example\.org\. IN TXT "v=DKIM1; p="/,
    );
    publish([`default._domainkey.example.org. 300 IN TXT "v=DKIM1; p="`, two]);
    expect((await keys("rotate")).out).toMatch(/wait default, until 2026-12-28/);
    hours(24 * 30);
    const remove = await keys("rotate");
    expect(remove.out).toMatch(/remove default[\s\S]*take away: default\._domainkey\.example\.org\. IN TXT/);
    expect(remove.exitCode).toBe(1);
    publish([two]);
    expect((await keys("rotate")).out).toMatch(/done 202611/);
    expect((await json("list")).map(({ state }: { state: string }) => state)).toEqual(["removed", "signing"]);
  });

  it("keeps RSA and Ed25519 apart, and both sign", async () => {
    await keys("generate example.org");
    await keys("generate example.org --algorithm ed25519 --selector ed");
    publish([await record(), await record("ed")]);
    await keys("rotate");
    hours(1);
    const steps = await json("rotate");
    expect(steps).toMatchObject([
      { algorithm: "rsa", steps: [{ action: "sign-with" }] },
      { algorithm: "ed25519", steps: [{ action: "sign-with" }] },
    ]);
  });

  it("says trouble where the signing key is gone, and could-not-tell where nobody answers", async () => {
    await keys("generate example.org");
    const line = await record();
    publish([line]);
    await keys("rotate");
    hours(1);
    await keys("rotate");
    dns = {
      ...dns,
      servers: { "ns1.example.org": { state: "unknown" }, "ns2.example.org": { state: "unknown" } },
    };
    const blind = await keys("rotate");
    expect(blind.out).toMatch(/goes on signing/);
    expect(blind.exitCode).toBe(3);
    publish();
    const gone = await keys("rotate");
    expect(gone.out.replace(/\n +/g, " ")).toMatch(/trouble default .*mail goes out unsigned/);
    expect(gone.exitCode).toBe(2);
    expect((await keys("export --format pem --output /o")).err).toMatch(/no key may sign yet/);
  });
});

describe("keys retire and revoke", () => {
  async function signing() {
    await keys("generate example.org");
    publish([await record()]);
    await keys("rotate");
    hours(1);
    await keys("rotate");
  }

  it("ask before a key that signs never signs again", async () => {
    await signing();
    expect((await keys("retire example.org")).err).toMatch(/signs mail now, .* say --yes/);
    expect((await keys("retire example.org", { answers: ["n"] })).exitCode).toBe(0);
    expect((await json("list"))[0].state).toBe("signing");
    const run = await keys("retire example.org", { answers: ["y"] });
    expect(run.out).toMatch(/never signs again.*\nLeave its record published/);
    expect((await json("list"))[0]).toMatchObject({ state: "retiring", barred: "retired" });
    expect((await keys("rotate")).out).toMatch(/wait default, until 2026-11-28/);
  });

  it("revoke prints what to publish at once", async () => {
    await signing();
    const run = await keys("revoke example.org --yes");
    expect(run.out).toMatch(/^default\._domainkey\.example\.org\. IN TXT "v=DKIM1; p="$/m);
    expect((await keys("rotate")).out).toMatch(/revoke default\n +It must not count any more/);
  });
});

describe("keys import and export", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
    .privateKey.export({ format: "pem", type: "pkcs1" })
    .toString();
  const weak = generateKeyPairSync("rsa", { modulusLength: 512 })
    .privateKey.export({ format: "pem", type: "pkcs1" })
    .toString();

  it("takes a folder over, says what it leaves, and overwrites nothing", async () => {
    const given = {
      "/k/example.org/default.private": rsa,
      "/k/example.org/default.txt": "not a key",
      "/k/example.net.dkim.key": rsa,
      "/k/example.org/weak.pem": weak,
      "/k/example.org/broken.pem": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    };
    const run = await keys("import /k", { files: given });
    expect(run.exitCode).toBe(2);
    expect(run.out).toMatch(
      /✓ \/k\/example\.org\/default\.private: default\._domainkey\.example\.org, RSA with 2048/,
    );
    expect(run.out).toMatch(/✓ \/k\/example\.net\.dkim\.key: dkim\._domainkey\.example\.net/);
    expect(run.out).toMatch(/✗ .*weak\.pem: verifiers refuse RSA keys of 512 bits/);
    expect(run.out).toMatch(/✗ .*broken\.pem: there is no private key/);
    expect(run.out).not.toContain("default.txt");
    const again = await keys("import /k/example.org/default.private");
    expect(again.out).toMatch(/· .* is kept already/);
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
      format: "pem",
      type: "pkcs8",
    });
    const taken = await keys("import new.pem --domain example.org --selector default", {
      files: { "new.pem": other.toString() },
    });
    expect(taken.out).toMatch(/✗ new\.pem: .* is taken by another key, and keys are never overwritten/);
    expect(await json("list")).toHaveLength(2);
  });

  it("gives back what was taken", async () => {
    await keys("import /k", { files: { "/k/example.org/default.private": rsa } });
    const run = await keys("export --format opendkim --output /out/ --selector default");
    expect(run.exitCode).toBe(0);
    expect(run.files["/out/keys/example.org/default.private"]).toBe(rsa);
    expect(run.files["/out/KeyTable"]).toBe(
      "default._domainkey.example.org example.org:default:/out/keys/example.org/default.private\n",
    );
    expect(run.err).toMatch(/default\._domainkey\.example\.org is prepared: do not sign with it yet/);
    const again = await keys("export --format opendkim --output /out --selector default");
    expect(again.err).toMatch(/is there already; --force overwrites it/);
    expect((await keys("export --format opendkim --output /out --selector default --force")).exitCode).toBe(
      0,
    );
    const relative = await keys("export --format opendkim --output out --selector default");
    expect(relative.err).toMatch(/absolute path .* --installed-at names/);
    const elsewhere = await keys(
      "export --format opendkim --output out --installed-at /etc/dkim --selector default",
    );
    expect(elsewhere.files["out/KeyTable"]).toContain(":/etc/dkim/keys/");
  });
});

describe("keys import", () => {
  const pem = (type: "pkcs1" | "pkcs8" = "pkcs1") =>
    generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "pem", type }).toString();

  it.each<[program: string, path: string, files: Readonly<Record<string, string>>]>([
    [
      "OpenDKIM",
      "/etc/opendkim.conf",
      {
        "/etc/opendkim.conf": "KeyTable /etc/dk/KeyTable\nSigningTable refile:/etc/dk/SigningTable\n",
        "/etc/dk/KeyTable": "one example.org:s1:/etc/dk/one\ntwo example.net:s2:/etc/dk/two\n",
        "/etc/dk/SigningTable": "*@example.org one\n*@example.net two\n",
        "/etc/dk/one": pem(),
        "/etc/dk/two": pem(),
      },
    ],
    [
      "rspamd",
      "/etc/rspamd/local.d/dkim_signing.conf",
      {
        "/etc/rspamd/local.d/dkim_signing.conf":
          'domain {\n  example.org { selector = "s1"; path = "/k/$domain.$selector.key"; }\n  example.net { selector = "s2"; path = "/k/b"; }\n}\n',
        "/k/example.org.s1.key": pem("pkcs8"),
        "/k/b": pem(),
      },
    ],
    [
      "amavisd",
      "/etc/amavisd.conf",
      {
        "/etc/amavisd.conf":
          "dkim_key('example.org', 's1', '/k/a');\ndkim_key('example.net', 's2', '/k/b');\n",
        "/k/a": pem(),
        "/k/b": pem(),
      },
    ],
    [
      "dkimpy-milter",
      "/etc/dkimpy-milter.conf",
      {
        "/etc/dkimpy-milter.conf": "KeyTable /k/KeyTable\nSigningTable refile:/k/SigningTable\n",
        "/k/KeyTable": "a example.org:s1:/k/a\nb example.net:s2:/k/b\n",
        "/k/SigningTable": "*@example.org a\n*@example.net b\n",
        "/k/a": pem(),
        "/k/b": pem(),
      },
    ],
  ])("reads the configuration of %s", async (_, path, given) => {
    const run = await keys(`import ${path}`, { files: given });
    expect(run.out.match(/✓/g)).toHaveLength(2);
    const owners = (await json("list")).map(({ owner }: { owner: string }) => owner);
    expect(owners.sort()).toEqual(["s1._domainkey.example.org", "s2._domainkey.example.net"]);
    expect(run.exitCode).toBe(0);
  });

  it("says of each key in a configuration why it cannot be had", async () => {
    const run = await keys("import /c/rspamd/dkim_signing.conf", {
      files: { "/c/rspamd/dkim_signing.conf": 'path = "/k/$domain.$selector.key";\nselector = "dkim";\n' },
    });
    expect(run.out).toMatch(
      /✗ .*dkim_signing\.conf:2: the key of "dkim" is for whatever domain the sender has/,
    );
    const lost = await keys("import /c/amavisd.conf", {
      files: { "/c/amavisd.conf": "dkim_key('example.org', 's1', '/k/none');\n" },
    });
    expect(lost.out).toMatch(/✗ \/k\/none: there is no such file/);
    expect(lost.exitCode).toBe(2);
  });
});

describe("keys reseal", () => {
  it("puts every key under a new seal key, and the old one opens none", async () => {
    await keys("generate example.org example.net");
    const before = (await json("show example.org --private")).private;
    const run = await keys("reseal");
    expect(run.out).toMatch(/^2 keys are sealed under \/var\/lib\/zonepost\/seal\.key\.new, which was made/);
    expect((await keys("show example.org --private")).err).toMatch(/sealed under another seal key/);
    expect((await json(`show example.org --private --seal-key ${SEAL}.new`)).private).toBe(before);
  });

  it("says what is to be done before and behind it", async () => {
    await keys("generate example.org");
    expect((await keys("reseal --help")).out).toMatch(/stop the servers/);
    expect((await keys("reseal")).out.replaceAll("\n", " ")).toMatch(/start servers again.*SIGHUP/);
    files = {};
    expect((await keys("reseal")).err).toMatch(/there is no seal key in .*--seal-key/);
  });

  it("mends a state in which some is sealed under one key, and some under another", async () => {
    await keys("generate example.org");
    await keys("reseal --new-seal-key /k/second");
    // As nodes wrote that each had a seal key of their own, before it was known which is the state's.
    const database = new DatabaseSync(join(folder, "zonepost.db"));
    const row = database.prepare("SELECT * FROM dkim_key").get()!;
    database.exec("DELETE FROM dkim_key; DELETE FROM seal_key");
    await keys("generate example.net");
    const columns = Object.keys(row);
    database
      .prepare(`INSERT INTO dkim_key (${columns}) VALUES (${columns.map(() => "?")})`)
      .run(...Object.values(row));
    database.close();
    const state = await open();
    const sealed = master("/k/second").seal(Buffer.from("a token"), providerBinding("p1"));
    const provider = { id: "p1", settings: {}, sealed, enteredAt: now, enteredBy: "ann", revision: 1 };
    await state.providers.add({ ...provider, removedAt: undefined });
    await state.close();

    expect((await keys("reseal")).err).toMatch(
      /nothing was changed: the private key of default._domainkey.example.org .*another seal key.*--old-seal-key/s,
    );
    expect((await keys("reseal --seal-key /k/second")).err).toMatch(
      /nothing was changed: .*example\.net .*--old-seal-key/s,
    );
    expect((await keys("reseal --old-seal-key /k/second")).out).toMatch(/^2 keys and 1 secrets/);
    for (const domain of ["example.org", "example.net"])
      expect((await json(`show ${domain} --private --seal-key ${SEAL}.new`)).private).toMatch(/PRIVATE KEY/);
    const after = await open();
    const anew = (await after.providers.list())[0]!.sealed;
    await after.close();
    expect(master(`${SEAL}.new`).open(anew, providerBinding("p1"))).toBeDefined();
  });

  it("puts codes of users and credentials of providers under it as well", async () => {
    await keys("generate example.org");
    const state = await open();
    const sealed = (what: string, boundTo: string) => master(SEAL).seal(Buffer.from(what), boundTo);
    await state.access.addUser({
      id: "u1",
      name: "ann",
      role: "administrator",
      passwordHash: undefined,
      sealedTotpSecret: sealed("a code", totpBinding("u1")),
      totpStep: undefined,
      oidcSubject: undefined,
      createdAt: now,
      disabledAt: undefined,
      revision: 1,
      recoveries: 0,
    });
    await state.providers.add({
      id: "p1",
      settings: {},
      sealed: sealed("a token", providerBinding("p1")),
      enteredAt: now,
      enteredBy: "ann",
      revision: 1,
      removedAt: undefined,
    });
    await state.close();
    expect((await keys("reseal")).out).toMatch(
      /^1 keys and 2 secrets of users and providers are sealed under/,
    );
    const after = await open();
    const [user] = await after.access.users();
    const [provider] = await after.providers.list();
    const next = master(`${SEAL}.new`);
    const text = (octets: Uint8Array | undefined) => octets && Buffer.from(octets).toString();
    expect(text(next.open(user!.sealedTotpSecret!, totpBinding("u1")))).toBe("a code");
    expect(text(next.open(provider!.sealed, providerBinding("p1")))).toBe("a token");
    await after.close();
    expect((await keys("generate example.net")).err).toMatch(/sealed under another seal key .* another node/);
  });
});
