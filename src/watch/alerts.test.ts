import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CATALOGUE } from "../check/catalogue.ts";
import type { Finding } from "../check/finding.ts";
import { type DomainName, domainName } from "../standards/dns/name.ts";
import { type OpenedStore, openStore } from "../store/open.ts";
import type { AlertChannel, AlertMessage, News } from "./alert.ts";
import { type AlertTools, createAlerts } from "./alerts.ts";
import type { JobOptions, JobQueue } from "./job-queue.ts";
import { recordCheck } from "./record-check.ts";
import { DEFAULT_SCHEDULE } from "./schedule.ts";

const START = Date.parse("2026-11-21T12:00:00Z");
const MINUTE = 60_000;
const CHANNEL: AlertChannel = {
  id: "operators",
  target: { kind: "webhook", url: "https://hooks.example.net/", secret: { reveal: () => "s" } },
  minimumSeverity: "warning",
};

const DIGEST = { time: "08:00 UTC" };

let store: OpenedStore;
beforeEach(async () => {
  store = await openStore({ kind: "memory" });
});
afterEach(() => store.close());

function missing(domain: DomainName, severity: Finding["severity"] = "error"): Finding {
  const { expected, why, reference } = CATALOGUE["spf-missing"];
  return {
    code: "spf-missing",
    severity,
    owner: domain,
    expected,
    observed: "none",
    why,
    reference,
    fix: null,
    verify: `dig ${domain}`,
  };
}

/** Alerts on a real store; rounds are run by hand, and what would be delivered is kept. */
function alertsOn(
  watch: AlertTools["watch"] = store.watch,
  channels: readonly AlertChannel[] = [CHANNEL],
  isAway: () => boolean = () => false,
) {
  let time = START;
  const now = () => new Date(time);
  const messages: AlertMessage[] = [];
  const troubles: string[] = [];
  const rounds: Date[] = [];
  const again: { failures: number; options: JobOptions | undefined }[] = [];
  const deliveries: { channel: string; message: AlertMessage; options: JobOptions | undefined }[] = [];
  const digests: string[] = [];
  let rests = 0;
  const queue: Pick<JobQueue, "add"> = {
    async add(kind, payload, options) {
      if (kind === "alert-round") rounds.push(options!.runAt!);
      if (kind === "weekly-digest") digests.push(options!.runAt!.toISOString());
      if ("message" in payload)
        deliveries.push({ channel: payload.channel, message: payload.message, options });
      if ("failures" in payload) again.push({ failures: payload.failures!, options });
    },
  };
  const alerts = createAlerts(
    { channels, groupSeconds: 900, digest: { time: "08:00", timeZone: "UTC" } },
    {
      store: store.alertNews,
      watch,
      queue: queue as JobQueue,
      now,
      rest: async () => {
        rests += 1;
      },
      sendMail: async () => ({ status: "accepted" }),
      post: async ({ body }) => {
        const message = JSON.parse(body) as AlertMessage;
        if (isAway()) return { status: "failed", detail: "nobody answers" };
        messages.push(message);
        return { status: "accepted" };
      },
      onTrouble: (trouble) => troubles.push(trouble),
    },
  );
  return {
    alerts,
    now,
    messages,
    again,
    deliveries,
    troubles,
    rounds,
    digests,
    rests: () => rests,
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
    round: (id: string, isLast = false, failures = 0) =>
      alerts.handlers["alert-round"]({ channel: CHANNEL.id, failures }, { id, attempt: 1, isLast }),
    /** One look at a domain, with what it sees; news comes with the second that sees the same. */
    check: (domain: DomainName, findings: readonly Finding[], tell = alerts.tell, began = time - 1000) =>
      recordCheck(
        { domain, findings },
        { startedAt: new Date(began), endedAt: now() },
        { store: store.watch, schedule: DEFAULT_SCHEDULE, tell },
      ),
  };
}

const domainsOf = (messages: readonly AlertMessage[]) =>
  messages.flatMap(({ groups }) => groups[0]!.domainCount);

