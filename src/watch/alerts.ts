/**
 * From news to receivers. Each step is kept before the next begins, and repeats itself without harm: news under a key,
 * and a round that makes one message of all that a channel has to hear, and sends it. News that does not arrive waits
 * again, for a round that holds it against what is so by then. What stays as it is, such as the digest, is delivered by a
 * job for each message.
 */
import type { Severity } from "../check/severity.ts";
import {
  type AlertChannel,
  type AlertMessage,
  asTurned,
  condense,
  hashOf,
  isAsSevereAs,
  isFor,
  messageOf,
  type News,
} from "./alert.ts";
import { type AlertMail, alertMail } from "./alert-mail.ts";
import { type AlertRequest, alertRequest } from "./alert-request.ts";
import type { AlertStore } from "./alert-store.ts";
import { plain } from "./alert-text.ts";
import { digestMessage, readWeek } from "./digest.ts";
import { type JobHandlers, type JobQueue, MAX_ATTEMPTS, retrySeconds } from "./job-queue.ts";
import { nextDigest, whenLoud } from "./quiet-hours.ts";
import type { Standing, WatchStore } from "./watch-store.ts";

export interface AlertSettings {
  readonly channels: readonly AlertChannel[];
  /** News of this time becomes one message. */
  readonly groupSeconds: number;
  readonly digest: { readonly time: string; readonly timeZone: string };
}

export interface AlertTools {
  readonly store: AlertStore;
  readonly watch: Pick<WatchStore, "standing" | "overview" | "history" | "states">;
  readonly queue: JobQueue;
  readonly now: () => Date;
  /** Lets others have their turn, in the middle of much to read. */
  readonly rest: () => Promise<void>;
  readonly sendMail: (
    mail: AlertMail,
  ) => Promise<
    { readonly status: "accepted" } | { readonly status: "refused" | "failed"; readonly detail: string }
  >;
  readonly post: (request: AlertRequest) => Promise<PostOutcome>;
  /** Somebody has the message. */
  readonly onTold?: (channel: AlertChannel, message: AlertMessage) => Promise<void>;
  /** One line for the log. */
  readonly onTrouble: (trouble: string) => void;
}

export type PostOutcome =
  | { readonly status: "accepted" }
  /** The receiver, or the way to it, will not have it. */
  | { readonly status: "refused" | "failed"; readonly detail: string };

export interface Alerts {
  /** What one change of a domain's state has to tell; the same key replaces what it said before. */
  readonly tell: (key: string, news: readonly News[]) => Promise<void>;
  readonly handlers: Required<Pick<JobHandlers, "alert-round" | "alert-delivery" | "weekly-digest">>;
  /** At a start, and with other settings: so that there is a next digest, and a round for what waits for each channel. */
  readonly plan: () => Promise<void>;
  readonly channels: readonly AlertChannel[];
  /** Sends a message that says so itself, now and once. */
  readonly tryOut: (channel: AlertChannel) => Promise<PostOutcome>;
}

const MAX_KEYS = 10_000;
const DOMAINS_AT_ONCE = 100;
/** So long after it is told, what is news is surely written down. */
const YOUNG_MILLISECONDS = 30_000;
/** A span, quiet hours and all attempts of a round are over by then. */
const GIVEN_UP_MILLISECONDS = 7 * 86_400_000;
/** What a channel did not take in that time is told nobody there any more. */
const FORGOTTEN_MILLISECONDS = 30 * 86_400_000;
const AHEAD_MILLISECONDS = 3_600_000;
/** More than a day of attempts: from then on the other channels know. */
const SILENT_AFTER = MAX_ATTEMPTS;
/** The attempt after which they are told is made so often, so that it can be looked at as work that was given up. */
const TRIES_OF_THE_LAST = 3;

const againKey = (channel: string): string => `alert-round ${channel} again`;

