import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { memoryJobStore } from "../../test/support/memory-job-store.ts";
import { memoryAlertStore, memoryWatchStore } from "../../test/support/memory-watch-store.ts";
import { VirtualClock } from "../../test/support/virtual-clock.ts";
import { CATALOGUE, type FindingCode } from "../check/catalogue.ts";
import { type DomainReport, type Finding, summarize } from "../check/finding.ts";
import type { Severity } from "../check/severity.ts";
import { type DomainName, domainName } from "../standards/dns/name.ts";
import type { AlertChannel } from "./alert.ts";
import { messageText } from "./alert-text.ts";
import { type AlertTools, createAlerts } from "./alerts.ts";
import { createStoredJobQueue } from "./job-queue.ts";
import { DEFAULT_SCHEDULE } from "./schedule.ts";
import { createWatcher, DEFAULT_WATCHER, type WatcherSettings, watcherMetrics } from "./watcher.ts";

const START = "2026-11-02T00:00:00Z";
const SETTINGS: WatcherSettings = { ...DEFAULT_WATCHER, schedule: DEFAULT_SCHEDULE, pollSeconds: 60 };
const day = (at: Date) => (at.getTime() - Date.parse(START)) / 86_400_000;
const dayAt = (days: number) => new Date(Date.parse(START) + days * 86_400_000);

function finding(
  code: FindingCode,
  owner: DomainName,
  severity: Severity = CATALOGUE[code].severity,
  observed = "as it is",
): Finding {
  const { expected, why, reference } = CATALOGUE[code];
  const fix = severity === "ok" ? null : { summary: "Publish this record.", changes: [] };
  return { code, severity, owner, expected, observed, why, reference, fix, verify: `dig ${owner}` };
}

const report = (domain: DomainName, findings: readonly Finding[]): DomainReport => ({
  domain,
  summary: summarize(findings),
  findings,
});

const EMAIL: AlertChannel = {
  id: "operators",
  target: { kind: "email", from: "watch@example.org", to: "ops@example.org" },
  minimumSeverity: "warning",
};

function watchOver(
  look: (domain: DomainName, at: Date) => readonly Finding[] | Error,
  channel: AlertChannel = EMAIL,
  sends: (at: Date) => "accepted" | "failed" = () => "accepted",
  others: readonly AlertChannel[] = [],
) {
  const clock = new VirtualClock(START);
  const { now, sleep } = clock;
  const store = memoryWatchStore();
  const troubles: string[] = [];
  const onTrouble = (trouble: string) => troubles.push(trouble);
  const mails: { day: number; subject: string; id: string }[] = [];
  const told: string[] = [];
  const arrived: [number, string][] = [];
  const posts: string[] = [];
  const queue = createStoredJobQueue({
    store: memoryJobStore(),
    now,
    sleep,
    newId: randomUUID,
    onTrouble,
    leaseSeconds: 600,
    pollSeconds: 60,
  });
  const tools: AlertTools = {
    store: memoryAlertStore(),
    watch: store,
    queue,
    now,
    rest: async () => {},
    sendMail: async ({ message }) => {
      const subject = /^Subject: (.*)\r$/m.exec(message)![1]!.replace("[zonepost] ", "");
      mails.push({ day: day(now()), subject, id: /^Message-ID: <(.*?)@/m.exec(message)![1]! });
      return sends(now()) === "accepted"
        ? { status: "accepted" }
        : { status: "failed", detail: "queue is full" };
    },
    post: async ({ body }) => {
      posts.push(JSON.parse(body).title);
      return { status: "accepted" };
    },
    onTrouble,
    onTold: async ({ id }, { title }) => {
      told.push(`${id}: ${title}`);
      arrived.push([day(now()), title]);
    },
  };
  const settings = {
    channels: [channel, ...others],
    groupSeconds: 900,
    digest: { time: "08:00", timeZone: "Europe/Berlin" },
  };
  const alerts = createAlerts(settings, tools);
  const checks: { domain: string; at: number }[] = [];
  const watcher = (name = "one") =>
    createWatcher(SETTINGS, {
      store,
      check: async ({ domain }) => {
        checks.push({ domain, at: now().getTime() });
        const seen = look(domain, now());
        if (seen instanceof Error) throw seen;
        return report(domain, seen);
      },
      tell: alerts.tell,
      now,
      sleep,
      onTrouble: (trouble) => troubles.push(`${name}: ${trouble}`),
    });
  return {
    clock,
    store,
    queue,
    alerts,
    watcher,
    mails,
    told,
    arrived,
    posts,
    checks,
    troubles,
    channel,
    tools,
  };
}

