/** From a question to its answer, reply by reply, where aliases lead on (RFC 1034 §5.3.3 step 4c). */
import type { DomainName } from "../standards/dns/name.ts";
import type { RecordType } from "../standards/dns/record.ts";
import type { Absent, Unknown } from "../standards/dns/resolver.ts";
import type { KeptAnswer } from "./answer-cache.ts";
import { type ChainEnd, MAX_ALIASES } from "./answer-section.ts";

/** What one reply contributes. */
export interface ChainStep<T extends RecordType> {
  readonly end: ChainEnd<T>;
  /** Set where the reply says that there is nothing at the end of its part of the chain. */
  readonly absence?: Pick<Absent, "kind" | "negativeTtlSeconds">;
  /** Where somebody validates. */
  readonly secure?: boolean;
}

/** Takes steps until the chain ends. */
export async function resolveChain<T extends RecordType>(
  name: DomainName,
  take: (name: DomainName) => Promise<ChainStep<T> | Unknown>,
): Promise<KeptAnswer<T>> {
  const chain = new AliasChain<T>(name);
  for (;;) {
    const kept = chain.follow(await take(chain.at));
    if (kept !== undefined) return kept;
  }
}

/** Ends where there are records, or the word that there are none; a step that goes nowhere new is a loop. */
export class AliasChain<T extends RecordType> {
  /** The name to ask for next. */
  at: DomainName;
  readonly #name: DomainName;
  readonly #aliases: DomainName[] = [];
  #secure: boolean | undefined;
  #ttlSeconds = Number.POSITIVE_INFINITY;

  constructor(name: DomainName) {
    this.at = name;
    this.#name = name;
  }

  /** The answer, where the step ends the chain. */
  follow(step: ChainStep<T> | Unknown): KeptAnswer<T> | undefined {
    if ("status" in step) return { answer: step, ttlSeconds: 0 };
    const { end, absence } = step;
    const aliases = this.#aliases;
    const isLoop = end.problem === "loop" || end.aliases.some((alias) => aliases.includes(alias));
    aliases.push(...end.aliases);
    if (
      isLoop ||
      aliases.length > MAX_ALIASES ||
      (end.records.length === 0 && !absence && end.name === this.at)
    ) {
      const detail = `the aliases of ${this.#name} lead nowhere: ${aliases.slice(0, 4).join(" → ")} → …`;
      return { answer: { status: "unknown", cause: "loop", detail }, ttlSeconds: 0 };
    }
    this.#ttlSeconds = Math.min(this.#ttlSeconds, end.ttlSeconds ?? this.#ttlSeconds);
    if (step.secure !== undefined) this.#secure = (this.#secure ?? true) && step.secure;
    const validation = this.#secure === undefined ? undefined : { secure: this.#secure };
    if (end.records.length > 0) {
      const { records, name: canonicalName } = end;
      const answer = { status: "found" as const, records, canonicalName, aliases, ...validation };
      return { answer, ttlSeconds: this.#ttlSeconds };
    }
    if (absence !== undefined) {
      // RFC 2308 §5: an absence without a SOA is not kept
      const ttlSeconds = Math.min(this.#ttlSeconds, absence.negativeTtlSeconds ?? 0);
      return { answer: { status: "absent", ...absence, aliases, ...validation }, ttlSeconds };
    }
    this.at = end.name;
    return undefined;
  }
}
