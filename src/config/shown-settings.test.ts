import { describe, expect, it } from "vitest";
import { readServerSettings } from "./server-settings.ts";
import { shownSettings } from "./shown-settings.ts";

const TEXT = `
log: warn
url: https://zonepost.example.org
database: { env: DATABASE_URL }
trustedProxies: [192.0.2.1, 2001:db8::/32]
publish:
  - provider: rfc2136
    server: 192.0.2.53
    key: { name: zonepost, secret: { file: /etc/zonepost/tsig } }
alerts:
  channels:
    - { id: chat, kind: webhook, url: "https://hooks.example.net/T0/B1/token?key=abc", secret: { credential: chat } }
    - { id: push, kind: ntfy, url: "https://anna:hunter2@ntfy.example.net/topic" }
`;

const shown = () => {
  const read = readServerSettings(TEXT, {});
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return shownSettings(read.settings);
};

describe("shownSettings", () => {
  it.each([
    ["listen", "127.0.0.1:8025", "usual", "as one would write it"],
    ["log", "warn", "said", "other than usual"],
    ["database", "in the environment variable DATABASE_URL", "secret", "where it lies"],
    ["trustedProxies", "192.0.2.1, 2001:db8::/32", "said", "a list on one line"],
    ["publish[0].key.secret", "in the file /etc/zonepost/tsig", "secret", "deep in a provider's entry"],
    ["alerts.channels[0].secret", "in systemd's credential chat", "secret", "of systemd"],
    ["alerts.channels[0].url", "https://hooks.example.net/…", "said", "the path of a hook is its secret"],
    ["watch.intervalMinutes", "360", "usual", "nobody has said another"],
  ])("%s is %s (%s): %s", (name, value, kind) => {
    expect(shown().find((one) => one.name === name)).toMatchObject({ value, kind });
  });

  it("shows no password and no token", () => {
    expect(JSON.stringify(shown())).not.toMatch(/hunter2|token\?|abc|anna/);
  });

  it("names the variable that has the last word", () => {
    expect(shown().find(({ name }) => name === "log")?.variable).toBe("ZONEPOST_LOG");
    expect(shown().find(({ name }) => name === "publish[0].server")?.variable).toBeUndefined();
  });
});
