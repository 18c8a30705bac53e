/** `zonepost trap` as people use it: a real listener on loopback, and logs in files. */
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { zonepost } from "../../../test/support/cli.ts";
import type { TrapReport } from "../../check/mx-trap.ts";
import { startTrapListener } from "../../net/trap-listener.ts";

const NOW = new Date("2026-11-21T12:00:00Z");

async function dialogue(port: number, ...commands: readonly string[]): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  let heard = "";
  socket.on("data", (chunk) => {
    heard += chunk.toString();
  });
  socket.write(commands.map((command) => `${command}\r\n`).join(""));
  await once(socket, "close");
  return heard;
}

describe("zonepost trap listen", () => {
  const listen = (words: readonly string[], talk: (port: number) => Promise<unknown>) => {
    let port = 0;
    return zonepost(["trap", "listen", "--log", "trap.log", ...words], {
      tools: {
        startTrap: async (settings) => {
          const trap = await startTrapListener({ ...settings, now: () => NOW });
          port = trap.port;
          return trap;
        },
        untilInterrupted: async () => {
          await talk(port);
        },
      },
    });
  };

  it("sends a real client away, writes one line, and says what to be careful of", async () => {
    let heard = "";
    const { exitCode, out, files } = await listen(
      ["--listen", "127.0.0.1:0", "--host", "trap.example.org"],
      async (port) => {
        heard = await dialogue(port, "EHLO a.example.net", "MAIL FROM:<>", "RCPT TO:<b@example.org>", "QUIT");
      },
    );
    expect(exitCode).toBe(0);
    expect(heard).toMatch(/^220 trap\.example\.org ESMTP\r\n250 .*\r\n250 .*\r\n451 .*\r\n221 .*\r\n$/);
    expect(files["trap.log"]).toBe(
      '{"time":"2026-11-21T12:00:00.000Z","client":"127.0.0.1","helo":"a.example.net","host":"trap.example.org"}\n',
    );
    expect(out).toMatch(/^Listening on 127\.0\.0\.1, port \d+; who comes is written to trap\.log\.\n/);
    expect(out).toContain("a real sender may come here too");
    expect(out).toMatch(/open\s+to\s+everybody, or closed/);
    expect(out).toContain("Never let this host take the mail");
  });

  it("says the same as JSON", async () => {
    const { out } = await listen(["--listen", "127.0.0.1:0", "--json"], async () => {});
    expect(JSON.parse(out)).toMatchObject({ address: "127.0.0.1", host: "localhost", log: "trap.log" });
    expect((JSON.parse(out) as { safety: string[] }).safety).toHaveLength(3);
  });

  it.each<[listen: string, message: string]>([
    ["25", "--listen takes an address and a port"],
    ["mail.example.org:25", "--listen takes an address and a port"],
    ["192.0.2.1:99999", "--listen takes a whole number of 0 to 65535"],
  ])("--listen %s is wrong usage", async (address, message) => {
    const { exitCode, err } = await zonepost(["trap", "listen", "--log", "t", "--listen", address]);
    expect({ exitCode, err }).toEqual({ exitCode: 64, err: expect.stringContaining(message) });
  });

  it("goes on where its log cannot be written any more, and says so", async () => {
    let writes = 0;
    let heard = "";
    const { exitCode, err } = await zonepost(["trap", "listen", "--log", "t", "--listen", "127.0.0.1:0"], {
      tools: {
        appendFile: () => {
          if (++writes > 1) throw new Error("ENOSPC: no space left on device");
        },
        startTrap: async (settings) => {
          const trap = await startTrapListener({ ...settings, now: () => NOW });
          heard = await dialogue(trap.port, "QUIT");
          return trap;
        },
      },
    });
    expect({ exitCode, err }).toEqual({
      exitCode: 0,
      err: "zonepost: cannot write to t: ENOSPC: no space left on device\n",
    });
    expect(heard).toMatch(/221 .*\r\n$/);
  });

  it("does not begin with a log that cannot be written", async () => {
    const { exitCode, err } = await zonepost(["trap", "listen", "--log", "t", "--listen", "127.0.0.1:0"], {
      tools: {
        appendFile: () => {
          throw new Error("EACCES: permission denied");
        },
      },
    });
    expect({ exitCode, err }).toEqual({
      exitCode: 64,
      err: "zonepost: cannot write to t: EACCES: permission denied\n",
    });
  });

  it("says why it cannot listen", async () => {
    const { exitCode, err } = await zonepost(["trap", "listen", "--log", "t", "--listen", "192.0.2.1:25"], {
      tools: { startTrap: async () => Promise.reject(Object.assign(new Error("no"), { code: "EACCES" })) },
    });
    expect({ exitCode, err }).toEqual({
      exitCode: 64,
      err: expect.stringContaining("ports below 1024 are for root"),
    });
  });
});

