import { describe, expect, it } from "vitest";
import { zonepost } from "../../../test/support/cli.ts";
import type { ServeHandle, ServeJob } from "./tools.ts";

function server(setupSecret?: string, isHalf = false) {
  const jobs: ServeJob[] = [];
  let stopped = 0;
  const reloads: Parameters<ServeHandle["reload"]>[0][] = [];
  const startServer = async (job: ServeJob): Promise<ServeHandle> => {
    jobs.push(job);
    return {
      url: "http://127.0.0.1:8025",
      setupSecret,
      reload: async (next) => {
        reloads.push(next);
        return isHalf
          ? { sentences: ["half of it is taken over"], failure: "the disk is full" }
          : { sentences: ["it is taken over"] };
      },
      stop: async () => void stopped++,
    };
  };
  return { jobs, reloads, tools: { startServer }, stopped: () => stopped };
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

  it("reads its files again when told, and keeps the old ones where the new are wrong", async () => {
    const { jobs, reloads, tools } = server();
    const good =
      "servers: [{ host: mail.example.org, addresses: 192.0.2.25 }]\ndomains: [{ domain: example.org }]\n";
    const texts = [good, good.replace("example.org }]\n", "example.net }]\n"), "domains:\n  - domian: x\n"];
    let reload = () => {};
    const run = await zonepost(["serve", "--state", "/s", "-c", "z/zonepost.yaml"], {
      tools: {
        ...tools,
        readFile: (path) => (path === "z/zonepost.yaml" ? texts.shift()! : ""),
        onReload: (act) => {
          reload = act;
          return () => {};
        },
        untilInterrupted: async () => {
          reload();
          reload();
        },
      },
    });
    expect(jobs[0]!.description?.name).toBe("zonepost.yaml");
    expect([...jobs[0]!.description!.pieces.domains.keys()]).toEqual(["example.org"]);
    expect(reloads.map(({ description }) => [...description!.pieces.domains.keys()])).toEqual([
      ["example.net"],
    ]);
    const said = run.err
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { msg: string });
    expect(said[0]!.msg).toBe("it is taken over");
    expect(said[1]!.msg).toContain("nothing of it was taken over, all is as before: z/zonepost.yaml:2: ");
  });

  it("says how far a reload came that ended in the middle", async () => {
    const { tools } = server(undefined, true);
    let reload = () => {};
    const run = await zonepost(["serve", "--state", "/s"], {
      tools: {
        ...tools,
        onReload: (act) => {
          reload = act;
          return () => {};
        },
        untilInterrupted: async () => reload(),
      },
    });
    const said = run.err.trim().split("\n");
    expect(said.map((line) => JSON.parse(line) as object)).toMatchObject([
      { level: "info", msg: "half of it is taken over" },
      {
        level: "error",
        msg: "it ended there, the rest is as before; mend this and reload again: the disk is full",
      },
    ]);
  });

  it("hands on that it is told to end, and ends well where the server has not begun", async () => {
    let told: string | undefined;
    const startServer = async ({ signal }: ServeJob) => {
      await new Promise((resolve) => signal!.addEventListener("abort", resolve));
      told = (signal!.reason as Error).message;
      return undefined;
    };
    const run = await zonepost(["serve", "--state", "/s"], { tools: { startServer } });
    expect([run.exitCode, told]).toEqual([0, "zonepost is told to end"]);
    expect(run.out).toMatch(/^Told to end before it had begun/);
  });

  it("does not begin with a description that is wrong", async () => {
    const { jobs, tools } = server();
    const run = await zonepost(["serve", "--state", "/s", "-c", "z.yaml"], {
      tools,
      files: { "z.yaml": "domains: 1\n" },
    });
    expect(run.exitCode).toBe(64);
    expect(run.err).toContain("z.yaml:1: domains");
    expect(jobs).toEqual([]);
  });
});
