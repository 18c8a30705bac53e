import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import type { AlertMessage } from "../watch/alert.ts";
import { alertRequest } from "../watch/alert-request.ts";
import { createAlertPost } from "./alert-post.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createServer(handle).listen(0, "127.0.0.1");
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function serveOctets(say: (socket: Socket) => void): Promise<number> {
  const server = createTcpServer((socket) => {
    closing.push(() => socket.destroy());
    socket.on("error", () => undefined);
    say(socket);
  }).listen(0, "127.0.0.1");
  closing.push(() => server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const open = createAlertPost({ allowPlain: true, allowPrivate: true, deadlineMilliseconds: 3_000 });
const MESSAGE: AlertMessage = {
  id: "0123456789abcdef",
  kind: "news",
  severity: "error",
  createdAt: "2026-11-21T12:00:00.000Z",
  title: "example.org: error: dmarc-missing",
  groups: [],
  omittedGroups: 0,
};
const request = (url: string) => ({ url, headers: {}, body: "{}" });

describe("a webhook", () => {
  it("gets the message, with a signature that it can verify, and an id", async () => {
    let seen: { headers: IncomingMessage["headers"]; body: string } | undefined;
    const port = await serve((incoming, response) => {
      let body = "";
      incoming.on("data", (chunk) => {
        body += chunk;
      });
      incoming.on("end", () => {
        seen = { headers: incoming.headers, body };
        response.statusCode = 204;
        response.end();
      });
    });
    const target = {
      kind: "webhook",
      url: `http://127.0.0.1:${port}/hook?x=1`,
      secret: { reveal: () => "s3" },
    } as const;
    const now = new Date("2026-11-21T12:00:05Z");
    expect(await open(alertRequest(target, MESSAGE, now))).toEqual({ status: "accepted" });
    const { headers, body } = seen!;
    const timestamp = String(headers["x-zonepost-timestamp"]);
    const signed = `${timestamp}.${headers["x-zonepost-id"]}.${body}`;
    expect(timestamp).toBe("1795262405");
    expect(headers["x-zonepost-signature"]).toBe(
      `v1=${createHmac("sha256", "s3").update(signed).digest("hex")}`,
    );
    expect(JSON.parse(body)).toEqual({ version: 1, ...MESSAGE });
    expect(body).not.toContain("s3");
  });

  it.each<[status: number, outcome: string]>([
    [302, "refused"],
    [401, "refused"],
    [429, "failed"],
    [503, "failed"],
  ])("that answers %i has %s it, and nothing else is asked", async (status, outcome) => {
    let asked = 0;
    const port = await serve((_, response) => {
      asked += 1;
      response.writeHead(status, { location: "http://127.0.0.1:1/internal" });
      response.end("secret words of an inner server");
    });
    const answer = await open(request(`http://127.0.0.1:${port}/`));
    expect([answer.status, asked]).toEqual([outcome, 1]);
    expect(JSON.stringify(answer)).not.toContain("secret words");
  });

  it.each<[what: string, say: (socket: Socket) => void]>([
    ["that says nothing", () => undefined],
    ["that hangs up", (socket) => socket.destroy()],
    ["that speaks no HTTP", (socket) => socket.end("220 mail.example.org ESMTP\r\n")],
    ["with a header without end", (socket) => void flood(socket, "HTTP/1.1 200 OK\r\nx: ", "a")],
    [
      "that drips its answer",
      (socket) => void drip(socket, "HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n"),
    ],
  ])("%s has failed", async (_, say) => {
    const port = await serveOctets(say);
    expect((await open(request(`http://127.0.0.1:${port}/`))).status).toBe("failed");
  });

  it("whose answer has no end has got it, and is cut off", async () => {
    const port = await serveOctets((socket) => flood(socket, "HTTP/1.1 200 OK\r\n\r\n", "a"));
    expect(await open(request(`http://127.0.0.1:${port}/`))).toEqual({ status: "accepted" });
  });
});

describe("a receiver with several addresses", () => {
  const postTo = (...addresses: string[]) =>
    createAlertPost({
      allowPlain: true,
      allowPrivate: true,
      deadlineMilliseconds: 2_000,
      lookup: async () => addresses,
    });

  it.each<[addresses: string[], visits: number, status: string, reason: string]>([
    [["127.0.0.2", "127.0.0.1"], 1, "accepted", "the first refuses connections: the second is tried"],
    [["127.0.0.2", "127.0.0.3", "127.0.0.1"], 1, "accepted", "so for as many as there are"],
    [["127.0.0.1", "127.0.0.2"], 1, "accepted", "the first has it: the others are not asked"],
    [["127.0.0.2", "127.0.0.3"], 0, "failed", "none can be reached"],
  ])("at %j is visited %i times and has %s it (%s)", async (addresses, visits, status) => {
    let seen = 0;
    const port = await serve((_, response) => {
      seen += 1;
      response.end();
    });
    const outcome = await postTo(...addresses)(request(`http://hooks.example.org:${port}/`));
    expect([outcome.status, seen]).toEqual([status, visits]);
    expect(Object.keys(outcome)).not.toContain("isUnreached");
  });

  it("is asked once, where one was reached and broke off: it may have the message", async () => {
    let visits = 0;
    const port = await serveOctets((socket) => {
      visits += 1;
      socket.destroy();
    });
    const outcome = await postTo("127.0.0.1", "127.0.0.1")(request(`http://hooks.example.org:${port}/`));
    expect([outcome.status, visits]).toEqual(["failed", 1]);
  });

  it("gets it at the second, where the first says nothing to a connection", async () => {
    const url = `http://hooks.example.org:${await halfAnswering()}/`;
    expect((await postTo("127.0.0.2", "127.0.0.1")(request(url))).status).toBe("accepted");
    expect((await postTo("127.0.0.2")(request(url))).status).toBe("failed");
  });
});

describe("an address inside our network", () => {
  const safe = createAlertPost({
    lookup: async (host) =>
      ({
        "inner.example.org": ["10.0.0.8"],
        "mixed.example.org": ["1.1.1.1", "127.0.0.1"],
        "none.example.org": [],
      })[host] ?? Promise.reject(new Error("no")),
  });

  it.each<[url: string, detail: string, reason: string]>([
    ["http://example.org/", "https is", "in the clear"],
    ["file:///etc/passwd", "https is", "another protocol"],
    ["https://127.0.0.1/", "no public address", "loopback"],
    ["https://2130706433/", "no public address", "loopback as a number"],
    ["https://0x7f.1/", "no public address", "loopback in hex"],
    ["https://[::1]/", "no public address", "loopback"],
    ["https://[::ffff:169.254.169.254]/", "no public address", "metadata of a cloud, mapped"],
    ["https://[64:ff9b::7f00:1]/", "no public address", "loopback behind NAT64"],
    ["https://[2002:7f00:1::]/", "no public address", "loopback behind 6to4"],
    ["https://[fd00::1]/", "no public address", "a private network"],
    ["https://[fec0::1]/", "no public address", "one of a site, as they were"],
    ["https://[::7f00:1]/", "no public address", "loopback, written as IPv6 once was"],
    ["https://inner.example.org/", "no public address", "a name that leads there"],
    ["https://mixed.example.org/", "no public address", "one of its addresses does"],
    ["https://user:secret@example.org/", "user or password", "secrets do not belong there"],
    ["nonsense", "no URL", "no URL"],
  ])("%s is refused (%s: %s)", async (url, detail) => {
    const outcome = await safe(request(url));
    expect(outcome).toEqual({ status: "refused", detail: expect.stringContaining(detail) });
    expect(JSON.stringify(outcome)).not.toContain("secret");
  });

  it("is not reached by a name whose answer changes: it is looked up once, and that is connected to", async () => {
    let [asked, visits] = [0, 0];
    const port = await serve((_, response) => {
      visits += 1;
      response.end();
    });
    const rebinding = createAlertPost({
      allowPlain: true,
      deadlineMilliseconds: 300,
      lookup: async () => [++asked === 1 ? "192.88.99.1" : "127.0.0.1"],
    });
    await rebinding(request(`http://rebinding.example.org:${port}/`));
    expect([asked, visits]).toEqual([1, 0]);
  });

  it.each(["none.example.org", "unknown.example.org"])("%s has failed: nothing is known", async (host) => {
    expect((await safe(request(`https://${host}/`))).status).toBe("failed");
  });
});

/** A port that answers at 127.0.0.1, and takes no more connections at 127.0.0.2: their queue is full there. */
async function halfAnswering(): Promise<number> {
  for (let tries = 0; tries < 10; tries++) {
    const port = await serve((_, response) => void response.end());
    if (await takesNone(port)) return port;
  }
  throw new Error("no port is free at both addresses");
}

/** False where somebody else has the port of 127.0.0.2. */
async function takesNone(port: number): Promise<boolean> {
  const words = `
    const { parentPort, workerData } = require("node:worker_threads");
    const server = require("node:net").createServer();
    server.on("error", (error) => parentPort.postMessage(error.code));
    server.listen({ port: workerData.port, host: "127.0.0.2", backlog: 1 }, () => {
      parentPort.postMessage("listening");
      Atomics.wait(new Int32Array(workerData.never), 0, 0);
    });`;
  const worker = new Worker(words, { eval: true, workerData: { port, never: new SharedArrayBuffer(4) } });
  closing.push(() => void worker.terminate());
  const [said] = (await once(worker, "message")) as [string];
  if (said === "EADDRINUSE") return false;
  if (said !== "listening") throw new Error(said);
  while (await connects(port));
  return true;
}

/** False where nothing answers for a while. */
async function connects(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.2").on("error", () => undefined);
  closing.push(() => socket.destroy());
  await Promise.race([once(socket, "connect"), sleep(300)]);
  // Where this process was held up, the answer is heard only now.
  await sleep(20);
  return !socket.connecting;
}

function flood(socket: Socket, begin: string, more: string): void {
  socket.write(begin);
  const write = () => {
    if (!socket.destroyed && socket.write(more.repeat(65_536))) setImmediate(write);
    else if (!socket.destroyed) socket.once("drain", write);
  };
  write();
}

function drip(socket: Socket, begin: string): void {
  socket.write(begin);
  const timer = setInterval(() => socket.write("a"), 20);
  closing.push(() => clearInterval(timer));
}
