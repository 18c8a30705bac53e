import { describe, expect, it } from "vitest";
import { readServerSettings } from "./server-settings.ts";

describe("the server's settings", () => {
  it("are safe where nothing is said", () => {
    const read = readServerSettings(undefined, {});
    expect(read).toMatchObject({
      ok: true,
      settings: {
        listen: { address: "127.0.0.1", port: 8025 },
        trustedProxies: [],
        check: { allowPrivate: false },
        session: { idleMinutes: 60, totalHours: 12 },
      },
    });
  });

  it("are what the environment says, over the file", () => {
    const environment = { ZONEPOST_LISTEN: "[::1]:9000", ZONEPOST_TRUSTED_PROXIES: "10.0.0.1, 10.0.0.2" };
    const read = readServerSettings("listen: 127.0.0.1:80\nlog: warn\n", environment);
    expect(read).toMatchObject({
      ok: true,
      settings: {
        listen: { address: "::1", port: 9000 },
        trustedProxies: ["10.0.0.1", "10.0.0.2"],
        log: "warn",
      },
    });
  });

  it.each<
    [
      text: string,
      environment: object,
      where: string,
      line: number | undefined,
      problem: string,
      reason: string,
    ]
  >([
    ["listen: 8025", {}, "listen", 1, "string", "a port alone"],
    [
      "listen: 0.0.0.0:8025\nurl: https://z.example.org",
      {},
      "listen",
      1,
      "others could read along",
      "open to all, without TLS",
    ],
    ["log: info\nlistne: x", {}, "listne", 2, "there is no such setting", "a slip"],
    ["url: http://z.example.org", {}, "url", 1, "only this machine", "no TLS in the address"],
    ["url: https://z.example.org/path", {}, "url", 1, "without a path", "a path"],
    ["sealKey: abcdefg", {}, "sealKey", 1, "object", "the secret itself"],
    ["sealKey: { file: a, env: B }", {}, "sealKey", 1, "exactly one", "two places"],
    ["a: [", {}, "the file", 1, "not valid YAML", "half a list"],
    ["- a", {}, "the file", undefined, "name: value", "a list"],
    ["", { ZONEPOST_LOG: "loud" }, "ZONEPOST_LOG", undefined, "write one of debug", "the variable is named"],
    ["tls: { certificate: a }", {}, "tls.key", undefined, "missing", "half of it"],
  ])("%j %j: %s, line %j: %s (%s)", (text, environment, where, line, problem) => {
    const read = readServerSettings(text, environment as Record<string, string>);
    expect(read.ok).toBe(false);
    if (read.ok) return;
    expect(read.problems).toHaveLength(1);
    expect(read.problems[0]).toEqual({
      where,
      ...(line && { line }),
      problem: expect.stringContaining(problem),
    });
  });
});
