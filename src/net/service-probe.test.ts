/** The dialogs against servers that say what is written here; hostile ones are in hostile-servers.test.ts. */
import { afterEach, describe, expect, it } from "vitest";
import { createAuthority, issueCertificate } from "../../test/support/certificates.ts";
import { serviceAt } from "../../test/support/probe-target.ts";
import { type Script, type SpokenServer, startScript } from "../../test/support/scripted-server.ts";
import type { Protocol, ServiceProbe, ServiceSession, ServiceTarget } from "../check/probe.ts";
import { domainName } from "../standards/dns/name.ts";
import { createProber } from "./service-probe.ts";

const authority = createAuthority();
const good = authority.issue({ subject: "mail.example.org", names: ["mail.example.org", "*.EXAMPLE.net"] });
const TLS = { cert: good.chain, key: good.key };
const DEFAULT = { ca: [authority.root.certificate], heloName: "probe.example.net" };

let servers: SpokenServer[] = [];
afterEach(async () => {
  for (const server of servers) {
    await expect.poll(() => server.openCount).toBe(0);
    await server.close();
  }
  servers = [];
});

async function run(
  protocol: Protocol,
  script: Script,
  more: Partial<ServiceTarget> & { readonly tls?: typeof TLS & object; readonly isTlsFirst?: boolean } = {},
): Promise<{ probe: ServiceProbe; heard: readonly string[] }> {
  const { tls = TLS, isTlsFirst = false, ...target } = more;
  const server = await startScript(script, tls, { isTlsFirst });
  servers.push(server);
  const probe = await createProber(DEFAULT).probeService({ ...serviceAt(protocol, server.port), ...target });
  // A farewell may still be on its way.
  await expect.poll(() => server.openCount).toBe(0);
  return { probe, heard: server.heard };
}

function session(probe: ServiceProbe): ServiceSession {
  if (probe.status !== "answered") throw new Error(`${probe.status}: ${probe.detail}`);
  return probe;
}

const EHLO = "250-mail.example.org greets you\r\n250-Size 1000\r\n250 STARTTLS\r\n";
const EHLO_IN_TLS = "250-mail.example.org\r\n250-AUTH PLAIN login\r\n250 8BITMIME\r\n";
const SMTP: Script = {
  greeting: "220-wait\r\n220 mail.example.org ESMTP\r\n",
  replies: { EHLO, STARTTLS: "220 go ahead\r\n" },
  startTlsOn: "STARTTLS",
  inTls: { replies: { EHLO: EHLO_IN_TLS } },
};
const IMAP_CAPABILITIES = "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK done\r\n";
const IMAP: Script = {
  greeting: "* OK [CAPABILITY IMAP4rev1] ready\r\n",
  replies: { "a1 CAPABILITY": IMAP_CAPABILITIES, "a2 STARTTLS": "a2 OK begin\r\n" },
  startTlsOn: "a2 STARTTLS",
  inTls: { replies: { "a3 CAPABILITY": "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na3 OK done\r\n" } },
};
const POP3: Script = {
  greeting: "+OK ready\r\n",
  replies: { CAPA: "+OK list\r\nSTLS\r\nuser\r\n.\r\n", STLS: "+OK begin\r\n" },
  startTlsOn: "STLS",
  inTls: { replies: { CAPA: "+OK\r\nSASL PLAIN\r\n..odd\r\n.\r\n" } },
};
const SIEVE: Script = {
  greeting: '"IMPLEMENTATION" "Test"\r\n"SASL" ""\r\n"STARTTLS"\r\nOK "ready"\r\n',
  replies: { STARTTLS: 'OK "begin"\r\n' },
  startTlsOn: "STARTTLS",
  inTls: { greeting: '"SASL" "PLAIN"\r\n"SIEVE" {9}\r\nfileinto \r\nOK\r\n', replies: {} },
};
const HEADER = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1' version='1.0'>";
const XMPP: Script = {
  replies: {
    "<stream:stream": `${HEADER}<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>`,
    "<starttls": "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
  },
  startTlsOn: "<starttls",
  inTls: {
    replies: {
      "<stream:stream": `${HEADER}<stream:features><mechanisms><mechanism>PLAIN</mechanism></mechanisms></stream:features>`,
    },
  },
};

