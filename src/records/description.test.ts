/** What is right in a description, and what each mistake is called: `path: problem`. */
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { described, GOLDEN_DOMAINS } from "../../test/support/golden.ts";
import { descriptionJsonSchema, MAX_DESCRIPTION_OCTETS, parseDescription } from "./description.ts";

const SERVER = "servers: [{ host: mail.example.org, addresses: 192.0.2.25 }]\n";
const KEY =
  "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDYArsr2BKbdhv9efugByf7LhaKtxFUt0ec5+1dWmcDv0WH0qZLFK711sibNN5LutvnaiuH" +
  "+w3Kr8Ylbw8gq2j0UBokFcMycUvOBd7nsYn/TUrOua3Nns+qKSJBy88IWSh2zHaGbjRYujyWSTjlPELJ0H+5EV711qseo/omquskkwIDAQAB";

/** A description with these lines about the one domain. */
const domain = (lines: string) =>
  `${SERVER}domains:\n  - domain: example.org\n${lines.replace(/^(?=.)/gm, "    ")}\n`;
const server = (lines: string) =>
  `servers:\n  - host: mail.example.org\n${lines.replace(/^(?=.)/gm, "    ")}\ndomains: [{ domain: example.org }]\n`;

const problems = (yaml: string, readFile?: (path: string) => string) => {
  const result = parseDescription(yaml, readFile);
  return result.ok
    ? []
    : result.problems.map(({ path, problem }) => (path === "" ? problem : `${path}: ${problem}`));
};

const long = `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(50)}.org`;

