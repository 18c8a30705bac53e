/** A real Postfix with a milter session behind it: what arrives at the next server is what was meant. */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { HeaderChange, MailOutcome } from "../../src/milter/mail-handler.ts";
import { MilterSession } from "../../src/milter/session.ts";
import { type MilterServer, startMilterServer } from "../../src/net/milter-server.ts";
import { freePort } from "../support/free-port.ts";

import { startPostfix } from "../support/postfix.ts";
import { describeWithServers, type RunningServer } from "../support/real-server.ts";

let postfix: RunningServer;
let milter: MilterServer;
let sink: Server;
let smtpPort: number;
let outcome: MailOutcome = { action: { kind: "accept" }, changes: [] };
let answer: () => MailOutcome | Promise<MailOutcome> = () => outcome;
const told: string[] = [];
const errors: string[] = [];
const arrived: string[] = [];

/** Takes all mail. */
function swallow(socket: Socket): void {
  let text = "";
  let isData = false;
  socket.on("error", () => {});
  socket.write("220 sink.invalid\r\n");
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    for (;;) {
      const mark = isData ? "\r\n.\r\n" : "\r\n";
      const at = text.indexOf(mark);
      if (at < 0) return;
      const part = text.slice(0, at);
      text = text.slice(at + mark.length);
      if (isData) arrived.push(part);
      isData = !isData && /^DATA/i.test(part);
      socket.write(isData ? "354 go\r\n" : /^QUIT/i.test(part) ? "221 bye\r\n" : "250 ok\r\n");
    }
  });
}

/** The last reply to the message. */
async function send(message: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: smtpPort });
  let text = "";
  const replies: string[] = [];
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    const lines = text.split("\r\n");
    text = lines.pop() ?? "";
    replies.push(...lines.filter((line) => /^\d{3} /.test(line)));
    socket.emit("reply");
  });
  const next = async (count: number) => {
    while (replies.length < count) await once(socket, "reply");
  };
  const commands = [
    "EHLO client.example.net",
    "MAIL FROM:<a@example.net>",
    "RCPT TO:<b@example.org>",
    "DATA",
  ];
  await next(1);
  for (const [at, command] of commands.entries()) {
    socket.write(`${command}\r\n`);
    await next(at + 2);
  }
  socket.write(`${message}\r\n.\r\n`);
  await next(6);
  // How the connection ends is all the same.
  socket.on("error", () => {});
  socket.end("QUIT\r\n");
  return replies[5]!;
}

const MESSAGE =
  "From: a@example.net\r\nX-Dup: 1\r\nX-Dup:2\r\nX-Dup:\r\n\t3\r\nX-Dup:  4\r\nSubject: s\r\n\r\nHello\r\n";
const insert = (name: string, value: string): HeaderChange => ({ kind: "insert", index: 0, name, value });
const remove = (name: string, occurrence: number): HeaderChange => ({ kind: "remove", name, occurrence });

describeWithServers(
  ["postfix"],
  "a milter behind Postfix",
  () => {
    beforeAll(async () => {
      sink = createServer(swallow).listen(0, "127.0.0.1");
      await once(sink, "listening");
      milter = await startMilterServer({
        address: { kind: "inet", host: "127.0.0.1", port: 0 },
        createSession: (owner) =>
          new MilterSession(
            {
              connect: ({ address, macros }) => ({
                begin({ helo, mailFrom, macros: all }) {
                  told.push(`${address} ${helo} ${mailFrom} ${macros.has("j")} ${macros.has("client_addr")}`);
                  return {
                    header: ({ name, value }) => told.push(`${name}:${value}`),
                    endOfHeaders: () => "continue",
                    body(chunk) {
                      told.push(`body ${Buffer.from(chunk).toString("latin1")}`);
                      return "continue";
                    },
                    end(macros) {
                      told.push(`end ${macros === all} ${/^[0-9A-Za-z]+$/.test(macros.get("i") ?? "")}`);
                      return answer();
                    },
                    abort: () => told.push("abort"),
                  };
                },
              }),
              needs: ["addHeaders", "changeHeaders", "quarantine"],
              progressSeconds: 0.1,
              after(milliseconds, action) {
                const timer = setTimeout(action, milliseconds);
                return () => clearTimeout(timer);
              },
              onError: (error) => errors.push(error.message),
            },
            owner,
          ),
      });
      smtpPort = await freePort();
      const { address } = milter;
      postfix = await startPostfix({
        listeners: [{ address: "127.0.0.1", port: smtpPort }],
        domains: ["example.org"],
        settings: {
          smtpd_milters: `inet:127.0.0.1:${address.kind === "inet" ? address.port : ""}`,
          milter_default_action: "tempfail",
          relay_transport: `smtp:[127.0.0.1]:${(sink.address() as AddressInfo).port}`,
        },
      });
    });

    afterAll(async () => {
      await postfix?.stop();
      await milter?.close();
      sink?.close();
    });

    it("gets header values as they were sent, and writes changes where they belong", async () => {
      outcome = {
        action: { kind: "accept" },
        changes: [
          insert("X-First", " one\r\n\ttwo"),
          insert("X-Dup", "tight"),
          remove("X-Dup", 1),
          remove("X-Dup", 3),
        ],
      };
      expect(await send(MESSAGE)).toMatch(/^250 /);
      expect(told.filter((line) => !/^(?:Message-I|Date|Received|abort)/i.test(line))).toEqual([
        expect.stringMatching(/^127\.0\.0\.1 client\.example\.net a@example\.net true true$/),
        "From: a@example.net",
        "X-Dup: 1",
        "X-Dup:2",
        "X-Dup:\r\n\t3",
        "X-Dup:  4",
        "Subject: s",
        "body Hello\r\n\r\n",
        "end true true",
      ]);
      await expect.poll(() => arrived.length).toBe(1);
      const [received = ""] = arrived;
      expect(received.startsWith("X-First: one\r\n\ttwo\r\nX-Dup:tight\r\nReceived: ")).toBe(true);
      expect(received).toContain("From: a@example.net\r\nX-Dup:2\r\nX-Dup:  4\r\nSubject: s\r\n");
      expect(errors).toEqual([]);
    });

    it("refuses in the words of the handler", async () => {
      outcome = { action: { kind: "reply", code: 550, status: "5.7.20", text: "100% no" }, changes: [] };
      expect(await send(MESSAGE)).toMatch(/^550 5\.7\.20 100% no/);
    });

    it("takes a while, and tells a handler's error as a matter of time", async () => {
      answer = async () => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        throw new Error("broken");
      };
      expect(await send(MESSAGE)).toMatch(/^451 4\.7\.1 /);
      expect(errors).toEqual(["broken"]);
    });
  },
  { asRoot: true },
);
