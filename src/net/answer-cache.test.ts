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
    cache.keep(name, "A", { answer, ttlSeconds });
    if (seconds > 0) {
      clock.seconds += seconds - 1;
      expect(cache.get(name, "A")).toEqual({ answer, ageSeconds: seconds - 1 });
      clock.seconds += 1;
    }
    expect(cache.get(name, "A")).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it("stays within its bound, and drops what nobody asked for", () => {
    const { cache } = cacheAt(4);
    const names = Array.from({ length: 20 }, (_, at) => domainName(`n${at}.test`));
    for (const each of names) {
      cache.keep(each, "A", { answer: found, ttlSeconds: 60 });
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
});
