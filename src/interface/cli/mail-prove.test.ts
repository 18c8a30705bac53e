/** `zonepost mail prove` whole, with a server and a sink that are a few lines each. */
import { describe, expect, it } from "vitest";
import { type CliSetup, fakeTools, zonepost } from "../../../test/support/cli.ts";
import {
  type FakedResults,
  fakeAuthentication,
  signature,
} from "../../../test/support/fake-authentication.ts";
import { type Table, tableResolver } from "../../../test/support/table-resolver.ts";
import type {
  MailSinkSettings,
  MailSubmission,
  OutgoingMail,
  ReceivedMail,
  SubmissionServer,
} from "../../milter/mail-exchange.ts";
import { parseAddress } from "../../standards/dns/address.ts";
import { toCharacterStrings } from "../../standards/dns/record.ts";
import { type MailProveOptions, runMailProve } from "./mail-prove.ts";
import type { OpenedWorld } from "./tools.ts";

const TABLE: Table = {
  "example.org": [{ type: "TXT", strings: toCharacterStrings("v=spf1 ip4:192.0.2.10 -all") }],
  "_dmarc.example.org": [{ type: "TXT", strings: toCharacterStrings("v=DMARC1; p=reject") }],
  "mail.example.org": [{ type: "A", address: "192.0.2.10" }],
};
const DESCRIPTION = `
servers:
  - host: mail.example.org
    addresses: 192.0.2.10
domains:
  - domain: example.org
`;
const OPTIONS: MailProveOptions = {
  resolver: [],
  trust: [],
  listen: "127.0.0.1:2525",
  ip: [],
  timeout: 1,
  assumePublic: ["192.0.2.0/24"],
  submission: "mail.example.org",
};
const ACCEPTED: MailSubmission = {
  status: "accepted",
  reply: "250 ok",
  tls: { version: "TLSv1.3", cipher: "X" },
};

interface Setup {
  readonly options?: Partial<MailProveOptions>;
  readonly results?: FakedResults;
  readonly submission?: MailSubmission;
  /** What becomes of the mail on its way; undefined: it never arrives. */
  readonly arrives?: ((mail: OutgoingMail) => Partial<ReceivedMail>) | undefined;
  readonly cli?: CliSetup;
}

async function prove({ options = {}, results, submission = ACCEPTED, arrives, cli = {} }: Setup) {
  const opened: unknown[] = [];
  let sink: Omit<MailSinkSettings, "hostName"> | undefined;
  let isSinkOpen = false;
  let sent: OutgoingMail | undefined;
  const now = new Date("2026-11-21T12:00:00Z");
  const address = parseAddress("127.0.0.1");
  if (!address.ok) throw new TypeError(address.problem);
  const client = { address: address.value, port: 40_000, helo: "mail.example.org", tls: undefined };
  const { tools, caught } = fakeTools({
    ...cli,
    tools: {
      openWorld: async () =>
        ({
          world: { recursive: [tableResolver(TABLE)] },
          queriesSent: () => 0,
          close: async () => {},
        }) as unknown as OpenedWorld,
      startMailSink: async (settings) => {
        sink = settings;
        isSinkOpen = true;
        return {
          port: settings.port,
          close: async () => {
            isSinkOpen = false;
          },
        };
      },
      openSubmission: (via) => {
        opened.push(via);
        return async (mail) => {
          sent = mail;
          if (submission.status === "accepted" && arrives !== undefined) {
            sink?.onMail({
              client: { ...client, tls: { version: "TLSv1.3", cipher: "X" } },
              mailFrom: mail.mailFrom,
              connectedAt: now,
              receivedAt: now,
              octets: Buffer.from(mail.message, "latin1"),
              ...arrives(mail),
            });
          } else if (submission.status === "accepted") {
            sink?.onVisit({ client, connectedAt: now, mails: 0, trouble: "550 5.1.1 nobody\u001b[2J" });
          }
          return submission;
        };
      },
      ...cli.tools,
    },
  });
  const exitCode = await runMailProve(
    "example.org",
    { ...OPTIONS, ...options },
    tools,
    fakeAuthentication(results),
  );
  expect(isSinkOpen).toBe(false);
  return { exitCode, ...caught(), opened, sink, sent };
}

const unchanged = () => ({});