describe("a round", () => {
  it("asks what is still so of a hundred domains at once, and lets others have their turn", async () => {
    const asked: number[] = [];
    const world = alertsOn({
      ...store.watch,
      standing: (domains) => {
        asked.push(domains.length);
        return store.watch.standing(domains);
      },
    });
    const domains = Array.from({ length: 2_000 }, (_, at) => domainName(`d${at}.example.net`));
    const at = world.now();
    const news: News[] = [];
    for (const domain of domains) {
      await store.watch.schedule(domain, undefined, at);
      const finding = missing(domain);
      const known = { key: `spf-missing ${domain}`, finding, since: at, confirmed: true };
      const state = { domain, ownerId: undefined, checkedAt: at, nextCheckAt: at, revision: 0 };
      const result = { findings: [known], events: [] };
      await store.watch.record({ state: { ...state, worst: "error", counts: { error: 1 } }, ...result });
      const times = { since: at.toISOString(), at: at.toISOString() };
      news.push({ id: domain, domain, kind: "appeared", key: known.key, finding, ...times });
    }
    await world.alerts.tell("all", news);
    world.pass(15 * MINUTE);
    await world.round("1");
    expect(Math.max(...asked)).toBeLessThanOrEqual(100);
    expect(asked.reduce((all, some) => all + some)).toBe(2_000);
    expect(world.rests()).toBe(asked.length - 1);
    expect(domainsOf(world.messages)).toEqual([2_000]);
  });

  it("that is given up leaves its news to the next", async () => {
    let isAway = true;
    const world = alertsOn({
      ...store.watch,
      standing: async (domains) => {
        if (isAway) throw new Error("the database is away");
        return store.watch.standing(domains);
      },
    });
    const domain = domainName("example.org");
    await store.watch.schedule(domain, undefined, world.now());
    for (let looks = 0; looks < 2; looks++) await world.check(domain, [missing(domain)]);
    world.pass(15 * MINUTE);
    await expect(world.round("1")).rejects.toThrow("away");
    // Until then it is the round's own.
    await world.round("2");
    expect(world.messages).toEqual([]);
    const asked = world.rounds.length;
    await expect(world.round("1", true)).rejects.toThrow("away");
    expect(world.rounds.length).toBe(asked + 1);
    isAway = false;
    await world.round("3");
    expect(domainsOf(world.messages)).toEqual([1]);
  });

  it("takes up what a process that died with its last attempt has left", async () => {
    const world = alertsOn();
    const domain = domainName("example.org");
    await store.watch.schedule(domain, undefined, world.now());
    for (let looks = 0; looks < 2; looks++) await world.check(domain, [missing(domain)]);
    world.pass(15 * MINUTE);
    const which = {
      limit: 10,
      putBefore: world.now(),
      givenUpBefore: new Date(0),
      forgottenBefore: new Date(0),
    };
    await store.alertNews.collect(CHANNEL.id, "of a dead one", which);
    await world.round("1");
    expect(world.messages).toEqual([]);
    world.pass(8 * 1440 * MINUTE);
    await world.round("2");
    expect(domainsOf(world.messages)).toEqual([1]);
  });

  it("that begins between what is told and what is written down leaves it to the next", async () => {
    const world = alertsOn();
    const domain = domainName("example.org");
    await store.watch.schedule(domain, undefined, world.now());
    for (let looks = 0; looks < 2; looks++) await world.check(domain, [missing(domain, "warning")]);
    world.pass(15 * MINUTE);
    await world.round("1");
    // It gets worse, and a round that others have asked for begins before that is written down.
    const tellThenRound: typeof world.alerts.tell = async (key, news) => {
      await world.alerts.tell(key, news);
      world.pass(3_000);
      await world.round("2");
    };
    await world.check(domain, [missing(domain)]);
    await world.check(domain, [missing(domain)], tellThenRound);
    const next = world.rounds.at(-1)!;
    world.pass(next.getTime() - world.now().getTime());
    await world.round("3");
    // And so where it goes.
    await world.check(domain, []);
    await world.check(domain, [], async (key, news) => {
      await world.alerts.tell(key, news);
      world.pass(3_000);
      await world.round("4");
    });
    world.pass(world.rounds.at(-1)!.getTime() - world.now().getTime());
    await world.round("5");
    expect(world.messages.map(({ title }) => title)).toEqual([
      "example.org: warning: spf-missing",
      "example.org: error: spf-missing",
      "example.org: solved: spf-missing",
    ]);
  });
});

