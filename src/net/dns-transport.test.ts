import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { freePort } from "../../test/support/free-port.ts";
import { decodeMessage, encodeMessage, type Message, RCODES } from "../standards/dns/message.ts";
import { domainName } from "../standards/dns/name.ts";
import { startDnsServer } from "./dns-server.ts";
import { createDnsTransport, type DnsTransport, type Patience } from "./dns-transport.ts";

const name = domainName("example.org");
const query = { name, type: "TXT", recursionDesired: false } as const;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function transport(options?: Parameters<typeof createDnsTransport>[0]): DnsTransport {
  const made = createDnsTransport(options);
  closing.push(() => made.close());
  return made;
}

function patience(attempts = 3, milliseconds = 5_000): Patience {
  return { firstTimeoutMilliseconds: 2_000, attempts, deadline: performance.now() + milliseconds };
}

type OnQuery = (query: Message, octets: Buffer, from: RemoteInfo, socket: Socket) => void;

/** A UDP socket that does with each query what the test says. */
async function udpServer(onQuery: OnQuery) {
  const socket = createSocket("udp4");
  socket.bind(await freePort(), "127.0.0.1");
  await once(socket, "listening");
  closing.push(() => socket.close());
  socket.on("message", (octets, from) => {
    const decoded = decodeMessage(octets);
    if (decoded.ok) onQuery(decoded.value, octets, from, socket);
  });
  return { address: "127.0.0.1", port: socket.address().port };
}

/** A TCP listener on a port that may already serve UDP. */
async function tcpServer(port: number, onQuery: (octets: Buffer) => Buffer | "close") {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      const reply = onQuery(data.subarray(2));
      if (reply === "close") {
        socket.destroy();
        return;
      }
      const framed = Buffer.alloc(reply.length + 2, 0);
      framed.writeUInt16BE(reply.length);
      reply.copy(framed, 2);
      // in two pieces: streams know no message borders
      socket.write(framed.subarray(0, 1));
      setImmediate(() => socket.write(framed.subarray(1)));
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
}

function replyTo(asked: Message, text = "yes"): Message {
  return {
    ...asked,
    isResponse: true,
    answers: [{ name, ttlSeconds: 60, data: { type: "TXT", strings: [text] } }],
  };
}
const texts = (message: Message) =>
  message.answers.flatMap(({ data }) => (data.type === "TXT" ? data.strings : []));

describe("replies that count", () => {
  const forgeries: [string, (asked: Message) => Message | Uint8Array][] = [
    ["another id", (asked) => replyTo({ ...asked, id: asked.id ^ 1 }, "forged")],
    [
      "another name",
      (asked) =>
        replyTo({ ...asked, questions: [{ name: domainName("example.com"), type: "TXT" }] }, "forged"),
    ],
    ["another type", (asked) => replyTo({ ...asked, questions: [{ name, type: "MX" }] }, "forged")],
    [
      "another class",
      (asked) => replyTo({ ...asked, questions: [{ name, type: "TXT", classCode: 3 }] }, "forged"),
    ],
    [
      "two questions",
      (asked) => replyTo({ ...asked, questions: [asked.questions[0]!, asked.questions[0]!] }, "forged"),
    ],
    ["a query in place of a response", (asked) => ({ ...replyTo(asked, "forged"), isResponse: false })],
    ["fewer octets than a header", () => Uint8Array.of(0, 1, 2)],
    ["no question, though all went well", (asked) => ({ ...replyTo(asked, "forged"), questions: [] })],
  ];
  it.each(forgeries)("passes over %s", async (_, forge) => {
    const server = await udpServer((asked, _octets, from, socket) => {
      const forged = forge(asked);
      socket.send(forged instanceof Uint8Array ? forged : encodeMessage(forged), from.port, from.address);
      socket.send(encodeMessage(replyTo(asked)), from.port, from.address);
    });
    const dns = transport();
    const reply = await dns.exchange(server, query, patience());
    expect(reply.ok && texts(reply.message)).toEqual(["yes"]);
    expect(dns.strayCount).toBe(1);
  });

  it("passes over the right packet from another port and from another address", async () => {
    const elsewhere = createSocket("udp4").bind(0, "127.0.0.1");
    const otherAddress = createSocket("udp4").bind(0, "127.0.0.9");
    closing.push(
      () => elsewhere.close(),
      () => otherAddress.close(),
    );
    const server = await udpServer((asked, _octets, from, socket) => {
      const forged = encodeMessage(replyTo(asked, "forged"));
      elsewhere.send(forged, from.port, from.address, () =>
        otherAddress.send(forged, from.port, from.address, () =>
          setTimeout(() => socket.send(encodeMessage(replyTo(asked)), from.port, from.address), 10),
        ),
      );
    });
    const dns = transport();
    const reply = await dns.exchange(server, query, { ...patience(), firstTimeoutMilliseconds: 2_000 });
    expect(reply.ok && texts(reply.message)).toEqual(["yes"]);
    expect(dns.strayCount).toBe(2);
  });

  it("uses many ids and more than one port", async () => {
    const ids = new Set<number>();
    const ports = new Set<number>();
    const server = await udpServer((asked, _octets, from, socket) => {
      ids.add(asked.id);
      ports.add(from.port);
      socket.send(encodeMessage(replyTo(asked)), from.port, from.address);
    });
    const dns = transport();
    for (let n = 0; n < 64; n++) await dns.exchange(server, query, patience());
    expect(ids.size).toBeGreaterThan(55);
    expect(ports.size).toBeGreaterThan(4);
  });
});

