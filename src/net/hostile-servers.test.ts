/** Servers that mean ill, or are broken: each probe ends within its bounds, and tells what it met. */
import type { Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { createAuthority } from "../../test/support/certificates.ts";
import { httpsAt, ipAddress, serviceAt } from "../../test/support/probe-target.ts";
import { type ScriptedServer, startServerOf } from "../../test/support/scripted-server.ts";
import type { Protocol, ServiceProbe } from "../check/probe.ts";
import { createProber } from "./service-probe.ts";

const TOTAL_MILLISECONDS = 1_000;
/** The bound and what a busy machine may add. */
const PATIENCE_MILLISECONDS = TOTAL_MILLISECONDS + 15_000;
const PROTOCOLS: readonly Protocol[] = ["smtp", "imap", "pop3", "sieve", "xmpp-client", "imaps"];

const authority = createAuthority();
const { chain, key } = authority.issue({ subject: "mail.example.org", names: ["mail.example.org"] });
const context = createSecureContext({ cert: chain, key });
const prober = createProber({
  ca: [authority.root.certificate],
  heloName: "probe.example.net",
  connectTimeoutMilliseconds: 800,
  totalTimeoutMilliseconds: TOTAL_MILLISECONDS,
});

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** The outcome, and that it came in time and left no connection open. */
async function meet(
  onConnection: (socket: Socket) => void,
  protocol: Protocol = "smtp",
): Promise<ServiceProbe> {
  server = await startServerOf(onConnection);
  const startedAt = performance.now();
  const probe = await prober.probeService(serviceAt(protocol, server.port));
  expect(performance.now() - startedAt).toBeLessThan(PATIENCE_MILLISECONDS);
  await closed(server);
  return probe;
}

async function closed(of: ScriptedServer): Promise<void> {
  for (let waited = 0; of.openCount > 0 && waited < 15_000; waited += 10) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(of.openCount).toBe(0);
}

function secured(socket: Socket): TLSSocket {
  const inside = new TLSSocket(socket, { isServer: true, secureContext: context });
  inside.on("error", () => {});
  inside.resume();
  return inside;
}

/** Writes as long as the other side takes it; how much that was is in `sent`. */
function flood(socket: Socket, text: string, sent: { octets: number }): void {
  const more = () => {
    while (!socket.destroyed && sent.octets < 1e9) {
      sent.octets += text.length;
      if (!socket.write(text)) return void socket.once("drain", more);
    }
  };
  more();
}

const broken = (detail: RegExp) => ({ status: "broken", detail: expect.stringMatching(detail) });

describe("no connection", () => {
  it("is refused where nothing listens", async () => {
    server = await startServerOf(() => {});
    const { port } = server;
    await server.close();
    server = undefined;
    expect(await prober.probeService(serviceAt("smtp", port))).toEqual({
      status: "refused",
      detail: `connection refused by 127.0.0.1 port ${port}`,
    });
  });

  it("is unreachable where there is no way", async () => {
    // Linux opens no TCP connection to many hosts at once.
    const probe = await prober.probeService(serviceAt("smtp", 25, ipAddress("224.0.0.1")));
    expect(probe).toEqual({ status: "unreachable", detail: expect.stringMatching(/ENETUNREACH$/) });
  });
});

describe("silence", () => {
  it.each(PROTOCOLS)("after the connection: %s", async (protocol) => {
    expect(await meet(() => {}, protocol)).toEqual(broken(/127\.0\.0\.1 port \d+ did not .* within 1 s$/));
  });

  it("in the middle of a line", async () => {
    expect(await meet((socket) => socket.write("220 mail.exam"))).toEqual(
      broken(/end of its greeting within/),
    );
  });

  it("after the greeting", async () => {
    expect(await meet((socket) => socket.write("220 x\r\n"))).toEqual(broken(/its reply to EHLO within/));
  });

  it("in the middle of the handshake leaves what was told before", async () => {
    const probe = await meet((socket) => {
      socket.write("220 x\r\n");
      socket.on("data", (said) => {
        if (String(said).startsWith("EHLO")) socket.write("250-x\r\n250 STARTTLS\r\n");
        if (String(said).startsWith("STARTTLS")) socket.write("220 go\r\n");
      });
    });
    expect(probe).toMatchObject({
      status: "answered",
      capabilities: ["STARTTLS"],
      tls: broken(/did not end the TLS handshake within/),
    });
  });

  it("inside TLS leaves the certificate", async () => {
    const probe = await meet((socket) => {
      socket.write("220 x\r\n");
      socket.on("data", (said) => {
        if (String(said).startsWith("EHLO")) socket.write("250-x\r\n250 STARTTLS\r\n");
        if (!String(said).startsWith("STARTTLS")) return;
        socket.removeAllListeners("data");
        socket.write("220 go\r\n");
        secured(socket);
      });
    });
    expect(probe).toMatchObject({ status: "answered", tls: { status: "established", chain: [{}, {}] } });
    expect(probe).not.toHaveProperty("capabilitiesInTls");
  });
});

describe("drops", () => {
  it.each<[reason: string, drip: string]>([
    ["of one line", "220 mail.example.org".padEnd(1_000, "x")],
    ["of lines without end", "220-x\r\n".repeat(200)],
  ])("%s end with the time", async (_, drip) => {
    let at = 0;
    const probe = await meet((socket) => {
      const timer = setInterval(() => socket.write(drip[at++ % drip.length]!), 10);
      socket.on("close", () => clearInterval(timer));
    });
    expect(probe).toEqual(broken(/end of its greeting within 1 s/));
    expect(at).toBeLessThan(200);
  });
});

describe("too much", () => {
  it.each<[reason: string, protocol: Protocol, text: string, detail: RegExp]>([
    ["one line without end", "smtp", "2".repeat(65_536), /more than (?:64 KiB|8 KiB)/],
    ["lines without end", "smtp", "220-more\r\n".repeat(1_000), /more than (?:64 KiB|256 lines)/],
    ["IMAP lines without end", "imap", `* OK${" x".repeat(100)}\r\n`.repeat(300), /more than|unexpected/],
    ["XML without end", "xmpp-client", "<x>".repeat(20_000), /more than 64 KiB/],
  ])("%s", async (_, protocol, text, detail) => {
    const sent = { octets: 0 };
    const probe = await meet((socket) => flood(socket, text, sent), protocol);
    expect(probe).toEqual(broken(detail));
    // What the kernel's buffers took on both sides, and no gigabyte.
    expect(sent.octets).toBeLessThan(50e6);
  });

  it.each<[reason: string, text: string, expected: object]>([
    ["a line more than allowed", `${"220-x\r\n".repeat(256)}220 x\r\n`, broken(/more than 256 lines/)],
    ["as many as allowed", `${"554-x\r\n".repeat(255)}554 x\r\n`, { greeting: { code: 554 } }],
    ["a line longer than allowed", `220 ${"x".repeat(8_200)}\r\n`, broken(/line of more than 8 KiB/)],
    ["as long as allowed", `554 ${"x".repeat(8_000)}\r\n`, { greeting: { text: "x".repeat(512) } }],
  ])("%s", async (_, text, expected) => {
    expect(await meet((socket) => socket.write(text))).toMatchObject(expected);
  });

  it("inside TLS", async () => {
    const sent = { octets: 0 };
    const probe = await meet((socket) => flood(secured(socket), "* OK x\r\n".repeat(8_000), sent), "imaps");
    expect(probe).toEqual(broken(/more than (?:64 KiB|256 lines)/));
    expect(sent.octets).toBeLessThan(50e6);
  });

  it("while nobody asks: before the handshake", async () => {
    const sent = { octets: 0 };
    const probe = await meet((socket) => flood(socket, "\x16\x03\x01".repeat(20_000), sent), "imaps");
    expect(probe.status === "answered" ? probe.tls.status : probe.status).toMatch(/^(?:failed|broken)$/);
    expect(sent.octets).toBeLessThan(50e6);
  });

  it("a body without end", async () => {
    const sent = { octets: 0 };
    server = await startServerOf((socket) => {
      const inside = secured(socket);
      inside.write("HTTP/1.1 200 OK\r\n\r\n");
      flood(inside, "x".repeat(65_536), sent);
    });
    const probe = await prober.fetchHttps(httpsAt(server.port));
    expect(probe).toEqual(broken(/more than 10000 octets/));
    expect(sent.octets).toBeLessThan(50e6);
    await closed(server);
  });

  it("a header without end", async () => {
    const sent = { octets: 0 };
    server = await startServerOf((socket) => {
      const inside = secured(socket);
      inside.write("HTTP/1.1 200 OK\r\n");
      flood(inside, "x: y\r\n".repeat(10_000), sent);
    });
    expect(await prober.fetchHttps(httpsAt(server.port))).toEqual(broken(/header of more than 16 KiB/));
    expect(sent.octets).toBeLessThan(50e6);
    await closed(server);
  });

  it("a body in drops ends with the time", async () => {
    server = await startServerOf((socket) => {
      const inside = secured(socket);
      inside.write("HTTP/1.1 200 OK\r\n\r\n");
      const timer = setInterval(() => inside.write("x"), 10);
      socket.on("close", () => clearInterval(timer));
    });
    const startedAt = performance.now();
    expect(await prober.fetchHttps(httpsAt(server.port))).toEqual(broken(/HTTP answer within 1 s/));
    expect(performance.now() - startedAt).toBeLessThan(PATIENCE_MILLISECONDS);
    await closed(server);
  });
});

describe("chains of certificates", () => {
  const chained = (count: number) => {
    const whole = createSecureContext({ cert: chain + authority.root.certificate.repeat(count), key });
    return (socket: Socket) => {
      const inside = new TLSSocket(socket, { isServer: true, secureContext: whole });
      inside.on("error", () => {});
      inside.resume();
      inside.write("* OK x\r\n* CAPABILITY X\r\na1 OK\r\n");
    };
  };

  it("are told up to the sixteenth", async () => {
    const probe = await meet(chained(80), "imaps");
    if (probe.status !== "answered" || probe.tls.status !== "established") throw new Error(probe.status);
    expect(probe.tls.chain).toHaveLength(16);
  });

  it("that do not end are broken", async () => {
    const probe = await meet(chained(400), "imaps");
    expect(probe).toEqual(broken(/sent too much during the TLS handshake/));
  });
});

describe("cuts", () => {
  it.each(PROTOCOLS)("right after the connection: %s", async (protocol) => {
    expect(await meet((socket) => socket.resetAndDestroy(), protocol)).toEqual(
      broken(/(?:reset|closed|cut) the connection/),
    );
    await server?.close();
    expect(await meet((socket) => socket.end(), protocol)).toEqual(
      broken(/(?:reset|closed|cut) the connection/),
    );
  });

  it("in the handshake", async () => {
    const probe = await meet((socket) => socket.once("data", () => socket.resetAndDestroy()), "imaps");
    expect(probe).toEqual(broken(/cut the connection during the TLS handshake/));
  });

  it("behind the last line of a greeting still leave the greeting", async () => {
    expect(await meet((socket) => socket.end("554 go away\r\n"))).toMatchObject({
      greeting: { code: 554, text: "go away" },
      tls: { status: "not-tried" },
    });
  });
});

describe("another protocol on the port", () => {
  it.each<[protocol: Protocol, said: string]>([
    ["smtp", "* OK IMAP here\r\n"],
    ["smtp", "220-a\r\n250 b\r\n"],
    ["smtp", "\0\x01\x02\r\n"],
    ["imap", "220 SMTP here\r\n"],
    ["pop3", "* OK IMAP here\r\n"],
    ["sieve", "SSH-2.0-x\r\n"],
    ["xmpp-client", "220 SMTP here\r\n"],
    ["xmpp-client", "<html></html><stream:error></stream:error>"],
  ])("%s meets %j", async (protocol, said) => {
    expect(await meet((socket) => socket.write(said), protocol)).toEqual(broken(/something unexpected/));
  });
});
