/** The sink: what it takes octet by octet, whom it sends away, and that each bound holds against clients that mean ill. */
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import type { MailSink, ReceivedMail, SinkVisit } from "../milter/mail-exchange.ts";
import { selfSignedCertificate } from "./self-signed-certificate.ts";
import { type SinkLimits, startSmtpSink } from "./smtp-sink.ts";

const RECIPIENT = "prove-5f3a@prove.invalid";
const ENVELOPE = `EHLO client.example.org\r\nMAIL FROM:<bob@example.org>\r\nRCPT TO:<${RECIPIENT}>\r\nDATA\r\n`;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const chain = selfSignedCertificate({
  name: "sink.example.net",
  privateKey: key,
  notBefore: new Date(Date.now() - 86_400_000),
  notAfter: new Date(Date.now() + 86_400_000),
});

let sink: MailSink;
let mails: ReceivedMail[];
let visits: SinkVisit[];
const sockets: Socket[] = [];

async function start(limits: Partial<SinkLimits> = {}): Promise<void> {
  mails = [];
  visits = [];
  sink = await startSmtpSink({
    address: "127.0.0.1",
    port: 0,
    hostName: "sink.example.net",
    recipient: RECIPIENT,
    certificate: { chain, key },
    now: () => new Date(),
    onMail: (mail) => mails.push(mail),
    onVisit: (visit) => visits.push(visit),
    limits: { idleMilliseconds: 5_000, ...limits },
  });
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await sink.close();
});

interface Client {
  readonly socket: Socket;
  /** All that the server said so far. */
  readonly heard: string;
  /** Waits until the server has said it. */
  until(text: string | RegExp): Promise<string>;
  /** Waits for the end of the connection. */
  ended(): Promise<string>;
}