describe("mistakes", () => {
  it.each<[reason: string, yaml: string, ...problems: string[]]>([
    [
      "work on it would grow with the square",
      domain(`mx: [${Array.from({ length: 251 }, (_, at) => `m${at}.example.org`).join(", ")}]`),
      "domains[0].mx: holds 251 entries; 250 are the most",
    ],
    // the file as a whole
    ["an empty file", "", "the description is empty"],
    ["only comments", "# nothing yet\n", "the description is empty"],
    ["a list", "- a\n", "a group of keys belongs here, not a list"],
    ["a text", "hello", 'a group of keys belongs here, not the text "hello"'],
    ["no domains", SERVER, "domains: is missing"],
    [
      "domains with nothing behind it",
      `${SERVER}domains:\n`,
      "domains: nothing is written here; a list belongs here, or leave the key out",
    ],
    [
      "domains as a group",
      `${SERVER}domains: { domain: example.org }\n`,
      "domains: a list belongs here, not a group of keys",
    ],
    [
      "a domain as a text",
      `${SERVER}domains: [example.org]\n`,
      'domains[0]: a group of keys belongs here, not the text "example.org"',
    ],
    [
      "two documents",
      `${SERVER}---\n${SERVER}`,
      "several YAML documents (divided by ---); a description is one",
    ],
    ["the same key twice", `${SERVER}${SERVER}`, "not valid YAML: Map keys must be unique"],
    ["nesting without end", "[".repeat(50_000), "the YAML is nested too deeply"],
    [
      "an alias bomb",
      `a: &a [x, x]\nb: &b [${"*a,".repeat(20)}]\nc: &c [${"*b,".repeat(20)}]\nd: [${"*c,".repeat(20)}]\n`,
      "not usable YAML: Excessive alias count indicates a resource exhaustion attack",
    ],
    [
      "a key that means to be everybody's",
      `${SERVER}domains: []\n__proto__: { polluted: true }\n`,
      '__proto__: unknown key "__proto__"; the keys here are $schema, servers, domains, publish, milter, ttl',
    ],

    // keys
    ["a key mistyped", `server: []\ndomains: []\n`, 'server: unknown key "server"; did you mean "servers"?'],
    [
      "a key mistyped below",
      domain("dmarc: { polcy: reject }"),
      'domains[0].dmarc.polcy: unknown key "polcy"; did you mean "policy"?',
    ],
    [
      "a key of another place",
      domain("xmpp: { hosts: a.example.org }"),
      'domains[0].xmpp.hosts: unknown key "hosts"; did you mean "host"?',
    ],
    [
      "a key that is nowhere",
      domain("bimi: { logo: https://example.org/a.svg, colour: red }"),
      'domains[0].bimi.colour: unknown key "colour"; the keys here are logo, certificate, selector',
    ],
    ["no host", "servers: [{ addresses: 192.0.2.1 }]\ndomains: []\n", "servers[0].host: is missing"],

    // names and addresses in each other's place
    [
      "E8, R8 an address as mail server",
      domain("mx: [10.0.0.5]"),
      'domains[0].mx[0]: "10.0.0.5" is an address; an MX needs a host name',
    ],
    [
      "an address as mail server, with a preference",
      domain('mx: [{ host: "2001:db8::1", preference: 10 }]'),
      'domains[0].mx[0].host: "2001:db8::1" is an address; an MX needs a host name',
    ],
    [
      "an address as server",
      "servers: [{ host: 192.0.2.1, addresses: 192.0.2.1 }]\ndomains: []\n",
      'servers[0].host: "192.0.2.1" is an address; a server needs a host name',
    ],
    [
      "a name as address",
      server("addresses: mail.example.org"),
      'servers[0].addresses: "mail.example.org" is not an IPv4 address',
    ],
    [
      "E5 half an address",
      server('addresses: ["fdeb:37d7:ef39:e063"]'),
      'servers[0].addresses[0]: "fdeb:37d7:ef39:e063" is an incomplete IPv6 address: 4 of 8 groups',
    ],
    [
      "a network as address",
      server("addresses: [192.0.2.0/24]"),
      'servers[0].addresses[0]: "192.0.2.0/24" is not an IPv4 address',
    ],
    ["no address", server("addresses: []"), "servers[0].addresses: the list is empty; name at least one"],
    [
      "R88 a mail address as domain",
      `${SERVER}domains: [{ domain: bob@example.org }]\n`,
      'domains[0].domain: "bob@example.org" is an e-mail address; write what comes after the @: example.org',
    ],
    [
      "an address as domain",
      `${SERVER}domains: [{ domain: 192.0.2.1 }]\n`,
      'domains[0].domain: "192.0.2.1" is an address; a domain name belongs here',
    ],
    [
      "a domain of one label",
      `${SERVER}domains: [{ domain: localhost }]\n`,
      'domains[0].domain: "localhost" is not a mail domain such as example.org',
    ],
    [
      "a wildcard as domain",
      `${SERVER}domains: [{ domain: "*.example.org" }]\n`,
      'domains[0].domain: "*.example.org" is not a mail domain such as example.org',
    ],
    [
      "an empty domain",
      `${SERVER}domains: [{ domain: "" }]\n`,
      'domains[0].domain: "" is not a domain name: the name is empty',
    ],
    [
      "an empty label",
      `${SERVER}domains: [{ domain: example..org }]\n`,
      'domains[0].domain: "example..org" is not a domain name: an empty label at character 9',
    ],
    [
      "no room for the longest prefix",
      `${SERVER}domains: [{ domain: ${long} }]\n`,
      `domains[0].domain: "${long}" is too long: _autodiscover._tcp has to fit in front of it, in 255 octets`,
    ],
    [
      "a bare host name",
      domain("mx: [mail]"),
      'domains[0].mx[0]: "mail" is not a full host name; write it with its domain, as in mail.example.org',
    ],

    // kinds of values
    [
      "a number where a text belongs",
      domain("dkim: [{ selector: 2026, cname: a.example }]"),
      "domains[0].dkim[0].selector: a text belongs here, not the number 2026; put it in quotes",
    ],
    [
      "an address that YAML reads as a key",
      server("addresses:\n  - 2001:db8:::"),
      "servers[0].addresses[0]: a text belongs here, not a group of keys; put a text with a colon in quotes",
    ],
    [
      "a text where a list belongs",
      server("addresses: 192.0.2.1\nservices: smtp"),
      'servers[0].services: a list belongs here, not the text "smtp"; write [smtp]',
    ],
    [
      "a number in quotes",
      domain('mx: [{ host: mail.example.org, preference: "10" }]'),
      'domains[0].mx[0].preference: a number belongs here, not the text "10"; write it without quotes',
    ],
    [
      "half a number",
      domain("ttl: { A: 1.5 }"),
      "domains[0].ttl.A: a whole number belongs here, not the number 1.5",
    ],
    [
      "yes for true",
      domain("receives: yes"),
      'domains[0].receives: true or false belongs here, not the text "yes"',
    ],
    [
      "neither of two kinds",
      domain("clientSetup: maybe"),
      'domains[0].clientSetup: true or false or a group of keys belongs here, not the text "maybe"',
    ],
    [
      "nothing behind a key",
      domain("dkim:"),
      "domains[0].dkim: nothing is written here; a list belongs here, or leave the key out",
    ],
    [
      "a word that is none of them",
      domain("dmarc: { policy: rejct }"),
      'domains[0].dmarc.policy: "rejct" is none of none, quarantine, reject; did you mean "reject"?',
    ],
    [
      "a word far from all of them",
      domain("spf: { ending: hard }"),
      'domains[0].spf.ending: "hard" is none of softfail, fail, neutral',
    ],
    [
      "nothing but traps",
      domain("mx: [{ host: trap.example.org, trap: true }]"),
      "domains[0].mx: a trap takes no mail; name a server that does",
    ],
    [
      "a trap before a mail server",
      domain(
        "mx: [{ host: mail.example.org, preference: 20 }, { host: t.example.org, preference: 20, trap: true }]",
      ),
      "domains[0].mx[1].preference: a trap is tried last: say more than 20, or leave it out",
    ],
    [
      "a preference out of bounds",
      domain("mx: [{ host: mail.example.org, preference: 65536 }]"),
      "domains[0].mx[0].preference: must be 65535 or less, not 65536",
    ],
    ["a TTL below zero", domain("ttl: { default: -1 }"), "domains[0].ttl.default: must be 0 or more, not -1"],

    // SPF, DKIM, DMARC
    [
      "an include with its word",
      domain('spf: { include: ["include:_spf.esp.example"] }'),
      'domains[0].spf.include[0]: write "_spf.esp.example", without "include:"',
    ],
    [
      "an address as include",
      domain("spf: { include: [192.0.2.9] }"),
      'domains[0].spf.include[0]: "192.0.2.9" is an address; it belongs under spf.addresses',
    ],
    [
      "a blank in an include",
      domain("spf: { include: [a b.example] }"),
      'domains[0].spf.include[0]: "a b.example" is not a name that SPF can hold',
    ],
    [
      "a server that is none",
      domain("spf: { servers: [other.example.org] }"),
      'domains[0].spf.servers[0]: "other.example.org" is not among the servers',
    ],
    [
      "a prefix too long",
      domain("spf: { addresses: [192.0.2.0/33] }"),
      'domains[0].spf.addresses[0]: "/33" is not a prefix length of 0 to 32',
    ],
    [
      "two keys under one selector",
      domain("dkim: [{ selector: a, cname: a.example }, { selector: A, cname: b.example }]"),
      'domains[0].dkim[1].selector: "a" is used twice',
    ],
    [
      "a selector that is an owner name",
      domain("dkim: [{ selector: a._domainkey, cname: a.example }]"),
      'domains[0].dkim[0].selector: "a._domainkey" is an owner name; the selector is only what precedes ._domainkey',
    ],
    [
      "no key",
      domain("dkim: [{ selector: a }]"),
      "domains[0].dkim[0]: give exactly one of publicKey, file, cname",
    ],
    [
      "two keys in one",
      domain(`dkim: [{ selector: a, cname: a.example, publicKey: ${KEY} }]`),
      "domains[0].dkim[0]: give exactly one of publicKey, file, cname",
    ],
    [
      "a key that is none",
      domain('dkim: [{ selector: a, publicKey: "hello!" }]'),
      "domains[0].dkim[0].publicKey: this is neither PEM nor base64 nor a DKIM record",
    ],
    [
      "a key cut off",
      domain(`dkim: [{ selector: a, publicKey: ${KEY.slice(0, 100)} }]`),
      "domains[0].dkim[0].publicKey: it announces 162 octets and has 75",
    ],
    [
      "a revoked key",
      domain('dkim: [{ selector: a, publicKey: "v=DKIM1; p=" }]'),
      "domains[0].dkim[0].publicKey: the record revokes its key: p= is empty",
    ],
    [
      "a key file where none can be read",
      domain("dkim: [{ selector: a, file: a.txt }]"),
      'domains[0].dkim[0].file: "a.txt" cannot be read here; put the text itself into the description',
    ],
    [
      "a report mailbox that is none",
      domain("dmarc: { reports: dmarc }"),
      'domains[0].dmarc.reports: "dmarc" is not a mailbox such as dmarc@example.org',
    ],
    [
      "a mailbox in a list of SPF's kind",
      domain("dmarc: { reports: [a@example.org, 'b@example.org!10m'] }"),
      `domains[0].dmarc.reports[1]: "b@example.org!10m" is not a mailbox such as dmarc@example.org`,
    ],
    [
      "R65 DMARC reports to the web",
      domain("dmarc: { failureReports: https://example.org/ }"),
      'domains[0].dmarc.failureReports: "https://example.org/" is a URL; DMARC reports go to a mailbox',
    ],
    [
      "failure options that contradict",
      domain('dmarc: { failureOptions: "0:1" }'),
      "domains[0].dmarc.failureOptions: write 0, 1, d, s, or some of them as in 1:d:s",
    ],
    [
      "a second SPF record by the back door",
      domain('verification: ["v=spf1 -all"]'),
      "domains[0].verification[0]: an SPF record is derived already; its terms belong under spf",
    ],
    [
      "a token elsewhere",
      domain("verification: [{ name: _token, value: x }]"),
      'domains[0].verification[0].name: "_token" does not lie in "example.org"; write the whole name',
    ],
    [
      "a token of two lines",
      domain('verification: ["a\\nb"]'),
      "domains[0].verification[0]: line breaks and control characters cannot be published",
    ],
    [
      "a token too long",
      domain(`verification: [${"x".repeat(3000)}]`),
      "domains[0].verification[0]: longer than 2048 octets",
    ],

    // the rest
    [
      "TLS reports over plain HTTP",
      domain("tlsReports: http://example.org/"),
      'domains[0].tlsReports: "http://example.org/" is not a URL that begins with https://',
    ],
    [
      "a comma in a report URL",
      domain('tlsReports: ["https://example.org/a,b"]'),
      'domains[0].tlsReports[0]: "https://example.org/a,b": write blanks, "," "!" ";" and letters beyond ASCII as %20, %2C, %21, %3B and so on',
    ],
    [
      "a whole CAA record as issuer",
      domain("caa: ['0 issue \"letsencrypt.org\"']"),
      `domains[0].caa[0]: "0 issue "letsencrypt.org"" is not the domain of an authority, such as letsencrypt.org`,
    ],
    [
      "iodef without scheme",
      domain("caa: [{ tag: iodef, value: security@example.org }]"),
      'domains[0].caa[0]: "security@example.org" is not a URL that begins with mailto: or https:',
    ],
    [
      "a logo over plain HTTP",
      domain("bimi: { logo: http://example.org/a.svg }"),
      'domains[0].bimi.logo: "http://example.org/a.svg" is not a URL that begins with https://',
    ],
    [
      "an impossible BIMI selector",
      domain("bimi: { logo: https://example.org/a.svg, selector: a..b }"),
      'domains[0].bimi.selector: "a..b" has an empty label',
    ],
    [
      "TLSA without a source",
      server("addresses: 192.0.2.1\ntlsa: [{}]"),
      "servers[0].tlsa[0]: give exactly one of record, certificate, publicKey, file",
    ],
    [
      "TLSA that is none",
      server("addresses: 192.0.2.1\ntlsa: [{ record: 3 1 1 xyz }]"),
      'servers[0].tlsa[0].record: the data is hex digits; "x" is none',
    ],
    [
      "a usage that mail does not know",
      server("addresses: 192.0.2.1\ntlsa: [{ record: 1 1 1 abcd }]"),
      "servers[0].tlsa[0].record: mail servers know usages 2 and 3 only (RFC 7672 §3.1); best is 3 1 1",
    ],
    [
      "a certificate that is none",
      server("addresses: 192.0.2.1\ntlsa: [{ certificate: hello }]"),
      "servers[0].tlsa[0].certificate: the text holds no PEM key; give the public key",
    ],

    // across keys
    [
      "a server twice",
      "servers: [{ host: a.example.org, addresses: 192.0.2.1 }, { host: A.example.org, addresses: 192.0.2.2 }]\ndomains: []\n",
      'servers[1].host: "a.example.org" is described twice',
    ],
    [
      "a domain twice",
      `${SERVER}domains: [{ domain: example.org }, { domain: EXAMPLE.org. }]\n`,
      'domains[1].domain: "example.org" is described twice',
    ],
    [
      "a mail server twice",
      domain("mx: [mail.example.org, mail.example.org]"),
      'domains[0].mx[1]: "mail.example.org" is named twice',
    ],
    [
      "no server",
      "domains: [{ domain: example.org }]\n",
      'domains[0]: "example.org" receives mail, but no server offers smtp; add a server, mx, or receives: false',
    ],
    [
      "an empty list of mail servers",
      domain("mx: []"),
      "domains[0].mx: the list is empty; leave it out for the default, or say receives: false",
    ],
    [
      "mail servers of a domain that receives nothing",
      domain("receives: false\nmx: [mail.example.org]"),
      "domains[0].mx: a domain that receives no mail has no mail servers; drop mx or receives: false",
    ],
    [
      "a policy of a domain that receives nothing",
      domain("receives: false\nmtaSts: {}"),
      "domains[0].mtaSts: a domain that receives no mail needs no policy; drop mtaSts or receives: false",
    ],
    [
      "keys of a domain that sends nothing",
      domain("sends: false\ndkim: [{ selector: a, cname: a.example }]"),
      "domains[0].dkim: a domain that sends no mail has no keys; drop dkim or sends: false",
    ],
    [
      "a HELO name that may not send",
      `${SERVER}domains: [{ domain: mail.example.org, sends: false }]\n`,
      'domains[0].sends: a server says "mail.example.org" in HELO, so receivers must accept it as a sender; drop sends: false',
    ],

    // several at once, in the order of the file
    [
      "all mistakes are told at once",
      `${SERVER}domains: [{ domain: "@" }, { domain: example.org, mx: [192.0.2.1, mail] }]\n`,
      'domains[0].domain: "@" is an e-mail address; write what comes after the @: ',
      'domains[1].mx[0]: "192.0.2.1" is an address; an MX needs a host name',
      'domains[1].mx[1]: "mail" is not a full host name; write it with its domain, as in mail.example.org',
    ],
  ])("%s", (_reason, yaml, ...expected) => {
    expect(problems(yaml)).toEqual(expected);
  });

  it("R14 of the house: where, in lines", () => {
    const result = parseDescription(
      "servers:\n  - host: mail.example.org\n    addresses:\n      - 192.0.2.300\ndomains:\n  - domain: example.org\n    dmarc:\n      polcy: none\n",
    );
    expect(result).toEqual({
      ok: false,
      problems: [
        { path: "servers[0].addresses[0]", line: 4, problem: '"192.0.2.300" is not an IPv4 address' },
        { path: "domains[0].dmarc.polcy", line: 8, problem: 'unknown key "polcy"; did you mean "policy"?' },
      ],
    });
    const broken = parseDescription("servers:\n  - host: [\ndomains:\n");
    expect(broken.ok || broken.problems[0]?.line).toBe(3);
  });

  it("64 MiB are enough", () => {
    expect(problems(" ".repeat(MAX_DESCRIPTION_OCTETS + 1))).toEqual([
      "the description is larger than 64 MiB",
    ]);
  });

  it("a file that cannot be read, in the words of who tried", () => {
    const refuse = () => {
      throw new Error("cannot read key.txt: there is no such file");
    };
    expect(problems(domain("dkim: [{ selector: a, file: key.txt }]"), refuse)).toEqual([
      "domains[0].dkim[0].file: cannot read key.txt: there is no such file",
    ]);
    expect(problems(server("addresses: 192.0.2.1\ntlsa: [{ file: key.txt }]"), refuse)).toEqual([
      "servers[0].tlsa[0].file: cannot read key.txt: there is no such file",
    ]);
  });

  it("a private key is never repeated", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    const damaged = pem.slice(0, 400);
    const [problem] = problems(domain(`dkim: [{ selector: a, publicKey: ${JSON.stringify(damaged)} }]`));
    expect(problem).toBe("domains[0].dkim[0].publicKey: the PEM text is damaged or holds no private key");
  });
});