describe("what does not arrive", () => {
  const silentFrom = async (
    failures: number,
    isLast: boolean,
    channels: readonly AlertChannel[] = [CHANNEL],
  ) => {
    const world = alertsOn(store.watch, channels, () => true);
    const domain = domainName("example.org");
    await store.watch.schedule(domain, undefined, world.now());
    for (let looks = 0; looks < 2; looks++) await world.check(domain, [missing(domain)]);
    world.pass(15 * MINUTE);
    const end = await world.round("1", isLast, failures).then(
      () => "done",
      () => "failed",
    );
    return { world, end };
  };

  it.each<
    [failures: number, isLast: boolean, again: readonly number[], end: string, told: number, reason: string]
  >([
    [0, false, [1], "done", 0, "the first time: soon again"],
    [13, false, [14], "done", 0, "and again"],
    [14, false, [], "failed", 0, "the queue makes the last attempt some times more"],
    [14, true, [15, 15], "failed", 2, "more than a day: the others hear of it, and it is tried on"],
    [15, false, [16], "done", 0, "they have heard of it"],
    [900, false, [901], "done", 0, "for as long as it takes"],
  ])(
    "after %i failures (last of its tries: %s) is tried again as %j and has %s; %i hear (%s)",
    async (failures, isLast, again, end, told) => {
      const others = ["pager", "chat"].map((id) => ({ ...CHANNEL, id }));
      const { world, ...outcome } = await silentFrom(failures, isLast, [CHANNEL, ...others]);
      expect([outcome.end, world.again.map((one) => one.failures)]).toEqual([end, again]);
      for (const { options } of world.again) expect(options!.key).toBe("alert-round operators again");
      const hours = (world.again.at(-1)?.options?.runAt?.getTime() ?? 0) - world.now().getTime();
      expect(hours / 3_600_000).toBeLessThan(6.2);
      expect(world.deliveries.map(({ channel, message }) => [channel, message.title])).toEqual(
        ["pager", "chat"].slice(0, told).map((id) => [id, "the channel operators takes no messages"]),
      );
      // Nothing is lost, and no other round has to wait for it.
      const which = {
        limit: 10,
        putBefore: world.now(),
        givenUpBefore: new Date(0),
        forgottenBefore: new Date(0),
      };
      expect(await store.alertNews.collect(CHANNEL.id, "another", which)).toHaveLength(1);
    },
  );

  it.each<[limited: readonly string[], told: readonly string[], reason: string]>([
    [["customer"], ["general"], "whoever hears of some domains alone is told where nobody else is"],
    [["customer", "general"], ["customer", "general"], "there is nobody else"],
  ])("where %j hear of some domains alone, is told %j (%s)", async (limited, told) => {
    const domains = [domainName("example.net")];
    const others = ["customer", "general"].map((id) => ({
      ...CHANNEL,
      id,
      ...(limited.includes(id) && { domains }),
    }));
    const { world } = await silentFrom(14, true, [CHANNEL, ...others]);
    expect(world.deliveries.map(({ channel }) => channel)).toEqual(told);
  });

  it("is sent under the same id where it is the same, and under another where more has come", async () => {
    let isAway = true;
    const ids: string[] = [];
    const world = alertsOn(store.watch, [CHANNEL], () => isAway);
    const [domain, other] = ["example.org", "example.net"].map(domainName) as [DomainName, DomainName];
    for (const name of [domain, other]) await store.watch.schedule(name, undefined, world.now());
    for (let looks = 0; looks < 2; looks++) await world.check(domain, [missing(domain)]);
    world.pass(15 * MINUTE);
    await world.round("1");
    isAway = false;
    const collect = store.alertNews.finish;
    // It arrives, and nobody writes that down.
    store.alertNews.finish = async () => Promise.reject(new Error("away"));
    await expect(world.round("2")).rejects.toThrow("away");
    await expect(world.round("2")).rejects.toThrow("away");
    store.alertNews.finish = collect;
    for (let looks = 0; looks < 2; looks++) await world.check(other, [missing(other)]);
    await store.alertNews.release(CHANNEL.id, "none");
    world.pass(15 * MINUTE);
    ids.push(...world.messages.map(({ id }) => id));
    await world.round("3");
    expect(new Set(ids).size).toBe(1);
    expect(world.messages.at(-1)!.id).not.toBe(ids[0]);
  });
});

it("a channel that was out of the settings when its round came hears what waits once it is back", async () => {
  const domain = domainName("example.org");
  const before = alertsOn();
  await store.watch.schedule(domain, undefined, before.now());
  for (let looks = 0; looks < 2; looks++) await before.check(domain, [missing(domain)]);
  const without = alertsOn(store.watch, []);
  without.pass(15 * MINUTE);
  await without.alerts.plan();
  await without.round("1");
  expect([without.rounds, without.messages]).toEqual([[], []]);
  const back = alertsOn();
  back.pass(20 * MINUTE);
  await back.alerts.plan();
  expect(back.rounds.map((at) => at.toISOString())).toEqual(["2026-11-21T12:30:00.000Z"]);
  await back.round("2");
  expect(domainsOf(back.messages)).toEqual([1]);
  // Of no channel that has asked for none.
  expect(back.digests).toEqual([]);
});