describe("a month", () => {
  it("of flapping, failing, silent and changing domains gives exactly these alerts", async () => {
    const names = ["healthy", "flapping", "failing", "silent", "worsening", "crashing"] as const;
    const many = Array.from({ length: 30 }, (_, at) => domainName(`c${at}.example.net`));
    const mx = domainName("mx.example.net");
    const seenOnce = new Set<string>();
    const look = (domain: DomainName, at: Date): readonly Finding[] | Error => {
      const fine = finding("spf-ok", domain);
      const [label] = domain.split(".") as [string];
      const days = day(at);
      switch (label) {
        case "flapping": {
          // Wrong at one look a day, and right again at the second one.
          const today = `${Math.floor(days)}`;
          if (seenOnce.has(today)) return [fine];
          seenOnce.add(today);
          return [fine, finding("dmarc-missing", domain)];
        }
        case "failing":
          return days > 3 && days < 5 ? [fine, finding("dmarc-missing", domain, "error")] : [fine];
        case "silent": {
          if (days > 10 && days < 12) return [finding("zone-unreachable", domain, "unknown")];
          return days < 20 ? [fine, finding("spf-missing", domain, "error")] : [fine];
        }
        case "worsening":
          if (days < 2) return [fine];
          return [fine, finding("dkim-key-short", domain, days < 8 ? "warning" : "error")];
        case "crashing":
          return days > 6 && days < 7 ? new Error("a fault of ours") : [fine];
        default: {
          const isExpired = label.startsWith("c") && days > 15 && days < 16;
          return isExpired ? [fine, finding("certificate-expired", mx, "error")] : [fine];
        }
      }
    };
    const { clock, store, queue, alerts, watcher, mails, checks, troubles } = watchOver(look);
    for (const name of names) await store.schedule(domainName(`${name}.example.org`), undefined, clock.now());
    for (const domain of many) await store.schedule(domain, undefined, clock.now());
    const one = watcher();
    void one.run();
    await queue.work(alerts.handlers, { concurrency: 2 });
    await clock.runUntil(dayAt(30));

    const about = (part: string) => mails.filter(({ subject }) => subject.includes(part));
    const told = (part: string) => about(part).map(({ day: at, subject }) => [Math.floor(at), subject]);
    expect(told("healthy")).toEqual([]);
    expect(told("flapping")).toEqual([]);
    expect(told("crashing")).toEqual([]);
    expect(told("failing")).toEqual([
      [3, "failing.example.org: error: dmarc-missing"],
      [5, "failing.example.org: solved: dmarc-missing"],
    ]);
    // Two days without an answer are no news, and neither is that it is as it was.
    expect(told("silent")).toEqual([
      [0, "silent.example.org: error: spf-missing"],
      [20, "silent.example.org: solved: spf-missing"],
    ]);
    expect(told("worsening")).toEqual([
      [2, "worsening.example.org: warning: dkim-key-short"],
      [8, "worsening.example.org: error: dkim-key-short"],
    ]);
    // One cause for thirty domains, which are looked at over six hours: at most one message in each quarter of an hour.
    const shared = about("certificate-expired");
    expect(shared.length).toBeLessThanOrEqual(2 * 26);
    for (const { day: at } of shared) expect(at).toBeGreaterThan(15);
    expect(mails.length).toBe(6 + shared.length);

    // Never more often than allowed, and never less often than every nine hours.
    const perDomain = Map.groupBy(checks, ({ domain }) => domain);
    for (const [domain, times] of perDomain) {
      const gaps = times.slice(1).map(({ at }, n) => (at - times[n]!.at) / 1000);
      expect(Math.min(...gaps), domain).toBeGreaterThanOrEqual(60);
      expect(Math.max(...gaps), domain).toBeLessThanOrEqual(1.5 * 21_600 + 200);
    }
    expect(troubles.every((trouble) => trouble.includes("a fault of ours"))).toBe(true);
    expect(watcherMetrics(one.counts())).toMatch(/checks_total\{end="failed"\} [1-9]/);
    const stopped = Promise.all([one.stop(), queue.stop()]);
    await clock.runUntil(dayAt(31));
    await stopped;
  });
});

