/** What every queue of jobs has to do, whoever keeps it. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { type DomainName, domainName } from "../../src/standards/dns/name.ts";
import type { JobCall, JobQueue } from "../../src/watch/job-queue.ts";

const name = (label: string): DomainName => domainName(`${label}.example.org`);

async function until(is: () => boolean, milliseconds = 15_000): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!is()) {
    if (performance.now() > end) throw new Error("it did not come to that in time");
    await sleep(10);
  }
}

/** `open` gives another queue over the same jobs at each call. */
export function itIsAJobQueue(open: () => Promise<JobQueue>): void {
  const withQueues = async (count: number, act: (...queues: JobQueue[]) => Promise<void>) => {
    const queues = await Promise.all(Array.from({ length: count }, open));
    try {
      await act(...queues);
    } finally {
      await Promise.all(queues.map((queue) => queue.stop()));
    }
  };

  it("does a job with what it was given, and once", () =>
    withQueues(1, async (queue) => {
      const done: unknown[] = [];
      await queue.add("rotation-step", { domain: name("once") });
      await queue.work({ "rotation-step": async (payload) => void done.push(payload) }, { concurrency: 3 });
      await queue.add("rotation-step", { domain: name("later") });
      await until(() => done.length >= 2);
      await sleep(100);
      // Up to three are worked at side by side: either may be first.
      expect(done).toHaveLength(2);
      expect(done).toContainEqual({ domain: "once.example.org" });
      expect(done).toContainEqual({ domain: "later.example.org" });
    }));

  it("waits until a job's time", () =>
    withQueues(1, async (queue) => {
      const at = performance.now();
      let waited = 0;
      await queue.add("weekly-digest", { time: "08:00 UTC" }, { runAt: new Date(Date.now() + 400) });
      await queue.work(
        {
          "weekly-digest": async () => {
            waited = performance.now() - at;
          },
        },
        { concurrency: 1 },
      );
      await until(() => waited > 0);
      expect(waited).toBeGreaterThan(390);
    }));

  it("lets the newer of two jobs with one key take the older one's place", () =>
    withQueues(1, async (queue) => {
      const done: string[] = [];
      const key = "rotation of example.org";
      await queue.add("rotation-step", { domain: name("old") }, { key, runAt: new Date(Date.now() + 200) });
      await queue.add("rotation-step", { domain: name("new") }, { key });
      await queue.work({ "rotation-step": async ({ domain }) => void done.push(domain) }, { concurrency: 1 });
      await until(() => done.length > 0);
      await sleep(400);
      expect(done).toEqual(["new.example.org"]);
    }));

  it("leaves the older of two jobs with one key as it is, where the newer one says so", () =>
    withQueues(1, async (queue) => {
      const done: string[] = [];
      const key = "rotation of example.com";
      await queue.add("rotation-step", { domain: name("old") }, { key, runAt: new Date(Date.now() + 200) });
      await queue.add("rotation-step", { domain: name("new") }, { key, keepsOlder: true });
      await queue.work({ "rotation-step": async ({ domain }) => void done.push(domain) }, { concurrency: 1 });
      await until(() => done.length > 0);
      await sleep(400);
      expect(done).toEqual(["old.example.org"]);
    }));

  it("keeps a job that is added under the key of one under way, which may be the job itself", () =>
    withQueues(1, async (queue) => {
      const done: string[] = [];
      const key = "rotation of example.net";
      await queue.add("rotation-step", { domain: name("first") }, { key });
      await queue.work(
        {
          "rotation-step": async ({ domain }) => {
            done.push(domain);
            if (done.length === 1) await queue.add("rotation-step", { domain: name("second") }, { key });
          },
        },
        { concurrency: 1 },
      );
      await until(() => done.length === 2);
      expect(done).toEqual(["first.example.org", "second.example.org"]);
    }));

  it("tries again what failed, under the same id, and leaves it after the last attempt", () =>
    withQueues(1, async (queue) => {
      const calls: JobCall[] = [];
      await queue.add("rotation-step", { domain: name("failing") }, { maxAttempts: 2 });
      await queue.work(
        {
          "rotation-step": async (_payload, call) => {
            calls.push(call);
            throw new Error("not today");
          },
        },
        { concurrency: 1 },
      );
      await until(() => calls.length === 2);
      expect(calls.map(({ attempt, isLast }) => [attempt, isLast])).toEqual([
        [1, false],
        [2, true],
      ]);
      expect(calls[0]!.id).toBe(calls[1]!.id);
    }));

  let rest = 0;
  it("works at no more jobs at once than it may, and stops when they are done", () =>
    withQueues(1, async (queue) => {
      let [now, most, done] = [0, 0, 0];
      const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
      for (let at = 0; at < 12; at++) await queue.add("rotation-step", { domain: name(`n${at}`) });
      await queue.work(
        {
          "rotation-step": async () => {
            most = Math.max(most, ++now);
            await mayEnd;
            now -= 1;
            done += 1;
          },
        },
        { concurrency: 3 },
      );
      await until(() => now === 3);
      await sleep(100);
      const stopped = queue.stop();
      letEnd();
      await stopped;
      expect([now, most]).toEqual([0, 3]);
      expect(done).toBeGreaterThanOrEqual(3);
      expect(done).toBeLessThan(12);
      // The rest is another's, below.
      rest = 12 - done;
    }));

  it("shares jobs between two, each of them once, and leaves what it has no handler for", () =>
    withQueues(2, async (one, other) => {
      const done: string[] = [];
      const handlers = {
        "rotation-step": async ({ domain }: { domain: DomainName }) => {
          await sleep(5);
          done.push(domain);
        },
      };
      await one.add("wait-for-caches", { domains: [] });
      for (let at = 0; at < 40; at++) await one.add("rotation-step", { domain: name(`s${at}`) });
      await one.work(handlers, { concurrency: 2 });
      await other.work(handlers, { concurrency: 2 });
      await until(() => done.length >= 40 + rest);
      await sleep(200);
      expect(done.length).toBe(40 + rest);
      expect(new Set(done).size).toBe(done.length);
    }));
}
