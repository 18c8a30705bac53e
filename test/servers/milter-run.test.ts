/** `zonepost milter run` behind a real Postfix, with BIND for DNS: what arrives is signed or marked, whatever happens. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../../src/standards/dns/name.ts";
import { startBind } from "../support/bind.ts";
import { mailOctets, sealMail, signMail } from "../support/dkim-mail.ts";
import { startDovecot } from "../support/dovecot.ts";
import { Stoppables } from "../support/laboratory.ts";
import { mailText } from "../support/mail-text.ts";
import { MAIN, type MilterRun, residentMebibytes, startMilterRun } from "../support/milter-process.ts";
import { type MilterState, makeMilterState } from "../support/milter-state.ts";
import { type Flood, type NamespaceMailer, type SunkMail, startMailer } from "../support/namespace-mailer.ts";
import { makeNamespace, type NetworkNamespace } from "../support/network-namespace.ts";
import { type RunningPostfix, startPostfix } from "../support/postfix.ts";
import { describeWithServers, makeServerDirectory, type RunningServer } from "../support/real-server.ts";

const MAIL = "198.18.6.1";
const NAME_SERVER = "198.18.6.53";
const SINK = "198.18.6.9";
/** Has a name that leads back to it, and may send for the domains below "example". */
const CLIENT = "198.18.7.1";
/** Has no name, and may send for nobody. */
const STRANGER = "198.18.7.2";
/** As the one before; the name server was never asked of it. */
const LATE_STRANGER = "198.18.7.3";
/** In a network whose mail is outgoing. */
const OWN_CLIENT = "198.18.8.1";
const MX = { host: MAIL, port: 25 };
const SUBMISSION = { host: MAIL, port: 587 };
const ORIGINATING = { host: MAIL, port: 2587 };
const BOB = "bob@example.org";

const spfAndDmarc = (domain: string, policy: string) => [
  `${domain}. TXT "v=spf1 ip4:${CLIENT} -all"`,
  `_dmarc.${domain}. TXT "v=DMARC1; p=${policy}"`,
];
const RECORDS = [
  `ns.invalid. A ${NAME_SERVER}`,
  `mail.example.org. A ${MAIL}`,
  `example.org. TXT "v=spf1 a:mail.example.org -all"`,
  `_dmarc.example.org. TXT "v=DMARC1; p=reject"`,
  ...spfAndDmarc("good.example", "reject"),
  ...spfAndDmarc("held.example", "quarantine"),
  ...spfAndDmarc("watching.example", "none"),
  ...spfAndDmarc("late.example", "reject"),
  ...spfAndDmarc("later.example", "reject"),
  'hard.example. TXT "v=spf1 -all"',
  `client.example.net. A ${CLIENT}`,
  "1.7.18.198.in-addr.arpa. PTR client.example.net.",
];

const describeMilter = (milter: object = {}): string =>
  JSON.stringify({
    servers: [{ host: "mail.example.org", addresses: ["192.0.2.25"] }],
    domains: [{ domain: "example.org", clientSetup: false, dmarc: { policy: "reject" } }],
    milter: { outgoing: { networks: ["198.18.8.0/24"] }, ...milter },
  });