describe("alerts", () => {
  it("wait for the morning, say then only what is still so, and are sent again under one id", async () => {
    const domain = domainName("example.org");
    const other = domainName("example.net");
    let attempts = 0;
    const channel = { ...EMAIL, quietHours: { from: "22:00", until: "07:00", timeZone: "Europe/Berlin" } };
    const look = (name: DomainName, at: Date) => {
      if (name === other)
        return day(at) < 0.1 ? [finding("dmarc-missing", other)] : [finding("spf-ok", other)];
      return [finding("spf-missing", domain, "error")];
    };
    const { clock, store, queue, alerts, watcher, mails, told } = watchOver(look, channel, () =>
      ++attempts < 3 ? "failed" : "accepted",
    );
    for (const name of [domain, other]) await store.schedule(name, undefined, clock.now());
    const one = watcher();
    void one.run();
    await queue.work(alerts.handlers, { concurrency: 2 });
    await clock.runUntil(dayAt(0.15));
    await store.schedule(other, undefined, clock.now());
    await clock.runUntil(dayAt(1));
    // 07:00 in Berlin is 06:00 UTC in November; the round of 00:00 to 06:00 has seen example.net well again.
    expect(mails.map(({ subject }) => subject)).toEqual(Array(3).fill("example.org: error: spf-missing"));
    expect(new Set(mails.map(({ id }) => id)).size).toBe(1);
    // Once, by the attempt that arrived.
    expect(told).toEqual(["operators: example.org: error: spf-missing"]);
    expect(24 * mails[0]!.day).toBeGreaterThanOrEqual(6);
    expect(24 * mails[0]!.day).toBeLessThan(6.1);
    void one.stop();
    void queue.stop();
    await clock.runUntil(dayAt(1.1));
  });

  const NIGHT = { from: "22:00", until: "07:00", timeZone: "UTC" };
  const found = "example.org: error: spf-missing";
  const solved = "example.org: solved: spf-missing";
  it.each<
    [
      reason: string,
      bad: readonly [from: number, until: number],
      away: readonly [from: number, until: number],
      quiet: AlertChannel["quietHours"] | undefined,
      told: readonly (readonly [title: string, from: number, until: number])[],
    ]
  >([
    [
      "the receiver is away while it comes and goes: it is not told at all",
      [3, 3.6],
      [2.9, 4],
      undefined,
      [],
    ],
    [
      "the receiver is back while it is so: then it is told",
      [3, 5],
      [2.9, 3.5],
      undefined,
      [
        [found, 3.5, 3.76],
        [solved, 5, 5.4],
      ],
    ],
    [
      "the receiver is away for a week: it is told all the same",
      [3, 20],
      [2.9, 10],
      undefined,
      [
        [found, 10, 10.26],
        [solved, 20, 20.4],
      ],
    ],
    [
      "what is solved is told later, where it was told before",
      [3, 5],
      [4.9, 6],
      undefined,
      [
        [found, 3, 3.4],
        [solved, 6, 6.3],
      ],
    ],
    [
      "the receiver is back at night: it is told in the morning",
      [3.35, 5.5],
      [3.3, 3.95],
      NIGHT,
      [
        [found, 4.29, 4.3],
        [solved, 5.5, 5.9],
      ],
    ],
  ])("%s", async (_, [from, until], [leaves, returns], quietHours, told) => {
    const domain = domainName("example.org");
    const channel = { ...EMAIL, ...(quietHours && { quietHours }) };
    const { clock, store, queue, alerts, watcher, arrived } = watchOver(
      (name, at) =>
        day(at) > from && day(at) < until
          ? [finding("spf-missing", name, "error")]
          : [finding("spf-ok", name)],
      channel,
      (at) => (day(at) > leaves && day(at) < returns ? "failed" : "accepted"),
    );
    await store.schedule(domain, undefined, clock.now());
    const one = watcher();
    void one.run();
    await queue.work(alerts.handlers, { concurrency: 2 });
    await clock.runUntil(dayAt(Math.max(until, returns) + 2));
    expect(arrived.map(([, title]) => title)).toEqual(told.map(([title]) => title));
    for (const [at, [, earliest, latest]] of told.entries()) {
      expect(arrived[at]![0]).toBeGreaterThanOrEqual(earliest);
      expect(arrived[at]![0]).toBeLessThan(latest);
    }
    void one.stop();
    void queue.stop();
    await clock.runUntil(dayAt(31));
  });

  it.each<[loud: "error" | undefined, hour: number, reason: string]>([
    [undefined, 7, "the round was due before the night, and the server was away: it waits for the morning"],
    ["error", 2, "what is loud is told at once"],
  ])("planned before a stop, with %s loud, come at hour %i after it (%s)", async (loudSeverity, hour) => {
    const domain = domainName("example.org");
    const channel = { ...EMAIL, quietHours: NIGHT, ...(loudSeverity && { loudSeverity }) };
    const { clock, store, queue, alerts, watcher, arrived } = watchOver(
      (name, at) => [finding(day(at) > 0.85 ? "spf-missing" : "spf-ok", name)],
      channel,
    );
    await store.schedule(domain, undefined, dayAt(0.86));
    const one = watcher();
    void one.run();
    // 21:50: the second look is over, and its round not yet due.
    await clock.runUntil(dayAt(0.88));
    await clock.runUntil(dayAt(1 + 2 / 24));
    await queue.work(alerts.handlers, { concurrency: 2 });
    await clock.runUntil(dayAt(1.5));
    expect(arrived.map(([at, title]) => [Math.floor((at - 1) * 24 + 0.01), title])).toEqual([[hour, found]]);
    void one.stop();
    void queue.stop();
    await clock.runUntil(dayAt(1.6));
  });

  it("that a channel does not take for more than a day are told of at the others, once", async () => {
    const domain = domainName("example.org");
    const pager: AlertChannel = {
      id: "pager",
      target: { kind: "webhook", url: "https://hooks.example.net/", secret: { reveal: () => "s" } },
      minimumSeverity: "error",
    };
    const look = (name: DomainName, at: Date) => [
      finding("spf-ok", name),
      ...(Math.floor(day(at)) % 2 === 1 ? [finding("dmarc-missing", name, "warning")] : []),
      finding("dkim-key-short", name, "warning"),
    ];
    const { clock, store, queue, alerts, watcher, posts, told } = watchOver(look, EMAIL, () => "failed", [
      pager,
    ]);
    await store.schedule(domain, undefined, clock.now());
    const one = watcher();
    void one.run();
    await queue.work(alerts.handlers, { concurrency: 2 });
    await clock.runUntil(dayAt(1));
    expect(posts).toEqual([]);
    await clock.runUntil(dayAt(14));
    expect(posts).toEqual(["the channel operators takes no messages"]);
    expect(told).toEqual(["pager: the channel operators takes no messages"]);
    const [lost] = await queue.givenUp(10);
    expect([lost!.kind, lost!.error]).toEqual(["alert-round", "channel operators: queue is full"]);
    void one.stop();
    void queue.stop();
    await clock.runUntil(dayAt(14.1));
  });

  it("are silent about what somebody knows of, also when it was said while they waited", async () => {
    const domain = domainName("example.org");
    const channel = { ...EMAIL, quietHours: { from: "22:00", until: "07:00", timeZone: "Europe/Berlin" } };
    const look = () => [finding("spf-missing", domain, "error")];
    const { clock, store, queue, alerts, watcher, mails } = watchOver(look, channel);
    await store.schedule(domain, undefined, clock.now());
    const one = watcher();
    void one.run();
    await queue.work(alerts.handlers, { concurrency: 2 });
    await clock.runUntil(dayAt(0.1));
    const key = `spf-missing ${domain}`;
    expect(await store.acknowledge(domain, key, "ann", clock.now())).toBe("acknowledged");
    await clock.runUntil(dayAt(2));
    expect(mails).toEqual([]);
    void one.stop();
    void queue.stop();
    await clock.runUntil(dayAt(2.1));
  });

  it("come as a digest every Monday, in quiet weeks too", async () => {
    const { clock, queue, alerts, mails } = watchOver(() => [], { ...EMAIL, weeklyDigest: true });
    await queue.work(alerts.handlers, { concurrency: 1 });
    await alerts.plan();
    await clock.runUntil(dayAt(21));
    // 08:00 in Berlin, on the 2nd, the 9th and the 16th.
    expect(mails.map(({ day: at }) => (Math.round(at * 24 * 10) / 10) % 168)).toEqual([7, 7, 7]);
    expect(mails[0]!.subject).toBe("the week: no domain with errors");
    void queue.stop();
    await clock.runUntil(dayAt(21.1));
  });
});

