import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ACCEPTED } from "../../test/support/milter-handler.ts";
import {
  CONNECT,
  macros,
  messagePackets,
  negotiation,
  packet,
  readReplies,
} from "../../test/support/milter-mta.ts";
import type { MilterAddress } from "../milter/address.ts";
import type { MailOutcome, MessageHandler } from "../milter/mail-handler.ts";
import { MilterSession, type MilterSessionOptions } from "../milter/session.ts";
import { type MilterServer, type MilterServerOptions, startMilterServer } from "./milter-server.ts";

let folder: string;
let path: string;
let server: MilterServer | undefined;
const sockets: Socket[] = [];
const aborted: string[] = [];
const errors: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "milter-"));
  path = join(folder, "m.sock");
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
  aborted.length = errors.length = 0;
});

async function start(
  answers: Partial<MessageHandler> = {},
  options: Partial<MilterServerOptions> = {},
  session: Partial<MilterSessionOptions> = {},
): Promise<MilterServer> {
  server = await startMilterServer({
    address: { kind: "unix", path },
    createSession: (owner) =>
      new MilterSession(
        {
          connect: () => ({
            begin: ({ mailFrom }) => ({
              header() {},
              endOfHeaders: () => "continue",
              body: () => "continue",
              end: () => ACCEPTED,
              abort: () => aborted.push(mailFrom),
              ...answers,
            }),
          }),
          needs: ["addHeaders"],
          after(milliseconds, action) {
            const timer = setTimeout(action, milliseconds);
            return () => clearTimeout(timer);
          },
          onError: (error, source) => errors.push(`${source}: ${error.message}`),
          ...session,
        },
        owner,
      ),
    ...options,
  });
  return server;
}

async function dial(
  address: MilterAddress = server!.address,
): Promise<{ socket: Socket; replies: () => string[] }> {
  const socket = connect(
    address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port },
  );
  sockets.push(socket);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => {});
  await once(socket, "connect");
  return { socket, replies: () => readReplies(Buffer.concat(chunks)) };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo(); waited += 5) {
    if (waited > 10_000) throw new Error("it never came about");
    await delay(5);
  }
}

const MESSAGE = Buffer.concat([...messagePackets({ body: ["x".repeat(10_000)] }), packet("A")]);
const TALK = Buffer.concat([negotiation(), CONNECT, MESSAGE, MESSAGE]);

