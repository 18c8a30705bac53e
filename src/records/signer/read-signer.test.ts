import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { dkimFingerprint, dkimPublicKeyOf } from "../../standards/dkim/public-key.ts";
import { domainName } from "../../standards/dns/name.ts";
import type { FileRead } from "./configuration.ts";
import { publicHalfOf } from "./key-file.ts";
import { globMatches } from "./key-table.ts";
import { readSigner, recognizeSigner, signedDomains, signingOf } from "./read-signer.ts";

const RSA = generateKeyPairSync("rsa", { modulusLength: 1024 });
const ED = generateKeyPairSync("ed25519");
const PEM = RSA.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
const SEED = Buffer.from(ED.privateKey.export({ format: "jwk" }).d!, "base64url");
const PUBLIC = Buffer.from(ED.publicKey.export({ format: "jwk" }).x!, "base64url");

type Files = Readonly<Record<string, string>>;
const DENIED = "denied";
const reader =
  (files: Files) =>
  (path: string): FileRead => {
    const text = files[path];
    if (text === DENIED) return { status: "refused", problem: "you may not read it" };
    return text === undefined
      ? { status: "absent", problem: "there is no such file" }
      : { status: "read", text };
  };

function read(path: string, text: string, files: Files = {}) {
  const parsed = readSigner(path, text, reader(files));
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.value;
}

/** "selector d=domain file", as the signer uses them for mail of `domain`. */
function uses(path: string, text: string, domain: string, files: Files = {}, organization = "example.org") {
  const asked: string[] = [];
  const readFile = (file: string) => {
    asked.push(file);
    return reader(files)(file);
  };
  const of = signingOf(read(path, text, files), readFile, () => domainName(organization));
  const { keys, signedAs, isComplete } = of(domainName(domain));
  return { keys: keys.map(({ dkimSelector }) => dkimSelector), signedAs, isComplete, asked };
}

const TABLES = `# Debian's order
Syslog                  yes
Mode                    sv
KeyTable                /etc/opendkim/key.table   # all keys
SigningTable            refile:/etc/opendkim/signing.table
ExternalIgnoreList      /etc/opendkim/trusted.hosts
`;
const KEY_TABLE = `mail._domainkey.example.org example.org:mail:/etc/opendkim/keys/example.org/mail.private
net example.net:2026:/etc/opendkim/keys/net.private
any %:shared:/etc/opendkim/keys/%/shared.private
`;
const tables = (signing: string): Files => ({
  "/etc/opendkim/key.table": KEY_TABLE,
  "/etc/opendkim/signing.table": signing,
});
const PLAIN = "Domain example.org, example.net\nSelector mail\nKeyFile /etc/dkimkeys/mail.private\n";