describe("a digest that waits when the server starts", () => {
  // 2026-11-02 is a Monday; the digest of 08:00 in Berlin is planned before, and due at 07:00 UTC.
  it.each<[time: string, startsAt: number, hours: readonly number[], reason: string]>([
    ["08:00", 6, [7, 175], "it is not due yet: it stays as it is"],
    ["08:00", 9, [9, 175], "it came due while the server was away, and goes out now"],
    ["10:00", 6, [9, 177], "the settings name a later time: that counts, once"],
    ["10:00", 8, [9, 177], "the settings name a later time, and the old one was due: still once"],
    ["06:00", 6, [173], "the settings name a time that is over: the next Monday"],
  ])("for %s, after a start at hour %i, comes at the hours %j (%s)", async (time, startsAt, hours) => {
    const digest = { time, timeZone: "Europe/Berlin" };
    const before = watchOver(() => [], { ...EMAIL, weeklyDigest: true });
    await before.alerts.plan();
    await before.clock.runUntil(new Date(Date.parse(START) + 3_600_000 * startsAt));
    const alerts = createAlerts({ channels: [before.channel], groupSeconds: 900, digest }, before.tools);
    // What is due may not be begun before the next is planned.
    await alerts.plan();
    await before.queue.work(alerts.handlers, { concurrency: 1 });
    await before.clock.runUntil(dayAt(10));
    expect(before.mails.map(({ day: at }) => Math.floor(at * 24 + 0.01))).toEqual(hours);
    void before.queue.stop();
    await before.clock.runUntil(dayAt(10.1));
  });
});