describe("a session with TLS begun on the way", () => {
  it.each<
    [protocol: Protocol, script: Script, before: readonly string[], inside: readonly string[], last: string]
  >([
    ["smtp", SMTP, ["SIZE 1000", "STARTTLS"], ["AUTH PLAIN LOGIN", "8BITMIME"], "QUIT"],
    ["submission", SMTP, ["SIZE 1000", "STARTTLS"], ["AUTH PLAIN LOGIN", "8BITMIME"], "QUIT"],
    ["imap", IMAP, ["IMAP4REV1", "STARTTLS", "LOGINDISABLED"], ["IMAP4REV1", "AUTH=PLAIN"], "z1 LOGOUT"],
    ["pop3", POP3, ["STLS", "USER"], ["SASL PLAIN", ".ODD"], "QUIT"],
    ["sieve", SIEVE, ["IMPLEMENTATION TEST", "SASL", "STARTTLS"], ["SASL PLAIN", "SIEVE FILEINTO"], "LOGOUT"],
    ["xmpp-client", XMPP, ["STARTTLS"], ["SASL PLAIN"], "</stream:stream>"],
    ["xmpp-server", XMPP, ["STARTTLS"], ["SASL PLAIN"], "</stream:stream>"],
  ])("%s", async (protocol, script, before, inside, last) => {
    for (const isSplit of [false, true]) {
      const parted = { ...script, isSplit, ...(script.inTls && { inTls: { ...script.inTls, isSplit } }) };
      const { probe, heard } = await run(protocol, parted);
      const told = session(probe);
      expect(told.capabilities).toEqual(before);
      expect(told.capabilitiesInTls).toEqual(inside);
      expect(told.tls).toMatchObject({ status: "established", version: "TLSv1.3", trust: { ok: true } });
      expect(heard.at(-1)).toBe(last);
      expect(heard.join("\n")).not.toMatch(/DATA/);
    }
  });

  it("has the greeting, the name and the certificates", async () => {
    const told = session((await run("smtp", SMTP)).probe);
    expect(told.greeting).toEqual({ code: 220, text: "wait mail.example.org ESMTP" });
    expect(told.serverName).toBe("mail.example.org");
    if (told.tls.status !== "established") throw new Error(told.tls.status);
    expect(told.tls.chain).toHaveLength(2);
    const [leaf] = told.tls.chain;
    expect(leaf).toMatchObject({
      subject: "CN=mail.example.org",
      issuer: "O=Test Authority, CN=Test Intermediate",
      issuerOrganization: "Test Authority",
      names: ["mail.example.org", "*.example.net"],
      key: { type: "ec", bits: 256 },
    });
    expect(Buffer.from(leaf!.der).equals(good.der)).toBe(true);
    expect(told.tls.oldVersions).toBeUndefined();
  });
});

describe("a session with TLS from the first octet", () => {
  it.each<[protocol: Protocol, script: Script, inside: readonly string[]]>([
    ["submissions", { ...SMTP, replies: { EHLO: EHLO_IN_TLS } }, ["AUTH PLAIN LOGIN", "8BITMIME"]],
    ["imaps", IMAP, ["IMAP4REV1", "STARTTLS", "LOGINDISABLED"]],
    ["pop3s", POP3, ["STLS", "USER"]],
    ["xmpps-client", { ...XMPP, startTlsOn: "never" }, ["STARTTLS"]],
    ["xmpps-server", { ...XMPP, startTlsOn: "never" }, ["STARTTLS"]],
  ])("%s", async (protocol, script, inside) => {
    const { probe } = await run(protocol, script, { isTlsFirst: true });
    const told = session(probe);
    expect(told.capabilities).toEqual([]);
    expect(told.capabilitiesInTls).toEqual(inside);
    expect(told.tls).toMatchObject({ status: "established", trust: { ok: true } });
  });

  it("fails where the server speaks in the clear", async () => {
    const { probe } = await run("submissions", SMTP);
    expect(session(probe).tls).toMatchObject({
      status: "failed",
      detail: expect.stringMatching(/something other than TLS/),
    });
    expect(probe).toMatchObject({ greeting: { text: "" }, capabilities: [] });
  });
});