describe("OpenDKIM", () => {
  it.each<[why: string, text: string, files: Files, domain: string, keys: string[], signedAs: string[]]>([
    ["Domain, Selector and KeyFile", PLAIN, {}, "example.org", ["mail"], []],
    ["each domain of the list", PLAIN, {}, "example.net", ["mail"], []],
    ["no other domain", PLAIN, {}, "example.com", [], []],
    ["not what lies below it", PLAIN, {}, "sub.example.org", [], []],
    ["unless SubDomains says so", `${PLAIN}SubDomains yes\n`, {}, "sub.example.org", [], ["example.org"]],
    ["settings in any case; the last counts", `${PLAIN}selector MAIL2\n`, {}, "example.org", ["mail2"], []],
    ["Mode v signs nothing", `${PLAIN}Mode v\n`, {}, "example.org", [], []],
    [
      "a list of domains in a file",
      "Domain file:/d\nSelector s\nKeyFile k\n",
      { "/d": "example.org\n" },
      "example.org",
      ["s"],
      [],
    ],
    ["a pattern", TABLES, tables("*@example.org mail._domainkey.example.org\n"), "example.org", ["mail"], []],
    ["a pattern of another domain", TABLES, tables("*@example.org any\n"), "example.net", [], []],
    [
      "a pattern for what lies below",
      TABLES,
      tables("*@*.example.org net"),
      "a.example.org",
      [],
      ["example.net"],
    ],
    [
      "the first pattern that takes all mail ends it",
      TABLES,
      tables("*@example.org net\n* any"),
      "example.org",
      [],
      ["example.net"],
    ],
    [
      "one person's pattern does not",
      TABLES,
      tables("boss@example.org any\n*@example.org net"),
      "example.org",
      ["shared"],
      ["example.net"],
    ],
    [
      "with MultipleSignatures all sign",
      `${TABLES}MultipleSignatures yes`,
      tables("* net\n* any"),
      "example.org",
      ["shared"],
      ["example.net"],
    ],
    ["% is the sender's domain", TABLES, tables("* any"), "example.com", ["shared"], []],
    ["d= of other people's mail", TABLES, tables("*@example.com net"), "example.net", ["2026"], []],
    [
      "a KeyTable makes Domain and Selector nothing",
      `${PLAIN}${TABLES}`,
      tables("*@example.net net"),
      "example.org",
      [],
      [],
    ],
    [
      "a table that names hosts as they are",
      TABLES.replace("refile:", "file:"),
      tables("example.org any"),
      "example.org",
      ["shared"],
      [],
    ],
    [
      "there the nearest name counts, wherever it stands",
      TABLES.replace("refile:", ""),
      tables("* net\n.example.org net\na.example.org any"),
      "a.example.org",
      ["shared"],
      [],
    ],
    [
      "there a dot stands for all below",
      TABLES.replace("refile:", "file:"),
      tables(".example.org any"),
      "a.b.example.org",
      ["shared"],
      [],
    ],
    [
      "and not for the domain itself",
      TABLES.replace("refile:", "file:"),
      tables(".example.org any"),
      "example.org",
      [],
      [],
    ],
    [
      "tables in the configuration itself",
      "KeyTable csl:k=example.org:inline:/k\nSigningTable example.org=k\n",
      {},
      "example.org",
      ["inline"],
      [],
    ],
    [
      "an included file",
      "Include /etc/more.conf\n",
      { "/etc/more.conf": PLAIN },
      "example.org",
      ["mail"],
      [],
    ],
  ])("%s", (_, text, files, domain, keys, signedAs) => {
    expect(uses("/etc/opendkim.conf", text, domain, files)).toMatchObject({
      keys,
      signedAs,
      isComplete: true,
    });
  });

  it("puts the domain into the path, and looks beside the configuration", () => {
    expect(uses("/etc/opendkim.conf", TABLES, "example.com", tables("* any")).asked).toEqual([
      "/etc/opendkim/keys/example.com/shared.private",
    ]);
    const plain = "Domain example.org\nSelector s\nKeyFile keys/s.private\n";
    expect(uses("/etc/opendkim.conf", plain, "example.org").asked).toEqual(["/etc/keys/s.private"]);
  });

  it.each<[why: string, text: string, files: Files, line: number, problem: string, isComplete: boolean]>([
    [
      "a table that is not there",
      TABLES,
      {},
      4,
      "cannot read /etc/opendkim/key.table: there is no such file",
      false,
    ],
    [
      "a table that may not be read",
      TABLES,
      { ...tables(""), "/etc/opendkim/key.table": DENIED },
      4,
      "you may not read it",
      false,
    ],
    [
      "a database",
      "KeyTable dsn:mysql://x\nSigningTable refile:/s",
      { "/s": "" },
      1,
      "is not looked into",
      false,
    ],
    [
      "a key that no table has",
      TABLES,
      tables("*@example.org none"),
      1,
      '"none", which no KeyTable has',
      false,
    ],
    [
      "a domain where a pattern belongs",
      TABLES,
      tables("example.org net"),
      1,
      "matches no address: write *@",
      true,
    ],
    ["a KeyTable alone", "KeyTable csl:a=b.example:c:/d", {}, 1, "no SigningTable", true],
    ["a selector alone", "Domain example.org\nSelector s\n", {}, 2, "the KeyFile for it is missing", true],
    [
      "a row without a key",
      TABLES,
      { ...tables(""), "/etc/opendkim/key.table": "a\nb example.org:s" },
      1,
      "is not `name domain",
      false,
    ],
    [
      "a file that includes itself",
      "Include /a\nSelector s\n",
      { "/a": "Include /a" },
      1,
      "included too deep",
      false,
    ],
  ])("tells of %s", (_, text, files, line, problem, isComplete) => {
    const configuration = read("/etc/opendkim.conf", text, files);
    expect(configuration.problems[0]).toMatchObject({ place: { line } });
    expect(configuration.problems[0]!.problem).toContain(problem);
    expect(configuration.isComplete).toBe(isComplete);
  });
});