function listen(socket: Socket): Client {
  sockets.push(socket);
  let heard = "";
  let isClosed = false;
  const waiting = new Set<() => void>();
  const tell = () => {
    for (const each of waiting) each();
  };
  socket.on("data", (chunk) => {
    heard += chunk;
    tell();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    isClosed = true;
    tell();
  });
  const wait = (isThere: () => boolean, what: string) =>
    new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited for ${what}; heard: ${heard}`)), 4_000);
      const look = () => {
        if (!isThere()) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve(heard);
      };
      waiting.add(look);
      look();
    });
  return {
    socket,
    get heard() {
      return heard;
    },
    until: (text) =>
      wait(() => (typeof text === "string" ? heard.includes(text) : text.test(heard)), String(text)),
    ended: () => wait(() => isClosed, "the end"),
  };
}

const connect = (): Client => listen(connectTcp({ host: "127.0.0.1", port: sink.port }));

/** Sends all at once, and says what the server answered. */
async function say(...parts: readonly (string | Buffer)[]): Promise<string> {
  const client = connect();
  for (const part of parts)
    client.socket.write(typeof part === "string" ? Buffer.from(part, "latin1") : part);
  client.socket.write("QUIT\r\n");
  return client.ended();
}

const taken = () => mails.map(({ octets }) => Buffer.from(octets).toString("latin1"));
const codes = (heard: string) => [...heard.matchAll(/^(\d{3})[ ]/gm)].map(([, code]) => code);

describe("what is taken", () => {
  it.each<[sent: string, arrives: string, reason: string]>([
    ["Subject: x\r\n\r\nhello\r\n.\r\n", "Subject: x\r\n\r\nhello\r\n", "a plain message"],
    ["A: b\r\n\r\n..\r\n..two\r\n.\r\n", "A: b\r\n\r\n.\r\n.two\r\n", "doubled dots are taken out, once"],
    ["..A: b\r\n.\r\n", ".A: b\r\n", "of the first line too"],
    [".single\r\n.\r\n", "single\r\n", "a dot is taken out though nobody doubled it (RFC 5321 §4.5.2)"],
    [".\r\n", "", "the CRLF of DATA is the first of the end"],
    ["a\n.\nb\r\n.\r\n", "a\n.\nb\r\n", "a bare LF ends nothing"],
    ["a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n", "nor half of it"],
    ["a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n", "nor the other half; its dot is an ordinary one"],
    ["a\r.\rb\r\n.\r\n", "a\r.\rb\r\n", "nor does a bare CR"],
    ["a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", "nor a dot before a bare CR"],
    ["\xff\0\xe4\r\n.\r\n", "\xff\0\xe4\r\n", "any octet"],
    [`${"x".repeat(5_000)}\r\n.\r\n`, `${"x".repeat(5_000)}\r\n`, "a line as long as it came"],
  ])("%j → %j (%s)", async (sent, arrives) => {
    await start();
    expect(codes(await say(ENVELOPE, sent))).toEqual(["220", "250", "250", "250", "354", "250", "221"]);
    expect(taken()).toEqual([arrives]);
  });

  it("is the same wherever the packets are cut", async () => {
    await start();
    const text = "..a\r\n\r\n..\r\n\r\n.b\r\r\n...\r\n.\r\n";
    for (let cut = 1; cut < text.length; cut++) {
      const client = connect();
      client.socket.write(ENVELOPE);
      await client.until("354");
      client.socket.write(text.slice(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      client.socket.write(text.slice(cut));
      await client.until("taken");
      client.socket.destroy();
    }
    const slow = connect();
    slow.socket.write(ENVELOPE);
    await slow.until("354");
    for (const octet of text) {
      slow.socket.write(octet);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await slow.until("taken");
    expect(new Set(taken())).toEqual(new Set([".a\r\n\r\n.\r\n\r\nb\r\r\n..\r\n"]));
    expect(mails.length).toBe(text.length);
  });

  it("comes with what was seen of the client", async () => {
    await start();
    const client = connect();
    client.socket.write(`${ENVELOPE}A: b\r\n.\r\n`);
    await client.until("taken");
    expect(mails[0]).toMatchObject({
      client: {
        address: { text: "127.0.0.1" },
        port: client.socket.localPort,
        helo: "client.example.org",
        tls: undefined,
      },
      mailFrom: "bob@example.org",
    });
    client.socket.end("QUIT\r\n");
    await client.ended();
    await expect.poll(() => visits).toMatchObject([{ mails: 1, trouble: undefined }]);
  });

  it("may come several times, with RSET between, and empty reverse-paths", async () => {
    await start();
    const again = `RSET\r\nMAIL FROM:<> SIZE=4 BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<${RECIPIENT.toUpperCase()}>\r\nDATA\r\nB\r\n.\r\n`;
    expect(codes(await say(ENVELOPE, "A\r\n.\r\n", again))).toEqual(
      "220 250 250 250 354 250 250 250 250 354 250 221".split(" "),
    );
    expect(mails.map(({ mailFrom }) => mailFrom)).toEqual(["bob@example.org", ""]);
  });

  it("comes through TLS, of which version and cipher are told, and what was said before is forgotten", async () => {
    await start();
    const plain = connect();
    plain.socket.write("EHLO before.example.org\r\n");
    await plain.until("STARTTLS");
    plain.socket.write("STARTTLS\r\n");
    await plain.until("220 2.0.0");
    plain.socket.removeAllListeners("data");
    const socket = connectTls({ socket: plain.socket, rejectUnauthorized: false });
    const inside = listen(socket);
    await once(socket, "secureConnect");
    socket.write("MAIL FROM:<bob@example.org>\r\n");
    await inside.until("503 5.5.1 say EHLO first");
    socket.write(`${ENVELOPE}A: b\r\n.\r\nQUIT\r\n`);
    expect(await inside.ended()).not.toContain("STARTTLS");
    expect(mails[0]?.client).toMatchObject({
      helo: "client.example.org",
      tls: { version: "TLSv1.3", cipher: expect.stringMatching(/^TLS_/) },
    });
    await expect.poll(() => visits).toMatchObject([{ client: { tls: { version: "TLSv1.3" } } }]);
  });

  it("has a certificate that others can read", () => {
    const certificate = new X509Certificate(chain);
    expect(certificate.checkHost("sink.example.net")).toBe("sink.example.net");
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });
});

describe("what is refused", () => {
  it.each<[line: string, answer: string, reason: string]>([
    ["EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<prove-0000@prove.invalid>\r\n", "550 5.1.1", "another address"],
    ["EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<postmaster@prove.invalid>\r\n", "550 5.1.1", "even this one"],
    ["EHLO a\r\nMAIL FROM:<a@b>\r\nDATA\r\n", "503 5.5.1", "nobody to send to"],
    ["EHLO a\r\nRCPT TO:<a@b>\r\n", "503 5.5.1", "no sender yet"],
    ["MAIL FROM:<a@b>\r\n", "503 5.5.1", "no EHLO yet"],
    ["EHLO a\r\nMAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\n", "503 5.5.1", "a second sender"],
    ["EHLO a\r\nMAIL FROM:a@b\r\n", "501 5.5.4", "no angle brackets"],
    ["EHLO a\r\nMAIL FROM:<a@b> SIZE=99999999999\r\n", "552 5.3.4", "too big by its own word"],
    ["EHLO a\r\nMAIL FROM:<a@b> RET=FULL\r\n", "555 5.5.4", "a parameter that was not offered"],
    ["EHLO\r\n", "501 5.5.4", "who?"],
    ["EHLO a\nMAIL FROM:<a@b>\r\n", "500 5.5.2", "a bare LF ends no command"],
    ["EHLO a\rb\r\n", "500 5.5.2", "nor stands a CR in one"],
    ["GET / HTTP/1.1\r\n", "500 5.5.2", "another protocol"],
    ["VRFY bob\r\n", "252 2.5.2", "says nothing of addresses"],
  ])("%j: %s (%s)", async (line, answer) => {
    await start();
    expect(await say(line)).toContain(answer);
    expect(mails).toEqual([]);
  });
});

describe("clients that mean ill", () => {
  const quick = async <T>(work: Promise<T>, milliseconds = 3_500): Promise<T> => {
    const startedAt = performance.now();
    const result = await work;
    expect(performance.now() - startedAt).toBeLessThan(milliseconds);
    return result;
  };

  it("an endless line is cut", async () => {
    await start();
    const client = connect();
    client.socket.write("x".repeat(1_000_000));
    expect(await quick(client.ended())).toContain("500 5.5.6");
  });

  it("a line that never ends, octet by octet, is waited for no longer than the session's time", async () => {
    await start({ sessionMilliseconds: 300, idleMilliseconds: 200 });
    const client = connect();
    const drip = setInterval(() => client.socket.writable && client.socket.write("x"), 20);
    expect(await quick(client.ended())).toContain("421 4.4.2 sink.example.net session too long");
    clearInterval(drip);
  });

  it("a message that drips is cut too, and none of it is handed over", async () => {
    await start({ sessionMilliseconds: 300, idleMilliseconds: 200 });
    const client = connect();
    client.socket.write(ENVELOPE);
    await client.until("354");
    const drip = setInterval(() => client.socket.writable && client.socket.write("x\r\n"), 20);
    await quick(client.ended());
    clearInterval(drip);
    expect(mails).toEqual([]);
    await expect.poll(() => visits.length).toBe(1);
  });

  it("silence ends", async () => {
    await start({ idleMilliseconds: 100 });
    expect(await quick(connect().ended())).toContain("421 4.4.2 sink.example.net nothing came");
  });

  it("who does not read the farewell is not waited for", async () => {
    await start({ idleMilliseconds: 100 });
    const client = connect();
    client.socket.pause();
    await expect.poll(() => visits.length).toBe(1);
  });

  it("a thousand commands are too many", async () => {
    await start();
    const client = connect();
    client.socket.write("NOOP\r\n".repeat(1_000));
    const heard = await quick(client.ended());
    expect(heard).toContain("421 4.7.0 sink.example.net too many commands");
    expect(heard.match(/^250/gm)?.length).toBe(100);
  });

  it("pipelined garbage ends after twenty mistakes", async () => {
    await start();
    const client = connect();
    client.socket.write(Buffer.from("\0\xff\x80 garbage\r\n\n\r\r\n".repeat(500), "latin1"));
    const heard = await quick(client.ended());
    expect(heard).toContain("421 4.7.0 sink.example.net too many mistakes");
    expect(heard.match(/^500/gm)?.length).toBe(20);
  });

  it("text behind STARTTLS does not get into TLS", async () => {
    await start();
    const client = connect();
    client.socket.write("EHLO a\r\nSTARTTLS\r\nMAIL FROM:<mallory@example.net>\r\n");
    const heard = await quick(client.ended());
    expect(heard).toContain("501 5.5.1 nothing may follow STARTTLS");
    expect(heard).not.toContain("220 2.0.0");
  });

  it("a handshake that is none ends, and is told of", async () => {
    await start();
    const client = connect();
    client.socket.write("STARTTLS\r\n");
    await client.until("220 2.0.0");
    client.socket.write("MAIL FROM:<mallory@example.net>\r\n");
    await quick(client.ended());
    await expect.poll(() => visits).toMatchObject([{ mails: 0, trouble: expect.stringContaining("TLS") }]);
  });

  it("a handshake that never comes is waited for no longer than any silence", async () => {
    await start({ idleMilliseconds: 150 });
    const client = connect();
    client.socket.write("STARTTLS\r\n");
    await quick(client.ended());
  });

  it("a message that is too big is cut, and none of it is handed over", async () => {
    await start({ maxMessageOctets: 100_000 });
    const client = connect();
    client.socket.write(ENVELOPE);
    await client.until("354");
    for (let count = 0; count < 50; count++) client.socket.write(`${"y".repeat(9_998)}\r\n`);
    expect(await quick(client.ended())).toContain("552 5.3.4");
    expect(mails).toEqual([]);
  });

  it("connections beyond the bound are sent away, and one that is free again is taken", async () => {
    await start({ maxConnections: 2 });
    const [first, second] = [connect(), connect()];
    await Promise.all([first.until("220"), second.until("220")]);
    expect(await quick(connect().ended())).toContain("421 4.3.2");
    first.socket.destroy();
    await expect.poll(() => visits.length).toBe(2);
    const next = connect();
    expect(await next.until(/^\d{3}/)).toContain("220");
  });

  it("mail beyond the bound waits for another connection", async () => {
    await start({ maxMessages: 1 });
    const again = `MAIL FROM:<a@b>\r\nRCPT TO:<${RECIPIENT}>\r\nDATA\r\n`;
    expect(await say(ENVELOPE, "A\r\n.\r\n", again)).toContain("452 4.5.3");
  });

  it("who breaks off in a message leaves none", async () => {
    await start();
    const client = connect();
    client.socket.write(`${ENVELOPE}half a mess`);
    await client.until("354");
    client.socket.destroy();
    await expect
      .poll(() => visits)
      .toMatchObject([{ mails: 0, trouble: expect.stringContaining("broke off") }]);
    expect(mails).toEqual([]);
  });
});
