import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { itIsAJobQueue } from "../../test/support/job-queue-contract.ts";
import { memoryJobStore } from "../../test/support/memory-job-store.ts";
import { domainName } from "../standards/dns/name.ts";
import { createStoredJobQueue, MAX_ATTEMPTS, retrySeconds } from "./job-queue.ts";
import type { JobStore } from "./job-store.ts";

const sleep = (milliseconds: number, signal: AbortSignal) =>
  wait(milliseconds, undefined, { signal }).catch(() => undefined);
const queueOn = (store: JobStore, leaseSeconds = 60, troubles: string[] = []) =>
  createStoredJobQueue({
    store,
    now: () => new Date(),
    sleep,
    newId: randomUUID,
    onTrouble: (trouble) => troubles.push(trouble),
    leaseSeconds,
    pollSeconds: 0.05,
  });
const PAYLOAD = { domain: domainName("example.org") };

describe("a queue in this process", () => {
  const store = memoryJobStore();
  itIsAJobQueue(async () => queueOn(store));

  it("finishes the work of one that was killed, whose late word does not count", async () => {
    const shared = memoryJobStore();
    await queueOn(shared).add("rotation-step", PAYLOAD);
    const now = new Date();
    const [taken] = await shared.lease(["rotation-step"], now, 1, new Date(now.getTime() + 4_000));
    const done: number[] = [];
    const other = queueOn(shared);
    await other.work(
      { "rotation-step": async (_, { attempt }) => void done.push(attempt) },
      { concurrency: 1 },
    );
    await wait(200);
    expect(done).toEqual([]);
    await expect.poll(() => done).toEqual([2]);
    expect(await shared.complete(taken!.id, taken!.attempt)).toBe(false);
    await other.stop();
  });

  it("holds a job for as long as it takes", async () => {
    const shared = memoryJobStore();
    const [one, other] = [queueOn(shared, 3), queueOn(shared, 3)];
    let begun = 0;
    const handlers = {
      "rotation-step": async () => {
        begun += 1;
        await wait(4_000);
      },
    };
    await one.add("rotation-step", PAYLOAD);
    await one.work(handlers, { concurrency: 1 });
    await other.work(handlers, { concurrency: 1 });
    await wait(3_500);
    await Promise.all([one.stop(), other.stop()]);
    expect(begun).toBe(1);
  });

  it("goes on where the store fails for a while", async () => {
    const shared = memoryJobStore();
    let failures = 2;
    const troubles: string[] = [];
    const lease: JobStore["lease"] = async (...args) => {
      if (failures-- > 0) throw new Error("disk full");
      return shared.lease(...args);
    };
    const queue = queueOn({ ...shared, lease }, 60, troubles);
    const done: boolean[] = [];
    await queue.add("weekly-digest", { time: "08:00 UTC" });
    await queue.work({ "weekly-digest": async () => void done.push(true) }, { concurrency: 1 });
    await expect.poll(() => done).toEqual([true]);
    await queue.stop();
    expect([done, troubles]).toEqual([[true], Array(2).fill("jobs cannot be taken: disk full")]);
  });

  it("keeps what failed for good, with the reason", async () => {
    const shared = memoryJobStore();
    const queue = queueOn(shared);
    await queue.add("rotation-step", PAYLOAD, { maxAttempts: 1 });
    await queue.work({ "rotation-step": () => Promise.reject(new Error("no")) }, { concurrency: 1 });
    await expect.poll(async () => (await queue.givenUp(10)).length).toBe(1);
    await queue.stop();
    expect((await queue.givenUp(10)).map(({ error, attempts }) => [error, attempts])).toEqual([["no", 1]]);
  });

  it("says of work whose process ended in the last attempt that it did", async () => {
    const shared = memoryJobStore();
    const queue = queueOn(shared);
    await queue.add("rotation-step", PAYLOAD, { maxAttempts: 2 });
    const soon = () => new Date(Date.now() + 1_000);
    const [first] = await shared.lease(["rotation-step"], soon(), 1, soon());
    await shared.fail(first!.id, 1, new Date(), "no");
    await shared.lease(["rotation-step"], soon(), 1, new Date());
    await wait(5);
    expect((await queue.givenUp(10)).map(({ error }) => error)).toEqual([
      "the process ended in the midst of the last attempt; before that: no",
    ]);
  });
});

it("the last attempt is more than a day after the first", () => {
  const total = Array.from({ length: MAX_ATTEMPTS - 1 }, (_, at) => retrySeconds(at + 1)).reduce(
    (a, b) => a + b,
  );
  expect(total).toBeGreaterThan(86_400);
});