describe("dkimpy-milter", () => {
  const BOTH = `Domain example.org
Selector rsa2026
KeyFile /etc/dkim/rsa.key
SelectorEd25519 ed2026
KeyFileEd25519 /etc/dkim/ed.key
`;
  it("signs with both keys", () => {
    const { keys, asked } = uses("/etc/dkimpy-milter/dkimpy-milter.conf", BOTH, "example.org");
    expect(keys).toEqual(["rsa2026", "ed2026"]);
    expect(asked).toEqual(["/etc/dkim/rsa.key", "/etc/dkim/ed.key"]);
  });

  it("joins the two KeyTables by their names", () => {
    const text = "KeyTable /k\nKeyTableEd25519 /e\nSigningTable refile:/s\n";
    const files = { "/k": "a example.org:r:/r", "/e": "a example.org:e:/e.key", "/s": "*@example.org a" };
    expect(uses("/etc/dkimpy-milter.conf", text, "example.org", files).keys).toEqual(["r", "e"]);
  });
});

describe("rspamd", () => {
  const PATH = "/etc/rspamd/local.d/dkim_signing.conf";
  const DEFAULT = "/var/lib/rspamd/dkim/example.org.dkim.key";
  it.each<[why: string, text: string, files: Files, keys: string[], asked?: string[]]>([
    [
      "a section of the domain",
      'domain { example.org { path = "/k/org.key"; selector = "s1"; } }',
      {},
      ["s1"],
      ["/k/org.key"],
    ],
    [
      "names in quotes, values without",
      'domain {\n  "example.org" {\n    selector = s1\n    path = /k/org.key\n  }\n}',
      {},
      ["s1"],
      ["/k/org.key"],
    ],
    [
      "JSON, as a dump has it",
      '{"dkim_signing": {"domain": {"example.org": {"selector": "s1", "path": "/k"}}}}',
      {},
      ["s1"],
      ["/k"],
    ],
    [
      "the whole section",
      'dkim_signing {\n domain { example.org { selector: "s1"; } }\n}',
      { "/var/lib/rspamd/dkim/example.org.s1.key": PEM },
      ["s1"],
    ],
    [
      "several selectors",
      'domain { example.org { selectors [ { path: "/a"; selector: "rsa" }, { path: "/b"; selector: "ed" } ] } }',
      {},
      ["rsa", "ed"],
      ["/a", "/b"],
    ],
    [
      "the default path, where its file is",
      'selector = "dkim";\npath = "/var/lib/rspamd/dkim/$domain.$selector.key";',
      { [DEFAULT]: PEM },
      ["dkim"],
      [DEFAULT],
    ],
    ["nothing, where it is not", 'selector = "dkim";', {}, [], [DEFAULT]],
    ["an empty file is the defaults", "# nothing\n", { [DEFAULT]: PEM }, ["dkim"]],
    ["DBDIR", `path = "$\{DBDIR}/k/$domain.key";`, { "/var/lib/rspamd/k/example.org.key": PEM }, ["dkim"]],
    ["no fallback", "try_fallback = false;\nselector = x;", { [DEFAULT]: PEM }, []],
    [
      "selector_map, with the common path",
      'selector_map = "/m";\npath = "/k/$selector.key";',
      { "/m": "# map\nexample.org s9\n" },
      ["s9"],
      ["/k/s9.key"],
    ],
    [
      "both maps",
      'selector_map = "file:///m";\npath_map = "/p";',
      { "/m": "example.org s9", "/p": "example.org /k/$domain.pem" },
      ["s9"],
      ["/k/example.org.pem"],
    ],
    ["a map in place", 'selector_map = ["example.org s9", "example.net s8"];', {}, ["s9"]],
    [
      "a section wins over the map",
      'domain { example.org { selector = a } }\nselector_map = "/m";',
      { "/m": "example.org b" },
      ["a"],
    ],
    [
      "one domain for all mail",
      'use_domain = "example.org";\nselector = "one";',
      { "/var/lib/rspamd/dkim/example.org.one.key": PEM },
      ["one"],
    ],
    ["switched off", "enabled = false;\nselector = a;", { [DEFAULT]: PEM }, []],
    [
      "tables of OpenDKIM",
      'signing_table = "/s";\nkey_table = "/t";',
      { "/s": "*@example.org k", "/t": "k example.org:t:/k" },
      ["t"],
      ["/k"],
    ],
    [
      "comments of both kinds",
      '/* domain { } */\n# }\ndomain { example.org { selector = "a#b"; selector = c; # last\n } }',
      {},
      ["c"],
    ],
  ])("%s", (_, text, files, keys, asked) => {
    const found = uses(PATH, text, "example.org", files);
    expect(found).toMatchObject({ keys, isComplete: true });
    if (asked !== undefined) expect(found.asked).toEqual(asked);
  });

  it("signs with the registrable domain, unless told", () => {
    const text = "domain { example.org { selector = a } }";
    expect(uses(PATH, text, "sub.example.org")).toMatchObject({ keys: [], signedAs: ["example.org"] });
    expect(uses(PATH, `${text}\nuse_esld = false;`, "sub.example.org")).toMatchObject({
      keys: [],
      signedAs: [],
    });
  });

  it("does not know whose key files are in a folder that is closed", () => {
    const files = { "/var/lib/rspamd/dkim/example.org.dkim.key": DENIED };
    expect(uses(PATH, "selector = dkim;", "example.org", files)).toMatchObject({
      keys: [],
      isComplete: false,
    });
  });

  it.each<[why: string, text: string, line: number, problem: string]>([
    ["an include", 'selector = a;\n.include(try=true) "$LOCAL_CONFDIR/x.conf"', 2, "is not followed"],
    ["Redis", "\nuse_redis = true;\nselector = a;", 2, "Redis"],
    ["a map of the web", 'selector_map = "https://example.org/m";', 1, "selector_map is not looked into"],
    ["a brace that is missing", "domain {\n example.org { selector = a;\n", 3, "a closing brace is missing"],
    ["a brace too many", "selector = a;\n}", 2, "a closing brace too many"],
    ["a quotation mark that is missing", 'selector = "a', 1, "a quotation mark is missing"],
    ["a selector that is none", 'domain { example.org { selector = "a b" } }', 1, '"a b" is no selector'],
    ["braces without end", `domain ${"{ a ".repeat(100)}`, 1, "more than 32"],
    ["brackets without end", `selectors = ${"[".repeat(5000)}`, 1, "more than 32"],
  ])("tells of %s", (_, text, line, problem) => {
    const { problems, isComplete } = read(PATH, text);
    expect(problems[0]).toMatchObject({ place: { line } });
    expect(problems[0]!.problem).toContain(problem);
    expect(isComplete).toBe(false);
  });
});

