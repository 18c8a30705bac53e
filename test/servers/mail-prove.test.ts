/** The closed loop with real Postfix and Dovecot: handed in with STARTTLS and a log-in, sent on, received octet by octet. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { proofMessage } from "../../src/milter/proof-message.ts";
import { createAuthority } from "../support/certificates.ts";
import { startDovecot } from "../support/dovecot.ts";
import { Stoppables } from "../support/laboratory.ts";
import type { MailLoop, MailLoopResult } from "../support/mail-loop-process.ts";
import { makeNamespace, type NetworkNamespace } from "../support/network-namespace.ts";
import { startPostfix } from "../support/postfix.ts";
import { describeWithServers } from "../support/real-server.ts";

const MAIL_SERVER = "198.18.5.1";
const RECEIVER = "198.18.5.2";
const PROGRAM = fileURLToPath(new URL("../support/mail-loop-process.ts", import.meta.url));
const authority = createAuthority();
const certificate = authority.issue({ subject: "mail.example.org", names: ["mail.example.org"] });
const sinkCertificate = authority.issue({ subject: "sink.example.net", names: ["sink.example.net"] });

const message = (rcptTo: string) =>
  proofMessage({
    from: "bob@example.org",
    to: rcptTo,
    now: new Date("2026-11-21T12:00:00Z"),
    token: "1",
    idDomain: "example.org",
  });

describeWithServers(
  ["ip", "postfix", "dovecot", "imap-login"],
  "a mail through a real server",
  () => {
    const running = new Stoppables();
    let namespace: NetworkNamespace;

    beforeAll(async () => {
      namespace = makeNamespace({ addresses: [MAIL_SERVER, RECEIVER] });
      running.add({ stop: () => namespace.remove() });
      const dovecot = running.add(
        await startDovecot({
          namespace: namespace.name,
          listeners: [{ protocol: "imap", address: MAIL_SERVER, port: 143 }],
          addresses: [{ address: MAIL_SERVER, certificate }],
        }),
      );
      const submission = {
        address: MAIL_SERVER,
        certificate,
        options: { smtpd_sasl_auth_enable: "yes", smtpd_tls_auth_only: "yes" },
      };
      running.add(
        await startPostfix({
          namespace: namespace.name,
          domains: [],
          saslSocket: dovecot.saslSocket,
          listeners: [
            { ...submission, port: 587 },
            { ...submission, port: 465, isTlsFirst: true },
          ],
          settings: {
            myhostname: "mail.example.org",
            // Only its own: the address of the receiving end must not be one of them.
            inet_interfaces: MAIL_SERVER,
            // As the command tells people to write it.
            transport_maps: `inline:{prove.invalid=smtp:[${RECEIVER}]:2525}`,
            default_transport: "smtp",
            relay_transport: "smtp",
            smtp_tls_security_level: "may",
            smtp_host_lookup: "native",
          },
        }),
      );
    }, 120_000);
    afterAll(() => running.stopAll());

    async function loop(change: {
      readonly recipient: string;
      readonly port: number;
      readonly server?: Partial<MailLoop["server"]>;
      readonly password?: string;
      readonly isPlain?: boolean;
      readonly anotherAddress?: string;
    }): Promise<MailLoopResult> {
      const { recipient, port, server = {}, password = "secret", isPlain = false } = change;
      const rcptTo = change.anotherAddress ?? recipient;
      const question: MailLoop = {
        sink: {
          address: RECEIVER,
          port,
          hostName: "sink.example.net",
          recipient,
          ...(!isPlain && { certificate: { chain: sinkCertificate.chain, key: sinkCertificate.key } }),
        },
        server: {
          host: MAIL_SERVER,
          port: 587,
          tls: "starttls",
          authorities: [authority.root.certificate],
          isTrustedBlindly: true,
          ...server,
        },
        login: { user: "bob@example.org", password },
        mail: { mailFrom: "bob@example.org", rcptTo, message: message(rcptTo) },
        waitMilliseconds: 10_000,
      };
      return JSON.parse(await namespace.run(process.execPath, [PROGRAM], JSON.stringify(question)));
    }

    it.each<[change: Parameters<typeof loop>[0], reason: string]>([
      [{ recipient: "prove-a1@prove.invalid", port: 2525 }, "by transport_maps, as --help says"],
      [{ recipient: `prove-a2@[${RECEIVER}]`, port: 25 }, "to an address literal on port 25"],
      [
        { recipient: "prove-a3@prove.invalid", port: 2525, server: { port: 465, tls: "implicit" } },
        "handed in with TLS from the first octet",
      ],
    ])("%j arrives as it was sent (%s)", async (change) => {
      const { submission, mails } = await loop(change);
      expect(submission).toMatchObject({ status: "accepted", tls: { version: "TLSv1.3" } });
      expect(mails).toMatchObject([
        {
          client: {
            address: MAIL_SERVER,
            helo: "mail.example.org",
            tls: { version: "TLSv1.3", cipher: expect.stringMatching(/^TLS_/) },
          },
          mailFrom: "bob@example.org",
        },
      ]);
      const [received = "", ...rest] = mails[0]!.message.split(/(?<=\r\n)(?=From: )/);
      expect(received).toMatch(/^Received: from client\.example\.net /);
      expect(rest.join("")).toBe(message(change.recipient));
    });

    it("arrives in the clear where no TLS is offered", async () => {
      const { mails } = await loop({ recipient: "prove-b1@prove.invalid", port: 2525, isPlain: true });
      expect(mails).toMatchObject([{ client: { helo: "mail.example.org" } }]);
      expect(mails[0]!.client.tls).toBeUndefined();
    });

    it("is not taken for another address", async () => {
      const recipient = "prove-c1@prove.invalid";
      const { mails, troubles } = await loop({
        recipient,
        port: 2525,
        anotherAddress: "prove-c2@prove.invalid",
      });
      expect(mails).toEqual([]);
      expect(troubles).toContain("550 5.1.1 nobody of that name is here");
    }, 120_000);

    it.each<[change: Partial<Parameters<typeof loop>[0]>, step: string, detail: string, reason: string]>([
      [{ server: { isTrustedBlindly: false } }, "tls", "stands for mail.example.org", "asked by its address"],
      [
        { server: { isTrustedBlindly: false, authorities: [] } },
        "tls",
        "which is not trusted",
        "an authority of the test's own",
      ],
      [{ anotherAddress: "bob@elsewhere..invalid" }, "recipient", "answered RCPT TO with 501", "no address"],
      // Last: Dovecot lets who was wrong once wait.
      [{ password: "wrong" }, "login", "answered AUTH with 535", "Dovecot knows better"],
    ])("%j is refused at %s: %s (%s)", async (change, step, detail) => {
      const { submission } = await loop({ recipient: "prove-d1@prove.invalid", port: 2525, ...change });
      expect(submission).toMatchObject({ status: "refused", step, detail: expect.stringContaining(detail) });
    });
  },
  { asRoot: true },
);
