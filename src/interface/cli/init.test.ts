import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type CliSetup, zonepost } from "../../../test/support/cli.ts";
import { described } from "../../../test/support/golden.ts";

const FLAGS = ["init", "--domain", "example.org", "--host", "mail.example.org", "--output", "z.yaml"];
const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PEM = publicKey.export({ format: "pem", type: "spki" }).toString();
const BASE64 = publicKey.export({ format: "der", type: "spki" }).toString("base64");

const init = (words: readonly string[], setup?: CliSetup) => zonepost([...FLAGS, ...words], setup);
const text = (run: { files: Readonly<Record<string, string>> }) => run.files["z.yaml"] ?? "";

describe("zonepost init, with everything given", () => {
  it("asks nothing, and writes a description that reads back", async () => {
    const run = await init(["--address", "192.0.2.1", "2001:db8::1"], { answers: ["never asked"] });
    expect(run).toMatchObject({ exitCode: 0, err: "", questions: [] });
    const { servers, domains } = described(text(run));
    expect(servers).toMatchObject([
      { host: "mail.example.org", addresses: [{ text: "192.0.2.1" }, { text: "2001:db8::1" }] },
    ]);
    expect(domains).toMatchObject([
      { domain: "example.org", dkim: [], dmarc: { reports: ["mailto:dmarc@example.org"] } },
    ]);
    // R22: what goes where in Postfix
    expect(text(run)).toContain("mail.example.org # its MX, PTR and HELO name; Postfix: myhostname");
    expect(text(run)).toContain("Postfix: virtual_mailbox_domains or mydestination");
    expect(run.out).toContain("zonepost records --config z.yaml");
    expect(run.out).toContain("zonepost check example.org --config z.yaml");
  });

  it("what is derived from it is what document 003 prints", async () => {
    const run = await init(["--address", "192.0.2.1", "--address", "2001:db8::1"]);
    const { out } = await zonepost(["records", "--config", "z.yaml", "--format", "zone"], {
      files: run.files,
    });
    expect(out).toContain('example.org. IN TXT "v=spf1 mx a ip4:192.0.2.1 ip6:2001:db8::1 ~all"');
  });

  it.each<[reason: string, words: readonly string[], expected: readonly string[]]>([
    ["one flag, several addresses", ["--address", "192.0.2.1", "192.0.2.2"], ["192.0.2.1", "192.0.2.2"]],
    ["several flags", ["--address", "192.0.2.1", "--address", "192.0.2.2"], ["192.0.2.1", "192.0.2.2"]],
    ["a comma between them", ["--address", "192.0.2.1,192.0.2.2"], ["192.0.2.1", "192.0.2.2"]],
    ["one twice", ["--address", "192.0.2.1", "192.0.2.1"], ["192.0.2.1"]],
  ])("--address: %s", async (_reason, words, expected) => {
    expect(described(text(await init(words))).servers[0]?.addresses.map((address) => address.text)).toEqual(
      expected,
    );
  });

  it("--json says what was written", async () => {
    const { out } = await init(["--address", "192.0.2.1", "--json"]);
    expect(JSON.parse(out)).toEqual({ file: "z.yaml", domains: ["example.org"] });
  });

  it("--output - is standard output", async () => {
    const { out, files } = await init(["--address", "192.0.2.1", "--output", "-"]);
    expect(described(out).domains).toHaveLength(1);
    expect(files).toEqual({});
  });

  it("several domains, each once", async () => {
    const run = await init([
      "--address",
      "192.0.2.1",
      "--domain",
      "example.net",
      "--domain",
      "bücher.example",
      "--domain",
      "EXAMPLE.net",
    ]);
    expect(described(text(run)).domains.map(({ domain }) => domain)).toEqual([
      "example.org",
      "example.net",
      "xn--bcher-kva.example",
    ]);
  });

  it("--no-mail needs no server", async () => {
    const run = await zonepost(["init", "--domain", "example.net", "--no-mail", "--output", "z.yaml"]);
    expect(described(text(run))).toMatchObject({ servers: [], domains: [{ receives: false, sends: false }] });
  });
});

