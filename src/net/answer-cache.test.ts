import { describe, expect, it } from "vitest";
import { domainName } from "../standards/dns/name.ts";
import type { Answer } from "../standards/dns/resolver.ts";
import { AnswerCache } from "./answer-cache.ts";

const name = domainName("example.org");
const found: Answer<"A"> = {
  status: "found",
  records: [{ name, ttlSeconds: 300, data: { type: "A", address: "192.0.2.1" } }],
  aliases: [],
  canonicalName: name,
};
const absent: Answer<"A"> = { status: "absent", kind: "nodata", aliases: [] };
const unknown: Answer<"A"> = { status: "unknown", cause: "timeout", detail: "nobody answered" };

function cacheAt(maxEntries = 10) {
  const clock = { seconds: 1000 };
  return { clock, cache: new AnswerCache({ maxEntries, now: () => clock.seconds * 1000 }) };
}

describe("AnswerCache", () => {
  const rows: [Answer<"A">, number, number, string][] = [
    [found, 300, 300, "as long as the TTL says"],
    [found, 0, 0, "TTL 0 is for this question only (RFC 1035 §3.2.1)"],
    [found, 10_000_000, 86_400, "a day at most"],
    [absent, 60, 60, "as long as the SOA says"],
    [absent, 86_400, 3 * 3600, "three hours at most (RFC 2308 §5)"],
    [unknown, 300, 5, "failures for a moment only (RFC 9520)"],
  ];
  it.each(rows)("keeps %o with TTL %d for %d s: %s", (answer, ttlSeconds, seconds) => {
    const { cache, clock } = cacheAt();
    cache.keep(name, "A", clock.seconds * 1000, { answer, ttlSeconds });
    if (seconds > 0) {
      clock.seconds += seconds - 1;
      expect(cache.get(name, "A")).toEqual({ answer, ageSeconds: seconds - 1 });
      clock.seconds += 1;
    }
    expect(cache.get(name, "A")).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it("stays within its bound, and drops what nobody asked for", () => {
    const { cache, clock } = cacheAt(4);
    const names = Array.from({ length: 20 }, (_, at) => domainName(`n${at}.test`));
    for (const each of names) {
      cache.keep(each, "A", clock.seconds * 1000, { answer: found, ttlSeconds: 60 });
      expect(cache.get(names[0]!, "A")).toBeDefined();
      expect(cache.size).toBeLessThanOrEqual(4);
    }
    expect(cache.get(names[1]!, "A")).toBeUndefined();
  });

  it("joins equal questions under way, and forgets one that was rejected", async () => {
    const { cache } = cacheAt();
    let asked = 0;
    const ask = async () => {
      asked++;
      return { answer: found, ttlSeconds: 0 };
    };
    await Promise.all([cache.join(name, "A", ask), cache.join(name, "A", ask)]);
    expect(asked).toBe(1);
    await expect(cache.join(name, "A", () => Promise.reject(new Error("aborted")))).rejects.toThrow(
      "aborted",
    );
    expect(await cache.join(name, "A", ask)).toBe(found);
    expect(asked).toBe(2);
  });

  it("asks anew for who wants no older answer, and keeps the newer one for all", async () => {
    const { cache, clock } = cacheAt();
    const at = () => clock.seconds * 1000;
    const ask = (answer: Answer<"A">) => async () => ({ answer, ttlSeconds: 3600 });
    const later: Answer<"A"> = { ...found, aliases: [name] };
    expect(await cache.join(name, "A", ask(found))).toBe(found);
    clock.seconds += 60;
    const since = at();
    expect(cache.get(name, "A", since)).toBeUndefined();
    expect(await cache.join(name, "A", ask(later), since)).toBe(later);
    expect(await cache.join(name, "A", ask(found), since)).toBe(later);
    expect(cache.get(name, "A")?.answer).toBe(later);
  });

  it("joins no question that was under way too early, whose answer then replaces no later one", async () => {
    const { cache, clock } = cacheAt();
    const early = Promise.withResolvers<{ answer: Answer<"A">; ttlSeconds: number }>();
    const first = cache.join(name, "A", () => early.promise);
    clock.seconds += 1;
    const since = clock.seconds * 1000;
    expect(await cache.join(name, "A", async () => ({ answer: absent, ttlSeconds: 60 }), since)).toBe(absent);
    early.resolve({ answer: found, ttlSeconds: 60 });
    expect(await first).toBe(found);
    expect(cache.get(name, "A")?.answer).toBe(absent);
  });
});
