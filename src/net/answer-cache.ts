/** Answers kept as long as their TTLs allow: bounded, what nobody asks for goes first. */

import type { DomainName } from "../standards/dns/name.ts";
import type { RecordType } from "../standards/dns/record.ts";
import type { Answer } from "../standards/dns/resolver.ts";

/** An answer, with the seconds for which it may be kept. */
export interface KeptAnswer<T extends RecordType = RecordType> {
  readonly answer: Answer<T>;
  readonly ttlSeconds: number;
}

/** RFC 2308 §5: an absence is kept for three hours at most. */
const MAX_NEGATIVE_TTL_SECONDS = 3 * 3600;
/** RFC 9520 §3.2: a failure is kept at least one second, so that a broken server is not asked in a storm. */
const FAILURE_TTL_SECONDS = 5;
const MAX_TTL_SECONDS = 86_400;

interface Entry<V> {
  readonly value: V;
  readonly expiresAt: number;
}

/**
 * Keeps values of any kind until their time is over; `now` in milliseconds is an argument.
 *
 * Two generations bound it: when the young one is full it becomes the old one, and what was old and not asked
 * for since is dropped. That costs the same however many entries there are.
 */
export class ExpiringMap<V> {
  #young = new Map<string, Entry<V>>();
  #old = new Map<string, Entry<V>>();
  readonly #maxPerGeneration: number;

  constructor(maxEntries: number) {
    this.#maxPerGeneration = Math.max(1, maxEntries >> 1);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string, now: number): V | undefined {
    const young = this.#young.get(key);
    const entry = young ?? this.#old.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAt <= now) {
      this.delete(key);
      return undefined;
    }
    if (young === undefined) {
      this.#old.delete(key);
      this.#add(key, entry);
    }
    return entry.value;
  }

  set(key: string, value: V, milliseconds: number, now: number): void {
    this.delete(key);
    if (milliseconds > 0) this.#add(key, { value, expiresAt: now + milliseconds });
  }

  #add(key: string, entry: Entry<V>): void {
    if (this.#young.size >= this.#maxPerGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, entry);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}

export interface AnswerCacheOptions {
  /** 50,000 where absent. */
  readonly maxEntries?: number;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
}

/** From when on an answer to a question about a name counts, in milliseconds since 1970: what was asked before is asked anew. */
export type Since = (name: DomainName) => number;
export const EVER: Since = () => 0;

interface Kept {
  readonly answer: Answer;
  readonly askedAt: number;
  readonly keptAt: number;
}

export class AnswerCache {
  readonly #entries: ExpiringMap<Kept>;
  readonly #underWay = new Map<string, { readonly answer: Promise<Answer>; readonly askedAt: number }>();
  readonly #now: () => number;

  constructor(options: AnswerCacheOptions) {
    this.#entries = new ExpiringMap(options.maxEntries ?? 50_000);
    this.#now = options.now;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The kept answer as it was given, and its age; undefined also where it was asked for before `since`. */
  get<T extends RecordType>(
    name: DomainName,
    type: T,
    since = 0,
  ): { answer: Answer<T>; ageSeconds: number } | undefined {
    const now = this.#now();
    const entry = this.#entries.get(keyOf(name, type), now);
    if (entry === undefined || entry.askedAt < since) return undefined;
    return { answer: entry.answer as Answer<T>, ageSeconds: Math.floor((now - entry.keptAt) / 1000) };
  }

  keep<T extends RecordType>(name: DomainName, type: T, askedAt: number, kept: KeptAnswer<T>): void {
    this.#keep(keyOf(name, type), askedAt, kept);
  }

  #keep<T extends RecordType>(key: string, askedAt: number, { answer, ttlSeconds }: KeptAnswer<T>): void {
    const now = this.#now();
    const later = this.#entries.get(key, now);
    if (later !== undefined && later.askedAt > askedAt) return;
    const seconds = secondsToKeep(answer, ttlSeconds);
    this.#entries.set(key, { answer: answer as Answer, askedAt, keptAt: now }, seconds * 1000, now);
  }

  /** The kept answer; else runs `ask` once for all who want to know at the same time, and keeps what it answers. */
  join<T extends RecordType>(
    name: DomainName,
    type: T,
    ask: () => Promise<KeptAnswer<T>>,
    since = 0,
  ): Promise<Answer<T>> {
    const key = keyOf(name, type);
    const now = this.#now();
    const kept = this.#entries.get(key, now);
    if (kept !== undefined && kept.askedAt >= since) return Promise.resolve(kept.answer as Answer<T>);
    const running = this.#underWay.get(key);
    if (running !== undefined && running.askedAt >= since) return running.answer as Promise<Answer<T>>;
    const answer = this.#askAndKeep(key, now, ask);
    this.#underWay.set(key, { answer: answer as Promise<Answer>, askedAt: now });
    return answer;
  }

  async #askAndKeep<T extends RecordType>(
    key: string,
    askedAt: number,
    ask: () => Promise<KeptAnswer<T>>,
  ): Promise<Answer<T>> {
    try {
      const kept = await ask();
      this.#keep(key, askedAt, kept);
      return kept.answer;
    } finally {
      // Another may have asked anew meanwhile.
      if (this.#underWay.get(key)?.askedAt === askedAt) this.#underWay.delete(key);
    }
  }

  clear(): void {
    this.#entries.clear();
  }
}

function keyOf(name: DomainName, type: RecordType): string {
  return `${name} ${type}`;
}

function secondsToKeep(answer: Answer, ttlSeconds: number): number {
  switch (answer.status) {
    case "found":
      return Math.min(ttlSeconds, MAX_TTL_SECONDS);
    case "absent":
      return Math.min(ttlSeconds, MAX_NEGATIVE_TTL_SECONDS);
    case "unknown":
      return FAILURE_TTL_SECONDS;
    default:
      return answer satisfies never;
  }
}