export function createAlerts(settings: AlertSettings, tools: AlertTools): Alerts {
  const { store, watch, queue, now } = tools;
  const channelOf = (id: string) => settings.channels.find((channel) => channel.id === id);

  const askForRound = (channel: AlertChannel, isLoud: boolean) => {
    // All news of one span meets in one round, and no later news puts it off.
    const span = 1000 * settings.groupSeconds;
    const ripe = now().getTime() + YOUNG_MILLISECONDS;
    const soon = new Date((Math.floor(ripe / span) + 1) * span);
    const runAt = isLoud ? soon : whenLoud(soon, channel.quietHours);
    const key = `alert-round ${channel.id} ${runAt.getTime()}`;
    return queue.add("alert-round", { channel: channel.id }, { key, runAt });
  };

  const isLoud = ({ loudSeverity }: AlertChannel, { kind, finding }: News): boolean =>
    kind !== "gone" &&
    kind !== "eased" &&
    loudSeverity !== undefined &&
    (finding.severity === "error" || finding.severity === loudSeverity);

  /** Time has passed, and people may have acted: only what is still so is told. */
  const stillTrue = async (news: readonly News[]): Promise<readonly News[]> => {
    const domains = [...new Set(news.map(({ domain }) => domain))];
    const byDomain = Map.groupBy(news, ({ domain }) => domain);
    const told: News[] = [];
    for (let from = 0; from < domains.length; from += DOMAINS_AT_ONCE) {
      if (from > 0) await tools.rest();
      const some = domains.slice(from, from + DOMAINS_AT_ONCE);
      const known = await watch.standing(some);
      for (const domain of some) {
        const there = new Map(known.get(domain)?.map((one) => [one.key, one]));
        told.push(...byDomain.get(domain)!.flatMap((one) => asItStands(one, there.get(one.key))));
      }
    }
    return told;
  };

  /** What did not arrive is tried by one row of rounds for each channel, each later than the one before. */
  const askAgain = (
    { id }: AlertChannel,
    failures: number,
    options: { runAt?: Date; keepsOlder?: boolean } = {},
  ) =>
    queue.add(
      "alert-round",
      { channel: id, failures },
      {
        key: againKey(id),
        runAt: new Date(now().getTime() + 1000 * retrySeconds(failures)),
        ...(failures === SILENT_AFTER - 1 && { maxAttempts: TRIES_OF_THE_LAST }),
        ...options,
      },
    );

  /** It takes messages: what still waits to be tried again is tried soon, as for the first time. */
  const startOver = ({ id }: AlertChannel) =>
    queue.add(
      "alert-round",
      { channel: id },
      { key: againKey(id), runAt: new Date(now().getTime() + 1000 * settings.groupSeconds) },
    );

  /** When it may be sent, where this is no time to wake anybody for it. */
  const quietUntil = ({ quietHours, loudSeverity }: AlertChannel, severity: Severity): Date | undefined => {
    if (loudSeverity !== undefined && (severity === "error" || severity === loudSeverity)) return undefined;
    const at = now();
    const loud = whenLoud(at, quietHours);
    return loud > at ? loud : undefined;
  };

  const tellAll = async (channel: AlertChannel, batch: string, failures: number): Promise<PostOutcome> => {
    const at = now().getTime();
    const collected = await store.collect(channel.id, batch, {
      limit: MAX_KEYS,
      // What is younger may not be written down yet, and would not be found to be so.
      putBefore: new Date(at - YOUNG_MILLISECONDS),
      givenUpBefore: new Date(at - GIVEN_UP_MILLISECONDS),
      forgottenBefore: new Date(at - FORGOTTEN_MILLISECONDS),
    });
    const message = messageOf(channel, await stillTrue(condense(collected)), now());
    if (message !== undefined) {
      const runAt = quietUntil(channel, message.severity);
      if (runAt !== undefined) {
        await store.release(channel.id, batch);
        await (failures > 0 ? askAgain(channel, failures, { runAt }) : askForRound(channel, false));
        return { status: "accepted" };
      }
      const outcome = await send(channel, message);
      if (outcome.status !== "accepted") return outcome;
      await tools.onTold?.(channel, message);
    }
    if (await store.finish(channel.id, batch)) await askForRound(channel, collected.length >= MAX_KEYS);
    if (message !== undefined) await startOver(channel);
    return { status: "accepted" };
  };

  /** Those for all domains belong to who runs the server; where there are none, whoever there is. */
  const tellOthers = async (silent: AlertChannel, detail: string, job: string): Promise<void> => {
    const others = settings.channels.filter(({ id }) => id !== silent.id);
    const general = others.filter(({ domains }) => domains === undefined);
    for (const channel of general.length > 0 ? general : others) {
      await deliver(channel, {
        id: hashOf(channel.id, "silent", silent.id, job),
        kind: "news",
        severity: "error",
        createdAt: now().toISOString(),
        title: `the channel ${silent.id} takes no messages`,
        groups: [],
        omittedGroups: 0,
        text: [
          `For more than a day no message has arrived at the channel ${silent.id}.`,
          `The last answer: ${plain(detail)}.`,
          "It is tried every few hours, with what is so by then. Mend its receiver, or take it out of the settings.",
        ].join("\n"),
      });
    }
  };

  const deliver = (channel: AlertChannel, message: AlertMessage, runAt = now()) =>
    queue.add(
      "alert-delivery",
      { channel: channel.id, message },
      { key: `alert-delivery ${message.id}`, runAt },
    );

  const { time, timeZone } = settings.digest;
  const digestTime = `${time} ${timeZone}`;

  /** What waits for this time of the week stays: it may be due already, and not yet begun. */
  const planDigest = (after: Date) =>
    queue.add(
      "weekly-digest",
      { time: digestTime },
      {
        key: `weekly-digest ${digestTime}`,
        runAt: nextDigest(after, time, timeZone),
        keepsOlder: true,
      },
    );

  const send = async ({ target }: AlertChannel, message: AlertMessage): Promise<PostOutcome> => {
    try {
      return target.kind === "email"
        ? await tools.sendMail(alertMail(target, message))
        : await tools.post(alertRequest(target, message, now()));
    } catch (error) {
      return { status: "failed", detail: error instanceof Error ? error.message : String(error) };
    }
  };

  return {
    channels: settings.channels,
    tryOut: (channel) => send(channel, testMessage(channel, now())),
    async tell(key, news) {
      for (const channel of settings.channels) {
        const mine = news.filter(isFor(channel));
        await store.put(channel.id, key, mine, now());
        if (mine.length === 0) continue;
        await askForRound(
          channel,
          mine.some((one) => isLoud(channel, one)),
        );
      }
    },
    async plan() {
      if (settings.channels.some(({ weeklyDigest }) => weeklyDigest)) await planDigest(now());
      // A round that came while its channel was out of the settings has told nobody.
      for (const channel of settings.channels) await askForRound(channel, false);
    },
    handlers: {
      "alert-round": async ({ channel: id, failures = 0 }, { id: job, isLast }) => {
        const channel = channelOf(id);
        // A channel that was taken away has nobody to tell.
        if (channel === undefined) return;
        const batch = hashOf(id, job);
        let outcome: PostOutcome;
        try {
          // Whatever becomes of this one: there is a next.
          if (isLast && failures > 0) await askAgain(channel, failures + 1);
          outcome = await tellAll(channel, batch, failures);
          if (outcome.status === "accepted") return;
          await store.release(id, batch);
        } catch (error) {
          // Where that fails as well, a later round finds it by its age.
          if (isLast)
            await store
              .release(id, batch)
              .then(() => askForRound(channel, false))
              .catch(() => undefined);
          throw error;
        }
        const count = failures + 1;
        const detail = `channel ${id}: ${outcome.detail}`;
        // The queue keeps the reason where it gives up.
        if (count === SILENT_AFTER && !isLast) throw new Error(detail);
        await askAgain(channel, count, { keepsOlder: failures === 0 });
        if (count === SILENT_AFTER) {
          await tellOthers(channel, outcome.detail, job);
          throw new Error(detail);
        }
        tools.onTrouble(`alerts do not arrive (attempt ${count}): ${detail}`);
      },
      "alert-delivery": async ({ channel: id, message }, { id: job, isLast }) => {
        const channel = channelOf(id);
        if (channel === undefined) return;
        const runAt = quietUntil(channel, message.severity);
        if (runAt !== undefined) return deliver(channel, message, runAt);
        const outcome = await send(channel, message);
        if (outcome.status === "accepted") {
          await tools.onTold?.(channel, message);
          return startOver(channel);
        }
        // That another channel is silent is said once, and not of who should have heard of it.
        if (isLast && message.kind === "digest") await tellOthers(channel, outcome.detail, job);
        // The queue tries again, and keeps the reason where it gives up.
        throw new Error(`channel ${id}: ${outcome.detail}`);
      },
      "weekly-digest": async ({ time: planned }, { id: job, isLast }) => {
        // The settings name another time now, for which there is another job.
        if (planned !== digestTime) return;
        // The queue's clock may be ahead of this one: the Monday that is told must not come again.
        const planNext = () => planDigest(new Date(now().getTime() + AHEAD_MILLISECONDS));
        // Whatever becomes of this one: there is a next.
        if (isLast) await planNext();
        const channels = settings.channels.filter(({ weeklyDigest }) => weeklyDigest);
        const week = await readWeek(watch, now(), tools.rest);
        for (const channel of channels) {
          await deliver(channel, digestMessage(channel, week, hashOf(channel.id, "digest", job), now()));
        }
        if (!isLast) await planNext();
      },
    },
  };
}