describe("servers that refuse", () => {
  it.each<[reason: string, protocol: Protocol, script: Script, expected: object]>([
    [
      "a greeting with 554 is told, and nothing more is asked",
      "smtp",
      { greeting: "554-no\r\n554 mail for you\r\n", replies: {} },
      { greeting: { code: 554, text: "no mail for you" }, capabilities: [], tls: { status: "not-tried" } },
    ],
    [
      "so is 421",
      "smtp",
      { greeting: "421 too busy\r\n", replies: {} },
      { greeting: { code: 421, text: "too busy" }, tls: { status: "not-tried" } },
    ],
    [
      "HELO where EHLO is unknown",
      "smtp",
      { greeting: "220 old\r\n", replies: { EHLO: "502 what?\r\n", HELO: "250 fine\r\n" } },
      { capabilities: [], tls: { status: "not-offered" } },
    ],
    [
      "neither",
      "smtp",
      { greeting: "220 old\r\n", replies: { EHLO: "502 what?\r\n", HELO: "550 no\r\n" } },
      { capabilities: [], tls: { status: "not-tried" } },
    ],
    [
      "EHLO not now",
      "smtp",
      { greeting: "220 old\r\n", replies: { EHLO: "421 later\r\n" } },
      { capabilities: [], tls: { status: "not-tried" } },
    ],
    [
      "no STARTTLS",
      "smtp",
      { greeting: "220 x\r\n", replies: { EHLO: "250 mail.example.org\r\n" } },
      { serverName: "mail.example.org", capabilities: [], tls: { status: "not-offered" } },
    ],
    [
      "STARTTLS is offered, and refused",
      "smtp",
      { ...SMTP, startTlsOn: "never", replies: { EHLO, STARTTLS: "454 no key\r\n" } },
      { tls: { status: "failed", detail: /refuses it: 454 no key/ } },
    ],
    ["IMAP says BYE", "imap", { greeting: "* BYE full\r\n", replies: {} }, { tls: { status: "not-tried" } }],
    [
      "IMAP without STARTTLS",
      "imap",
      { ...IMAP, replies: { "a1 CAP": "* CAPABILITY IMAP4rev1\r\na1 OK\r\n" } },
      { tls: { status: "not-offered" } },
    ],
    [
      "IMAP refuses STARTTLS",
      "imap",
      { ...IMAP, startTlsOn: "never", replies: { ...IMAP.replies, "a2 STARTTLS": "a2 NO no key\r\n" } },
      { tls: { status: "failed", detail: /refuses it: NO no key/ } },
    ],
    ["POP3 says no", "pop3", { greeting: "-ERR full\r\n", replies: {} }, { greeting: { text: "full" } }],
    [
      "POP3 without CAPA",
      "pop3",
      { greeting: "+OK\r\n", replies: { CAPA: "-ERR\r\n" } },
      { capabilities: [], tls: { status: "not-offered" } },
    ],
    [
      "Sieve says BYE",
      "sieve",
      { greeting: 'BYE (TRYLATER) "full"\r\n', replies: {} },
      { greeting: { text: "full" }, tls: { status: "not-tried" } },
    ],
    [
      "XMPP does not know the domain",
      "xmpp-client",
      {
        replies: {
          "<stream:stream": `${HEADER}<stream:error><host-unknown xmlns='x'/></stream:error></stream:stream>`,
        },
      },
      { greeting: { text: "host-unknown" }, tls: { status: "not-tried" } },
    ],
    [
      "XMPP refuses",
      "xmpp-client",
      { ...XMPP, startTlsOn: "never", replies: { ...XMPP.replies, "<starttls": "<failure xmlns='x'/>" } },
      { tls: { status: "failed" } },
    ],
  ])("%s", async (_, protocol, script, expected) => {
    const { probe } = await run(protocol, script);
    expect(session(probe)).toMatchObject(withMatchers(expected));
  });
});

