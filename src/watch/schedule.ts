/** When a domain is looked at next. No clock and no chance: the same domain has the same place in every round. */
import { createHash } from "node:crypto";
import type { DomainName } from "../standards/dns/name.ts";

export interface ScheduleSettings {
  /** From one regular check to the next. */
  readonly intervalSeconds: number;
  /** The second look at something new, and the first try after a check that could see nothing. */
  readonly confirmAfterSeconds: number;
  /** No domain is checked again before that, whatever anybody asks for. */
  readonly minimumSeconds: number;
}

export const DEFAULT_SCHEDULE: ScheduleSettings = {
  intervalSeconds: 6 * 3600,
  confirmAfterSeconds: 300,
  minimumSeconds: 60,
};

/** What a check has left to be done. */
export interface Outcome {
  readonly domain: DomainName;
  /** When this check ended. */
  readonly checkedAt: Date;
  /** The check before it. */
  readonly previousCheckAt: Date | undefined;
  readonly needsConfirmation: boolean;
  /** Nothing could be found out, this time and the time before. */
  readonly isBlind: boolean;
  readonly wasBlind: boolean;
  /** Something was published: from then on no cache holds what was there before. */
  readonly cachesClearAt?: Date;
}

const SECOND = 1000;
/** Repeated looks are not all at once where many domains began to need them at one moment. */
const SPREAD = 0.2;
/** What caches do beyond the TTL: clocks that differ, and answers that were under way. */
const CACHE_MARGIN_SECONDS = 30;
/** As long as resolvers commonly keep anything; a look that late is a regular one. */
const MAX_CACHE_SECONDS = 7 * 86_400;

/** From 0 up to 1, evenly over all names, and always the same for one. */
export function placeOf(domain: DomainName): number {
  return createHash("sha256").update(domain).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** The domain's own moment of a round, at the earliest half a round after `from`. */
export function regularCheck(domain: DomainName, from: Date, { intervalSeconds }: ScheduleSettings): Date {
  const interval = intervalSeconds * SECOND;
  const earliest = from.getTime() + interval / 2;
  const offset = Math.floor(placeOf(domain) * interval);
  return new Date(Math.ceil((earliest - offset) / interval) * interval + offset);
}

/** The first check of a domain that is new: soon, and still not all at once where there are many. */
export function firstCheck(domain: DomainName, now: Date, count: number, perSecond: number): Date {
  return new Date(now.getTime() + Math.floor((placeOf(domain) * count * SECOND) / perSecond));
}

export function nextCheck(outcome: Outcome, settings: ScheduleSettings): Date {
  const { domain, checkedAt, cachesClearAt } = outcome;
  const now = checkedAt.getTime();
  const wishes = [regularCheck(domain, checkedAt, settings).getTime()];
  if (outcome.needsConfirmation) wishes.push(now + soon(domain, settings.confirmAfterSeconds));
  if (cachesClearAt !== undefined && cachesClearAt > checkedAt) wishes.push(cachesClearAt.getTime());
  // What could not be asked is asked again sooner, and each time later than before.
  if (outcome.isBlind) return bounded([now + soon(domain, backOff(outcome, settings))], now, settings);
  return bounded(wishes, now, settings);
}

/** When caches have let go of what was published before, and the change can be judged. */
export function cachesClear(changedAt: Date, longestTtlSeconds: number): Date {
  const seconds = Math.min(longestTtlSeconds, MAX_CACHE_SECONDS) + CACHE_MARGIN_SECONDS;
  return new Date(changedAt.getTime() + seconds * SECOND);
}

function backOff({ checkedAt, previousCheckAt, wasBlind }: Outcome, settings: ScheduleSettings): number {
  if (!wasBlind || previousCheckAt === undefined) return settings.confirmAfterSeconds;
  const last = (checkedAt.getTime() - previousCheckAt.getTime()) / SECOND;
  return Math.min(Math.max(2 * last, settings.confirmAfterSeconds), settings.intervalSeconds / (1 + SPREAD));
}

const soon = (domain: DomainName, seconds: number): number =>
  Math.round(seconds * SECOND * (1 + SPREAD * placeOf(domain)));

function bounded(wishes: readonly number[], now: number, { minimumSeconds }: ScheduleSettings): Date {
  return new Date(Math.max(Math.min(...wishes), now + minimumSeconds * SECOND));
}

/** So many checks a second are begun, and after a pause no more at once than one second has. */
export class CheckRate {
  readonly #perSecond: number;
  #left: number;
  #at: number;

  constructor(perSecond: number, now: Date) {
    this.#perSecond = perSecond;
    this.#left = Math.max(1, perSecond);
    this.#at = now.getTime();
  }

  /** How many may begin now, at most `wanted`; they count as begun. */
  take(wanted: number, now: Date): number {
    const passed = Math.max(0, now.getTime() - this.#at) / SECOND;
    this.#at = now.getTime();
    this.#left = Math.min(Math.max(1, this.#perSecond), this.#left + passed * this.#perSecond);
    const taken = Math.min(wanted, Math.floor(this.#left));
    this.#left -= taken;
    return taken;
  }

  /** What was taken and not used. */
  giveBack(count: number): void {
    this.#left += count;
  }
}