/** What is less bad by now is told as it stands; what is worse is news of its own once it is certain. */
function asItStands(news: News, there: Standing | undefined): readonly News[] {
  const { kind, finding, before } = news;
  const isOver = kind === "gone" || kind === "eased";
  // What one look alone has seen again may not be there: it is news of its own once it is certain.
  if (there === undefined || there.severity === "ok" || (isOver && !there.isConfirmed)) {
    // Whoever is told that it eased hears nothing more: not that it went either.
    return isOver ? [{ ...news, kind: "gone" }] : [];
  }
  if (kind === "gone" || there.isAcknowledged || there.severity === "unknown") return [];
  if (isAsSevereAs(there.severity, finding.severity)) return [news];
  const isCertain = there.finding.severity === there.severity;
  const stands = { ...news, finding: isCertain ? there.finding : { ...finding, severity: there.severity } };
  return kind === "appeared" || before === undefined ? [stands] : asTurned(stands, before);
}

const testMessage = ({ id }: AlertChannel, now: Date): AlertMessage => ({
  id: hashOf(id, "test", now.toISOString()),
  kind: "digest",
  severity: "ok",
  createdAt: now.toISOString(),
  title: "a test of this channel",
  groups: [],
  omittedGroups: 0,
  text: "Somebody has asked for this message, to see whether alerts arrive here. They do.",
});