describe("the envelope", () => {
  const envelope = { mailFrom: "", rcptTo: "postmaster@example.org" };
  const replies = { EHLO: EHLO_IN_TLS, MAIL: "250 ok\r\n", RCPT: "250-ok\r\n250 ok\r\n", RSET: "250 ok\r\n" };

  it("is asked inside TLS, and taken back", async () => {
    const { probe, heard } = await run("smtp", { ...SMTP, inTls: { replies } }, { envelope });
    expect(session(probe).replies).toEqual([
      { command: "MAIL FROM", code: 250, text: "ok" },
      { command: "RCPT TO", code: 250, text: "ok ok" },
    ]);
    expect(heard.slice(-4)).toEqual(["MAIL FROM:<>", "RCPT TO:<postmaster@example.org>", "RSET", "QUIT"]);
  });

  it("goes as far as the server lets it", async () => {
    const refused = { ...replies, MAIL: "550 never\r\n" };
    const { probe } = await run("smtp", { greeting: "220 x\r\n", replies: refused }, { envelope });
    expect(session(probe).replies).toEqual([{ command: "MAIL FROM", code: 550, text: "never" }]);
  });

  it("carries no further commands", async () => {
    const crooked = { mailFrom: "", rcptTo: "a@example.org>\r\nDATA" };
    const prober = createProber(DEFAULT);
    await expect(prober.probeService({ ...serviceAt("smtp", 1), envelope: crooked })).rejects.toThrow(
      "cannot be part of an SMTP command",
    );
  });
});

describe("text in the clear behind the reply to STARTTLS", () => {
  it.each<[protocol: Protocol, script: Script]>([
    ["smtp", { ...SMTP, replies: { EHLO, STARTTLS: `220 go\r\n${EHLO_IN_TLS}` } }],
    ["imap", { ...IMAP, replies: { ...IMAP.replies, "a2 STARTTLS": "a2 OK\r\n* CAPABILITY X\r\n" } }],
    ["pop3", { ...POP3, replies: { ...POP3.replies, STLS: "+OK\r\n+OK\r\nX\r\n.\r\n" } }],
    ["sieve", { ...SIEVE, replies: { STARTTLS: 'OK\r\n"SASL" "PLAIN"\r\nOK\r\n' } }],
    ["xmpp-client", { ...XMPP, replies: { ...XMPP.replies, "<starttls": `<proceed/>${HEADER}` } }],
  ])("never passes for what is said in TLS: %s", async (protocol, script) => {
    const { probe } = await run(protocol, { ...script, startTlsOn: "never" });
    expect(session(probe).tls).toMatchObject({
      status: "broken",
      detail: expect.stringMatching(/in the clear/),
    });
    expect(session(probe).capabilitiesInTls).toBeUndefined();
  });
});

