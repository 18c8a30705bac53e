import { expect, it } from "vitest";
import { memoryJobStore } from "../../test/support/memory-job-store.ts";
import { openJobQueue } from "./jobs.ts";
import type { Surroundings } from "./surroundings.ts";

it("publishes, and does all else, while everything that looks is held up", async () => {
  const around = { state: { jobs: memoryJobStore() }, databaseUrl: undefined } as unknown as Surroundings;
  const troubles: string[] = [];
  const queue = openJobQueue(around, (trouble) => troubles.push(trouble));
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
  await queue.add("weekly-digest", {});
  await Promise.all([published.promise, told.promise]);
  expect(begun).toHaveLength(16);
  gate.resolve();
  await expect.poll(() => begun.length).toBe(40);
  await queue.stop();
  expect(troubles).toEqual([]);
});
