/** Published by strangers: a check takes bounded work, throws nothing, and prints nothing that steers a terminal. */
import { describe, expect, it } from "vitest";
import { txtLine } from "../../test/support/broken-worlds.ts";
import { BARE, DOMAIN, HEALTHY } from "../../test/support/healthy-world.ts";
import { edited, tableWorld } from "../../test/support/table-world.ts";
import { quietLines, reportText } from "../interface/cli/report-text.ts";
import { createStyle, type Terminal } from "../interface/cli/terminal.ts";
import { lookupCommands, shellWord } from "../records/command.ts";
import { domainName } from "../standards/dns/name.ts";
import { CATALOGUE } from "./catalogue.ts";
import { checkDomain } from "./check.ts";

const TERMINAL: Terminal = {
  out: () => undefined,
  err: () => undefined,
  isInteractive: false,
  outIsScreen: false,
  style: createStyle(false),
  columns: 100,
};

/** In an ordinary world some eighty questions are asked; in none more than these. */
const MAX_QUESTIONS = 1500;
/** What a person may have to scroll through. */
const MAX_TEXT_CHARACTERS = 1_000_000;

const many = <T>(count: number, line: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => line(at));
const CONTROL = "\u0000\u0007\u0008\u001b[2J\u001b]0;owned\u0007\r\u007f\u0080\u009b31m";

const WORLDS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  [
    "control characters in every text",
    [
      "example.org TXT",
      "_dmarc.example.org",
      "default._domainkey.example.org",
      "_mta-sts.example.org",
      "_smtp._tls.example.org",
      "default._bimi.example.org",
    ],
    [
      txtLine("example.org", `v=spf1 mx ${CONTROL} ~all`),
      txtLine(
        "_dmarc.example.org",
        `v=DMARC1; p=${CONTROL}; rua=mailto:a${CONTROL}@example.org; ${CONTROL}=1`,
      ),
      txtLine("_dmarc.example.org", CONTROL),
      txtLine("default._domainkey.example.org", `v=DKIM1; ${CONTROL}=1; p=${CONTROL}`),
      txtLine("_mta-sts.example.org", `v=STSv1; id=${CONTROL};`),
      txtLine("_smtp._tls.example.org", `v=TLSRPTv1; rua=${CONTROL}`),
      txtLine("default._bimi.example.org", `v=BIMI1; l=${CONTROL}`),
      `example.org. CAA 0 issue "\\027[2J\\007"`,
    ],
  ],
  [
    "control characters in names",
    ["example.org MX"],
    [
      "example.org. MX 10 a\\027[2Jb\\007.example.org.",
      "a\\027[2Jb\\007.example.org. A 192.0.2.25",
      "_imaps._tcp.example.org. SRV 0 1 993 \\027\\155.example.org.",
      "25.2.0.192.in-addr.arpa. PTR \\027[31m.example.net.",
    ],
  ],
  [
    "64 kB at the apex",
    ["example.org TXT"],
    [txtLine("example.org", `v=spf1 mx ${"a".repeat(60_000)} ~all`)],
  ],
  [
    "a thousand texts at the apex",
    [],
    many(1000, (at) => txtLine("example.org", `v=spf1 ip4:192.0.2.1 exp=e${at}.example -all`)),
  ],
  [
    "thirty thousand semicolons",
    ["_dmarc.example.org"],
    [txtLine("_dmarc.example.org", `v=DMARC1;${" ;".repeat(30_000)}`)],
  ],
  [
    "a thousand keys at one selector",
    [],
    many(1000, (at) => txtLine("default._domainkey.example.org", `v=DKIM1; p=${at}`)),
  ],
  [
    "ten thousand tags in a key",
    ["default._domainkey.example.org"],
    [txtLine("default._domainkey.example.org", `v=DKIM1; ${"x=1; ".repeat(10_000)}p=`)],
  ],
  ["a thousand MX", [], many(1000, (at) => `example.org. MX 10 mx${at}.example.org.`)],
  [
    "a hundred MX with a hundred addresses each",
    [],
    many(100, (at) => at).flatMap((at) => [
      `example.org. MX 5 mx${at}.example.org.`,
      ...many(100, (octet) => `mx${at}.example.org. A 192.0.2.${octet}`),
    ]),
  ],
  [
    "a hundred names for the address",
    [],
    many(100, (at) => `25.2.0.192.in-addr.arpa. PTR p${at}.example.net.`),
  ],
  [
    "a thousand servers for a service",
    [],
    many(1000, (at) => `_imaps._tcp.example.org. SRV 0 1 993 i${at}.example.org.`),
  ],
  [
    "a thousand receivers of reports",
    ["_dmarc.example.org"],
    [
      txtLine(
        "_dmarc.example.org",
        `v=DMARC1; p=reject; rua=${many(1000, (at) => `mailto:a@r${at}.example.net`).join(",")}`,
      ),
    ],
  ],
  ["a thousand CAA", [], many(1000, (at) => `example.org. CAA 0 issue "ca${at}.example"`)],
  [
    "a thousand TLSA",
    [],
    many(1000, (at) => `_25._tcp.mail.example.org. TLSA 3 1 1 ${at.toString(16).padStart(64, "0")}`),
  ],
  ["a thousand name servers", [], many(1000, (at) => `example.org. NS n${at}.example.org.`)],
  [
    "aliases in a circle",
    ["mail.example.org", "_dmarc.example.org"],
    [
      "mail.example.org. CNAME a.example.org.",
      "a.example.org. CNAME b.example.org.",
      "b.example.org. CNAME a.example.org.",
      "_dmarc.example.org. CNAME _dmarc.example.org.",
    ],
  ],
  [
    "a chain of aliases",
    ["mail.example.org"],
    [
      "mail.example.org. CNAME c0.example.org.",
      ...many(100, (at) => `c${at}.example.org. CNAME c${at + 1}.example.org.`),
    ],
  ],
  [
    "an SPF tree that doubles at every step",
    ["example.org TXT"],
    [
      txtLine("example.org", "v=spf1 include:s0.example.net include:s0.example.net -all"),
      ...many(30, (at) =>
        txtLine(
          `s${at}.example.net`,
          `v=spf1 include:s${at + 1}.example.net include:s${at + 1}.example.net -all`,
        ),
      ),
    ],
  ],
  [
    "an SPF tree as wide as a record",
    ["example.org TXT"],
    [
      txtLine(
        "example.org",
        `v=spf1 ${many(600, (at) => `include:w${at}.example.net mx:w${at}.example.net a:w${at}.example.net exists:%{i}.w${at}.example.net`).join(" ")} -all`,
      ),
      ...many(1000, (at) => txtLine(`w${at}.example.net`, "v=spf1 mx a -all")),
    ],
  ],
  [
    "macros that grow",
    ["example.org TXT"],
    [
      txtLine(
        "example.org",
        `v=spf1 ${many(200, () => `exists:${"%{l}%{s}%{h}".repeat(20)}.example.net`).join(" ")} -all`,
      ),
    ],
  ],
  [
    "a wildcard for everything",
    ["default._domainkey.example.org"],
    [
      "*.example.org. A 192.0.2.80",
      "*.example.org. MX 10 mail.example.org.",
      txtLine("*.example.org", "v=spf1 -all"),
      txtLine("*._domainkey.example.org", "v=DKIM1; p="),
      "*._tcp.example.org. SRV 0 1 1 .",
    ],
  ],
];