describe("a message that is delivered as it is", () => {
  const message = (kind: AlertMessage["kind"], severity: AlertMessage["severity"]): AlertMessage => ({
    id: "1",
    kind,
    severity,
    createdAt: "2026-11-21T12:00:00.000Z",
    title: "a message",
    groups: [],
    omittedGroups: 0,
    text: "text",
  });
  // It is 12:00 there.
  const quietHours = { from: "11:00", until: "13:30", timeZone: "UTC" };

  it.each<[more: Partial<AlertChannel>, severity: AlertMessage["severity"], waits: boolean, reason: string]>([
    [{}, "ok", false, "nobody is at rest"],
    [{ quietHours }, "ok", true, "a digest wakes nobody"],
    [{ quietHours }, "error", true, "nothing is loud"],
    [{ quietHours, loudSeverity: "error" }, "error", false, "that is loud"],
    [{ quietHours, loudSeverity: "error" }, "ok", true, "that is not"],
  ])("to %j, %s, waits: %s (%s)", async (more, severity, waits) => {
    const world = alertsOn(store.watch, [{ ...CHANNEL, ...more }]);
    const deliver = world.alerts.handlers["alert-delivery"];
    const payload = { channel: CHANNEL.id, message: message("digest", severity) };
    await deliver(payload, { id: "1", attempt: 1, isLast: false });
    expect(world.messages).toHaveLength(waits ? 0 : 1);
    expect(world.deliveries.map(({ options }) => options!.runAt!.toISOString())).toEqual(
      waits ? ["2026-11-21T13:30:00.000Z"] : [],
    );
  });

  it.each<[kind: AlertMessage["kind"], isLast: boolean, told: number, reason: string]>([
    ["digest", false, 0, "it is tried again"],
    ["digest", true, 1, "it is given up: the other hears of it"],
    ["news", true, 0, "it says that another is silent: they would tell one another for ever"],
  ])("that fails (%s, last attempt: %s) is told to %i others (%s)", async (kind, isLast, told) => {
    const world = alertsOn(store.watch, [CHANNEL, { ...CHANNEL, id: "pager" }], () => true);
    const deliver = world.alerts.handlers["alert-delivery"];
    const payload = { channel: CHANNEL.id, message: message(kind, "error") };
    await expect(deliver(payload, { id: "1", attempt: 1, isLast })).rejects.toThrow(
      "channel operators: nobody answers",
    );
    expect(world.deliveries.map(({ channel }) => channel)).toEqual(Array(told).fill("pager"));
  });
});

it("a digest plans the next for a week later, by a clock that is behind the queue's as well", async () => {
  const world = alertsOn();
  const monday = Date.parse("2026-11-23T08:00:00Z");
  for (const seconds of [-2, 0, 3]) {
    world.pass(monday + 1000 * seconds - world.now().getTime());
    await world.alerts.handlers["weekly-digest"](DIGEST, { id: "1", attempt: 1, isLast: false });
  }
  expect(world.digests).toEqual(Array(3).fill("2026-11-30T08:00:00.000Z"));
});

it("a digest that fails for good leaves another for the next week", async () => {
  const world = alertsOn({
    ...store.watch,
    overview: () => Promise.reject(new Error("the database is away")),
  });
  const digest = world.alerts.handlers["weekly-digest"];
  await expect(digest(DIGEST, { id: "1", attempt: 14, isLast: false })).rejects.toThrow("away");
  expect(world.digests).toEqual([]);
  await expect(digest(DIGEST, { id: "1", attempt: 15, isLast: true })).rejects.toThrow("away");
  expect(world.digests).toEqual(["2026-11-23T08:00:00.000Z"]);
});

it("two checks of one domain that end together: one is written down, and its news is told", async () => {
  const world = alertsOn();
  const domain = domainName("example.org");
  await store.watch.schedule(domain, undefined, world.now());
  await world.check(domain, [missing(domain)]);
  world.pass(5 * MINUTE);
  let hasMet = false;
  // The one has told and not yet written when the other comes and does both.
  await world.check(domain, [missing(domain)], async (key, news) => {
    await world.alerts.tell(key, news);
    if (hasMet) return;
    hasMet = true;
    await world.check(domain, [missing(domain)], world.alerts.tell, world.now().getTime() - 3000);
  });
  world.pass(16 * MINUTE);
  await world.round("1");
  expect(domainsOf(world.messages)).toEqual([1]);
});
