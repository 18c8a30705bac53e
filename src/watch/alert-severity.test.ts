/** What people hear of a finding whose severity changes: each channel what it has asked for, and an end of what it heard. */
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { memoryJobStore } from "../../test/support/memory-job-store.ts";
import { memoryAlertStore, memoryWatchStore } from "../../test/support/memory-watch-store.ts";
import { VirtualClock } from "../../test/support/virtual-clock.ts";
import { CATALOGUE } from "../check/catalogue.ts";
import type { Finding } from "../check/finding.ts";
import type { Severity } from "../check/severity.ts";
import { domainName } from "../standards/dns/name.ts";
import { type AlertChannel, condense, isFor, type News } from "./alert.ts";
import { headOf } from "./alert-text.ts";
import { createAlerts } from "./alerts.ts";
import { createStoredJobQueue } from "./job-queue.ts";
import { recordCheck } from "./record-check.ts";
import { DEFAULT_SCHEDULE } from "./schedule.ts";

const DOMAIN = domainName("example.org");
const QUIET = { quietHours: { from: "22:00", until: "07:00", timeZone: "UTC" } };

function missing(severity: Severity): Finding {
  const { expected, why, reference } = CATALOGUE["spf-missing"];
  return {
    code: "spf-missing",
    severity,
    owner: DOMAIN,
    expected,
    observed: `it is ${severity}`,
    why,
    reference,
    fix: null,
    verify: `dig ${DOMAIN}`,
  };
}

const channelOf = (more: Partial<AlertChannel>): AlertChannel => ({
  id: "operators",
  target: { kind: "email", from: "watch@example.org", to: "ops@example.org" },
  minimumSeverity: "warning",
  ...more,
});

/** Hears nothing but that the other is silent. */
const PAGER: AlertChannel = {
  id: "pager",
  target: { kind: "webhook", url: "https://hooks.example.net/", secret: { reveal: () => "s" } },
  minimumSeverity: "error",
  domains: [domainName("example.net")],
};
/** Whoever is ever away is away then. */
const AWAY_HOUR = 10;

/** Pairs of looks, five minutes between them, at these hours of one day and the next; what is told, and when. */
async function toldOf(
  more: Partial<AlertChannel>,
  looks: readonly Look[],
  isAway: (hour: number) => boolean = () => false,
  untilHour = 60,
): Promise<readonly string[]> {
  const start = Date.parse("2026-11-21T00:00:00Z");
  const clock = new VirtualClock(new Date(start).toISOString());
  const { now, sleep } = clock;
  const watch = memoryWatchStore();
  const maybeAway = isAway(AWAY_HOUR);
  const onTrouble = (trouble: string) => maybeAway || expect.fail(trouble);
  const queue = createStoredJobQueue({
    store: memoryJobStore(),
    now,
    sleep,
    newId: randomUUID,
    onTrouble,
    leaseSeconds: 600,
    pollSeconds: 60,
  });
  const told: string[] = [];
  const tools = {
    store: memoryAlertStore(),
    watch,
    queue,
    now,
    rest: async () => {},
    sendMail: async ({ message }: { readonly message: string }) => {
      const subject = /^Subject: \[zonepost\] example\.org: (.*)\r$/m.exec(message)![1]!;
      const hour = (now().getTime() - start) / 3_600_000;
      if (isAway(hour)) return { status: "failed" as const, detail: "away" };
      told.push(`${Math.floor(hour)} ${subject}`);
      return { status: "accepted" as const };
    },
    post: async ({ body }: { readonly body: string }) => {
      const hour = Math.floor((now().getTime() - start) / 3_600_000);
      told.push(`${hour} at the pager: ${JSON.parse(body).title}`);
      return { status: "accepted" as const };
    },
    onTrouble,
  };
  const settings = {
    channels: [channelOf(more), ...(maybeAway ? [PAGER] : [])],
    groupSeconds: 900,
    digest: { time: "08:00", timeZone: "UTC" },
  };
  const alerts = createAlerts(settings, tools);
  await queue.work(alerts.handlers, { concurrency: 1 });
  await watch.schedule(DOMAIN, undefined, now());
  for (const [hour, severity, count = 2] of looks) {
    for (let look = 0; look < count; look++) {
      await clock.runUntil(new Date(start + hour * 3_600_000 + look * 300_000));
      const times = { startedAt: now(), endedAt: now() };
      const findings = severity === "gone" ? [] : [missing(severity)];
      const parts = { store: watch, schedule: DEFAULT_SCHEDULE, tell: alerts.tell };
      await recordCheck({ domain: DOMAIN, findings }, times, parts);
    }
  }
  await clock.runUntil(new Date(start + untilHour * 3_600_000));
  void queue.stop();
  await clock.runUntil(new Date(start + (untilHour + 1) * 3_600_000));
  return told;
}