describe("the signer's configuration", () => {
  const files = {
    "s.conf":
      'domain { example.org { selectors [ { selector: "2026"; path: "/a" }, { selector: "b"; path: "/b" } ] } }',
    "/a": PEM,
  };
  it("gives selectors and keys; what has no key that can be read stays a comment", async () => {
    const run = await init(["--address", "192.0.2.1", "--signer", "s.conf"], { files });
    const after = `    dkim:\n      - selector: "2026"\n        publicKey: "${BASE64}"\n    #   - selector: b\n`;
    expect(text(run)).toContain(after);
    expect(described(text(run)).domains[0]?.dkim).toMatchObject([{ selector: "2026" }]);
  });

  it("gives the domains where none is named", async () => {
    const words = ["init", "--host", "mail.example.org", "--address", "192.0.2.1", "--output", "z.yaml"];
    const run = await zonepost([...words, "--signer", "s.conf"], { files });
    expect(described(text(run)).domains.map(({ domain }) => domain)).toEqual(["example.org"]);
  });

  it("says what it is not", async () => {
    const run = await init(["--address", "192.0.2.1", "--signer", "/a"], { files });
    expect(run.exitCode).toBe(64);
    expect(run.err).toContain("--signer /a: it is no configuration of OpenDKIM");
  });
});