describe("certificates", () => {
  const past = (days: number) => new Date(Date.now() + days * 86_400_000);
  const name = { subject: "mail.example.org", names: ["mail.example.org"] };
  const stranger = createAuthority("Somebody");

  it.each<[reason: string, issued: { chain: string; key: string }, trust: object]>([
    ["fit", authority.issue(name), { ok: true }],
    [
      "name another host, which is judged elsewhere",
      authority.issue({ subject: "other.example.net", names: ["other.example.net"] }),
      { ok: true },
    ],
    [
      "have expired",
      authority.issue({ ...name, notBefore: past(-20), notAfter: past(-1) }),
      { ok: false, problem: "expired" },
    ],
    [
      "are not valid yet",
      authority.issue({ ...name, notBefore: past(5), notAfter: past(20) }),
      { ok: false, problem: "not-yet-valid" },
    ],
    ["sign themselves", selfSigned(name), { ok: false, problem: "self-signed" }],
    ["come without the intermediate", withoutIntermediate(), { ok: false, problem: "incomplete-chain" }],
    ["lead to a stranger", stranger.issue(name), { ok: false, problem: "unknown-authority" }],
    [
      "lead to a stranger who sends all",
      plusRoot(stranger.issue(name)),
      { ok: false, problem: "unknown-authority" },
    ],
  ])("%s", async (_, { chain, key }, trust) => {
    const { probe } = await run("smtp", SMTP, { tls: { cert: chain, key } });
    expect(session(probe).tls).toMatchObject({ status: "established", trust });
  });

  it("are told in the order in which they were sent, without those that Node adds", async () => {
    const odd = good.certificate + stranger.root.certificate + authority.intermediate.certificate;
    const { probe } = await run("smtp", SMTP, { tls: { cert: odd, key: good.key } });
    const { tls } = session(probe);
    if (tls.status !== "established") throw new Error(tls.status);
    expect(tls.chain.map(({ subject }) => subject)).toEqual([
      "CN=mail.example.org",
      "O=Somebody, CN=Test Root",
      "O=Test Authority, CN=Test Intermediate",
    ]);
    expect(tls.trust).toEqual({ ok: true });
  });

  function withoutIntermediate() {
    const { certificate, key } = authority.issue(name);
    return { chain: certificate, key };
  }

  function plusRoot({ chain, key }: { chain: string; key: string }) {
    return { chain: chain + stranger.root.certificate, key };
  }
});

function selfSigned(name: { subject: string; names: string[] }) {
  const { certificate, key } = issueCertificate(name);
  return { chain: certificate, key };
}

describe("versions of TLS", () => {
  const old = { ...TLS, ciphers: "DEFAULT@SECLEVEL=0" };

  it.each<[reason: string, tls: object, expected: object]>([
    ["only new ones", { ...TLS, minVersion: "TLSv1.2" }, { version: "TLSv1.3", oldVersions: [] }],
    [
      "all of them",
      { ...old, minVersion: "TLSv1" },
      { version: "TLSv1.3", oldVersions: ["TLSv1", "TLSv1.1"] },
    ],
    [
      "nothing but the oldest: the certificate is seen all the same",
      { ...old, minVersion: "TLSv1", maxVersion: "TLSv1" },
      { version: "TLSv1", oldVersions: ["TLSv1"] },
    ],
  ])("%s", async (_, tls, expected) => {
    const { probe } = await run("smtp", SMTP, { tls: tls as typeof TLS, oldTls: true });
    expect(session(probe).tls).toMatchObject({ status: "established", ...expected });
  });

  it("are shown where the key is too short for today", async () => {
    const weak = authority.issue({ subject: "mail.example.org", rsaBits: 1024 });
    // OpenSSL does not even serve it otherwise.
    const tls = { cert: weak.chain, key: weak.key, ciphers: "DEFAULT@SECLEVEL=0" };
    const { probe } = await run("smtp", SMTP, { tls });
    expect(session(probe).tls).toMatchObject({
      status: "established",
      chain: [{ key: { type: "rsa", bits: 1024 }, names: ["mail.example.org"] }, {}],
    });
  });
});

it("asks for the name that it is given, and knows the domain of a stream from its host", async () => {
  const { probe, heard } = await run("xmpp-client", XMPP, { domain: domainName("example.org") });
  expect(session(probe).tls.status).toBe("established");
  expect(heard.join(" ")).toContain("to='example.org'");
});

/** A pattern where the rows have one. */
function withMatchers(expected: object): object {
  return Object.fromEntries(
    Object.entries(expected).map(([key, value]) => {
      if (value instanceof RegExp) return [key, expect.stringMatching(value)];
      const isPlain = typeof value === "object" && value !== null && !Array.isArray(value);
      return [key, isPlain ? withMatchers(value) : value];
    }),
  );
}