type Look = readonly [hour: number, severity: Severity | "gone", count?: 1 | 2];

const ERRORS = { minimumSeverity: "error" } as const;

describe("a channel hears", () => {
  it.each<[why: string, channel: Partial<AlertChannel>, looks: readonly Look[], told: readonly string[]]>([
    [
      "in the morning what an error of the night is by then",
      QUIET,
      [
        [23, "error"],
        [27, "warning"],
      ],
      ["31 warning: spf-missing"],
    ],
    [
      "nothing, where it is too little by then",
      { ...QUIET, ...ERRORS },
      [
        [23, "error"],
        [27, "warning"],
      ],
      [],
    ],
    [
      "what two looks have seen, not the last one alone",
      { ...QUIET, ...ERRORS },
      [
        [23, "error"],
        [30.9, "warning", 1],
      ],
      ["31 error: spf-missing"],
    ],
    [
      "what is worse once it is certain",
      QUIET,
      [
        [23, "warning"],
        [30.95, "error"],
      ],
      ["31 warning: spf-missing", "31 error: spf-missing"],
    ],
    [
      "of errors alone: that there is none, and nothing more of it",
      ERRORS,
      [
        [9, "error"],
        [12, "warning"],
        [15, "gone"],
      ],
      ["9 error: spf-missing", "12 now warning: spf-missing"],
    ],
    [
      "of warnings: nothing of a smaller one, and its end",
      {},
      [
        [9, "error"],
        [12, "warning"],
        [15, "gone"],
      ],
      ["9 error: spf-missing", "15 solved: spf-missing"],
    ],
    [
      "of warnings: that it is a notice",
      {},
      [
        [9, "error"],
        [12, "notice"],
        [15, "gone"],
      ],
      ["9 error: spf-missing", "12 now notice: spf-missing"],
    ],
    [
      "in the morning that it is solved, though one look has seen it again",
      QUIET,
      [
        [9, "error"],
        [23, "gone"],
        [30.95, "error", 1],
        [33, "gone"],
      ],
      ["9 error: spf-missing", "31 solved: spf-missing"],
    ],
    [
      "nothing of the end of what a second look has seen again",
      QUIET,
      [
        [9, "error"],
        [23, "gone"],
        [30, "error"],
      ],
      ["9 error: spf-missing"],
    ],
    [
      "of errors alone: the end of what one look saw smaller",
      ERRORS,
      [
        [9, "error"],
        [12, "warning", 1],
        [15, "gone"],
      ],
      ["9 error: spf-missing", "15 solved: spf-missing"],
    ],
    [
      "in the morning the end of what became smaller in the night",
      { ...QUIET, ...ERRORS },
      [
        [9, "error"],
        [23, "warning"],
        [27, "gone"],
      ],
      ["9 error: spf-missing", "31 solved: spf-missing"],
    ],
    [
      "nothing of a night that ends as it began",
      { ...QUIET, ...ERRORS },
      [
        [9, "error"],
        [23, "warning"],
        [27, "error"],
      ],
      ["9 error: spf-missing"],
    ],
    [
      "nothing of a night that was worse for some hours",
      QUIET,
      [
        [9, "warning"],
        [23, "error"],
        [27, "warning"],
      ],
      ["9 warning: spf-missing"],
    ],
    [
      "nothing of an error that came and went in the night",
      { ...QUIET, ...ERRORS },
      [
        [9, "warning"],
        [23, "error"],
        [27, "gone"],
      ],
      [],
    ],
    [
      "in the morning that something is smaller, however loud it may be",
      { ...QUIET, ...ERRORS, loudSeverity: "warning" },
      [
        [9, "error"],
        [23, "warning"],
      ],
      ["9 error: spf-missing", "31 now warning: spf-missing"],
    ],
    [
      "again what is an error again",
      ERRORS,
      [
        [9, "error"],
        [12, "warning"],
        [15, "error"],
      ],
      ["9 error: spf-missing", "12 now warning: spf-missing", "15 error: spf-missing"],
    ],
  ])("%s", async (_, channel, looks, expected) => {
    expect(await toldOf(channel, looks)).toEqual(expected);
  });
});