describe("amavisd", () => {
  const PATH = "/etc/amavisd.conf";
  const CONF = `use strict;
$mydomain = 'example.org';   # a convenient default
$MYHOME = "/var/amavis";
$enable_dkim_signing = 1;
# dkim_key('example.com', 'old', '/old.pem');
dkim_key('example.org', 'dkim', '/var/db/dkim/example.org.pem');
dkim_key("sub.$mydomain", "s2",
  "$MYHOME/sub.pem", h=>'sha256', s=>'email');
dkim_key($mydomain, 'second', '/var/db/dkim/second.pem');
@dkim_signature_options_bysender_maps = ({ '.' => { ttl => 21*24*3600, c => 'relaxed/simple' } });
1;
__END__
dkim_key('example.com', 'never', '/x.pem');
`;
  it.each<[why: string, domain: string, keys: string[], signedAs: string[]]>([
    ["every key of the domain", "example.org", ["dkim", "second"], []],
    ["variables, and calls over several lines", "sub.example.org", ["s2"], []],
    ["the parent's key for what has none", "other.example.org", [], ["example.org"]],
    ["neither comments nor what comes after the end", "example.com", [], []],
  ])("%s", (_, domain, keys, signedAs) => {
    expect(uses(PATH, CONF, domain)).toMatchObject({ keys, signedAs, isComplete: true });
  });

  it("reads the files that it names", () => {
    expect(uses(PATH, CONF, "sub.example.org").asked).toEqual(["/var/amavis/sub.pem"]);
    expect(signedDomains(read(PATH, CONF))).toEqual(["sub.example.org", "example.org"]);
  });

  it.each<[why: string, text: string, line: number, problem: string, isComplete: boolean]>([
    [
      "switched off",
      "\n$enable_dkim_signing = 0;\ndkim_key('example.org', 'a', '/a');",
      2,
      "nothing is signed",
      true,
    ],
    ["code in the place of a text", "dkim_key(domain(), 'a', '/a');", 1, "with plain texts", false],
    ["a variable from elsewhere", '\ndkim_key("$other", "a", "/a");', 2, "with plain texts", false],
    [
      "more files",
      "include_config_files('/etc/b');\ndkim_key('example.org','a','/a');",
      1,
      "reads more files",
      false,
    ],
    ["no selector", "dkim_key('example.org', 'a b', '/a');", 1, "is no selector", false],
  ])("tells of %s", (_, text, line, problem, isComplete) => {
    const configuration = read(PATH, text);
    expect(configuration.problems[0]).toMatchObject({ place: { line } });
    expect(configuration.problems[0]!.problem).toContain(problem);
    expect(configuration.isComplete).toBe(isComplete);
  });
});