describe("what is right", () => {
  it.each<[reason: string, yaml: string]>([
    [
      "JSON, which is YAML",
      JSON.stringify({
        servers: [{ host: "mail.example.org", addresses: ["192.0.2.1"] }],
        domains: [{ domain: "example.org" }],
      }),
    ],
    [
      "names in any case, with the final dot",
      "servers: [{ host: MAIL.Example.ORG., addresses: 192.0.2.1 }]\ndomains: [{ domain: Example.ORG. }]\n",
    ],
    ["a domain without servers", "domains: [{ domain: example.org, receives: false, sends: false }]\n"],
    [
      "an anchor used twice",
      `${SERVER}domains: [{ domain: a.example.org, dmarc: &d { policy: reject } }, { domain: b.example.org, dmarc: *d }]\n`,
    ],
    [
      "a mailbox with and without mailto:",
      domain("dmarc: { reports: [MAILTO:a@example.org, b@Example.ORG] }"),
    ],
    ["no reports at all", domain("dmarc: { reports: [] }")],
    ["fo as a number", domain("dmarc: { failureOptions: 1 }")],
    ["macros in SPF, case kept", domain('spf: { include: ["%{I}._spf.example.org"] }')],
    ["nobody may issue", domain('caa: [";"]')],
    [
      "an issuer bound to an account (RFC 8657)",
      domain('caa: ["letsencrypt.org; accounturi=https://example.org/1"]'),
    ],
  ])("%s", (_reason, yaml) => {
    expect(problems(yaml)).toEqual([]);
  });

  it("keys are read from files beside the description, private ones for their public half alone", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    const description = described(domain("dkim: [{ selector: a, file: key.pem }]"), (path) =>
      path === "key.pem" ? pem : "",
    );
    expect(description.domains[0]?.dkim[0]).toMatchObject({
      selector: "a",
      key: { keyType: "rsa", modulusBits: 1024 },
    });
    expect(inspect(description, { depth: null })).not.toContain("PRIVATE");
  });
});

