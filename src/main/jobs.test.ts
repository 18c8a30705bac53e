import { expect, it } from "vitest";
import { memoryJobStore } from "../../test/support/memory-job-store.ts";
import { domainName } from "../standards/dns/name.ts";
import { openJobQueue } from "./jobs.ts";

it("an alert waits for no rotation, and a task for neither", async () => {
  const queue = openJobQueue({ state: { jobs: memoryJobStore() }, databaseUrl: undefined }, () => {});
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  const done: string[] = [];
  const early = new Date(Date.now() - 60_000);
  for (let at = 0; at < 20; at++)
    await queue.add("rotation-step", { domain: domainName(`d${at}.example.org`) }, { runAt: early });
  await queue.add("alert-round", { channel: "operators" });
  await queue.add("weekly-digest", { time: "08:00 UTC" });
  await queue.add("task", { id: "1" });
  await queue.work(
    {
      "rotation-step": () => isOver,
      "alert-round": async () => void done.push("round"),
      "weekly-digest": async () => void done.push("digest"),
      task: async () => void done.push("task"),
    },
    { concurrency: 8 },
  );
  await expect.poll(() => done.toSorted()).toEqual(["digest", "round", "task"]);
  end();
  await queue.stop();
});

it("publishes, and does all else, while everything that looks is held up", async () => {
  const troubles: string[] = [];
  const queue = openJobQueue({ state: { jobs: memoryJobStore() }, databaseUrl: undefined }, (trouble) =>
    troubles.push(trouble),
  );
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  const published = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  for (let at = 0; at < 40; at++) await queue.add("task", { id: `look ${at}` });
  await queue.work(
    {
      task: async ({ id }) => {
        begun.push(id);
        await gate.promise;
      },
      "publish-task": async () => published.resolve(),
      "weekly-digest": async () => told.resolve(),
    },
    { concurrency: 1 },
  );
  await expect.poll(() => begun.length).toBe(16);
  await queue.add("publish-task", { id: "apply" });
  await queue.add("weekly-digest", { time: "08:00 UTC" });
  await Promise.all([published.promise, told.promise]);
  expect(begun).toHaveLength(16);
  gate.resolve();
  await expect.poll(() => begun.length).toBe(40);
  await queue.stop();
  expect(troubles).toEqual([]);
});
