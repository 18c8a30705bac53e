/** The judging: every word that a mechanism can say has its weight, its reason and its way out. */
import { describe, expect, it } from "vitest";
import { type FakedResults, fakeAuthentication, signature } from "../../test/support/fake-authentication.ts";
import { type Table, tableResolver } from "../../test/support/table-resolver.ts";
import { type IpAddress, type IpNetwork, parseAddress, parseNetwork } from "../standards/dns/address.ts";
import { domainName } from "../standards/dns/name.ts";
import { type Rdata, toCharacterStrings } from "../standards/dns/record.ts";
import type { OutgoingMail, ReceivedMail } from "./mail-exchange.ts";
import { type JudgedClients, judgedClients, proveMail, type SendingServer } from "./proof.ts";
import type { ProofLine, ProofSeverity, ProofSubject } from "./proof-line.ts";
import { proofMessage } from "./proof-message.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const EXAMPLE = domainName("example.org");

function ip(text: string): IpAddress {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new TypeError(parsed.problem);
  return parsed.value;
}
function network(text: string): IpNetwork {
  const parsed = parseNetwork(text);
  if (!parsed.ok) throw new TypeError(parsed.problem);
  return parsed.value;
}
const txt = (text: string): Rdata => ({ type: "TXT", strings: toCharacterStrings(text) });
const a = (address: string): Rdata => ({ type: "A", address });
const ASSUMED = [network("192.0.2.0/24"), network("2001:db8::/32")];

const GOOD: Table = {
  "example.org": [txt("v=spf1 ip4:192.0.2.10 -all")],
  "_dmarc.example.org": [txt("v=DMARC1; p=reject")],
  "mail.example.org": [a("192.0.2.10")],
};

const SENT: OutgoingMail = {
  mailFrom: "postmaster@example.org",
  rcptTo: "prove-1@prove.invalid",
  message: proofMessage({
    from: "postmaster@example.org",
    to: "prove-1@prove.invalid",
    now: NOW,
    token: "1",
    idDomain: "example.org",
  }),
};
const RECEIVED =
  "Received: by mail.example.org (Postfix) id 1;\r\n\tSat, 21 Nov 2026 12:00:01 +0000 (UTC)\r\n";

interface Change {
  readonly table?: Table;
  readonly results?: FakedResults;
  readonly client?: Partial<ReceivedMail["client"]>;
  readonly mailFrom?: string;
  readonly message?: string;
  readonly clients?: JudgedClients;
  readonly offersTls?: boolean;
}

const KNOWN: JudgedClients = { status: "known", addresses: [ip("192.0.2.10")], why: "it came from there" };
const UNKNOWN: JudgedClients = { status: "unknown", why: "it came over loopback", advice: "give --ip" };