describe("the JSON Schema for editors", () => {
  const schema = descriptionJsonSchema();
  const validate = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(schema);

  it.each(GOLDEN_DOMAINS.map(({ name, folder }) => [name, folder] as const))("takes %s", (_name, folder) => {
    validate(parse(readFileSync(`${folder}/description.yaml`, "utf8")));
    expect(validate.errors).toBeNull();
  });

  it.each<[reason: string, yaml: string, path: string]>([
    ["an unknown key", `${SERVER}domains: [{ domain: example.org, dmrac: {} }]\n`, "/domains/0"],
    ["no domains", SERVER, ""],
    ["a number as name", `${SERVER}domains: [{ domain: 5 }]\n`, "/domains/0/domain"],
    ["a word that is none of them", domain("dmarc: { policy: rejct }"), "/domains/0/dmarc/policy"],
    [
      "a preference out of bounds",
      domain("mx: [{ host: mail.example.org, preference: 70000 }]"),
      "/domains/0/mx/0/preference",
    ],
  ])("refuses %s", (_reason, yaml, path) => {
    expect(validate(parse(yaml))).toBe(false);
    expect(validate.errors?.map(({ instancePath }) => instancePath)).toContain(path);
  });

  it("says what each key is for", () => {
    expect(schema.properties?.["servers"]?.items?.properties?.["host"]).toMatchObject({
      type: "string",
      description: expect.stringContaining("HELO"),
    });
  });
});