describe("the DKIM selector", () => {
  it.each<[reason: string, words: readonly string[], expected: string]>([
    ["is default where none is named", [], "    #   - selector: default\n    #     file: default.txt #"],
    [
      "is kept until there is a key",
      ["--selector", "mail2026"],
      "    #   - selector: mail2026\n    #     file: mail2026.txt #",
    ],
    [
      "stays a text where YAML would read a number",
      ["--selector", "2026"],
      '    #   - selector: "2026"\n    #     file: "2026.txt" #',
    ],
    [
      "and where it would read nothing",
      ["--selector", "null"],
      '    #   - selector: "null"\n    #     file: null.txt #',
    ],
  ])("%s", async (_reason, words, expected) => {
    const run = await init(["--address", "192.0.2.1", ...words]);
    expect(text(run)).toContain(expected);
    const uncommented = text(run).replace(/^( {4})# (dkim:.*| {2}- selector.*| {4}file.*)$/gm, "$1$2");
    const { domains } = described(uncommented, () => BASE64);
    expect(domains[0]?.dkim).toMatchObject([{ selector: words[1] ?? "default", key: { modulusBits: 2048 } }]);
  });

  it.each<[reason: string, key: string]>([
    ["PEM", PEM],
    ["a record", `v=DKIM1; k=rsa; p=${BASE64}`],
    ["base64", BASE64],
  ])("with its key, from %s", async (_reason, key) => {
    const run = await init(["--address", "192.0.2.1", "--selector", "2026", "--dkim-key", "k"], {
      files: { k: key },
    });
    expect(text(run)).toContain(`    dkim:\n      - selector: "2026"\n        publicKey: "${BASE64}"\n`);
    expect(described(text(run)).domains[0]?.dkim).toMatchObject([{ selector: "2026" }]);
  });
});

describe("the host name is the server's own (R3)", () => {
  const words = ["init", "--domain", "example.org", "--address", "192.0.2.1", "--output", "z.yaml"];
  const MAIN_CF =
    "# Postfix\nmyhostname = old.example.org\n#myhostname = commented.example.org\nmyhostname = mail7.example.net\nmyorigin = $mydomain\n";

  it.each<[reason: string, setup: CliSetup, host: string]>([
    ["MAILNAME", { environment: { MAILNAME: "mx7.example.net" } }, "mx7.example.net"],
    [
      "Postfix' myhostname, the last one",
      { files: { "/etc/postfix/main.cf": MAIN_CF } },
      "mail7.example.net",
    ],
    [
      "MAILNAME before Postfix",
      { environment: { MAILNAME: "mx7.example.net" }, files: { "/etc/postfix/main.cf": MAIN_CF } },
      "mx7.example.net",
    ],
    ["else what is answered", { answers: ["post.example.org"] }, "post.example.org"],
    ["or what is usual", { answers: [""] }, "mail.example.org"],
    [
      "a myhostname made of variables is none",
      { files: { "/etc/postfix/main.cf": "myhostname = $hostname\n" }, answers: [""] },
      "mail.example.org",
    ],
  ])("%s", async (_reason, setup, host) => {
    const run = await zonepost(words, setup);
    expect(described(text(run)).servers[0]?.host).toBe(host);
  });

  it("--postfix looks elsewhere", async () => {
    const run = await zonepost([...words, "--postfix", "/srv/postfix"], {
      files: { "/srv/postfix/main.cf": MAIN_CF },
    });
    expect(described(text(run)).servers[0]?.host).toBe("mail7.example.net");
  });
});

describe("questions (R88)", () => {
  it("the first is what comes after the @; wrong answers are told why", async () => {
    const run = await zonepost(["init", "--output", "z.yaml"], {
      answers: [
        "example",
        "bob@example.com",
        "192.0.2.1",
        "mail.example.com",
        "mail",
        "192.0.2.1 2001:db8::1",
      ],
    });
    expect(run.exitCode).toBe(0);
    expect(run.questions).toEqual([
      "What comes after the @ of your mail addresses? ",
      "What comes after the @ of your mail addresses? ",
      "What is your mail server called? [mail.example.com] ",
      "What is your mail server called? [mail.example.com] ",
      "Which addresses does mail.example.com have? (IPv4 and IPv6, with spaces between) ",
      "Which addresses does mail.example.com have? (IPv4 and IPv6, with spaces between) ",
    ]);
    expect(run.err).toBe(
      [
        '  "example" is not a mail domain such as example.org',
        '  "192.0.2.1" is an address; a mail server needs a host name',
        '  "mail" is not an IPv4 address',
        "",
      ].join("\n"),
    );
    expect(described(text(run)).domains[0]?.domain).toBe("example.com");
  });

  it("end after a few wrong answers", async () => {
    const run = await zonepost(["init"], { answers: Array(9).fill("-") });
    expect(run).toMatchObject({ exitCode: 64, files: {} });
    expect(run.questions).toHaveLength(5);
    expect(run.err).toMatch(/zonepost: no usable answer; give --domain\n$/);
  });
});

describe("what is refused, with nothing written", () => {
  it.each<[reason: string, words: readonly string[], setup: CliSetup, problem: string]>([
    ["nobody to ask for the domain", ["init"], {}, "--domain is missing, and nobody is here to be asked"],
    ["nobody to ask for the addresses", FLAGS, {}, "--address is missing, and nobody is here to be asked"],
    [
      "an address that is none",
      [...FLAGS, "--address", "192.0.2.300"],
      {},
      '--address: "192.0.2.300" is not an IPv4 address',
    ],
    [
      "a host that is an address",
      ["init", "--domain", "example.org", "--host", "192.0.2.1"],
      {},
      '--host: "192.0.2.1" is an address; a mail server needs a host name',
    ],
    [
      "a bare MAILNAME",
      ["init", "--domain", "example.org"],
      { environment: { MAILNAME: "localhost" } },
      'MAILNAME (--host overrules it): "localhost" is not a full host name; write it with its domain, as in mail.example.org',
    ],
    [
      "a domain that is none",
      ["init", "--domain", "example"],
      {},
      '--domain: "example" is not a mail domain such as example.org',
    ],
    [
      "an impossible selector",
      [...FLAGS, "--address", "192.0.2.1", "--selector", "a._domainkey"],
      {},
      '--selector: "a._domainkey" is an owner name; the selector is only what precedes ._domainkey',
    ],
    [
      "a key file that is not there",
      [...FLAGS, "--address", "192.0.2.1", "--dkim-key", "k"],
      {},
      "cannot read k: there is no such file",
    ],
    [
      "a key that is none",
      [...FLAGS, "--address", "192.0.2.1", "--dkim-key", "k"],
      { files: { k: "!" } },
      "--dkim-key k: this is neither PEM nor base64 nor a DKIM record",
    ],
  ])("%s", async (_reason, words, setup, problem) => {
    const run = await zonepost(words, setup);
    expect(run).toMatchObject({ exitCode: 64, out: "", files: setup.files ?? {} });
    expect(run.err).toBe(`zonepost: ${problem}\n`);
  });

  it("a file that exists, before anything is asked; --force writes it anew", async () => {
    const files = { "z.yaml": "mine" };
    const refused = await init([], { files, answers: [] });
    expect(refused).toMatchObject({ exitCode: 64, files, questions: [] });
    expect(refused.err).toBe(
      "zonepost: z.yaml exists already; name another file with --output, or overwrite it with --force\n",
    );
    expect(text(await init(["--address", "192.0.2.1", "--force"], { files }))).toMatch(
      /^# What Zonepost knows/,
    );
  });
});