const headOf = ({ text }: SunkMail): string => text.slice(0, text.indexOf("\r\n\r\n") + 2);
const bodyOf = ({ text }: SunkMail): string => text.slice(text.indexOf("\r\n\r\n") + 4);
/** Unfolded, in the order of the header. */
const fieldsOf = (mail: SunkMail, name: string): readonly string[] =>
  headOf(mail)
    .split(/\r\n(?![ \t])/)
    .filter((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((field) =>
      field
        .slice(name.length + 1)
        .replace(/\r\n/g, "")
        .replace(/\s+/g, " ")
        .trim(),
    );
const selectorsOf = (mail: SunkMail): readonly string[] =>
  fieldsOf(mail, "DKIM-Signature").map((value) => /\bs=([^;\s]+)/.exec(value)?.[1] ?? "");

const DKIMPY = `
import base64, dkim, json, sys
message = base64.b64decode(sys.stdin.read())
def holds(at):
    try:
        return bool(dkim.DKIM(message).verify(idx=at))
    except Exception as problem:
        return str(problem)
count = sum(1 for name, _ in dkim.DKIM(message).headers if name.lower() == b"dkim-signature")
print(json.dumps({"dkim": [holds(at) for at in range(count)], "arc": dkim.arc_verify(message)[0].decode()}))
`;
/** Debian's Python: others have no dkimpy. */
const PYTHON = "/usr/bin/python3";

describeWithServers(
  ["ip", "postfix", "dovecot", "named", "dkimverify"],
  "zonepost milter run behind Postfix",
  () => {
    const running = new Stoppables();
    let namespace: NetworkNamespace;
    let postfix: RunningPostfix;
    let bind: RunningServer;
    let state: MilterState;
    let mailer: NamespaceMailer;
    let milter: MilterRun;
    let directory: string;

    beforeAll(async () => {
      namespace = makeNamespace({
        addresses: [MAIL, NAME_SERVER, SINK, CLIENT, STRANGER, LATE_STRANGER, OWN_CLIENT],
        nameServer: NAME_SERVER,
      });
      running.add({ stop: () => namespace.remove() });
      directory = makeServerDirectory("milter");
      running.add({ stop: () => rmSync(directory, { recursive: true, force: true }) });
      mkdirSync(join(directory, "state"));
      state = running.add(
        await makeMilterState(join(directory, "state"), [
          { domain: "example.org", selector: "rsa1", algorithm: "rsa", state: "signing" },
          { domain: "example.org", selector: "ed1", algorithm: "ed25519", state: "signing" },
          { domain: "example.org", selector: "next1", algorithm: "rsa", state: "published" },
          { domain: "new.example", selector: "young1", algorithm: "rsa", state: "published" },
          { domain: "good.example", selector: "good1", algorithm: "rsa", state: "retiring" },
          { domain: "list.example", selector: "list1", algorithm: "rsa", state: "retiring" },
        ]),
      );
      const zone = [
        "$TTL 300",
        ". SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60",
        ". NS ns.invalid.",
        ...RECORDS,
        ...state.records,
      ];
      bind = running.add(
        await startBind({
          namespace: namespace.name,
          address: NAME_SERVER,
          port: 53,
          zones: [{ apex: ROOT, text: `${zone.join("\n")}\n` }],
        }),
      );
      mailer = running.add(
        await startMailer(namespace, {
          nameServer: NAME_SERVER,
          sink: { address: SINK, port: 2525, recipient: BOB },
        }),
      );
      const socket = join(directory, "milter.sock");
      milter = running.add(
        await startMilterRun({
          namespace,
          directory,
          description: describeMilter(),
          workers: 2,
          words: [
            ...["--state", join(directory, "state"), "--listen", `unix:${socket}`],
            ...["--socket-group", "postfix", "--dns-seconds", "4", "--grace", "10"],
          ],
        }),
      );
      const dovecot = running.add(
        await startDovecot({
          namespace: namespace.name,
          listeners: [{ protocol: "imap", address: MAIL, port: 143 }],
          addresses: [{ address: MAIL }],
        }),
      );
      postfix = running.add(
        await startPostfix({
          namespace: namespace.name,
          domains: ["example.org"],
          saslSocket: dovecot.saslSocket,
          listeners: [
            { address: MAIL, port: 25 },
            { address: MAIL, port: 587, options: { smtpd_sasl_auth_enable: "yes" } },
            { address: MAIL, port: 2587, options: { milter_macro_daemon_name: "ORIGINATING" } },
          ],
          settings: {
            myhostname: "mail.example.org",
            inet_interfaces: MAIL,
            relay_transport: `smtp:[${SINK}]:2525`,
            smtpd_milters: `unix:${socket}`,
            non_smtpd_milters: "$smtpd_milters",
            milter_default_action: "tempfail",
            message_size_limit: "60000000",
          },
        }),
      );
    }, 120_000);
    afterAll(() => running.stopAll());

    interface Sending {
      readonly to?: { readonly host: string; readonly port: number };
      readonly from?: string;
      readonly mailFrom?: string;
      readonly login?: string;
    }

    const DATA = (mailFrom: string) => `MAIL FROM:<${mailFrom}>\r\nRCPT TO:<${BOB}>\r\nDATA\r\n`;
    const authPlain = (user: string) =>
      `AUTH PLAIN ${Buffer.from(`\0${user}\0secret`).toString("base64")}\r\n`;
    const dotted = (text: string) =>
      `${text.replace(/^\./gm, "..")}${text.endsWith("\r\n") ? "" : "\r\n"}.\r\n`;

    /** The reply to the message, or to what was refused before. */
    async function send(text: string, sending: Sending = {}): Promise<string> {
      const { to = MX, from = CLIENT, mailFrom = "alice@nospf.example", login } = sending;
      const replies = await mailer.talk({
        ...to,
        from,
        steps: [
          { replies: 1 },
          { write: "EHLO client.example.net\r\n", replies: 1 },
          ...(login === undefined ? [] : [{ write: authPlain(login), replies: 1 }]),
          { write: DATA(mailFrom), replies: 3, wants: "354" },
          { write: dotted(text), replies: 1 },
        ],
      });
      return replies.find((reply) => /^[45]/.test(reply)) ?? replies.at(-1) ?? "";
    }

    let count = 0;
    const mark = () => `mark-${++count}-`;
    const message = (id: string, author: string, more = "") =>
      `From: <${author}>\r\nTo: <${BOB}>\r\nSubject: ${id}\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <${id}@example.org>\r\n${more}\r\nHello\r\n.dot\r\n`;

    async function arrivedAlone(id: string): Promise<SunkMail> {
      const mails = await mailer.arrived(id);
      expect(mails).toHaveLength(1);
      return mails[0]!;
    }

    /** The line of the message that was accepted with such a reply. */
    async function lineOf(reply: string): Promise<string> {
      const id = / queued as (\S+)/.exec(reply)?.[1];
      const find = () => milter.lines.filter((line) => line.startsWith(`id=${id} `));
      await expect.poll(find).toHaveLength(1);
      return find()[0]!;
    }

    const verify = (mail: SunkMail) =>
      mailer.verify({ text: mail.text, clientIp: MAIL, helo: mail.helo, mailFrom: mail.mailFrom });
    const dkimpy = async ({ text }: Pick<SunkMail, "text">): Promise<{ dkim: unknown[]; arc: string }> =>
      JSON.parse(await namespace.run(PYTHON, ["-c", DKIMPY], Buffer.from(text, "latin1").toString("base64")));

    describe("outgoing mail", () => {
      it.each<[sending: Sending, by: string, reason: string]>([
        [{ to: SUBMISSION, login: "alice@example.org" }, "login", "who has logged in"],
        [{ to: ORIGINATING }, "daemon", "milter_macro_daemon_name=ORIGINATING"],
        [{ from: OWN_CLIENT }, "network", "a network of one's own, on port 25"],
      ])("%j is signed twice, by %s (%s)", async (sending, by) => {
        const id = mark();
        const reply = await send(message(id, "alice@example.org"), {
          mailFrom: "alice@example.org",
          ...sending,
        });
        expect(reply).toMatch(/^250 /);
        const mail = await arrivedAlone(id);
        expect(await verify(mail)).toEqual({
          dkim: ["pass rsa example.org rsa1", "pass ed25519 example.org ed1"],
          arc: "none",
          dmarc: "pass",
          spf: "pass",
        });
        expect(await dkimpy(mail)).toEqual({ dkim: [true, true], arc: "none" });
        expect(bodyOf(mail)).toBe("Hello\r\n.dot\r\n");
        const line = await lineOf(reply);
        expect(line).toContain(` direction=out by=${by} `);
        expect(line).toContain(" signed=rsa1._domainkey.example.org,ed1._domainkey.example.org ");
      });

      it("is signed where the local sendmail has taken it", async () => {
        const id = mark();
        const text = message(id, "alice@example.org").replaceAll("\r\n", "\n");
        const words = ["-C", postfix.configuration, "-i", "-f", "alice@example.org", BOB];
        await namespace.run("/usr/sbin/sendmail", words, text);
        const mail = await arrivedAlone(id);
        expect((await verify(mail)).dkim).toEqual([
          "pass rsa example.org rsa1",
          "pass ed25519 example.org ed1",
        ]);
        await expect.poll(() => milter.lines.filter((line) => line.includes(" by=local "))).toHaveLength(1);
      });

      it("is not signed by a key that has not come so far, and the log says why", async () => {
        const id = mark();
        const reply = await send(message(id, "alice@new.example"), { to: ORIGINATING });
        const mail = await arrivedAlone(id);
        expect(fieldsOf(mail, "DKIM-Signature")).toEqual([]);
        expect(await lineOf(reply)).toContain(" from=new.example signed=no because=key-not-signing ");
      });

      it("arrives octet by octet as it was signed, header and body simple", async () => {
        await milter.reload(describeMilter({ signing: { header: "simple", body: "simple" } }));
        const id = mark();
        const header = [
          "From:\tAlice\r\n\t\t <alice@example.org>",
          `To:<${BOB}>`,
          `Subject:  two  blanks  ${id}  \r\n\t and\ttabs\t`,
          "Date: Sat, 21 Nov 2026 12:00:00 +0000",
          `Message-ID:\r\n <${id}@example.org>`,
          "reply-to:alice@example.org ",
          "X-Empty:",
          "X-Octets: \xe9\xa0 ",
          "MIME-VERSION:1.0",
        ].join("\r\n");
        const body = ".\r\n..two\r\n trailing \t \r\n\t\r\n\xe9\xa0\r\n\r\n\r\n";
        const reply = await send(`${header}\r\n\r\n${body}`, {
          to: SUBMISSION,
          login: "alice@example.org",
          mailFrom: "alice@example.org",
        });
        expect(reply).toMatch(/^250 /);
        const mail = await arrivedAlone(id);
        expect(mail.text.slice(mail.text.indexOf("\r\nFrom:") + 2)).toBe(`${header}\r\n\r\n${body}`);
        expect(fieldsOf(mail, "DKIM-Signature").map((value) => /c=\S+/.exec(value)?.[0])).toEqual([
          "c=simple/simple;",
          "c=simple/simple;",
        ]);
        expect((await verify(mail)).dkim).toEqual([
          "pass rsa example.org rsa1",
          "pass ed25519 example.org ed1",
        ]);
        expect((await dkimpy(mail)).dkim).toEqual([true, true]);
      });

      it("of 25 MB takes no memory of that size", async () => {
        const id = mark();
        const line = `${"0123456789".repeat(7)}\r\n`;
        const block = line.repeat(1000);
        const before = milter.workerPids().map(residentMebibytes);
        const replies = await mailer.talk({
          ...SUBMISSION,
          from: CLIENT,
          steps: [
            { replies: 1 },
            { write: "EHLO client.example.net\r\n", replies: 1 },
            { write: authPlain("alice@example.org"), replies: 1 },
            { write: DATA("alice@example.org"), replies: 3 },
            { write: `From: <alice@example.org>\r\nSubject: ${id}\r\n\r\n`, replies: 0 },
            { write: block, times: 350, replies: 0 },
            { write: ".\r\n", replies: 1 },
          ],
        });
        expect(replies.at(-1)).toMatch(/^250 /);
        const after = milter.workerPids().map(residentMebibytes);
        const mail = await arrivedAlone(id);
        expect(bodyOf(mail)).toHaveLength(350 * block.length);
        expect((await verify(mail)).dkim).toEqual([
          "pass rsa example.org rsa1",
          "pass ed25519 example.org ed1",
        ]);
        expect(after).toHaveLength(2);
        for (const [at, size] of after.entries()) expect(size - before[at]!).toBeLessThan(100);
      });
    });

    describe("incoming mail", () => {
      beforeAll(() => milter.reload(describeMilter({ trustedIds: ["old.example.org"] })));

      it("is authenticated, and marked with what came of it", async () => {
        const id = mark();
        const signed = await signMail(mailText(message(id, "alice@good.example")), [state.pair("good1")]);
        const reply = await send(mailOctets(signed), { mailFrom: "alice@good.example" });
        const mail = await arrivedAlone(id);
        const [results, ...more] = fieldsOf(mail, "Authentication-Results");
        expect(more).toEqual([]);
        expect(results).toMatch(/^mail\.example\.org; dmarc=pass \(p=reject\) header\.from=good\.example; /);
        expect(results).toContain("; spf=pass smtp.mailfrom=good.example;");
        expect(results).toMatch(
          /; dkim=pass \(2048-bit key\) header\.d=good\.example header\.s=good1 header\.a=rsa-sha256 header\.b="?[A-Za-z0-9+/]{8}"?;/,
        );
        expect(results).toMatch(/; iprev=pass \(client\.example\.net\) policy\.iprev=198\.18\.7\.1$/);
        expect(mail.text).toMatch(/^Authentication-Results: [\s\S]*?\r\nReceived: from client/);
        expect(await lineOf(reply)).toContain(
          " direction=in by=client client=198.18.7.1 helo=client.example.net mail-from=<alice@good.example> from=good.example spf=pass dkim=pass:good.example arc=none iprev=pass dmarc=pass action=accept ",
        );
      });

      it("of a stranger is marked so, and let in", async () => {
        const id = mark();
        await send(message(id, "alice@good.example"), { from: STRANGER, mailFrom: "alice@good.example" });
        const [results] = fieldsOf(await arrivedAlone(id), "Authentication-Results");
        expect(results).toMatch(/; dmarc=fail \(p=reject\) header\.from=good\.example; spf=fail /);
        expect(results).toMatch(/; dkim=none; .*; iprev=(?:fail|permerror)\b/);
      });

      it("loses the results that claim to be ours, and keeps those of others in their order", async () => {
        const id = mark();
        const fields = [
          "Authentication-Results: other.example.net; spf=pass smtp.mailfrom=a.example",
          "Authentication-Results: mail.example.org; dmarc=pass header.from=good.example",
          "X-Before: 1",
          "AUTHENTICATION-results:\r\n\t(a (nested) comment) MAIL.Example.ORG (another)\r\n 1; spf=pass",
          'Authentication-Results: "mail.example.org"; spf=pass',
          "Authentication-Results: mail.example.org.elsewhere.example; spf=fail smtp.mailfrom=b.example",
          "X-Between: 2",
          "authentication-results:old.example.org;none",
          "Authentication-Results: last.example.net 1; none",
        ];
        const reply = await send(
          message(id, "alice@good.example", fields.map((field) => `${field}\r\n`).join("")),
          { mailFrom: "alice@good.example" },
        );
        const mail = await arrivedAlone(id);
        const head = headOf(mail);
        const kept = [0, 2, 5, 6, 8].map((at) => `${fields[at]}\r\n`).join("");
        expect(head.slice(head.indexOf("Message-ID:")).replace(/^.*\r\n/, "")).toBe(kept);
        expect(fieldsOf(mail, "Authentication-Results")).toHaveLength(4);
        expect(await lineOf(reply)).toContain(" forged-results=4 ");
      });

      it("in one session is many messages, and nothing of one is in the next", async () => {
        const ids = [mark(), mark(), mark(), mark(), mark(), mark()] as const;
        const linesBefore = milter.lines.length;
        const signed = await signMail(mailText(message(ids[0], "alice@good.example")), [state.pair("good1")]);
        const forged = "Authentication-Results: mail.example.org; spf=pass\r\n".repeat(3);
        const replies = await mailer.talk({
          ...SUBMISSION,
          from: CLIENT,
          steps: [
            { replies: 1 },
            { write: "EHLO client.example.net\r\n", replies: 1 },
            { write: DATA("alice@good.example"), replies: 3 },
            // The message, and all of the next two transactions up to the next DATA, in one go.
            {
              write: `${dotted(mailOctets(signed))}MAIL FROM:<x@held.example>\r\nRCPT TO:<${BOB}>\r\nRSET\r\nMAIL FROM:<y@nospf.example>\r\nRCPT TO:<nobody@elsewhere.example>\r\nRCPT TO:<${BOB}>\r\nDATA\r\n`,
              replies: 8,
            },
            { write: dotted(message(ids[1], "y@watching.example", forged)), replies: 1 },
            { write: `${DATA("")}`, replies: 3 },
            { write: dotted(message(ids[2], "z@held.example")), replies: 1 },
            // The same client logs in: from here on its mail is outgoing.
            { write: authPlain("alice@example.org"), replies: 1 },
            { write: DATA("alice@example.org"), replies: 3 },
            { write: dotted(message(ids[3], "alice@example.org")), replies: 1 },
            { write: DATA("alice@example.org"), replies: 3 },
            { write: `${message(ids[4], "alice@example.org")}half of it`, replies: 0 },
          ],
          drops: true,
        });
        expect(replies.map((reply) => reply.slice(0, 3)).join(" ")).toBe(
          "220 250 250 250 354 250 250 250 250 250 554 250 354 250 250 250 354 250 235 250 250 354 250 250 250 354",
        );
        await send(message(ids[5], "alice@watching.example"), { mailFrom: "alice@watching.example" });
        const mails = await Promise.all([0, 1, 2, 3, 5].map((at) => arrivedAlone(ids[at]!)));
        const summary = mails.map((mail) => ({
          results: fieldsOf(mail, "Authentication-Results").map((value) =>
            [
              ...value.matchAll(/\b(?:dmarc|spf|dkim)=\w+|header\.from=\S+?(?=;|$)|smtp\.\w+=\S+?(?=;|$)/g),
            ].join(" "),
          ),
          signed: selectorsOf(mail),
        }));
        expect(summary).toEqual([
          {
            results: ["dmarc=pass header.from=good.example spf=pass smtp.mailfrom=good.example dkim=pass"],
            signed: ["good1"],
          },
          {
            results: [
              "dmarc=fail header.from=watching.example spf=none smtp.mailfrom=nospf.example dkim=none",
            ],
            signed: [],
          },
          {
            results: ["dmarc=fail header.from=held.example spf=none smtp.helo=client.example.net dkim=none"],
            signed: [],
          },
          { results: [], signed: ["rsa1", "ed1"] },
          {
            results: [
              "dmarc=pass header.from=watching.example spf=pass smtp.mailfrom=watching.example dkim=none",
            ],
            signed: [],
          },
        ]);
        expect(bodyOf(mails[3]!)).toBe("Hello\r\n.dot\r\n");
        await expect.poll(() => milter.lines.length - linesBefore, { message: "lines in the log" }).toBe(5);
        expect(await mailer.mails().then((all) => all.filter(({ text }) => text.includes(ids[4])))).toEqual(
          [],
        );
      });
    });

    describe("policy", () => {
      const bareBody = (id: string) => `To: <${BOB}>\r\nSubject: ${id}\r\n\r\nHello\r\n`;
      const onHold = async (): Promise<readonly string[]> => {
        const output = await namespace.run("/usr/sbin/postqueue", ["-c", postfix.configuration, "-j"]);
        const entries = output.split("\n").filter((line) => line !== "");
        return entries
          .map((line) => JSON.parse(line))
          .filter(({ queue_name }) => queue_name === "hold")
          .map(({ queue_id }) => queue_id);
      };
      const brokenSignature = async (id: string) => {
        const signed = await signMail(mailText(message(id, "a@nospf.example")), [state.pair("good1")]);
        return mailOctets(signed).replace("Hello", "Changed");
      };
      const brokenChain = async (id: string) => {
        const mail = mailText(message(id, "a@nospf.example"));
        const sealed = await sealMail(mail, state.pair("list1"), "list.example; none");
        return mailOctets(sealed).replace("Hello", "Changed");
      };

      describe("that refuses", () => {
        const reject = "reject";
        beforeAll(() =>
          milter.reload(
            describeMilter({
              policy: {
                dmarcFail: reject,
                spfFail: reject,
                dkimFail: reject,
                iprevFail: reject,
                noAuthor: reject,
                arcFail: reject,
              },
            }),
          ),
        );

        it.each<
          [status: string, text: (id: string) => string | Promise<string>, sending: Sending, reason: string]
        >([
          ["5.7.1", (id) => message(id, "a@good.example"), {}, "DMARC says fail"],
          ["5.7.1", bareBody, {}, "no From"],
          [
            "5.7.1",
            (id) => message(id, "a@nospf.example").replace("<a@nospf.example>", "a@a.example, b@b.example"),
            {},
            "two authors of two domains",
          ],
          ["5.7.20", brokenSignature, {}, "a signature, and it does not hold"],
          [
            "5.7.23",
            (id) => message(id, "a@nospf.example"),
            { mailFrom: "a@hard.example" },
            "SPF says fail for everyone",
          ],
          ["5.7.25", (id) => message(id, "a@nospf.example"), { from: STRANGER }, "no name that leads back"],
          [
            "5.7.26",
            (id) => message(id, "a@nospf.example"),
            { from: STRANGER, mailFrom: "a@good.example" },
            "SPF and the name as well",
          ],
          ["5.7.29", brokenChain, {}, "a chain of ARC seals, and it is broken"],
        ])("says 550 %s", async (status, text, sending) => {
          const id = mark();
          expect(await send(await text(id), sending)).toMatch(
            new RegExp(`^550 ${status.replaceAll(".", "\\.")} `),
          );
        });

        it("lets in what nothing speaks against", async () => {
          const id = mark();
          expect(await send(message(id, "a@good.example"), { mailFrom: "a@good.example" })).toMatch(/^250 /);
          await arrivedAlone(id);
        });
      });

      it("does as the author's domain asks", async () => {
        await milter.reload(describeMilter({ policy: { dmarcFail: "as-asked" } }));
        const ids = [mark(), mark(), mark()] as const;
        const stranger = { from: STRANGER };
        expect(await send(message(ids[0], "a@good.example"), stranger)).toMatch(/^550 5\.7\.1 /);
        const held = await send(message(ids[1], "a@held.example"), stranger);
        expect(held).toMatch(/^250 /);
        expect(await send(message(ids[2], "a@watching.example"), stranger)).toMatch(/^250 /);
        await arrivedAlone(ids[2]);
        expect(await onHold()).toEqual([/ queued as (\S+)/.exec(held)?.[1]]);
        expect(await mailer.mails().then((all) => all.filter(({ text }) => text.includes(ids[1])))).toEqual(
          [],
        );
        expect(await lineOf(held)).toContain(" dmarc=fail because=dmarcFail action=quarantine ");
      });

      it("takes the word of a list that is trusted, and of no other", async () => {
        await milter.reload(
          describeMilter({
            policy: { dmarcFail: "reject" },
            trustedSealers: ["list.example"],
            sealAs: "example.org",
          }),
        );
        const [id, other] = [mark(), mark()];
        const original = await signMail(mailText(message(id, "a@good.example")), [state.pair("good1")]);
        const changed = {
          ...original,
          body: Buffer.concat([original.body, Buffer.from("-- \r\nA list\r\n")]),
        };
        const saw = "list.example; dmarc=pass header.from=good.example";
        const sealed = mailOctets(await sealMail(changed, state.pair("list1"), saw));
        const reply = await send(sealed);
        expect(reply).toMatch(/^250 /);
        const mail = await arrivedAlone(id);
        expect(fieldsOf(mail, "Authentication-Results")[0]).toContain(
          "dmarc=fail (p=reject, made good by ARC of list.example)",
        );
        expect(await lineOf(reply)).toContain(" vouched-by=list.example ");
        // One more set on top, which holds for others as well.
        expect(fieldsOf(mail, "ARC-Seal").map((value) => /i=\d/.exec(value)?.[0])).toEqual(["i=2", "i=1"]);
        expect((await verify(mail)).arc).toBe("pass");
        expect((await dkimpy(mail)).arc).toBe("pass");
        expect((await dkimpy({ text: mail.text.replace("A list", "A fist") })).arc).toBe("fail");
        const untrusted = mailText(message(other, "a@good.example"));
        const word = "good.example; dmarc=pass header.from=good.example";
        expect(await send(mailOctets(await sealMail(untrusted, state.pair("good1"), word)))).toMatch(
          /^550 5\.7\.1 /,
        );
      });

      it("seals mail that came without a chain, forged results of ours taken out before", async () => {
        const id = mark();
        const forged = "Authentication-Results: mail.example.org; spf=pass\r\n";
        await send(message(id, "a@good.example", forged), { mailFrom: "a@good.example" });
        const mail = await arrivedAlone(id);
        expect(fieldsOf(mail, "ARC-Authentication-Results")[0]).toMatch(
          /^i=1; mail\.example\.org; dmarc=pass /,
        );
        expect(fieldsOf(mail, "Authentication-Results")).toHaveLength(1);
        expect((await verify(mail)).arc).toBe("pass");
        expect((await dkimpy(mail)).arc).toBe("pass");
      });

      it("without DNS lets mail in and says so, or has it sent again", async () => {
        await milter.reload(describeMilter({ policy: { dmarcFail: "reject", spfFail: "reject" } }));
        const [id, other] = [mark(), mark()];
        const late = { from: LATE_STRANGER, mailFrom: "a@late.example" };
        try {
          process.kill(bind.pid, "SIGSTOP");
          expect(await send(message(id, "a@late.example"), late)).toMatch(/^250 /);
          await milter.reload(describeMilter({ policy: { temporary: "tempfail", dmarcFail: "reject" } }));
          const later = { from: STRANGER, mailFrom: "a@later.example" };
          expect(await send(message(other, "a@later.example"), later)).toMatch(/^451 4\.7\.24 /);
        } finally {
          process.kill(bind.pid, "SIGCONT");
        }
        const [results] = fieldsOf(await arrivedAlone(id), "Authentication-Results");
        expect(results).toMatch(/; dmarc=temperror .*; spf=temperror .*; iprev=temperror /);
        const again = await send(message(other, "a@later.example"), { mailFrom: "a@later.example" });
        expect(again).toMatch(/^250 /);
      });
    });

    describe("under load", () => {
      beforeAll(() => milter.reload(describeMilter()));

      const flood = (change: Partial<Flood> = {}) => {
        const idStart = mark();
        const wanted: Flood = {
          ...SUBMISSION,
          from: CLIENT,
          connections: 6,
          messages: 200,
          perConnection: 5,
          login: "alice@example.org",
          mailFrom: "alice@example.org",
          recipient: BOB,
          text: message("{id}", "alice@example.org"),
          idStart,
          withinMilliseconds: 90_000,
          ...change,
        };
        return { idStart, wanted, result: mailer.flood(wanted) };
      };

      /** Everything that was accepted has arrived, and is signed twice. */
      async function expectAllSigned({ idStart, wanted, result }: ReturnType<typeof flood>) {
        const { accepted } = await result;
        expect(accepted).toHaveLength(wanted.messages);
        await expect
          .poll(
            async () => {
              const mails = await mailer.arrived(`Subject: ${idStart}`);
              return new Set(mails.flatMap((mail) => fieldsOf(mail, "Subject"))).size;
            },
            { timeout: 60_000, interval: 200 },
          )
          .toBe(wanted.messages);
        const mails = await mailer.arrived(`Subject: ${idStart}`);
        const signed = mails.map((mail) => selectorsOf(mail));
        expect(signed.filter(([rsa = "", ed]) => !["rsa1", "next1"].includes(rsa) || ed !== "ed1")).toEqual(
          [],
        );
        for (const mail of mails.filter((_, at) => at % 20 === 0))
          expect((await verify(mail)).dkim.filter((result) => !result.startsWith("pass "))).toEqual([]);
        return mails;
      }

      it("takes new settings and keys, and no message notices", async () => {
        const load = flood({ messages: 600 });
        let isOver = false;
        load.result.finally(() => {
          isOver = true;
        });
        let reloads = 0;
        for (; !isOver && reloads < 20; reloads++) {
          if (reloads === 2) {
            await state.change("next1", "signing");
            await state.change("rsa1", "retiring");
          }
          await milter.reload(describeMilter({ authservId: `mail${reloads}.example.org` }));
          await sleep(50);
        }
        expect(reloads).toBeGreaterThan(3);
        const { unwelcome, brokenConnections } = await load.result;
        expect({ unwelcome, brokenConnections }).toEqual({ unwelcome: [], brokenConnections: 0 });
        const mails = await expectAllSigned(load);
        expect(mails).toHaveLength(600);
        expect(new Set(mails.map((mail) => selectorsOf(mail)[0]))).toEqual(new Set(["rsa1", "next1"]));
        const id = mark();
        await send(message(id, "alice@good.example"), { mailFrom: "alice@good.example" });
        expect(fieldsOf(await arrivedAlone(id), "Authentication-Results")[0]).toMatch(
          new RegExp(`^mail${reloads - 1}\\.example\\.org; `),
        );
        const outgoing = mark();
        await send(message(outgoing, "alice@example.org"), { to: ORIGINATING });
        expect(selectorsOf(await arrivedAlone(outgoing))).toEqual(["next1", "ed1"]);
      });

      it("keeps its settings where new ones are wrong", async () => {
        await milter.reload(describeMilter());
        await milter.reload("milter: { policy: { dmarcFail: burn } }", true);
        const outgoing = mark();
        await send(message(outgoing, "alice@example.org"), { to: ORIGINATING });
        expect(selectorsOf(await arrivedAlone(outgoing))).toEqual(["next1", "ed1"]);
        await milter.reload(describeMilter());
      });

      it.each<[which: string, count: number]>([
        ["one process", 1],
        ["all that take connections", 2],
      ])(
        "loses nothing where %s is killed",
        async (_, killed) => {
          const load = flood();
          await sleep(300);
          const before = milter.workerPids();
          for (const pid of before.slice(0, killed)) process.kill(pid, "SIGKILL");
          await expectAllSigned(load);
          const { unwelcome } = await load.result;
          expect(unwelcome.filter((reply) => !/^4/.test(reply))).toEqual([]);
          expect(milter.said()).toContain(`process ${before[0]} ended (SIGKILL); another is started`);
          await expect.poll(() => milter.workerPids().length).toBe(2);
          expect(milter.workerPids().filter((pid) => before.includes(pid))).toHaveLength(2 - killed);
        },
        120_000,
      );

      it("loses nothing where the first process is killed, and starts again at the same place", async () => {
        const load = flood();
        await sleep(300);
        milter.kill("SIGKILL");
        expect(await milter.ended()).toBe("SIGKILL");
        await sleep(500);
        await milter.startAgain();
        await expectAllSigned(load);
        const { unwelcome } = await load.result;
        expect(unwelcome.filter((reply) => !/^4/.test(reply))).toEqual([]);
      }, 120_000);

      it("starts processes again until the settings are right once more", async () => {
        const before = milter.workerPids();
        writeFileSync(join(directory, "zonepost.yaml"), "milter: [");
        for (const pid of before) process.kill(pid, "SIGKILL");
        const id = mark();
        const again = () => send(message(id, "alice@example.org"), { to: ORIGINATING });
        expect(await again()).toMatch(/^4\d\d 4\.7\.1 /);
        await expect
          .poll(() => milter.said())
          .toMatch(
            /zonepost\.yaml:1: not valid YAML[\s\S]*process \d+ ended \(exit 64\); another is started/,
          );
        writeFileSync(join(directory, "zonepost.yaml"), describeMilter());
        await expect.poll(again, { interval: 300 }).toMatch(/^250 /);
        expect(selectorsOf(await arrivedAlone(id))).toEqual(["next1", "ed1"]);
        await expect.poll(() => milter.workerPids().length).toBe(2);
      }, 120_000);

      it("hears of new settings while its processes still begin", async () => {
        milter.kill("SIGTERM");
        expect(await milter.ended()).toBe(0);
        await milter.startAgain();
        await milter.reload(describeMilter());
      });

      it("ends when it is told to, and no message under way is lost", async () => {
        const load = flood();
        await sleep(300);
        milter.kill("SIGTERM");
        expect(await milter.ended()).toBe(0);
        await milter.startAgain();
        await expectAllSigned(load);
        const { unwelcome, brokenConnections } = await load.result;
        expect(unwelcome.filter((reply) => !/^4/.test(reply))).toEqual([]);
        expect(brokenConnections).toBe(0);
      }, 120_000);
    });
  },
  { asRoot: true },
);

it.each([1, 2])("says why where it cannot listen, with %i processes, and ends", async (workers) => {
  const directory = makeServerDirectory("milter");
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  try {
    writeFileSync(join(directory, "zonepost.yaml"), describeMilter());
    const words = [
      "milter",
      "run",
      "--config",
      "zonepost.yaml",
      "--state",
      "state",
      "--resolver",
      "127.0.0.1:9",
    ];
    const more = ["--workers", String(workers), "--listen", `inet:${port}@127.0.0.1`];
    const run = promisify(execFile)(process.execPath, [MAIN, ...words, ...more], {
      cwd: directory,
      timeout: 20_000,
    });
    await expect(run).rejects.toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/^zonepost: --listen inet:\d+@127\.0\.0\.1: \w+ EADDRINUSE\b.*\n$/),
    });
  } finally {
    taken.close();
    rmSync(directory, { recursive: true });
  }
});