describe("trouble on the way", () => {
  it("asks again after a loss, with a new id", async () => {
    const ids: number[] = [];
    const server = await udpServer((asked, _octets, from, socket) => {
      ids.push(asked.id);
      if (ids.length === 3) socket.send(encodeMessage(replyTo(asked)), from.port, from.address);
    });
    const patient = { ...patience(8, 30_000), firstTimeoutMilliseconds: 60 };
    expect((await transport().exchange(server, query, patient)).ok).toBe(true);
    expect(ids.length).toBeGreaterThanOrEqual(3);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("gives up at the deadline, however many attempts are left", async () => {
    const server = await udpServer(() => {});
    const began = performance.now();
    const reply = await transport().exchange(server, query, patience(100, 200));
    expect(reply).toMatchObject({ ok: false, cause: "timeout" });
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it("gives up waiting in the queue at the deadline", async () => {
    const server = await udpServer(() => {});
    const dns = transport({ maxInFlightPerServer: 1 });
    const replies = [1, 2, 3].map(() => dns.exchange(server, query, patience(100, 200)));
    expect(await Promise.all(replies)).toMatchObject(Array(3).fill({ ok: false, cause: "timeout" }));
  });

  it("keeps to the cap of queries in flight, and serves the queue in order", async () => {
    const waiting: (() => void)[] = [];
    const order: string[] = [];
    let inFlight = 0;
    let most = 0;
    const server = await udpServer((asked, _octets, from, socket) => {
      order.push(asked.questions[0]!.name);
      most = Math.max(most, ++inFlight);
      waiting.push(() => {
        inFlight--;
        socket.send(encodeMessage(replyTo(asked)), from.port, from.address);
      });
      setTimeout(() => waiting.shift()?.(), 5);
    });
    const dns = transport({ maxInFlightPerServer: 4 });
    const names = Array.from({ length: 20 }, (_, at) => domainName(`n${at}.example.org`));
    const patient = { ...patience(), firstTimeoutMilliseconds: 4_000 };
    await Promise.all(names.map((each) => dns.exchange(server, { ...query, name: each }, patient)));
    expect(most).toBeLessThanOrEqual(4);
    expect(order).toEqual(names);
  });

  it("rejects with the reason of an aborted signal, before and while waiting", async () => {
    const server = await udpServer(() => {});
    const dns = transport();
    const controller = new AbortController();
    const waiting = dns.exchange(server, query, { ...patience(), signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(dns.exchange(server, query, { ...patience(), signal: controller.signal })).rejects.toThrow(
      "enough",
    );
  });

  it("fails what is under way when it is closed", async () => {
    const server = await udpServer(() => {});
    const dns = transport();
    const waiting = dns.exchange(server, query, patience());
    dns.close();
    expect(await waiting).toMatchObject({ ok: false, cause: "network" });
  });

  it("asks again without EDNS where the server does not know it, and remembers", async () => {
    const withEdns: boolean[] = [];
    const server = await udpServer((asked, octets, from, socket) => {
      withEdns.push(asked.edns !== undefined);
      const header = Buffer.from([octets[0]!, octets[1]!, 0x80, RCODES.FORMERR, 0, 0, 0, 0, 0, 0, 0, 0]);
      socket.send(asked.edns ? header : encodeMessage(replyTo(asked)), from.port, from.address);
    });
    const dns = transport();
    expect((await dns.exchange(server, query, patience())).ok).toBe(true);
    expect((await dns.exchange(server, query, patience())).ok).toBe(true);
    expect(withEdns).toEqual([true, false, false]);
  });

  it("takes unreadable replies for malformed, after TCP said the same", async () => {
    const broken = (octets: Buffer) => {
      const reply = Buffer.from(octets.subarray(0, 12 + 13 + 4));
      reply[2] = 0x80;
      reply.writeUInt32BE(0x0001_0001, 4); // one question, one answer that is not there
      reply.writeUInt32BE(0, 8);
      return reply;
    };
    let overTcp = 0;
    const server = await udpServer((_asked, octets, from, socket) =>
      socket.send(broken(octets), from.port, from.address),
    );
    await tcpServer(server.port, (octets) => {
      overTcp++;
      return broken(octets);
    });
    expect(await transport().exchange(server, query, patience())).toMatchObject({
      ok: false,
      cause: "malformed",
    });
    expect(overTcp).toBe(1);
  });

  it("says malformed, not network, where the reply is unreadable and TCP is closed", async () => {
    const server = await udpServer((_asked, octets, from, socket) => {
      const reply = Buffer.concat([octets.subarray(0, 29), Buffer.from([7])]);
      reply[2] = 0x80;
      reply.writeUInt32BE(0x0001_0000, 4);
      reply.writeUInt32BE(0, 8);
      socket.send(reply, from.port, from.address);
    });
    expect(await transport().exchange(server, query, patience())).toMatchObject({
      ok: false,
      cause: "malformed",
    });
  });
});

describe("TCP", () => {
  const truncating: OnQuery = (asked, _octets, from, socket) =>
    socket.send(encodeMessage({ ...asked, isResponse: true, truncated: true }), from.port, from.address);
  const whole = (octets: Buffer) => {
    const asked = decodeMessage(octets);
    if (!asked.ok) throw new Error(asked.problem);
    return Buffer.from(encodeMessage(replyTo(asked.value, "over TCP")));
  };

  it("takes over where the datagram was cut", async () => {
    const server = await udpServer(truncating);
    await tcpServer(server.port, whole);
    const reply = await transport().exchange(server, query, patience());
    expect(reply.ok && texts(reply.message)).toEqual(["over TCP"]);
  });

  it("asks once more on a new connection where the server closes the first", async () => {
    const server = await udpServer(truncating);
    let queries = 0;
    await tcpServer(server.port, (octets) => (++queries === 1 ? "close" : whole(octets)));
    expect((await transport().exchange(server, query, patience())).ok).toBe(true);
    expect(queries).toBe(2);
  });

  it("is a network failure where nobody listens", async () => {
    const server = await udpServer(truncating);
    expect(await transport().exchange(server, query, patience())).toMatchObject({
      ok: false,
      cause: "network",
    });
  });

  it("keeps the connection for the next query", async () => {
    const long = "x".repeat(250);
    const records = [
      { name, ttlSeconds: 60, data: { type: "TXT", strings: Array(20).fill(long) } as const },
      {
        name,
        ttlSeconds: 60,
        data: {
          type: "SOA",
          primary: name,
          mailbox: name,
          serial: 1,
          refreshSeconds: 1,
          retrySeconds: 1,
          expireSeconds: 1,
          minimumSeconds: 1,
        } as const,
      },
    ];
    const served = await startDnsServer({ address: "127.0.0.1", zones: [{ apex: name, records }] });
    closing.push(() => served.close());
    const dns = transport();
    const replies = await Promise.all(
      Array.from({ length: 5 }, () => dns.exchange(served, query, patience())),
    );
    expect(replies.map((reply) => reply.ok && texts(reply.message).length)).toEqual(Array(5).fill(20));
  });
});
