/** Checks what is due, remembers what was seen, and hands on what is news. Any number of them share one store. */
import type { DomainReport } from "../check/finding.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { News } from "./alert.ts";
import { recordCheck } from "./record-check.ts";
import { CheckRate, type ScheduleSettings } from "./schedule.ts";
import type { DomainState, WatchStore } from "./watch-store.ts";

export interface WatcherSettings {
  readonly schedule: ScheduleSettings;
  /** Domains that are checked at once. */
  readonly concurrency: number;
  /** Checks begun in a second, by this watcher. */
  readonly checksPerSecond: number;
  /** No check takes longer. */
  readonly checkSeconds: number;
  /** How often it is looked for what is due. */
  readonly pollSeconds: number;
}

export const DEFAULT_WATCHER = {
  concurrency: 16,
  checksPerSecond: 20,
  checkSeconds: 120,
  pollSeconds: 5,
} as const;

export interface WatcherTools {
  readonly store: WatchStore;
  /** Everything that a look can tell. Rejects only for faults of ours; `signal` says that nobody waits any more. */
  readonly check: (state: DomainState, signal: AbortSignal) => Promise<Pick<DomainReport, "findings">>;
  /** Durable when it resolves; told again under the same key, it replaces what it said. */
  readonly tell: (key: string, news: readonly News[]) => Promise<void>;
  readonly now: () => Date;
  /** Resolves earlier where the signal says so. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** One line for the log. */
  readonly onTrouble: (trouble: string) => void;
}

/** Since the watcher began. */
export interface WatcherCounts {
  readonly checked: number;
  /** Of those: nothing could be found out. */
  readonly blind: number;
  /** Another had checked the domain meanwhile. */
  readonly stale: number;
  readonly failed: number;
  readonly news: number;
  readonly underWay: number;
  /** How late the last check began after its time. */
  readonly lateSeconds: number;
}

export interface Watcher {
  /** Resolves once it was stopped. */
  run(): Promise<void>;
  /** Begins no more, and resolves when what is under way has come to its end. */
  stop(): Promise<void>;
  counts(): WatcherCounts;
}

/** A check that ends at the last moment still has to be written down. */
const LEASE_MARGIN_SECONDS = 30;

export function createWatcher(settings: WatcherSettings, tools: WatcherTools): Watcher {
  return new StoreWatcher(settings, tools);
}

class StoreWatcher implements Watcher {
  readonly #settings: WatcherSettings;
  readonly #tools: WatcherTools;
  readonly #rate: CheckRate;
  readonly #running = new Set<Promise<void>>();
  #wake = new AbortController();
  #isStopping = false;
  #isOver: Promise<void> | undefined;
  readonly #counts = { checked: 0, blind: 0, stale: 0, failed: 0, news: 0, lateSeconds: 0 };

  constructor(settings: WatcherSettings, tools: WatcherTools) {
    this.#settings = settings;
    this.#tools = tools;
    this.#rate = new CheckRate(settings.checksPerSecond, tools.now());
  }

  counts(): WatcherCounts {
    return { ...this.#counts, underWay: this.#running.size };
  }

  run(): Promise<void> {
    this.#isOver ??= this.#takeTurns();
    return this.#isOver;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake.abort();
    await this.#isOver;
  }

  async #takeTurns(): Promise<void> {
    const { sleep, onTrouble } = this.#tools;
    while (!this.#isStopping) {
      this.#wake = new AbortController();
      let wasFull = false;
      try {
        wasFull = await this.#takeDue();
      } catch (error) {
        onTrouble(`domains that are due cannot be taken: ${textOf(error)}`);
      }
      const isFree = this.#running.size < this.#settings.concurrency;
      const seconds = wasFull ? Math.min(1, this.#settings.pollSeconds) : this.#settings.pollSeconds;
      if (!(wasFull && isFree)) await sleep(1000 * seconds, this.#wake.signal);
      else await sleep(1000 / this.#settings.checksPerSecond, this.#wake.signal);
    }
    await Promise.all(this.#running);
  }

  /** True where more may be due. */
  async #takeDue(): Promise<boolean> {
    const { store, now } = this.#tools;
    const { concurrency, checkSeconds } = this.#settings;
    const allowed = this.#rate.take(concurrency - this.#running.size, now());
    if (allowed <= 0) return true;
    const leasedUntil = new Date(now().getTime() + 1000 * (checkSeconds + LEASE_MARGIN_SECONDS));
    let states: readonly DomainState[] = [];
    try {
      states = await store.takeDue(now(), allowed, leasedUntil);
    } finally {
      this.#rate.giveBack(allowed - states.length);
    }
    for (const state of states) {
      const done = this.#checkOne(state)
        .catch((error) => {
          // Its lease ends, and it is due again.
          this.#counts.failed += 1;
          this.#tools.onTrouble(`${state.domain} could not be checked: ${textOf(error)}`);
        })
        .finally(() => {
          this.#running.delete(done);
          this.#wake.abort();
        });
      this.#running.add(done);
    }
    return states.length === allowed;
  }

  async #checkOne(state: DomainState): Promise<void> {
    const { store, tell, now } = this.#tools;
    const { domain } = state;
    const startedAt = now();
    this.#counts.lateSeconds = Math.max(0, (startedAt.getTime() - state.nextCheckAt.getTime()) / 1000);
    const { findings } = await this.#withinTime(domain, (signal) => this.#tools.check(state, signal));
    const recorded = await recordCheck(
      { domain, findings },
      { startedAt, endedAt: now() },
      { store, schedule: this.#settings.schedule, tell },
    );
    if (recorded === undefined) {
      this.#counts.stale += 1;
      return;
    }
    this.#counts.checked += 1;
    this.#counts.blind += recorded.isBlind ? 1 : 0;
    this.#counts.news += recorded.news.length;
  }

  async #withinTime<T>(domain: DomainName, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { checkSeconds } = this.#settings;
    const late = new AbortController();
    const over = new AbortController();
    const tooLate = async (): Promise<never> => {
      await this.#tools.sleep(1000 * checkSeconds, over.signal);
      late.abort();
      throw new Error(`the check of ${domain} did not end within ${checkSeconds} s`);
    };
    try {
      return await Promise.race([act(late.signal), tooLate()]);
    } finally {
      over.abort();
    }
  }
}

const textOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 500);

/** In the text format of Prometheus. */
export function watcherMetrics(counts: WatcherCounts): string {
  const one = (name: string, type: string, help: string, value: number) =>
    `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`;
  const checks = "zonepost_watch_checks_total";
  return [
    `# HELP ${checks} Checks of domains, by how they ended.\n# TYPE ${checks} counter\n`,
    ...(["checked", "blind", "stale", "failed"] as const).map(
      (how) => `${checks}{end="${how}"} ${how === "checked" ? counts.checked - counts.blind : counts[how]}\n`,
    ),
    one("zonepost_watch_news_total", "counter", "What was handed on to be told.", counts.news),
    one("zonepost_watch_under_way", "gauge", "Checks that are under way.", counts.underWay),
    one("zonepost_watch_late_seconds", "gauge", "How late the last check began.", counts.lateSeconds),
  ].join("");
}
