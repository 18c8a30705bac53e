/** HTTPS against servers on loopback: what is told, and what is not done. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createAuthority } from "../../test/support/certificates.ts";
import { httpsAt, ipAddress } from "../../test/support/probe-target.ts";
import type { HttpsProbe, HttpsRequest } from "../check/probe.ts";
import { createProber } from "./service-probe.ts";

const authority = createAuthority();
const { chain, key } = authority.issue({ subject: "mta-sts.example.org", names: ["mta-sts.example.org"] });
const prober = createProber({
  ca: [authority.root.certificate],
  heloName: "probe.example.net",
  totalTimeoutMilliseconds: 3_000,
  connectTimeoutMilliseconds: 300,
});

let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void, tls = {}) {
  const server = createServer({ cert: chain, key, ...tls }, answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  let open = 0;
  let accepted = 0;
  server.on("connection", (socket) => {
    accepted++;
    open++;
    socket.on("error", () => {});
    socket.on("close", () => open--);
  });
  stop = async () => {
    await expect.poll(() => open).toBe(0);
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { port: (server.address() as AddressInfo).port, acceptedCount: () => accepted };
}

async function fetchFrom(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  more: Partial<HttpsRequest> = {},
  tls = {},
): Promise<HttpsProbe> {
  const { port } = await serve(answer, tls);
  return prober.fetchHttps({ ...httpsAt(port), ...more });
}

describe("an answer", () => {
  it("is told with its status, type, text and TLS", async () => {
    const probe = await fetchFrom(
      (request, response) => {
        response.setHeader("content-type", "Text/Plain; Charset=UTF-8");
        response.write(`${request.method} ${request.url} `);
        response.end(`${request.headers.host?.split(":")[0]} ${request.headers["accept-encoding"]}`);
      },
      { path: "/.well-known/mta-sts.txt" },
    );
    expect(probe).toMatchObject({
      status: "answered",
      address: { text: "127.0.0.1" },
      httpStatus: 200,
      contentType: "text/plain; charset=utf-8",
      body: "GET /.well-known/mta-sts.txt mta-sts.example.org identity",
      tls: { status: "established", trust: { ok: true }, chain: [{ names: ["mta-sts.example.org"] }, {}] },
    });
    expect(probe).not.toHaveProperty("location");
  });

  it("to a POST has had its body", async () => {
    const post = { contentType: "text/xml", body: "<ä/>" };
    const probe = await fetchFrom(
      (request, response) => {
        request.setEncoding("utf8");
        request.on("data", (text) => response.write(`${request.headers["content-type"]} ${text}`));
        request.on("end", () => response.end());
      },
      { post },
    );
    expect(probe).toMatchObject({ status: "answered", body: "text/xml <ä/>" });
  });

  it.each([404, 500, 204])("%i is an answer too", async (status) => {
    const probe = await fetchFrom((_, response) => response.writeHead(status).end());
    expect(probe).toMatchObject({ status: "answered", httpStatus: status, body: "" });
  });

  it("that is no UTF-8 has marks in place of it", async () => {
    const probe = await fetchFrom((_, response) => response.end(Buffer.from([0x61, 0xff])));
    expect(probe).toMatchObject({ body: "a\ufffd" });
  });

  it("of exactly the octets allowed is no more than allowed", async () => {
    const exact = await fetchFrom((_, response) => response.end("x".repeat(100)), { maxOctets: 100 });
    expect(exact).toMatchObject({ status: "answered" });
  });
});

it("a redirect is told, and not followed", async () => {
  const { port, acceptedCount } = await serve((_, response) =>
    response.writeHead(301, { location: "/again" }).end(),
  );
  const probe = await prober.fetchHttps(httpsAt(port));
  expect(probe).toMatchObject({ status: "answered", httpStatus: 301, location: "/again" });
  expect(acceptedCount()).toBe(1);
});

describe("addresses", () => {
  it("are tried in their order until one connects", async () => {
    const { port } = await serve((_, response) => response.end("here"));
    const addresses = [ipAddress("127.0.0.9"), ipAddress("127.0.0.1")];
    const probe = await prober.fetchHttps({ ...httpsAt(port), addresses });
    expect(probe).toMatchObject({ status: "answered", address: { text: "127.0.0.1" } });
  });

  it("beyond the fourth are left alone", async () => {
    const { port, acceptedCount } = await serve((_, response) => response.end("here"));
    const others = ["127.0.0.6", "127.0.0.7", "127.0.0.8", "127.0.0.9"].map(ipAddress);
    const probe = await prober.fetchHttps({
      ...httpsAt(port),
      addresses: [...others, ipAddress("127.0.0.1")],
    });
    expect(probe).toMatchObject({ status: "refused", detail: expect.stringContaining("127.0.0.9") });
    expect(acceptedCount()).toBe(0);
  });

  it("that are none leave nothing to reach", async () => {
    expect(await prober.fetchHttps({ ...httpsAt(443), addresses: [] })).toMatchObject({
      status: "unreachable",
    });
  });
});

describe("what cannot be used is broken", () => {
  it.each<
    [reason: string, answer: (request: IncomingMessage, response: ServerResponse) => void, detail: RegExp]
  >([
    ["a body too large", (_, response) => response.end("x".repeat(10_001)), /more than 10000 octets/],
    [
      "a body too large of no announced length",
      (_, response) => {
        response.write("x".repeat(6_000));
        response.end("x".repeat(6_000));
      },
      /more than 10000 octets/,
    ],
    [
      "packed, although nobody asked for it",
      (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("x"),
      /gzip/,
    ],
    [
      "cut in the middle",
      (_, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("x", () => response.destroy());
      },
      /closed the connection/,
    ],
    [
      "a header too large",
      (_, response) => response.writeHead(200, { "x-long": "x".repeat(20_000) }).end(),
      /header of more than 16 KiB/,
    ],
    ["no HTTP", (_, response) => response.socket?.end("220 mail.example.org ESMTP\r\n"), /other than HTTP/],
    [
      "nothing but interim answers",
      (_, response) => {
        for (let at = 0; at < 20; at++) response.writeProcessing();
      },
      /interim/,
    ],
  ])("%s", async (_, answer, detail) => {
    const probe = await fetchFrom(answer);
    expect(probe).toEqual({ status: "broken", detail: expect.stringMatching(detail) });
  });
});

describe("TLS", () => {
  it("that is too old has failed", async () => {
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" };
    const probe = await fetchFrom((_, response) => response.end(), {}, old);
    expect(probe).toEqual({
      status: "tls-failed",
      detail: expect.stringMatching(/failed: (?:alert: )?protocol version/),
    });
  });

  it("with a stranger's certificate is told, and the answer too", async () => {
    const stranger = createAuthority("Somebody").issue({ subject: "mta-sts.example.org" });
    const tls = { cert: stranger.chain, key: stranger.key };
    const probe = await fetchFrom((_, response) => response.end("here"), {}, tls);
    expect(probe).toMatchObject({ body: "here", tls: { trust: { problem: "unknown-authority" } } });
  });
});
