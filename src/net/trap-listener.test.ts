/** Real connections on loopback: whatever a client says, it is told to come again. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { fc } from "../../test/support/random-inputs.ts";
import type { TrapContact } from "../check/mx-trap.ts";
import { startTrapListener, type TrapLimits, type TrapListener } from "./trap-listener.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
let trap: TrapListener | undefined;
let contacts: TrapContact[] = [];
afterEach(async () => {
  await trap?.close();
  trap = undefined;
});

async function start(limits: Partial<TrapLimits> = {}, address = "127.0.0.1"): Promise<void> {
  contacts = [];
  trap = await startTrapListener({
    address,
    port: 0,
    hostName: "trap.example.org",
    now: () => NOW,
    onContact: (contact) => contacts.push(contact),
    limits,
  });
}

/** All that the trap says to what is sent at once, until it ends the connection. */
async function say(sent: string | Uint8Array, { end = false } = {}): Promise<string> {
  const socket = connect({ port: trap!.port, host: "127.0.0.1" });
  let heard = "";
  socket.on("data", (chunk) => {
    heard += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  await once(socket, "connect");
  if (end) socket.end(sent);
  else socket.write(sent);
  await once(socket, "close");
  return heard;
}

const codes = (heard: string) =>
  heard
    .split("\r\n")
    .filter((line) => line !== "")
    .map((line) => line.slice(0, 3));

describe("a dialogue", () => {
  it("goes as with any mail server, until there is something to take", async () => {
    await start();
    const socket: Socket = connect({ port: trap!.port, host: "127.0.0.1" });
    const lines: string[] = [];
    let rest = "";
    socket.on("data", (chunk) => {
      rest += chunk.toString();
      for (let end = rest.indexOf("\r\n"); end >= 0; end = rest.indexOf("\r\n")) {
        lines.push(rest.slice(0, end));
        rest = rest.slice(end + 2);
        socket.emit("line");
      }
    });
    const exchange = async (command?: string) => {
      if (command !== undefined) socket.write(`${command}\r\n`);
      await once(socket, "line");
      return lines.at(-1);
    };
    expect(await exchange()).toBe("220 trap.example.org ESMTP");
    expect(await exchange("EHLO client.example.net")).toBe("250 trap.example.org");
    expect(await exchange("MAIL FROM:<a@example.net> SIZE=1000")).toMatch(/^250 /);
    expect(await exchange("RCPT TO:<b@example.org>")).toMatch(/^451 4\.3\.0 .*other mail servers/);
    expect(await exchange("DATA")).toMatch(/^451 /);
    expect(await exchange("QUIT")).toMatch(/^221 /);
    await once(socket, "close");
    await expect
      .poll(() => contacts)
      .toEqual([{ time: NOW, client: "127.0.0.1", helo: "client.example.net", host: "trap.example.org" }]);
  });

  it.each<[sent: string, expected: string[], why: string]>([
    [
      "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<x@y>\r\nDATA\r\nQUIT\r\n",
      ["220", "250", "250", "451", "451", "221"],
      "all at once",
    ],
    ["helo a\r\nquit\r\n", ["220", "250", "221"], "no matter which case"],
    ["EHLO a\nQUIT\n", ["220", "250", "221"], "bare line ends"],
    [
      "STARTTLS\r\nAUTH PLAIN x\r\nBDAT 5 LAST\r\nQUIT\r\n",
      ["220", "451", "451", "451", "221"],
      "what it has not got",
    ],
    ["GET / HTTP/1.1\r\nHost: x\r\n\r\nQUIT\r\n", ["220", "451", "451", "451", "221"], "another protocol"],
    ["QUIT\r\nRCPT TO:<x@y>\r\n", ["220", "221"], "nothing after the end"],
  ])("%j: %j: %s", async (sent, expected) => {
    await start();
    expect(codes(await say(sent))).toEqual(expected);
  });

  it("never takes a message, and never refuses for good, whatever is sent", async () => {
    await start();
    const word = fc.constantFrom(
      "EHLO a",
      "HELO b",
      "MAIL FROM:<>",
      "RCPT TO:<a@b>",
      "DATA",
      ".",
      "RSET",
      "VRFY x",
      "",
    );
    const line = fc.oneof(word, fc.string({ unit: "binary", maxLength: 80 }));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
        const heard = codes(await say(`${lines.join("\r\n")}\r\nQUIT\r\n`));
        expect(heard.filter((code) => !/^(?:220|221|250|421|451)$/.test(code))).toEqual([]);
        expect(["221", "421"]).toContain(heard.at(-1));
      }),
      { numRuns: 60 },
    );
  });
});

describe("its bounds", () => {
  it.each<[limits: Partial<TrapLimits>, sent: string, why: string]>([
    [{ idleMilliseconds: 50 }, "EHLO a\r\n", "who says nothing more"],
    [{ sessionMilliseconds: 50 }, "EHLO a\r\n", "who stays too long"],
    [{ maxOctets: 100 }, "NOOP\r\n".repeat(40), "who sends too much"],
    [{ maxCommands: 5 }, "NOOP\r\n".repeat(6), "who asks too much"],
    [{}, "x".repeat(3000), "a line without an end"],
    [{ maxConnections: 0 }, "EHLO a\r\n", "one connection too many"],
  ])("%j: %#: %s is sent away with 421", async (limits, sent) => {
    await start(limits);
    const heard = codes(await say(sent));
    expect(heard.at(-1)).toBe("421");
    await expect.poll(() => contacts.length).toBe(1);
  });

  it("a name is kept short", async () => {
    await start();
    await say(`EHLO ${"a".repeat(1000)}\r\nQUIT\r\n`);
    await expect.poll(() => contacts[0]?.helo).toBe("a".repeat(255));
  });
});

it("takes note of a client that says nothing and goes", async () => {
  await start();
  await say("", { end: true });
  await expect.poll(() => contacts).toEqual([{ time: NOW, client: "127.0.0.1", host: "trap.example.org" }]);
});

it("knows an IPv4 client on a socket for both families", async () => {
  await start({}, "::");
  await say("QUIT\r\n");
  await expect.poll(() => contacts.map(({ client }) => client)).toEqual(["127.0.0.1"]);
});

it("ends with connections open", async () => {
  await start();
  const socket = connect({ port: trap!.port, host: "127.0.0.1" });
  socket.on("error", () => {});
  await once(socket, "data");
  await trap!.close();
  trap = undefined;
  expect(contacts.length).toBeLessThanOrEqual(1);
});
