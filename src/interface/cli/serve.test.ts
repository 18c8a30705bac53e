import { describe, expect, it } from "vitest";
import { zonepost } from "../../../test/support/cli.ts";
import type { ServeJob } from "./tools.ts";

function server(setupSecret?: string) {
  const jobs: ServeJob[] = [];
  let stopped = 0;
  const startServer = async (job: ServeJob) => {
    jobs.push(job);
    return { url: "http://127.0.0.1:8025", setupSecret, stop: async () => void stopped++ };
  };
  return { jobs, tools: { startServer }, stopped: () => stopped };
}

describe("zonepost serve", () => {
  it("begins on loopback, prints the way to the first administrator, and ends when told", async () => {
    const { jobs, tools, stopped } = server("zpl_secret");
    const run = await zonepost(["serve", "--state", "/s"], { tools });
    expect(run.exitCode).toBe(0);
    expect(run.out).toContain("http://127.0.0.1:8025/setup#zpl_secret\n");
    expect(jobs[0]).toMatchObject({
      directory: "/s",
      settings: { listen: { address: "127.0.0.1", port: 8025 } },
    });
    expect(stopped()).toBe(1);
  });

  it("prints no link where there are users, and takes its settings from file and environment", async () => {
    const { jobs, tools } = server();
    const files = { "zonepost-server.yaml": "log: warn\n" };
    const environment = { ZONEPOST_LISTEN: "127.0.0.1:9000" };
    const run = await zonepost(["serve", "--state", "/s", "--json"], { tools, files, environment });
    expect(JSON.parse(run.out)).toEqual({ url: "http://127.0.0.1:8025", setupSecret: null });
    expect(jobs[0]!.settings).toMatchObject({ log: "warn", listen: { port: 9000 } });
  });

  it("says where the settings are wrong, and does not begin", async () => {
    const { jobs, tools } = server();
    const files = { "s.yaml": "log: warn\nlistne: x\n" };
    const run = await zonepost(["serve", "--settings", "s.yaml"], { tools, files });
    expect(run.exitCode).toBe(64);
    expect(run.err).toContain("s.yaml:2: listne: there is no such setting");
    expect(run.err).toContain("did you mean listen?");
    expect(jobs).toEqual([]);
  });
});
