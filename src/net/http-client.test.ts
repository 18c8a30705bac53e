import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority } from "../../test/support/certificates.ts";
import { createHttpClient, type OpenHttpClient } from "./http-client.ts";

const authority = createAuthority();
const { chain, key } = authority.issue({ subject: "localhost", names: ["localhost"] });
const extraAuthorities = [authority.root.certificate];

/** Connections made so far, to see which are kept. */
let connections = 0;
const bodies: string[] = [];

const listener: RequestListener = (request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    bodies.push(body);
    switch (request.url) {
      case "/echo":
        response.setHeader("X-Kind", "echo");
        return response.end(`${request.method} ${request.headers["authorization"]} ${body}`);
      case "/redirect":
        return response.writeHead(302, { location: "/echo" }).end();
      case "/big":
        return response.end("x".repeat(2000));
      case "/endless": {
        response.on("error", () => {});
        const more = () => response.write("x".repeat(500), () => response.destroyed || setImmediate(more));
        return more();
      }
      case "/half":
        response.writeHead(200, { "content-length": "100" }).write("half");
        return setTimeout(() => response.destroy(), 20);
      case "/reset":
        return request.socket.destroy();
      case "/silent":
        return undefined;
      case "/error":
        return response.writeHead(500).end("broken");
      default:
        return response.writeHead(404).end("{}");
    }
  });
};

const open: Server[] = [];
async function listen(server: Server): Promise<number> {
  server.on("connection", () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(server);
  return (server.address() as AddressInfo).port;
}

let secure = "";
let plain = "";
let client: OpenHttpClient;
const bounds = { deadlineMilliseconds: 2_000, maxOctets: 1000 };

beforeAll(async () => {
  secure = `https://localhost:${await listen(createHttpsServer({ cert: chain, key }, listener))}`;
  plain = `http://127.0.0.1:${await listen(createHttpServer(listener))}`;
  client = createHttpClient({ extraAuthorities, ...bounds });
});
afterAll(() => {
  client.close();
  for (const server of open) {
    server.closeAllConnections();
    server.close();
  }
});

const get = (url: string) => ({ method: "GET", url, headers: { authorization: "token" } }) as const;
const post = (url: string, body = "äb") =>
  ({ method: "POST", url, headers: { authorization: "token" }, body }) as const;

describe("answers", () => {
  it.each(["secure", "plain"])("come whole, with status and headers (%s)", async (kind) => {
    const outcome = await client.request(post(`${kind === "secure" ? secure : plain}/echo`));
    expect(outcome).toMatchObject({ status: "answered", httpStatus: 200, body: "POST token äb" });
    expect(outcome.status === "answered" && outcome.headers["x-kind"]).toBe("echo");
  });

  it.each([
    ["/error", 500, "broken"],
    ["/nothing", 404, "{}"],
  ])("%s is an answer too", async (path, httpStatus, body) => {
    expect(await client.request(get(secure + path))).toMatchObject({ status: "answered", httpStatus, body });
  });

  it("redirects are told, not followed", async () => {
    const outcome = await client.request(get(`${secure}/redirect`));
    expect(outcome).toMatchObject({ status: "answered", httpStatus: 302, body: "" });
  });
});

describe("failures", () => {
  it.each<[path: string, words: string, reason: string]>([
    ["/silent", "no whole answer within 2 s", "a server that is silent"],
    ["/reset", "hang up", "a connection that is reset when the request is there"],
    ["/half", "breaks off", "an answer that is cut"],
    ["/big", "longer than 1000 octets", "an answer that is too large"],
    ["/endless", "longer than 1000 octets", "an answer without an end"],
  ])("%s: the request may have been carried out", async (path, words) => {
    const before = bodies.length;
    const outcome = await client.request(post(secure + path));
    expect(outcome).toMatchObject({ status: "failed", sent: true, detail: expect.stringContaining(words) });
    expect(bodies.length).toBe(before + 1);
  });

  it("nobody listens", async () => {
    const port = await listen(createHttpServer(listener));
    open.pop()?.close();
    const outcome = await client.request(post(`http://127.0.0.1:${port}/echo`));
    expect(outcome).toMatchObject({
      status: "failed",
      sent: false,
      detail: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it("a connection is closed before the request is sent", async () => {
    const server = createTcpServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    expect(await client.request(post(`https://localhost:${port}/echo`))).toMatchObject({
      status: "failed",
      sent: false,
    });
    server.close();
  });

  it("a certificate that nobody knows", async () => {
    const stranger = createHttpClient(bounds);
    const before = bodies.length;
    const outcome = await stranger.request(post(`${secure}/echo`));
    expect(outcome).toMatchObject({
      status: "failed",
      sent: false,
      detail: expect.stringContaining("certificate"),
    });
    expect(bodies.length).toBe(before);
    stranger.close();
  });

  it("a certificate of another name", async () => {
    const outcome = await client.request(post(`${secure.replace("localhost", "127.0.0.1")}/echo`));
    expect(outcome).toMatchObject({ status: "failed", sent: false });
  });

  it.each(["nonsense", "ftp://192.0.2.1/", ""])("%j is no address", async (url) => {
    expect(await client.request(get(url))).toMatchObject({ status: "failed", sent: false });
  });

  it("a header that would break the request; its text is not told", async () => {
    const headers = { authorization: "a secret\nwith a line break" };
    const outcome = await client.request({ method: "GET", url: `${plain}/echo`, headers });
    expect(outcome).toMatchObject({ status: "failed", sent: false });
    expect(JSON.stringify(outcome)).not.toContain("a secret");
  });
});

describe("connections", () => {
  it("are kept for reading, and made anew for each change", async () => {
    const own = createHttpClient({ extraAuthorities });
    const before = connections;
    for (let round = 0; round < 3; round++) await own.request(get(`${secure}/echo`));
    expect(connections - before).toBe(1);
    for (let round = 0; round < 3; round++) await own.request(post(`${secure}/echo`));
    expect(connections - before).toBe(4);
    own.close();
  });

  it("that were closed meanwhile do not stop a reader", async () => {
    const server = createHttpServer((request, response) => {
      response.end("here");
      // says that it is kept, and is closed all the same
      setTimeout(() => request.socket.destroy(), 0);
    });
    const port = await listen(server);
    const own = createHttpClient();
    for (let round = 0; round < 20; round++) {
      expect(await own.request(get(`http://127.0.0.1:${port}/`))).toMatchObject({ status: "answered" });
    }
    own.close();
  });
});
