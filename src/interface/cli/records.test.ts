import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { zonepost } from "../../../test/support/cli.ts";
import { FORMATS } from "../../records/format.ts";

const KEY =
  "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYArsr2BKbdhv9efugByf7LhaKtxFUt0ec5+1dWmcDv0WH0qZLFK711sibNN5LutvnaiuH" +
  "+w3Kr8Ylbw8gq2j0UBokFcMycUvOBd7nsYn/TUrOua3Nns+qKSJBy88IWSh2zHaGbjRYujyWSTjlPELJ0H+5EV711qseo/omquskkwIDAQAB";

const DESCRIPTION = `servers:
  - host: mail.example.com
    addresses: 192.0.2.1
domains:
  - domain: example.com
    dkim: [{ selector: default, file: keys/default.txt }]
    mtaSts: {}
  - domain: bücher.example
    clientSetup: false
`;
const files = { "etc/zonepost.yaml": DESCRIPTION, "etc/keys/default.txt": `v=DKIM1; p=${KEY}` };
const records = (words: readonly string[] = [], setup = {}) =>
  zonepost(["records", "--config", "etc/zonepost.yaml", ...words], { files, ...setup });

describe("zonepost records", () => {
  it("prints a table of each zone, the letter, the policy and what else is to be said", async () => {
    const { exitCode, out, err } = await records(["example.com"]);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(out).toBe(`Zone example.com

TYPE   NAME                TTL    IMPORTANCE   VALUE
MX     @                   3600   required     10 mail.example.com
A      mail                3600   required     192.0.2.1
TXT    mail                3600   recommended  v=spf1 a -all
TXT    @                   3600   recommended  v=spf1 mx a ip4:192.0.2.1 ~all
TXT    default._domainkey  3600   recommended  v=DKIM1; k=rsa; p=${KEY}
TXT    _dmarc              3600   recommended  v=DMARC1; p=none; rua=mailto:dmarc@example.com
CNAME  mta-sts             3600   optional     mail.example.com
TXT    _mta-sts            3600   optional     v=STSv1; id=be6a844a94b9834664e5;
SRV    _submissions._tcp   18000  optional     0 1 465 mail.example.com
SRV    _imaps._tcp         18000  optional     0 1 993 mail.example.com
CNAME  autoconfig          3600   optional     mail.example.com
CNAME  autodiscover        3600   optional     mail.example.com
SRV    _autodiscover._tcp  18000  optional     0 1 443 mail.example.com

For others to create: the owners of the addresses, or of another zone

TYPE  NAME                    TTL   IMPORTANCE   VALUE
PTR   1.2.0.192.in-addr.arpa  3600  recommended  mail.example.com

Ready to send to the owner of the addresses:

    Subject: Reverse DNS for 192.0.2.1

    Please set the reverse DNS (PTR) of our address:

      192.0.2.1  →  mail.example.com

    As zone lines:

      1.2.0.192.in-addr.arpa. IN PTR mail.example.com.

    The forward records exist; this shows them:

      dig A mail.example.com

    The server sends mail and gives this name in HELO, so both directions have to agree (RFC 8601 §3).

To serve at https://mta-sts.example.com/.well-known/mta-sts.txt

    version: STSv1
    mode: testing
    mx: mail.example.com
    max_age: 86400

· mail.example.com: it has no IPv6 address, so no AAAA is planned; that is allowed, and IPv6 is
  recommended

zonepost records --details says why each exists and what to type to see it.
`);
  });

  it("shortens a long value on a screen, and nowhere else", async () => {
    const onScreen = await records([], { isInteractive: true, columns: 100 });
    expect(onScreen.out).not.toContain(KEY);
    expect(onScreen.out).toMatch(/v=DKIM1; k=rsa; p=MIGf\S+…$/m);
    expect((await records([])).out).toContain(KEY);
  });

  it("--details says why, whose task it is, and what to type (R15, R80)", async () => {
    const { out } = await records(["--details"]);
    expect(out).toContain(`  MX @  TTL 3600, required, created by you
    10 mail.example.com
    mail for example.com goes to mail.example.com: preference 10 is tried first (RFC 5321 §5.1)
    dig MX example.com  |  nslookup -type=MX example.com  |  host -t MX example.com
`);
    expect(out).toContain("created by the owner of the address");
    expect(out).toContain(
      "    Careful: 1024 bits are too few today: make a key of 2048 bits (RFC 8301 §3.2)",
    );
    expect(out).toContain("    dig -x 192.0.2.1  |  nslookup 192.0.2.1  |  host 192.0.2.1");
  });

  it("the host in example.com stays with its own domain", async () => {
    const { out } = await records(["bücher.example"]);
    expect(out).toMatch(/^Zone xn--bcher-kva\.example \(bücher\.example\)\n/);
    expect(out).not.toMatch(/ PTR |192\.0\.2\.1$/m);
  });

  it("a domain named twice is one", async () => {
    const once = await records(["example.com"]);
    expect((await records(["example.com", "EXAMPLE.COM.", "bob@example.com"])).out).toBe(once.out);
  });

  it.each(FORMATS)("--format %s", async (format) => {
    const { exitCode, out, err } = await records(["--format", format]);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(out).toMatch(/\S\r?\n$/);
    expect(out).toContain("mail.example.com");
  });

  it("--json is --format json", async () => {
    expect((await records(["--json"])).out).toBe((await records(["--format", "json"])).out);
  });

  it("--name-style writes names as the host's form wants them", async () => {
    expect((await records(["--name-style", "dotted"])).out).toMatch(/^MX +example\.com\. +3600 /m);
  });
});