describe("zonepost trap evaluate", () => {
  const A = "192.0.2.1";
  const B = "198.51.100.2";
  const line = (time: string, client: string, helo: string) =>
    JSON.stringify({ time: `2026-11-21T${time}Z`, client, helo });
  const maillog = (time: string, client: string) =>
    `Nov 21 ${time} mail postfix/smtpd[7]: connect from unknown[${client}]`;
  const busy = Array.from({ length: 12 }, (_, hour) =>
    maillog(`${String(hour).padStart(2, "0")}:30:00`, "203.0.113.9"),
  );
  const files = {
    "trap.log": [line("08:00:00", A, "mail.example.net"), line("08:00:05", B, "\u001b[2Jspam"), ""].join(
      "\n",
    ),
    "mail.log": [...busy, maillog("07:59:58", A), "Nov 21 08:00:00 mail kernel: something else"].join("\n"),
  };
  const evaluate = (words: readonly string[] = [], more = {}) =>
    zonepost(
      [
        "trap",
        "evaluate",
        "--trap-log",
        "trap.log",
        "--primary-log",
        "mail.log",
        "--utc-offset",
        "+00:00",
        ...words,
      ],
      { files: { ...files, ...more } },
    );

  it("names who came to the trap alone, and nobody else", async () => {
    const { exitCode, out } = await evaluate();
    expect(exitCode).toBe(1);
    expect(out).toContain("1 client came to the trap without having tried a better server first:");
    expect(out).toMatch(/^198\.51\.100\.2 +1 +2026-11-21 08:00:05 .*\\u001b\[2Jspam$/m);
    expect(out).not.toContain(A);
    expect(out).not.toContain("\u001b");
    expect(out).toContain("1 connection of clients that had tried a better server");
  });

  it("as JSON", async () => {
    const report = JSON.parse((await evaluate(["--json"])).out) as TrapReport;
    expect(report.counts).toEqual({ tried: 1, suspicious: 1, "primary-down": 0, "not-covered": 0, quiet: 0 });
    expect(report.suspicious.map(({ client }) => client)).toEqual([B]);
  });

  it.each<[words: string[], more: object, exitCode: number, said: string, why: string]>([
    [
      ["--primary-down", "2026-11-21T07:50:00Z/2026-11-21T08:10:00Z"],
      {},
      0,
      "1 connection while a better server was down",
      "a known outage",
    ],
    [
      [],
      { "mail.log": [busy[0], busy[11], maillog("07:59:58", A)].join("\n") },
      3,
      "it may have been down",
      "hours in which nobody came",
    ],
    [[], { "mail.log": maillog("07:59:58", A) }, 3, "does not tell", "a log that begins too late"],
    [["--utc-offset", "+01:00"], {}, 1, "2 clients", "the offset counts: A came at another time"],
    [["--window", "1s"], {}, 1, "2 clients", "so does the window"],
  ])("%j %#: exit %i: %s: %s", async (words, more, exitCode, said) => {
    const run = await evaluate(words, more);
    expect(run.out).toContain(said);
    expect(run.exitCode).toBe(exitCode);
  });

  it("says which lines it cannot read, and which logs tell nothing", async () => {
    const { err } = await evaluate([], { "trap.log": "{\n{\n", "mail.log": "" });
    expect(err).toBe(
      "zonepost: trap.log:1: no connection can be read from this line, and 1 more like it\n" +
        "zonepost: trap.log tells of no connection\n" +
        "zonepost: mail.log tells of no connection\n",
    );
  });

  it.each<[words: string[], message: string]>([
    [["--primary-down", "yesterday"], "--primary-down takes two times"],
    [["--primary-down", "2026-11-21/2026-11-22"], "--primary-down takes times as in"],
    [["--primary-down", "2026-11-21T08:00:00Z/2026-11-21T07:00:00Z"], "ends before it begins"],
    [["--utc-offset", "CET"], "--utc-offset takes an offset"],
    [["--primary-log", "none.log"], "cannot read none.log"],
  ])("%j is wrong usage: %s", async (words, message) => {
    const { exitCode, err } = await evaluate(words);
    expect({ exitCode, err }).toEqual({ exitCode: 64, err: expect.stringContaining(message) });
  });

  it("needs both logs", async () => {
    const { exitCode, err } = await zonepost(["trap", "evaluate", "--trap-log", "trap.log"], { files });
    expect({ exitCode, err }).toEqual({ exitCode: 64, err: expect.stringContaining("--primary-log") });
  });
});