describe("a milter server", () => {
  it.each<[string, () => MilterAddress]>([
    ["a unix socket", () => ({ kind: "unix", path })],
    ["IPv4", () => ({ kind: "inet", host: "127.0.0.1", port: 0 })],
    ["IPv6", () => ({ kind: "inet", host: "::1", port: 0 })],
  ])("serves 300 connections at once over %s", async (_, address) => {
    const { address: taken } = await start({}, { address: address() });
    const clients = await Promise.all(Array.from({ length: 300 }, () => dial(taken)));
    for (const { socket } of clients) socket.write(TALK);
    await until(() => clients.every(({ replies }) => replies().length === 3));
    expect(new Set(clients.map(({ replies }) => replies().slice(1).join()))).toEqual(new Set(["a,a"]));
    expect(server!.connections).toBe(300);
    for (const { socket } of clients) socket.write(packet("Q"));
    await until(() => server!.connections === 0);
    expect(errors).toEqual([]);
  });

  it("makes a socket file that only those meant can use, and takes it away", async () => {
    await start({}, { mode: 0o640 });
    expect(lstatSync(path).mode & 0o777).toBe(0o640);
    // Beside it is only the place where it was made, which nobody else can enter.
    const beside = readdirSync(folder).filter((name) => name !== "m.sock");
    expect(beside).toEqual([expect.stringMatching(/^\./)]);
    expect(lstatSync(join(folder, beside[0]!)).mode & 0o777).toBe(0o700);
    await server!.close();
    expect(existsSync(path)).toBe(false);
  });

  it("writes into the socket's folder, and nowhere else", async () => {
    path = join(folder, "inside", "m.sock");
    mkdirSync(join(folder, "inside"));
    await start();
    expect(readdirSync(folder)).toEqual(["inside"]);
    expect(readdirSync(join(folder, "inside"))).toContain("m.sock");
  });

  it("takes the place of a dead one, and of nothing else", async () => {
    const other = createServer().listen(path);
    await once(other, "listening");
    await expect(start()).rejects.toThrow(/another process listens/);
    const kept = join(folder, "kept");
    renameSync(path, kept);
    other.close();
    await once(other, "close");
    renameSync(kept, path);
    await start();
    expect((await dial()).replies()).toEqual([]);
    await server!.close();
    writeFileSync(path, "mine");
    await expect(start()).rejects.toThrow(/is no socket/);
    expect(readdirSync(folder)).toEqual(["m.sock"]);
  });

  it("leaves the file of another alone", async () => {
    const first = await start();
    rmSync(path);
    const other = createServer().listen(path);
    await once(other, "listening");
    await first.close();
    expect(existsSync(path)).toBe(true);
    other.close();
  });

  it("refuses one connection too many", async () => {
    let refused = 0;
    await start({}, { maxConnections: 2, onRefused: () => refused++ });
    await dial();
    await dial();
    const { socket } = await dial();
    if (!socket.closed) await once(socket, "close");
    expect([server!.connections, refused]).toEqual([2, 1]);
  });

  it("closes what is silent for too long", async () => {
    await start({}, { idleSeconds: 0.05 });
    const { socket } = await dial();
    await once(socket, "close");
    await until(() => server!.connections === 0);
  });

  it("hears of a client that vanishes in a body, and of one that vanishes while its answer is made", async () => {
    const pending = Promise.withResolvers<MailOutcome>();
    await start({ end: () => pending.promise }, { address: { kind: "inet", host: "127.0.0.1", port: 0 } });
    const inBody = await dial();
    inBody.socket.write(
      Buffer.concat([negotiation(), CONNECT, packet("M", "<body@example.net>\0"), packet("N")]),
    );
    inBody.socket.write(packet("B", "x".repeat(1000)).subarray(0, 500));
    const atEnd = await dial();
    atEnd.socket.write(
      Buffer.concat([negotiation(), CONNECT, ...messagePackets({ mailFrom: "end@example.net" })]),
    );
    await until(() => inBody.replies().length === 1 && atEnd.replies().length === 1);
    inBody.socket.resetAndDestroy();
    atEnd.socket.destroy();
    await until(() => aborted.length === 2);
    expect(aborted.toSorted()).toEqual(["body@example.net", "end@example.net"]);
    pending.resolve(ACCEPTED);
  });

  it("reports progress, and drops the answer of an aborted message", async () => {
    const answers = [Promise.withResolvers<MailOutcome>(), Promise.withResolvers<MailOutcome>()];
    let at = 0;
    await start({ end: () => answers[at++]!.promise }, {}, { progressSeconds: 0.02 });
    const { socket, replies } = await dial();
    socket.write(Buffer.concat([negotiation(), CONNECT, ...messagePackets()]));
    await until(() => replies().filter((reply) => reply === "p").length >= 2);
    socket.write(Buffer.concat([packet("A"), ...messagePackets()]));
    await until(() => at === 2);
    answers[0]!.resolve({ action: { kind: "discard" }, changes: [] });
    answers[1]!.resolve(ACCEPTED);
    await until(() => replies().at(-1) === "a");
    expect(replies()).not.toContain("d");
    expect(aborted.length).toBe(1);
  });

  it("goes on after a handler's error, and ends the connection after an MTA's", async () => {
    let count = 0;
    await start({
      end() {
        if (count++ === 0) throw new Error("broken");
        return ACCEPTED;
      },
    });
    const { socket, replies } = await dial();
    socket.write(TALK);
    await until(() => replies().length === 3);
    expect(replies().slice(1)).toEqual([expect.stringMatching(/^y 451/), "a"]);
    socket.write(Buffer.alloc(8));
    await once(socket, "close");
    expect(errors).toEqual(["handler: broken", expect.stringMatching(/^mta: .*length 0/)]);
  });

  it("takes no more from a client that reads no answers", async () => {
    await start();
    const socket = connect({ path });
    sockets.push(socket);
    await once(socket, "connect");
    // Version 2 answers each command: unread, the answers fill every buffer.
    const questions = Buffer.concat(Array.from({ length: 5000 }, () => packet("H", "x\0")));
    socket.write(negotiation(2));
    let written = 0;
    for (; written < 2000 && socket.writableLength < 8_000_000; written++) socket.write(questions);
    await delay(300);
    expect(socket.writableLength).toBeGreaterThan(1_000_000);
    socket.on("data", () => {});
    await until(() => socket.writableLength === 0);
    expect(errors).toEqual([]);
  });

  it("holds back a body while its header is looked at", async () => {
    const interest = Promise.withResolvers<"continue">();
    let octets = 0;
    await start({
      endOfHeaders: () => interest.promise,
      body(chunk) {
        octets += chunk.length;
        return "continue";
      },
    });
    const { socket, replies } = await dial();
    const body = Array.from({ length: 200 }, () => "x".repeat(65_535));
    socket.write(Buffer.concat([negotiation(), CONNECT, ...messagePackets({ body })]));
    await delay(100);
    expect(socket.writableLength).toBeGreaterThan(0);
    interest.resolve("continue");
    await until(() => replies().at(-1) === "a");
    expect(octets).toBe(200 * 65_535);
  });

  it("closes at once what has no message, where there is no grace", async () => {
    await start();
    const idle = await dial();
    idle.socket.write(TALK);
    const busy = await dial();
    busy.socket.write(
      Buffer.concat([negotiation(), CONNECT, macros("M", {}), packet("M", "<>\0"), packet("N")]),
    );
    await until(() => idle.replies().length === 3 && busy.replies().length === 1);
    expect(await server!.close()).toEqual({ finished: 0, idle: 1, interrupted: 1 });
    await until(() => aborted.length === 1);
  });

  it("waits for those that there are, and lets nobody else in", async () => {
    await start();
    const [first, second] = [await dial(), await dial()];
    for (const { socket } of [first, second]) {
      socket.write(Buffer.concat([negotiation(), CONNECT, packet("M", "<>\0"), packet("N")]));
    }
    await until(() => first.replies().length === 1 && second.replies().length === 1);
    const closed = server!.close({ graceMilliseconds: 4_000 });
    await until(() => !existsSync(path));
    await expect(dial()).rejects.toThrow();
    first.socket.write(Buffer.concat([packet("E"), packet("A"), packet("Q")]));
    expect(await closed).toEqual({ finished: 1, idle: 0, interrupted: 1 });
    expect(first.replies().at(-1)).toBe("a");
  });
});
