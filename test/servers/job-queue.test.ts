/** Jobs on a real PostgreSQL, shared by nodes of which one is killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { openGraphileJobQueue } from "../../src/net/graphile-job-queue.ts";
import { domainName } from "../../src/standards/dns/name.ts";
import { endWhereSilent } from "../../src/store/silent-line.ts";
import { startCutLine } from "../support/cut-line.ts";
import { itIsAJobQueue } from "../support/job-queue-contract.ts";
import { type RunningPostgres, run, startPostgres } from "../support/postgres.ts";
import { describeWithServers } from "../support/real-server.ts";

describeWithServers(["initdb", "postgres"], "jobs on PostgreSQL", () => {
  let server: RunningPostgres;
  let shared: string;
  const troubles: string[] = [];
  const open = (url: string, more: { readonly silenceMilliseconds?: number } = {}) =>
    openGraphileJobQueue({
      url,
      onTrouble: (trouble) => troubles.push(trouble),
      onConnection: endWhereSilent,
      maxAttempts: 5,
      pollMilliseconds: 100,
      rescueMilliseconds: 300,
      ...more,
    });

  beforeAll(async () => {
    server = await startPostgres();
    shared = await server.createDatabase("jobs_shared");
  });
  afterAll(() => server?.stop());

  itIsAJobQueue(() => open(shared));

  it("of a node that is killed are finished by the other, within seconds", async () => {
    const url = await server.createDatabase("jobs_killed");
    const queue = await open(url);
    const names = Array.from({ length: 6 }, (_, at) => domainName(`d${at}.example.org`));
    for (const domain of names) await queue.add("rotation-step", { domain });
    const program = join(import.meta.dirname, "../support/job-node-process.ts");
    const node = spawn(process.execPath, [program, url], { stdio: ["ignore", "pipe", "inherit"] });
    let begun = "";
    onTestFinished(() => void node.kill("SIGKILL"));
    node.stdout.on("data", (chunk) => {
      begun += chunk;
    });
    while (begun.split("\n").length < 3) await sleep(20);

    const done: string[] = [];
    await queue.work({ "rotation-step": async ({ domain }) => void done.push(domain) }, { concurrency: 2 });
    await expect.poll(() => done.length).toBe(4);
    await sleep(1500);
    // What a living node works at is left to it, however long it takes.
    expect(done.length).toBe(4);
    const dead = once(node, "exit");
    node.kill("SIGKILL");
    await dead;
    await expect.poll(() => done.toSorted(), { timeout: 60_000 }).toEqual(names);
    await queue.stop();
  });

  it.each(["ends", "fails"])(
    "go on when one %s while the database is away",
    async (end) => {
      const url = await server.createDatabase(`jobs_gone_${end}`);
      const queue = await open(url);
      const done: string[] = [];
      let isAway: () => void = () => undefined;
      const away = new Promise<void>((resolve) => {
        isAway = resolve;
      });
      const work = async ({ domain }: { readonly domain: string }) => {
        done.push(domain);
        await away;
        if (end === "fails") throw new Error("no");
      };
      await queue.work({ "rotation-step": work }, { concurrency: 1 });
      await queue.add("rotation-step", { domain: domainName("during.example.org") });
      while (done.length < 1) await sleep(20);
      await server.kill();
      isAway();
      // Long enough for what is told of the end to find nobody.
      await sleep(500);
      await server.start();
      await queue.add("rotation-step", { domain: domainName("after.example.org") });
      await expect.poll(() => done, { timeout: 60_000 }).toContain("after.example.org");
      await queue.stop();
    },
    120_000,
  );

  it("that were given up go after a month", async () => {
    const url = await server.createDatabase("jobs_swept");
    const queue = await open(url);
    for (const label of ["old", "young"])
      await queue.add("rotation-step", { domain: domainName(`${label}.example.org`) }, { maxAttempts: 1 });
    const fail = async () => Promise.reject(new Error("not today"));
    await queue.work({ "rotation-step": fail }, { concurrency: 1 });
    await expect.poll(async () => (await queue.givenUp(5)).length).toBe(2);
    await queue.stop();
    await run(
      url,
      `UPDATE graphile_worker._private_jobs SET run_at = now() - interval '31 days'
       WHERE payload->>'domain' = 'old.example.org'`,
    );
    const next = await open(url);
    await next.work({ "rotation-step": fail }, { concurrency: 1 });
    const left = async () => (await next.givenUp(5)).map(({ payload }) => payload);
    await expect.poll(left).toEqual([{ domain: "young.example.org" }]);
    await next.stop();
  }, 120_000);

  it("are added on another line where one was cut without a word", async () => {
    const url = await server.createDatabase("jobs_cut");
    const line = await startCutLine(Number(new URL(url).port));
    const queue = await open(url.replace(/:\d+\//, `:${line.port}/`), { silenceMilliseconds: 3_000 });
    const add = (label: string) =>
      queue.add("rotation-step", { domain: domainName(`${label}.example.org`) }, { key: label });
    await add("before");
    line.cut();
    await expect(add("lost")).rejects.toThrow("timeout");
    await add("behind");
    await queue.stop();
    await line.close();
    const rows = await run(url, "SELECT key FROM graphile_worker._private_jobs ORDER BY key");
    expect(rows).toEqual([{ key: "before" }, { key: "behind" }]);
  });

  it("leave no connection behind where a node's lock cannot be had", async () => {
    const url = await server.createDatabase("jobs_unlocked");
    await run(url, "CREATE ROLE jobs LOGIN");
    await run(url, "ALTER DATABASE jobs_unlocked OWNER TO jobs");
    await run(url, "REVOKE EXECUTE ON FUNCTION pg_advisory_lock_shared(bigint) FROM PUBLIC");
    const queue = await open(url.replace("postgres@", "jobs@"));
    await expect(queue.work({ "rotation-step": async () => {} }, { concurrency: 1 })).rejects.toThrow(
      /permission denied/,
    );
    const lines = () =>
      run(
        url,
        "SELECT 1 FROM pg_stat_activity WHERE datname = 'jobs_unlocked' AND application_name = 'zonepost node'",
      );
    await expect.poll(lines).toEqual([]);
    await queue.stop();
  });

  it("go on when the database was away", async () => {
    const url = await server.createDatabase("jobs_away");
    const queue = await open(url);
    const done: string[] = [];
    await queue.work({ "rotation-step": async ({ domain }) => void done.push(domain) }, { concurrency: 1 });
    await server.kill();
    // A connection that is open may serve for another moment.
    const lost = () =>
      queue.add("rotation-step", { domain: domainName("lost.example.org") }).then(
        () => "added",
        () => "refused",
      );
    await expect.poll(lost).toBe("refused");
    await server.start();
    await queue.add("rotation-step", { domain: domainName("after.example.org") });
    await expect.poll(() => done).toContain("after.example.org");
    await queue.stop();
  }, 120_000);
});