describe("which program a configuration is of", () => {
  it.each([
    ["/x", "KeyFile /k\n", "opendkim"],
    ["/x", "KeyFileEd25519 /k\n", "dkimpy-milter"],
    ["/etc/dkimpy-milter.conf", "Selector a\n", "dkimpy-milter"],
    ["/x", "  dkim_key('example.org', 'a', '/k');\n", "amavisd"],
    ["/x", "# dkim_key('example.org', 'a', '/k');\n", undefined],
    ["/x", 'selector = "a";\n', "rspamd"],
    ["/etc/rspamd/local.d/dkim_signing.conf", "", "rspamd"],
    ["/etc/opendkim.conf", "Syslog yes\n", "opendkim"],
    ["/etc/postfix/main.cf", "myhostname = mail.example.org\n", undefined],
    ["/k", PEM, undefined],
  ])("%s with %j: %s", (path, text, format) => {
    expect(recognizeSigner(path, text)).toBe(format);
  });

  it("refuses what it does not know, without repeating it", () => {
    const refused = readSigner("/k", PEM, reader({}));
    expect(refused).toMatchObject({ ok: false });
    expect(JSON.stringify(refused)).not.toContain(PEM.slice(60, 90));
  });
});

describe("key files", () => {
  const fingerprint = (key: KeyObject) => {
    const half = dkimPublicKeyOf(key);
    return half.ok ? dkimFingerprint(half.value) : half.problem;
  };
  const der = (type: "pkcs1" | "pkcs8") => RSA.privateKey.export({ format: "der", type }).toString("base64");
  it.each<[why: string, text: string, expected: KeyObject]>([
    ["PKCS #8 in PEM", PEM, RSA.publicKey],
    ["PKCS #1 in PEM", RSA.privateKey.export({ format: "pem", type: "pkcs1" }).toString(), RSA.publicKey],
    ["Ed25519 in PEM", ED.privateKey.export({ format: "pem", type: "pkcs8" }).toString(), ED.publicKey],
    [
      "dkimpy's seed, which is not the public key that it looks like",
      `${SEED.toString("base64")}\n`,
      ED.publicKey,
    ],
    ["rspamd's seed and public key", Buffer.concat([SEED, PUBLIC]).toString("base64"), ED.publicKey],
    ["PKCS #8 in base64", der("pkcs8"), RSA.publicKey],
    ["PKCS #1 in base64", der("pkcs1"), RSA.publicKey],
  ])("%s", (_, text, expected) => {
    const half = publicHalfOf(text);
    expect(half.ok ? dkimFingerprint(half.value) : half.problem).toBe(fingerprint(expected));
  });

  it.each([
    ["nothing", ""],
    ["a word", "secret words!"],
    ["half a key", der("pkcs1").slice(0, 200)],
    ["far too much", "A".repeat(100_000)],
  ])("%s is no key, and is not repeated", (_, text) => {
    const half = publicHalfOf(text);
    expect(half.ok).toBe(false);
    if (text !== "") expect(JSON.stringify(half)).not.toContain(text.slice(0, 12));
  });

  it("a key in the place of a table is not repeated", () => {
    const secret = SEED.toString("base64");
    for (const wrong of [PEM, secret, `k example.org:${secret}:/k`, `${secret} k`]) {
      for (const table of ["/etc/opendkim/key.table", "/etc/opendkim/signing.table"]) {
        const { problems } = read("/etc/opendkim.conf", TABLES, { ...tables("* any"), [table]: wrong });
        const body = wrong.split("\n").find((line) => line.length > 40) ?? wrong;
        expect(JSON.stringify(problems)).not.toContain(body.slice(0, 30));
        expect(JSON.stringify(problems)).not.toContain(secret.slice(0, 30));
      }
    }
  });
});

