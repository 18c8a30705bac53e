/** Two servers on one PostgreSQL: what one knows the other knows, and what one leaves behind the other ends. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningPostgres, startPostgres } from "../support/postgres.ts";
import { describeWithServers } from "../support/real-server.ts";
import { type LoggedIn, logIn, type Served, serve } from "../support/served.ts";

const PASSWORD = "two nodes and one database";
const DOMAINS = Array.from({ length: 20 }, (_, at) => `d${at}.example.org`);

describeWithServers(["initdb", "postgres"], "two servers on one PostgreSQL", () => {
  let database: RunningPostgres;
  let directory: string;
  let databaseUrl: string;
  let nodes: readonly [Served, Served];
  let admin: LoggedIn;
  // It hears questions and answers none: checks take their time.
  const silent = createSocket("udp4");

  beforeAll(async () => {
    database = await startPostgres();
    directory = mkdtempSync(join(tmpdir(), "zonepost-nodes-"));
    silent.bind(0, "127.0.0.1");
    await once(silent, "listening");
    const hints = join(directory, "root.hints");
    writeFileSync(hints, ". 3600000 NS ns.nodes.test.\nns.nodes.test. 3600000 A 127.0.0.1\n");
    const settings = join(directory, "zonepost-server.yaml");
    const dns = `dns:\n  rootHints: ${hints}\n  port: ${silent.address().port}\n`;
    writeFileSync(settings, `${dns}watch:\n  enabled: false\n`);
    databaseUrl = await database.createDatabase("nodes");
    const environment = { ZONEPOST_DATABASE: databaseUrl };
    const words = ["--settings", settings, "--state", join(directory, "state")];
    const first = await serve(words, environment);
    nodes = [first, await serve(words, environment)];
    const [, secret] = /\/setup#(\S+)/.exec(first.out())!;
    const body = JSON.stringify({ secret, name: "admin", password: PASSWORD });
    await fetch(`${first.url}/api/setup`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    admin = await logIn(first.url, "admin", PASSWORD);
  }, 240_000);
  afterAll(async () => {
    await Promise.all((nodes ?? []).map((node) => node.process.exitCode === null && node.stop()));
    await database?.stop();
    silent.close();
    rmSync(directory, { recursive: true });
  });

  const onOther = async (path: string): Promise<Response> =>
    fetch(`${nodes[1].url}${path}`, { headers: { cookie: admin.cookie } });

  it("refuse a third one that has another seal key", async () => {
    const words = [
      "--settings",
      join(directory, "zonepost-server.yaml"),
      "--state",
      join(directory, "other"),
    ];
    const environment = { ZONEPOST_DATABASE: databaseUrl };
    await expect(serve(words, environment)).rejects.toThrow(
      /the seal key is not there \(.*other\/seal\.key\)/,
    );
    mkdirSync(join(directory, "other"));
    writeFileSync(join(directory, "other/seal.key"), `${"0123456789abcdef".repeat(4)}\n`);
    await expect(serve(words, environment)).rejects.toThrow(/sealed under another seal key .*another node/);
  });

  it("share sessions, and tries to log in", async () => {
    expect((await onOther("/api/session")).status).toBe(200);
    const tryAt = async (node: Served) => {
      const body = JSON.stringify({ name: "admin", password: "a guess" });
      const headers = { "content-type": "application/json" };
      return (await fetch(`${node.url}/api/login`, { method: "POST", headers, body })).status;
    };
    let tries = 0;
    while ((await tryAt(nodes[0])) !== 429) {
      tries += 1;
      expect(tries).toBeLessThan(50);
    }
    expect(await tryAt(nodes[1])).toBe(429);
  });

  it("end each other's work, where one is killed at it", async () => {
    const jobs: string[] = [];
    const content = { servers: [{ host: "mail.example.org", addresses: ["192.0.2.25"] }] };
    expect((await admin.ask("PUT", "/api/servers", { content, revision: 0 })).status).toBe(200);
    for (const domain of DOMAINS) {
      expect((await admin.ask("POST", "/api/domains", { domain })).status).toBe(201);
      const begun = await admin.ask("POST", `/api/domains/${domain}/check`);
      expect(begun.status).toBe(202);
      jobs.push((begun.body as { job: string }).job);
    }
    const states = async () =>
      Promise.all(
        jobs.map(
          async (job) => ((await (await onOther(`/api/jobs/${job}`)).json()) as { state: string }).state,
        ),
      );
    while (!(await states()).includes("running")) await sleep(20);
    nodes[0].process.kill("SIGKILL");
    // Both were at work: not all of it was the other's.
    expect((await states()).filter((state) => state !== "done").length).toBeGreaterThan(0);
    await expect.poll(states, { timeout: 100_000, interval: 500 }).toEqual(jobs.map(() => "done"));
  }, 240_000);
});