function prove(change: Change = {}): Promise<readonly ProofLine[]> {
  const mail: ReceivedMail = {
    client: {
      address: ip("192.0.2.10"),
      port: 40_000,
      helo: "mail.example.org",
      tls: { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384" },
      ...change.client,
    },
    mailFrom: change.mailFrom ?? SENT.mailFrom,
    connectedAt: NOW,
    receivedAt: NOW,
    octets: Buffer.from(change.message ?? RECEIVED + SENT.message, "latin1"),
  };
  return proveMail(
    {
      domain: EXAMPLE,
      sent: SENT,
      mail,
      sinkOffersTls: change.offersTls ?? true,
      clients: change.clients ?? KNOWN,
      assumePublic: ASSUMED,
    },
    {
      authenticate: fakeAuthentication(change.results),
      resolver: tableResolver({ ...GOOD, ...change.table }),
      now: NOW,
    },
  );
}

it("a good mail has nothing to object to, and every line a reason", async () => {
  const lines = await prove();
  expect(lines.map(({ subject, severity, result }) => `${subject} ${severity} ${result}`)).toEqual([
    "ptr ok pass",
    "helo ok mail.example.org",
    "spf ok pass",
    "dkim ok pass",
    "dmarc ok pass",
    "tls ok TLSv1.3",
    "arc ok none",
    "envelope ok <postmaster@example.org>",
    "received ok 1 hop",
    "header ok complete",
    "body ok unchanged",
  ]);
  for (const { reason } of lines) expect(reason).toMatch(/^\S.+\.$/);
});

const unproven = { result: "fail", names: [], problem: "192.0.2.10 has no PTR" } as const;
const failing: FakedResults = { dkim: [signature("fail", "example.org", "the body was changed")] };
const edited = (from: string | RegExp, to: string) => RECEIVED + SENT.message.replace(from, to);
const hop = (text: string) => `Received: ${text};\r\n\tSat, 21 Nov 2026 12:00:01 +0000\r\n${SENT.message}`;

describe("each line", () => {
  it.each<[subject: ProofSubject, change: Change, severity: ProofSeverity, says: string, reason: string]>([
    ["ptr", { results: { iprev: unproven } }, "error", "192.0.2.10 has no PTR", "Google asks for one"],
    [
      "ptr",
      { results: { iprev: { ...unproven, result: "temperror", problem: "no answer" } } },
      "unknown",
      "No answer",
      "DNS was down: nothing is said of the PTR",
    ],
    ["ptr", { clients: UNKNOWN }, "unknown", "It came over loopback", "no address, no PTR"],
    ["helo", { client: { helo: "localhost" } }, "error", "not a full host name", "no dot in it"],
    ["helo", { client: { helo: "mail_1.example.org" } }, "error", "not a full host name", "underscores"],
    ["helo", { client: { helo: "[192.0.2.10]" } }, "warning", "by an address", "a literal"],
    ["helo", { client: { helo: "other.example.org" } }, "warning", "has no address", "nowhere"],
    [
      "helo",
      { table: { "mail.example.org": [a("192.0.2.77")] } },
      "warning",
      "leads to 192.0.2.77, and not to 192.0.2.10",
      "elsewhere",
    ],
    [
      "helo",
      { table: { "mail.example.org": "timeout" } },
      "unknown",
      "could not be looked up",
      "DNS was down",
    ],
    ["helo", { clients: UNKNOWN }, "ok", "has an address", "whose cannot be said"],
    ["spf", { table: { "example.org": [] } }, "error", "says nothing of who may send", "no record"],
    [
      "spf",
      { table: { "example.org": [txt("v=spf1 -all")] } },
      "error",
      "192.0.2.10 is not among those who may send for example.org by the term -all of example.org",
      "not listed",
    ],
    ["spf", { table: { "example.org": [txt("v=spf1 ~all")] } }, "warning", "is not among", "softly"],
    ["spf", { table: { "example.org": [txt("v=spf1 ?all")] } }, "warning", "is not among", "neutral"],
    [
      "spf",
      { table: { "example.org": [txt("v=spf1 ip4:x")] } },
      "error",
      "cannot be used",
      "a broken record",
    ],
    ["spf", { table: { "example.org": "servfail" } }, "unknown", "could not be looked up", "DNS was down"],
    ["spf", { clients: UNKNOWN }, "unknown", "It came over loopback", "never `missing`"],
    ["dkim", { results: { dkim: [] } }, "error", "Nobody signed", "no signature"],
    ["dkim", { results: failing }, "error", "does not hold: the body was changed", "a broken one"],
    [
      "dkim",
      { results: { dkim: [signature("pass", "example.net")] } },
      "warning",
      "does not stand for example.org",
      "the provider's",
    ],
    [
      "dkim",
      { results: { dkim: [signature("pass", "news.example.org")] } },
      "ok",
      "selector s1 of news.example.org",
      "aligned in relaxed mode",
    ],
    [
      "dkim",
      { results: { dkim: [signature("temperror", "example.org", "no answer")] } },
      "unknown",
      "no answer",
      "DNS was down",
    ],
    ["dmarc", { table: { "_dmarc.example.org": [] } }, "warning", "", "no policy"],
    [
      "dmarc",
      { table: { "example.org": [txt("v=spf1 -all")] }, results: failing },
      "error",
      "the domain asks to reject such mail",
      "nothing stands for it",
    ],
    ["dmarc", { table: { "_dmarc.example.org": "timeout" } }, "unknown", "", "DNS was down"],
    ["dmarc", { clients: UNKNOWN }, "ok", "whatever SPF says", "DKIM suffices"],
    [
      "dmarc",
      { clients: UNKNOWN, results: { dkim: [] } },
      "unknown",
      "SPF could not be told",
      "though SPF of the loopback address may fail, or pass",
    ],
    [
      "dmarc",
      { results: { dmarc: { status: "no-author-domain", problem: "there is no From" } } },
      "error",
      "There is no From",
      "nobody to look up",
    ],
    ["tls", { client: { tls: undefined } }, "error", "in the clear", "it was offered"],
    [
      "tls",
      { client: { tls: undefined }, offersTls: false },
      "unknown",
      "not offered",
      "nor could it be used",
    ],
    ["tls", { client: { tls: { version: "TLSv1.1", cipher: "X" } } }, "warning", "no longer trust", "old"],
    [
      "arc",
      {
        results: {
          arc: { result: "fail", isTemporary: false, sets: [], oldestPass: undefined, problem: "bad seal" },
        },
      },
      "warning",
      "Bad seal",
      "a sealer gone wrong",
    ],
    [
      "envelope",
      { mailFrom: "srs0=x@example.net" },
      "warning",
      "arrived as <srs0=x@example.net>",
      "rewritten",
    ],
    ["envelope", { mailFrom: "" }, "error", "arrived as <>", "a bounce now"],
    [
      "received",
      { message: hop("from laptop (unknown [192.168.7.9]) by mail.example.org") },
      "notice",
      "192.168.7.9 inside your network",
      "a private address",
    ],
    [
      "received",
      { message: hop("from x ([192.0.2.99])\r\n\t(Authenticated sender: bob) by mail.example.org") },
      "notice",
      "192.0.2.99 of whoever handed the message in; the log-in name bob",
      "where bob is",
    ],
    ["received", { message: hop("from x ([127.0.0.1]) by y") }, "ok", "nothing that is private", "a filter"],
    ["received", { message: hop("from x ([192.0.2.10]) by y") }, "ok", "nothing that is private", "itself"],
    ["received", { message: RECEIVED.repeat(20) + SENT.message }, "warning", "more hands", "nearly a loop"],
    [
      "received",
      { message: RECEIVED.replace("12:00", "13:00") + SENT.message },
      "warning",
      "clock is 60 minutes ahead",
      "a clock gone wrong",
    ],
    [
      "received",
      { message: `X-Originating-IP: [203.0.113.9]\r\n${RECEIVED}${SENT.message}` },
      "notice",
      "X-Originating-IP",
      "a field for that alone",
    ],
    ["header", { message: edited(/^Date:.*\r\n/m, "") }, "error", "Date is missing", "required"],
    [
      "header",
      { message: edited(/^From:/m, "From: x@y.example\r\nFrom:") },
      "error",
      "From stands 2 times",
      "two",
    ],
    [
      "header",
      { message: edited(/^Message-ID:.*\r\n/m, "") },
      "warning",
      "Message-ID is missing",
      "should be",
    ],
    ["header", { message: edited(/^From:.*/m, "From: <x@example.net>") }, "warning", "From was", "rewritten"],
    [
      "header",
      { message: edited(/^To:/m, "Bcc: eve@example.org\r\nTo:") },
      "warning",
      "Bcc is still",
      "told",
    ],
    [
      "header",
      { message: `Return-Path: <a@b>\r\n${RECEIVED}${SENT.message}` },
      "warning",
      "Return-Path",
      "early",
    ],
    [
      "header",
      { message: edited(/^Subject:.*/m, `Subject: ${"x".repeat(1_100)}`) },
      "warning",
      "998",
      "long",
    ],
    [
      "header",
      { message: edited("two blanks", "two\nblanks") },
      "error",
      "does not end with CRLF",
      "a bare LF",
    ],
    [
      "body",
      { message: edited("two blanks  ", "two blanks") },
      "notice",
      "from line 6 of the body on",
      "blanks",
    ],
    ["body", { message: `${RECEIVED}${SENT.message}-- \r\nfooter\r\n` }, "notice", "changed", "a footer"],
    ["body", { message: "" }, "notice", "changed", "nothing at all"],
  ])("%s %j → %s: %s (%s)", async (subject, change, severity, says) => {
    const lines = await prove(change);
    const mine = lines.filter((line) => line.subject === subject);
    expect(mine).toMatchObject([{ severity, reason: expect.stringContaining(says) }]);
    if (severity === "error" || severity === "warning") expect(mine[0]?.advice).toMatch(/\w/);
    if (severity === "unknown")
      expect(mine[0]?.result).toMatch(/^(could not tell|temperror|other|mail|none)/);
  });

  it("of a signature beside a good one is no trouble", async () => {
    const dkim = [
      signature("fail", "example.net", "the key is gone"),
      signature("pass"),
      signature("pass", "b.example"),
    ];
    const lines = (await prove({ results: { dkim } })).filter(({ subject }) => subject === "dkim");
    expect(lines.map(({ severity }) => severity)).toEqual(["notice", "ok", "ok"]);
  });

  it("is there for every address, and DMARC once where it says the same", async () => {
    const clients: JudgedClients = {
      status: "known",
      why: "",
      addresses: [ip("192.0.2.10"), ip("192.0.2.11")],
    };
    const lines = await prove({ clients });
    const of = (subject: string) =>
      lines.filter((line) => line.subject === subject).map(({ result }) => result);
    expect(of("spf")).toEqual(["pass", "fail"]);
    expect(of("ptr")).toEqual(["pass", "pass"]);
    expect(of("dkim")).toEqual(["pass"]);
    expect(lines.find(({ subject }) => subject === "helo")).toMatchObject({
      severity: "warning",
      reason: expect.stringContaining("not to 192.0.2.11"),
    });
  });
});

describe("whom it is judged for", () => {
  const server = (host: string, fields: Partial<SendingServer> = {}): SendingServer => ({
    host: domainName(host),
    addresses: [ip("192.0.2.10")],
    ...fields,
  });
  const judge = (
    address: string,
    given: readonly string[],
    servers: readonly SendingServer[] | undefined,
    helo = "mail.example.org",
  ) =>
    judgedClients(
      { address: ip(address), helo },
      {
        given: given.map(ip),
        described: servers && { source: "zonepost.yaml", servers },
        assumePublic: ASSUMED,
      },
    );

  it.each<[Parameters<typeof judge>, addresses: readonly string[] | undefined, why: string, reason: string]>([
    [["9.9.9.9", [], undefined], ["9.9.9.9"], "the message came from there", "a public client is who it is"],
    [["9.9.9.9", ["192.0.2.1"], undefined], ["192.0.2.1"], "as you said", "--ip has the last word"],
    [
      ["127.0.0.1", [], [server("mail.example.org")]],
      ["192.0.2.10"],
      "the address of mail.example.org in zonepost.yaml, because the message came over 127.0.0.1, which is loopback",
      "the only server",
    ],
    [
      ["10.1.2.3", [], [server("mail.example.org", { outbound: [ip("192.0.2.20"), ip("2001:db8::20")] })]],
      ["192.0.2.20", "2001:db8::20"],
      "the addresses of",
      "mail leaves from others",
    ],
    [
      [
        "127.0.0.1",
        [],
        [server("a.example.org"), server("b.example.org", { helo: domainName("mail.example.org") })],
      ],
      ["192.0.2.10"],
      "b.example.org",
      "by what it calls itself",
    ],
    [
      ["127.0.0.1", [], [server("a.example.org"), server("b.example.org")]],
      undefined,
      "2 servers that this may be",
      "either of them",
    ],
    [
      ["127.0.0.1", [], [server("mail.example.org", { addresses: [ip("10.0.0.1")] })]],
      undefined,
      "no public address",
      "behind NAT",
    ],
    [["127.0.0.1", [], []], undefined, "no server", "none is described"],
    [["::1", [], undefined], undefined, "the message came over ::1", "nothing is described"],
  ])("%j → %j: %s (%s)", (question, addresses, why) => {
    const judged = judge(...question);
    expect(judged.status === "known" ? judged.addresses.map(({ text }) => text) : undefined).toEqual(
      addresses,
    );
    expect(judged.why).toContain(why);
  });
});
