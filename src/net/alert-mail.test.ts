/** Alerts by mail to a real SMTP server, and the shapes that push services and chats read. */
import { describe, expect, it } from "vitest";
import type { ReceivedMail } from "../milter/mail-exchange.ts";
import type { AlertMessage } from "../watch/alert.ts";
import { alertMail } from "../watch/alert-mail.ts";
import { alertRequest } from "../watch/alert-request.ts";
import { createMailSubmission } from "./mail-submission.ts";
import { startSmtpSink } from "./smtp-sink.ts";

const MESSAGE: AlertMessage = {
  id: "0123456789abcdef",
  kind: "digest",
  severity: "error",
  createdAt: "2026-11-21T12:00:00.000Z",
  title: "grün.example.org: error: dmarc-missing\r\nBcc: eve@example.net",
  groups: [],
  omittedGroups: 0,
  text: `.\r\nFrom <b> & all\n${"x".repeat(9000)}`,
};
const NOW = new Date("2026-11-21T12:00:05Z");

describe("an alert", () => {
  it("arrives by mail, whole, with nothing put into its header", async () => {
    const mails: ReceivedMail[] = [];
    const sink = await startSmtpSink({
      address: "127.0.0.1",
      port: 0,
      hostName: "mx.example.org",
      recipient: "ops@example.org",
      onMail: (mail) => void mails.push(mail),
      onVisit: () => undefined,
      now: () => NOW,
    });
    const submit = createMailSubmission({
      host: "127.0.0.1",
      port: sink.port,
      tls: "starttls",
      authorities: [],
      isTrustedBlindly: true,
      heloName: "watch.example.org",
    });
    const outcome = await submit(alertMail({ from: "watch@example.org", to: "ops@example.org" }, MESSAGE));
    await sink.close();
    expect(outcome.status).toBe("accepted");
    const [header = "", body = ""] = Buffer.from(mails[0]!.octets).toString("latin1").split("\r\n\r\n");
    expect(header).toContain("Message-ID: <0123456789abcdef@example.org>");
    expect(header).not.toMatch(/^Bcc:/im);
    expect(Buffer.from(body, "base64").toString()).toContain(MESSAGE.text);
    for (const line of header.split("\r\n")) expect(line.length).toBeLessThanOrEqual(78);
    const subject = [...header.matchAll(/=\?utf-8\?B\?(.*?)\?=/g)].map(([, word]) =>
      Buffer.from(word!, "base64").toString(),
    );
    expect(subject.join("")).toMatch(/^\[zonepost\] grün\.example\.org: error/);
  });

  it.each(["ops@example.org, eve@example.net", "ops@example.org\r\nBcc: eve", "-oQ/tmp"])(
    "is not sent to %j",
    (to) => {
      expect(() => alertMail({ from: "watch@example.org", to }, MESSAGE)).toThrow(TypeError);
    },
  );

  it("goes to ntfy as its JSON, bounded, with the token where it belongs", () => {
    const target = {
      kind: "ntfy",
      url: "https://ntfy.example.org/base/alerts",
      token: { reveal: () => "tk" },
    } as const;
    const { url, headers, body } = alertRequest(target, MESSAGE, NOW);
    expect([url, headers["authorization"]]).toEqual(["https://ntfy.example.org/base/", "Bearer tk"]);
    expect(JSON.parse(body)).toMatchObject({ topic: "alerts", priority: 5 });
    expect(Buffer.byteLength(JSON.parse(body).message)).toBeLessThan(4096);
  });

  it("goes to a chat as text in which nothing is markup", () => {
    const { body } = alertRequest({ kind: "slack", url: "https://chat.example.org/x" }, MESSAGE, NOW);
    const { blocks } = JSON.parse(body);
    expect(blocks[1].text.text).toContain("From &lt;b&gt; &amp; all");
    expect(blocks[1].text.text.length).toBeLessThanOrEqual(3000);
  });
});