describe("that a channel takes nothing for more than a day", () => {
  const SILENT = "at the pager: the channel operators takes no messages";
  const FIRST: readonly Look[] = [
    [1, "warning"],
    [2.5, "error"],
  ];
  it.each<
    [
      why: string,
      back: readonly [number, number],
      looks: readonly Look[],
      until: number,
      told: readonly string[],
    ]
  >([
    [
      "is not told where it has taken some in between",
      [31, 33],
      [
        [31, "gone"],
        [33.6, "error"],
      ],
      60,
      ["1 warning: spf-missing", "31 solved: spf-missing"],
    ],
    [
      "is told again of another day",
      [43.5, 47],
      [
        [43.6, "gone"],
        [48, "error"],
      ],
      100,
      ["1 warning: spf-missing", `37 ${SILENT}`, "43 solved: spf-missing", `82 ${SILENT}`],
    ],
  ])("%s", async (_, [from, until], looks, untilHour, told) => {
    const isAway = (hour: number) => hour > 2 && !(hour > from && hour < until);
    expect(await toldOf({}, [...FIRST, ...looks], isAway, untilHour)).toEqual(told);
  });
});

describe("news that waits", () => {
  const news = (kind: News["kind"], severity: Severity, at: number, before?: Severity): News => ({
    id: `${at}`,
    domain: DOMAIN,
    kind,
    key: "spf-missing example.org",
    finding: { ...missing(severity), observed: "none" },
    ...(before && { before }),
    since: "2026-11-21T00:00:00Z",
    at: `2026-11-21T0${at}:00:00Z`,
  });
  it.each<[why: string, waits: readonly News[], becomes: readonly string[]]>([
    ["of before this was known: worse", [news("changed", "error", 1)], ["changed error"]],
    [
      "of before this was known: worse, then gone",
      [news("changed", "error", 1), news("gone", "error", 2)],
      ["gone error"],
    ],
    ["it went, and is back as it was", [news("gone", "error", 1, "error"), news("appeared", "error", 2)], []],
    [
      "it went, and is back worse",
      [news("gone", "warning", 1, "warning"), news("appeared", "error", 2)],
      ["changed error, was warning"],
    ],
    [
      "it is new, and smaller",
      [news("appeared", "error", 1), news("eased", "warning", 2, "error")],
      ["appeared warning"],
    ],
    [
      "it is worse, and then gone",
      [news("changed", "error", 1, "warning"), news("gone", "error", 2, "error")],
      ["gone error, was warning"],
    ],
  ])("%s", (_, waits, becomes) => {
    const said = condense(waits).map(
      ({ kind, finding, before }) => `${kind} ${finding.severity}${before ? `, was ${before}` : ""}`,
    );
    expect(said).toEqual(becomes);
  });

  it("of what has eased is for those between the two severities, and says so", () => {
    const eased = news("eased", "warning", 1, "error");
    const heard = (["error", "warning", "notice"] as const).filter((minimumSeverity) =>
      isFor(channelOf({ minimumSeverity }))(eased),
    );
    expect(heard).toEqual(["error"]);
    const group = { ...eased, domains: [DOMAIN], domainCount: 1 };
    expect(headOf(group)).toBe("Better, now warning: spf-missing");
  });
});
