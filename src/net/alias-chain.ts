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

/** Takes steps until records or an absence end the chain; a step that goes nowhere new is a loop. */
export async function resolveChain<T extends RecordType>(
  name: DomainName,
  take: (name: DomainName) => Promise<ChainStep<T> | Unknown>,
): Promise<KeptAnswer<T>> {
  const aliases: DomainName[] = [];
  let secure: boolean | undefined;
  let ttlSeconds = Number.POSITIVE_INFINITY;
  for (let at = name; ; ) {
    const step = await take(at);
    if ("status" in step) return { answer: step, ttlSeconds: 0 };
    const { end, absence } = step;
    const isLoop = end.problem === "loop" || end.aliases.some((alias) => aliases.includes(alias));
    aliases.push(...end.aliases);
    if (isLoop || aliases.length > MAX_ALIASES || (end.records.length === 0 && !absence && end.name === at)) {
      const detail = `the aliases of ${name} lead nowhere: ${aliases.slice(0, 4).join(" → ")} → …`;
      return { answer: { status: "unknown", cause: "loop", detail }, ttlSeconds: 0 };
    }
    ttlSeconds = Math.min(ttlSeconds, end.ttlSeconds ?? ttlSeconds);
    if (step.secure !== undefined) secure = (secure ?? true) && step.secure;
    const common = { aliases, ...(secure !== undefined && { secure }) };
    if (end.records.length > 0) {
      const { records, name: canonicalName } = end;
      return { answer: { status: "found", records, canonicalName, ...common }, ttlSeconds };
    }
    if (absence !== undefined) {
      // RFC 2308 §5: an absence without a SOA is not kept
      const seconds = Math.min(ttlSeconds, absence.negativeTtlSeconds ?? 0);
      return { answer: { status: "absent", ...absence, ...common }, ttlSeconds: seconds };
    }
    at = end.name;
  }
}
