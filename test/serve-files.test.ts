/** `zonepost serve` with its files: the description as the truth, and what a reload takes over while it runs. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { get } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, it } from "vitest";
import { generateDkimKeyPair } from "../src/keys/generate.ts";
import { selfSignedCertificate } from "../src/net/self-signed-certificate.ts";
import { freePort } from "./support/free-port.ts";
import { logIn, type Served, serve } from "./support/served.ts";

const DESCRIPTION = `servers: [{ host: mail.example.org, addresses: 192.0.2.25 }]
domains:
  - { domain: a.example }
  - { domain: b.example }
`;
const PASSWORD = "a long enough password";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "zonepost-files-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** No domain is looked at: their name servers would be those of the world. */
const UNWATCHED = "watch: { enabled: false }\n";

const setUp = async ({ url, out }: Served) => {
  const link = /\/setup#(\S+)/;
  await expect.poll(out).toMatch(link);
  const [, secret] = link.exec(out())!;
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ secret, name: "admin", password: PASSWORD });
  await fetch(`${url}/api/setup`, { method: "POST", headers, body });
  return logIn(url, "admin", PASSWORD);
};

it("ends soon where it is told to while it takes in a large file, and keeps what it has", async () => {
  const file = join(directory, "large.yaml");
  const total = 30_000;
  const lines = Array.from({ length: total }, (_, at) => `  - { domain: d${at}.example }\n`);
  writeFileSync(file, `${DESCRIPTION}${lines.join("")}`);
  const state = join(directory, "large");
  const child = spawn(process.execPath, ["src/main.ts", "serve", "--state", state, "-c", file], {
    env: { PATH: process.env["PATH"], ZONEPOST_LISTEN: "127.0.0.1:1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    const taken = () => {
      const store = new DatabaseSync(join(state, "zonepost.db"), { readOnly: true, timeout: 1_000 });
      try {
        return Number(store.prepare("SELECT count(*) AS count FROM described_domain").get()?.["count"]);
      } finally {
        store.close();
      }
    };
    const isBegun = () => existsSync(join(state, "zonepost.db")) && taken() > 0;
    await expect.poll(() => isBegun() || undefined, { timeout: 30_000, interval: 5 }).toBe(true);
    child.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    expect(taken()).toBeGreaterThan(0);
    expect(taken()).toBeLessThan(total);
  } finally {
    child.kill("SIGKILL");
  }
}, 60_000);

it("serves what the description says, refuses to change it, and follows the file", async () => {
  const file = join(directory, "zonepost.yaml");
  writeFileSync(file, DESCRIPTION);
  const settings = join(directory, "unwatched.yaml");
  writeFileSync(settings, UNWATCHED);
  const server = await serve(["--state", join(directory, "one"), "-c", file, "--settings", settings]);
  try {
    const admin = await setUp(server);
    const domains = async () => {
      const { body } = await admin.ask("GET", "/api/domains");
      return (body as { domains: { domain: string }[] }).domains.map(({ domain }) => domain);
    };
    expect(await domains()).toEqual(["a.example", "b.example"]);
    expect((await admin.ask("GET", "/api/session")).body).toMatchObject({ descriptionFile: "zonepost.yaml" });
    const content = { content: {}, revision: 1 };
    for (const [method, path, body] of [
      ["POST", "/api/domains", { domain: "c.example" }],
      ["PUT", "/api/domains/a.example", content],
      ["DELETE", "/api/domains/a.example?revision=1", undefined],
      ["PUT", "/api/servers", content],
    ] as const) {
      const refused = await admin.ask(method, path, body);
      expect([method, path, refused.status]).toEqual([method, path, 409]);
      expect(refused.body).toMatchObject({
        type: "urn:zonepost:problem:read-only",
        remedy: "change zonepost.yaml on the server's machine, and reload the server (SIGHUP)",
      });
    }

    writeFileSync(file, DESCRIPTION.replace("b.example", "c.example"));
    server.process.kill("SIGHUP");
    await expect.poll(domains).toEqual(["a.example", "c.example"]);
    await expect.poll(server.err).toContain("zonepost.yaml: 1 domains new, 0 changed, 1 gone");

    writeFileSync(file, `${DESCRIPTION}  - { domain: 7 7 }\n`);
    server.process.kill("SIGHUP");
    await expect.poll(server.err).toContain(`${file}:5: domains[2].domain`);
    expect(await domains()).toEqual(["a.example", "c.example"]);

    // The store refuses one domain in the middle: what came before it counts, and nothing of the settings does.
    const store = new DatabaseSync(join(directory, "one", "zonepost.db"), { timeout: 5_000 });
    store.exec(
      `CREATE TRIGGER refused BEFORE INSERT ON described_domain WHEN NEW.domain = 'e.example'
       BEGIN SELECT RAISE(ABORT, 'there is no room'); END`,
    );
    writeFileSync(file, DESCRIPTION.replace("b.example }", "d.example }\n  - { domain: e.example }"));
    writeFileSync(settings, `${UNWATCHED}log: warn\n`);
    server.process.kill("SIGHUP");
    await expect
      .poll(server.err)
      .toMatch(
        /"zonepost.yaml: 0 domains new, 0 changed, 1 gone".*\n.*it ended there, the rest is as before/,
      );
    expect(await domains()).toEqual(["a.example"]);
    expect(server.err()).not.toContain("log is warn");
    store.exec("DROP TRIGGER refused");
    store.close();
    server.process.kill("SIGHUP");
    await expect.poll(server.err).toContain("log is warn");
    expect(await domains()).toEqual(["a.example", "d.example", "e.example"]);

    const { entries } = (await admin.ask("GET", "/api/audit")).body as {
      entries: { action: string; details: object }[];
    };
    expect(
      entries.filter(({ action }) => action === "description.take").map(({ details }) => details),
    ).toEqual([
      { added: 2, changed: 0, gone: 0 },
      { added: 0, changed: 0, gone: 1 },
      { added: 1, changed: 0, gone: 1 },
      { added: 2, changed: 0, gone: 0 },
    ]);
  } finally {
    expect(await server.stop()).toBe(0);
  }
}, 120_000);

it("takes a new certificate and log level while it runs, keeps the old where they do not fit, and says what waits", async () => {
  const { privateKey } = await generateDkimKeyPair({ algorithm: "rsa", modulusBits: 2048 });
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const certificate = (name: string) =>
    selfSignedCertificate({
      name,
      privateKey: key,
      notBefore: new Date(Date.now() - 1000),
      notAfter: new Date(Date.now() + 86_400_000),
    });
  const [chainFile, keyFile, settings] = ["chain.pem", "key.pem", "settings.yaml"].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  writeFileSync(chainFile, certificate("one.example.org"));
  writeFileSync(keyFile, key);
  const text = `tls: { certificate: ${chainFile}, key: ${keyFile} }\n`;
  writeFileSync(settings, text);
  const port = await freePort();
  const server = await serve(
    ["--state", join(directory, "two"), "--settings", settings],
    {},
    { url: `https://127.0.0.1:${port}` },
  );
  try {
    const subject = () =>
      new Promise<string | string[] | undefined>((resolve, reject) => {
        get(
          { port, host: "127.0.0.1", path: "/healthz", rejectUnauthorized: false, agent: false },
          (answer) => {
            resolve((answer.socket as TLSSocket).getPeerCertificate().subject.CN);
            answer.resume();
          },
        ).once("error", reject);
      });
    expect(await subject()).toBe("one.example.org");
    writeFileSync(chainFile, certificate("two.example.org"));
    writeFileSync(settings, `${text}log: warn\nsession: { idleMinutes: 30 }\n`);
    server.process.kill("SIGHUP");
    await expect.poll(subject).toBe("two.example.org");
    await expect.poll(server.err).toContain("session has changed: it counts from the next start on");
    expect(server.err()).toContain("log is warn");

    writeFileSync(
      keyFile,
      (await generateDkimKeyPair({ algorithm: "rsa", modulusBits: 2048 })).privateKey.export({
        type: "pkcs8",
        format: "pem",
      }),
    );
    server.process.kill("SIGHUP");
    await expect.poll(server.err).toContain("all is as before");
    expect(await subject()).toBe("two.example.org");
  } finally {
    await server.stop();
  }
}, 120_000);

it("tells others from a reload on, and keeps to those before where a secret is not there", async () => {
  const heard: string[] = [];
  const receiver = createServer((request, response) => {
    heard.push(request.url!);
    request.resume();
    response.end();
  }).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const { port } = receiver.address() as AddressInfo;
  const settings = join(directory, "alerts.yaml");
  const withAlerts = (channel: object) =>
    writeFileSync(
      settings,
      `${UNWATCHED}alerts: ${JSON.stringify({ channels: [channel], allowPrivate: true, allowPlain: true })}\n`,
    );
  writeFileSync(settings, UNWATCHED);
  const server = await serve(["--state", join(directory, "alerts"), "--settings", settings]);
  try {
    const admin = await setUp(server);
    const channels = async () => {
      const { body } = await admin.ask("GET", "/api/alerts");
      return (body as { channels: { id: string }[] }).channels.map(({ id }) => id);
    };
    expect(await channels()).toEqual([]);
    withAlerts({ id: "phones", kind: "ntfy", url: `http://127.0.0.1:${port}/phones`, weeklyDigest: true });
    server.process.kill("SIGHUP");
    await expect.poll(channels).toEqual(["phones"]);
    expect(server.err()).toContain("alerts go to phones");
    expect((await admin.ask("POST", "/api/alerts/phones/test")).body).toMatchObject({ status: "accepted" });
    expect(heard).toHaveLength(1);
    expect(JSON.stringify((await admin.ask("GET", "/api/settings")).body)).toContain("phones");

    withAlerts({
      id: "other",
      kind: "ntfy",
      url: `http://127.0.0.1:${port}/other`,
      token: { file: join(directory, "no-such-token") },
    });
    server.process.kill("SIGHUP");
    await expect.poll(server.err).toContain("all is as before: alerts.channels[0].token");
    expect(await channels()).toEqual(["phones"]);
  } finally {
    await server.stop();
    receiver.close();
  }
}, 120_000);

it("takes its database from the settings, and says which when it cannot be reached", async () => {
  const url = join(directory, "database");
  writeFileSync(url, "postgres://nobody:secret@127.0.0.1:1/none\n");
  const settings = join(directory, "database.yaml");
  writeFileSync(settings, `database: { file: ${url} }\n`);
  const refused = await serve(["--state", join(directory, "three"), "--settings", settings]).catch(
    (error: Error) => error.message,
  );
  expect(refused).toContain("database: ");
  expect(refused).not.toContain("secret");
  const over = { ZONEPOST_DATABASE: "postgres://nobody@127.0.0.1:2/other" };
  const overridden = await serve(["--state", join(directory, "three"), "--settings", settings], over).catch(
    (error: Error) => error.message,
  );
  expect(overridden).toContain("ZONEPOST_DATABASE: ");
}, 120_000);