describe("a proof", () => {
  it("goes through the server, and is judged for the address of the description", async () => {
    const run = await prove({ arrives: unchanged, cli: { files: { "zonepost.yaml": DESCRIPTION } } });
    expect(run.out.replace(/\s+/g, " ")).toContain(
      "Judged for 192.0.2.10: the address of mail.example.org in zonepost.yaml, because the message came over 127.0.0.1",
    );
    expect(run.out).toMatch(/^spf +pass$/m);
    expect(run.out).toContain("All is well: 13 checks are fine.");
    expect(run.exitCode).toBe(0);
    expect(run.sent?.mailFrom).toBe("postmaster@example.org");
    expect(run.sent?.rcptTo).toMatch(/^prove-[0-9a-f]{32}@prove\.invalid$/);
    expect(run.sink?.recipient).toBe(run.sent?.rcptTo);
    expect(run.opened).toEqual([
      { host: "mail.example.org", port: 587, tls: "starttls", authorities: [], isTrustedBlindly: false },
    ]);
  });

  it("could not tell SPF and PTR where no address is known", async () => {
    const run = await prove({ arrives: unchanged });
    expect(run.out).toMatch(/^ptr +could not tell$/m);
    expect(run.out).toMatch(/^spf +could not tell$/m);
    expect(run.out).toMatch(/^dmarc +pass$/m);
    expect(run.out).toContain("Say with --ip");
    expect(run.exitCode).toBe(3);
  });

  it("says as JSON what a script wants", async () => {
    const run = await prove({ arrives: unchanged, options: { json: true, ip: ["192.0.2.10"] } });
    expect(JSON.parse(run.out)).toMatchObject({
      domain: "example.org",
      submission: { status: "accepted" },
      received: { client: { address: "127.0.0.1", helo: "mail.example.org", tls: { version: "TLSv1.3" } } },
      judgedFor: { addresses: ["192.0.2.10"], why: "as you said" },
      lines: expect.arrayContaining([expect.objectContaining({ subject: "dkim", severity: "ok" })]),
      summary: { errors: 0, unknown: 0 },
    });
  });

  it("ends with 2 where a receiver would mind", async () => {
    const results = { dkim: [signature("fail", "example.org", "the body was changed")] };
    const run = await prove({ arrives: unchanged, options: { ip: ["192.0.2.99"] }, results });
    expect(run.out).toMatch(/^dmarc +fail$/m);
    expect(run.exitCode).toBe(2);
  });

  it("ends with 1 where it might", async () => {
    const results = { dkim: [signature("pass", "example.net")] };
    expect((await prove({ arrives: unchanged, options: { ip: ["192.0.2.10"] }, results })).exitCode).toBe(1);
  });

  it("says who came, and the line for Postfix, where nothing arrives", async () => {
    const run = await prove({});
    expect(run.exitCode).toBe(3);
    const said = run.out.replace(/\s+/g, " ");
    expect(said).toContain(
      "did not arrive within 1 s: 127.0.0.1 came as mail.example.org and left no mail (550 5.1.1 nobody\\u001b[2J)",
    );
    expect(run.out).toContain(
      '  postconf -e "transport_maps = inline:{prove.invalid=smtp:[127.0.0.1]:2525}, $(postconf -h transport_maps)"\n',
    );
    expect(run.out).not.toMatch(/^spf/m);
  });

  it.each<[submission: MailSubmission, exitCode: number, reason: string]>([
    [
      { status: "refused", step: "login", detail: "mail.example.org port 587 answered AUTH with 535 no" },
      2,
      "a no",
    ],
    [{ status: "failed", detail: "connection refused by mail.example.org port 587" }, 3, "nobody there"],
  ])("%j ends with %j (%s)", async (submission, exitCode) => {
    const run = await prove({ submission });
    expect(run.out.replace(/\s+/g, " ")).toContain(submission.status === "accepted" ? "" : submission.detail);
    expect(run.exitCode).toBe(exitCode);
  });

  it("keeps the message where that is asked for", async () => {
    const run = await prove({ arrives: unchanged, options: { save: "mail.eml" } });
    expect(run.files["mail.eml"]).toBe(run.sent?.message);
  });

  it("keeps octets that are no text as they are", async () => {
    const octets = Buffer.from("From: \xe9\xff\r\n\r\n\0\xa0\r\n", "latin1");
    const run = await prove({ arrives: () => ({ octets }), options: { save: "mail.eml" } });
    expect(run.files["mail.eml"]).toBe(octets.toString("latin1"));
  });
});