describe("two watchers on one store", () => {
  it("check each domain once in a round, and one does what the other has left", async () => {
    const domains = Array.from({ length: 200 }, (_, at) => domainName(`d${at}.example.net`));
    const { clock, store, watcher, checks } = watchOver((domain) => [finding("spf-ok", domain)]);
    for (const domain of domains) await store.schedule(domain, undefined, clock.now());
    // Taken by one that never says a word again.
    const dead = await store.takeDue(clock.now(), 10, new Date(clock.now().getTime() + 150_000));
    const [one, other] = [watcher("one"), watcher("other")];
    void one.run();
    void other.run();
    await clock.runUntil(new Date(Date.parse(START) + 120_000));
    expect(checks.length).toBe(190);
    expect(one.counts().checked).toBeGreaterThan(0);
    expect(other.counts().checked).toBeGreaterThan(0);
    await clock.runUntil(new Date(Date.parse(START) + 240_000));
    const late = checks.slice(190).map(({ domain }) => domain);
    expect(late.toSorted()).toEqual(dead.map(({ domain }) => domain as string).toSorted());
    expect(new Set(checks.map(({ domain }) => domain)).size).toBe(200);
    const stopped = Promise.all([one.stop(), other.stop()]);
    await clock.runUntil(dayAt(1));
    await stopped;
  });
});

it("a message is bounded, says the fix, and no name of others steers a terminal", () => {
  const evil = finding("spf-missing", domainName("example.org"), "error", `\u001b[2J${"x".repeat(100_000)}`);
  const group = {
    kind: "appeared",
    finding: evil,
    domains: [domainName("example.org")],
    domainCount: 1,
    since: START,
  } as const;
  const text = messageText({
    id: "1",
    kind: "news",
    severity: "error",
    createdAt: START,
    title: "t",
    groups: Array(20).fill(group),
    omittedGroups: 3,
  });
  expect(text).not.toContain("\u001b");
  expect(text.length).toBeLessThan(70_000);
  expect(text).toContain("Fix: Publish this record.");
  expect(text).toContain("And 3 more");
});