describe("what is refused", () => {
  it.each<[reason: string, words: readonly string[], problem: string]>([
    [
      "a domain mistyped",
      ["exampel.com"],
      'zonepost: the description has no domain "exampel.com"; did you mean example.com?\n',
    ],
    [
      "a domain that is not there",
      ["elsewhere.test"],
      'zonepost: the description has no domain "elsewhere.test"; it has example.com, xn--bcher-kva.example\n',
    ],
    [
      "an address",
      ["192.0.2.1"],
      'zonepost: "192.0.2.1" is an address; a domain belongs here, as in example.org\n',
    ],
  ])("%s", async (_reason, words, problem) => {
    expect(await records(words)).toMatchObject({ exitCode: 64, out: "", err: problem });
  });

  it("a format mistyped", async () => {
    const { exitCode, err } = await records(["--format", "zoen"]);
    expect(exitCode).toBe(64);
    expect(err).toContain("zone");
  });

  it("no description", async () => {
    expect(await zonepost(["records"])).toMatchObject({
      exitCode: 64,
      err: "zonepost: cannot read zonepost.yaml: there is no such file\n",
    });
  });

  it("a description that is wrong: each problem with its place", async () => {
    const broken = DESCRIPTION.replace("192.0.2.1", "192.0.2.300").replace("clientSetup", "clientsetup");
    const { exitCode, err } = await records([], { files: { "etc/zonepost.yaml": broken } });
    expect(exitCode).toBe(64);
    expect(err.split("\n")).toEqual([
      'zonepost: etc/zonepost.yaml:3: servers[0].addresses: "192.0.2.300" is not an IPv4 address',
      'zonepost: etc/zonepost.yaml:9: domains[1].clientsetup: unknown key "clientsetup"; did you mean "clientSetup"?',
      "",
    ]);
  });

  it("a key file that is not beside it", async () => {
    const { err } = await records([], { files: { "etc/zonepost.yaml": DESCRIPTION } });
    expect(err).toBe(
      "zonepost: etc/zonepost.yaml:6: domains[0].dkim[0].file: cannot read etc/keys/default.txt: there is no such file\n",
    );
  });

  it("thousands of problems, of which fifty are enough", async () => {
    const wrong = `domains:\n${Array.from({ length: 1_000 }, () => "  - domain: '@'\n").join("")}`;
    const { err } = await records([], { files: { "etc/zonepost.yaml": wrong } });
    expect(err.trimEnd().split("\n")).toHaveLength(51);
    expect(err).toMatch(/and 950 more\n$/);
  });
});

it("zonepost schema prints the JSON Schema of the description", async () => {
  const { exitCode, out } = await zonepost(["schema"]);
  const schema = JSON.parse(out);
  expect(exitCode).toBe(0);
  expect(schema).toMatchObject({ $schema: expect.stringContaining("json-schema.org"), type: "object" });
  for (const key of Object.keys(parse(DESCRIPTION))) expect(schema.properties).toHaveProperty(key);
});

describe("zonepost records --dns-host", () => {
  const silent = {
    files: {
      ...files,
      "etc/zonepost.yaml": `${DESCRIPTION}  - { domain: example.net, receives: false, sends: false }\n`,
    },
  };

  it("prints the form of the host, and what it cannot hold", async () => {
    const { exitCode, out } = await records(["example.com", "example.net", "--dns-host", "loopia"], silent);
    expect(exitCode).toBe(0);
    expect(out).toContain("In the form of Loopia, for example.com");
    expect(out).toContain("Type: MX | Name: @ | Priority: 10 | Value: mail.example.com | TTL: 3600");
    expect(out).toMatch(/What Loopia cannot hold\n\nexample\.net: .*exchange "\."/);
    expect(out).toContain("How the form of Loopia looks is not known here");
    expect(out).toContain("1.2.0.192.in-addr.arpa. IN PTR mail.example.com.");
  });

  it("says nothing of limits where there are none", async () => {
    const { out } = await records(["example.com", "--dns-host", "cloudflare"]);
    expect(out).toContain("Mail server: mail.example.com");
    expect(out).not.toContain("cannot hold");
    expect(out).not.toContain("not known here");
  });

  it("has both as JSON", async () => {
    const { out } = await records(["--dns-host", "loopia", "--json"], silent);
    const { host, records: list } = JSON.parse(out) as {
      host: object;
      records: {
        owner: string;
        fields: { key: string; value: string }[] | null;
        cannotStore: string | null;
      }[];
    };
    expect(host).toEqual({ id: "loopia", name: "Loopia" });
    expect(list.flatMap(({ cannotStore }) => cannotStore ?? [])).toEqual([
      expect.stringContaining("receives no mail either"),
    ]);
    expect(list.find(({ owner }) => owner.endsWith(".arpa"))?.fields).toBeNull();
  });

  it("lists the hosts, without a description", async () => {
    const { exitCode, out } = await zonepost(["records", "--dns-host", "list"]);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^hetzner +Hetzner DNS +hydrogen\.ns\.hetzner\.com/m);
  });

  it("suggests what was probably meant", async () => {
    const { exitCode, err } = await records(["--dns-host", "cloudfare"]);
    expect({ exitCode, err }).toEqual({
      exitCode: 64,
      err: 'zonepost: no DNS host "cloudfare" is known; did you mean cloudflare? --dns-host list names them all\n',
    });
  });
});