describe("globs", () => {
  it.each([
    ["*", "", true],
    ["*.example.org", "a.b.example.org", true],
    ["*.example.org", "example.org", false],
    ["a*b*c", "a-b-b-c", true],
    ["a*b", "a-b-c", false],
    ["example.org", "example.org.net", false],
  ])("%s and %s: %s", (glob, text, expected) => {
    expect(globMatches(glob, text)).toBe(expected);
  });

  it("costs no more for hostile ones", () => {
    expect(globMatches(`${"*a".repeat(2000)}b`, "a".repeat(4000))).toBe(false);
  });
});

it.each<[why: string, path: string, text: string]>([
  ["empty lines", "/amavisd.conf", "\n".repeat(300_000)],
  ["empty lines of rspamd", "/dkim_signing.conf", "\n".repeat(300_000)],
  ["variables that double", "/amavisd.conf", `$a="xx";\n${'$a="$a$a";\n'.repeat(60)}dkim_key('a.b','c',$a)`],
  ["calls that never end", "/amavisd.conf", "dkim_key(".repeat(100_000)],
  ["blanks", "/opendkim.conf", `KeyFile${" ".repeat(300_000)}`],
  ["comments that never end", "/dkim_signing.conf", "/*".repeat(300_000)],
])(
  "hostile: %s",
  (_, path, text) => {
    expect(readSigner(path, text, reader({})).ok).toBe(true);
  },
  3000,
);

it("tens of thousands of domains are a matter of seconds", () => {
  const COUNT = 50_000;
  const keys = Array.from({ length: COUNT }, (_, at) => `k${at} d${at}.example:s:/k`).join("\n");
  const signing = Array.from({ length: COUNT }, (_, at) => `*@d${at}.example k${at}`).join("\n");
  const files = { "/etc/opendkim/key.table": keys, "/etc/opendkim/signing.table": signing };
  const of = signingOf(read("/etc/opendkim.conf", TABLES, files), reader(files), () => undefined);
  for (let at = 0; at < COUNT; at++) expect(of(domainName(`d${at}.example`)).keys.length).toBe(1);
}, 120_000);