describe.each(WORLDS)("%s", (_, without, add) => {
  const world = tableWorld({ zone: edited(HEALTHY, { without, add }) });
  const report = checkDomain(DOMAIN, world, BARE);

  it("takes bounded work, and has something to say", async () => {
    expect((await report).findings.length).toBeGreaterThan(10);
    expect(world.asked.length).toBeLessThan(MAX_QUESTIONS);
  });

  it("prints nothing that steers a terminal, and not without end", async () => {
    const text = reportText(await report, { showFine: true }, TERMINAL) + quietLines(await report, TERMINAL);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect(text.length).toBeLessThan(MAX_TEXT_CHARACTERS);
  });
});

describe("names from strangers", () => {
  it.each([
    ["a`reboot`.example.org", "a command in backticks"],
    ["a|b&c.example.org", "a pipe and a background job"],
    ["a'b.example.org", "a quotation mark"],
    ["a\\$\\(b\\).example.org", "a substitution"],
  ])("%s cannot leave a command to copy: %s", async (text) => {
    const host = domainName(text);
    const zone = edited(HEALTHY, {
      without: ["example.org MX"],
      add: [`example.org. MX 10 ${host}.`, `${host}. A 192.0.2.25`, `_25._tcp.${host}. TLSA 3 1 1 00`],
    });
    const { findings } = await checkDomain(DOMAIN, tableWorld({ zone }), BARE);
    const about = findings.filter(
      ({ verify }) => verify.includes(host.slice(0, 2)) && verify.includes("example.org"),
    );
    const bare = about.filter(({ verify }) => /[`|&$;()]/.test(verify.replace(/'(?:[^']|'\\'')*'/g, "")));
    expect(bare.map(({ verify }) => verify)).toEqual([]);
    expect(shellWord(host)).toMatch(/^'/);
    expect(lookupCommands(host, "A").dig).toContain(shellWord(host));
  });

  it.each([
    [244, "no room below it"],
    [200, "hardly any room below it"],
  ])("a domain of %i characters: %s", async (length) => {
    const labels = "a".repeat(60);
    const domain = domainName(`${labels}.${labels}.${labels}.${"b".repeat(60)}`.slice(-length));
    const { findings } = await checkDomain(
      domain,
      tableWorld({ zone: `${HEALTHY}\n${domain}. A 192.0.2.80` }),
      BARE,
    );
    expect(findings.length).toBeGreaterThan(0);
    for (const { code } of findings) expect(Object.keys(CATALOGUE)).toContain(code);
  });

  it("a mail host whose name has no room for a TLSA record", async () => {
    const host = domainName(`${["a", "b", "c", "d"].map((letter) => letter.repeat(60)).join(".")}.x.org`);
    const zone = edited(HEALTHY, {
      without: ["example.org MX"],
      add: [`example.org. MX 10 ${host}.`, `${host}. A 192.0.2.25`],
    });
    const { findings } = await checkDomain(DOMAIN, tableWorld({ zone }), BARE);
    expect(findings.map(({ code }) => code)).toContain("mx-ok");
  });
});