describe("how the mail is handed in", () => {
  const login = async (options: Partial<MailProveOptions>, cli: CliSetup) => {
    const { opened } = await prove({ arrives: unchanged, options: { user: "bob", ...options }, cli });
    return (opened[0] as SubmissionServer).login?.password.reveal();
  };

  it.each<[options: Partial<MailProveOptions>, cli: CliSetup, password: string, reason: string]>([
    [{ passwordFile: "pw" }, { files: { pw: "from a file\nmore\n" } }, "from a file", "its first line"],
    [
      {},
      { environment: { ZONEPOST_SUBMISSION_PASSWORD: "from outside" } },
      "from outside",
      "the environment",
    ],
    [{}, { tools: { askSecret: async () => "typed" } }, "typed", "asked for"],
  ])("%j: the password is %j (%s)", async (options, cli, password) => {
    expect(await login(options, cli)).toBe(password);
  });

  it.each<[options: Partial<MailProveOptions>, via: object, reason: string]>([
    [{ submission: "mail.example.org:465" }, { port: 465, tls: "implicit" }, "RFC 8314"],
    [
      { submission: "[2001:db8::25]:587" },
      { host: "2001:db8::25", port: 587, tls: "starttls" },
      "an address",
    ],
    [{ submission: "192.0.2.25", tls: "implicit" }, { host: "192.0.2.25", tls: "implicit" }, "as you say"],
    [{ insecureSubmission: true }, { isTrustedBlindly: true }, "insisted on"],
    [{ sendmail: true }, { program: "/usr/sbin/sendmail" }, "the usual place"],
    [{ sendmail: "/opt/sendmail" }, { program: "/opt/sendmail" }, "another"],
  ])("%j → %j (%s)", async (options, via) => {
    expect((await prove({ arrives: unchanged, options })).opened).toMatchObject([via]);
  });

  it.each<[options: Partial<MailProveOptions>, rcptTo: string, reason: string]>([
    [{ listen: "192.0.2.7:25" }, "@[192.0.2.7]", "port 25 needs no route"],
    [{ listen: "[2001:db8::7]:25" }, "@[IPv6:2001:db8::7]", "RFC 5321 §4.1.3"],
    [{ listen: "0.0.0.0:25" }, "@prove.invalid", "no address that anybody could send to"],
    [{ recipient: "sink.example.net" }, "@sink.example.net", "a name with an MX"],
    [{ recipient: "[192.0.2.8]" }, "@[192.0.2.8]", "a literal"],
  ])("%j is sent to %s (%s)", async (options, rcptTo) => {
    const { sent } = await prove({ arrives: unchanged, options });
    expect(sent?.rcptTo.slice(sent.rcptTo.indexOf("@"))).toBe(rcptTo);
  });

  it("takes the server of the description", async () => {
    const { submission: _, ...options } = OPTIONS;
    const { tools } = fakeTools({
      files: { "zonepost.yaml": DESCRIPTION },
      tools: {
        startMailSink: async () => ({ port: 2525, close: async () => {} }),
        openSubmission: (via) => {
          expect(via).toMatchObject({ host: "mail.example.org", port: 465, tls: "implicit" });
          return async () => ({ status: "failed", detail: "enough" });
        },
      },
    });
    expect(await runMailProve("example.org", options, tools, fakeAuthentication())).toBe(3);
  });
});

describe("wrong usage", () => {
  it.each<[words: readonly string[], message: string, reason: string]>([
    [["example.org"], "say how the mail is handed in", "neither server nor program"],
    [["example.org", "--submission", "a b"], "--submission takes a server", "no host"],
    [
      ["example.org", "--submission", "m.example.org", "--user", "bob"],
      "nobody is here to type",
      "no password",
    ],
    [["example.org", "--sendmail", "--submission", "m.example.org"], "cannot be used with", "both"],
    [["example.org", "--sendmail", "--from", "bob"], "--from takes an address", "no address"],
    [["example.org", "--sendmail", "--from", "a@b>\r\nRCPT"], "--from takes an address", "a second command"],
    [["example.org", "--sendmail", "--ip", "x"], "--ip:", "no address"],
    [["example.org", "--sendmail", "--cert", "x"], "belong together", "half a pair"],
    [["example.org", "--sendmail", "--recipient", "[x]"], "--recipient:", "no literal"],
    [["example.org", "--sendmail", "--listen", "25"], "--listen takes", "no address"],
    [["example.org", "--sendmail", "--password", "x"], "unknown option", "never on the command line"],
  ])("%j: %s (%s)", async (words, message) => {
    const run = await zonepost(["mail", "prove", ...words]);
    expect(run.err).toContain(message);
    expect(run.exitCode).toBe(64);
  });

  it("says why it cannot listen", async () => {
    const startMailSink = async () => {
      throw Object.assign(new Error("x"), { code: "EADDRINUSE" });
    };
    const run = await zonepost(["mail", "prove", "example.org", "--sendmail"], { tools: { startMailSink } });
    expect(run.err).toContain("cannot listen on 127.0.0.1:2525: another program listens there already");
    expect(run.exitCode).toBe(64);
  });
});
