import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  hashPassword,
  readPassword,
  TooManyPasswords,
  temporaryPassword,
  verifyNobody,
  verifyPassword,
} from "./password.ts";

describe("a password", () => {
  it.each<[string, string | undefined, string]>([
    ["correct horse battery", undefined, "words are good"],
    ["short", "at least 12", "too short"],
    ["x".repeat(12), "first", "one character alone"],
    ["Password2026!", "first", "what people write where a digit is asked for"],
    ["123456789012", "first", "counting"],
    ["ann.smith2026", "first", "the name with little more"],
    ["a".repeat(300), "at most", "too long"],
    ["пароль-длинный", undefined, "any letters"],
  ])("%j", (text, problem) => {
    const read = readPassword(text, "ann.smith");
    expect(read.ok ? undefined : read.problem).toEqual(
      problem === undefined ? undefined : expect.stringContaining(problem),
    );
    if (!read.ok) expect(read.problem).not.toContain(text.slice(0, 5));
  });

  it("is right for its hash, in either form of Unicode, and no other is", async () => {
    const kept = await hashPassword("gru\u0308n wie die Wiese".normalize("NFC"), randomBytes);
    expect(kept).toMatch(/^\$argon2id\$v=19\$m=\d+,t=\d+,p=1\$/);
    expect(await verifyPassword("gru\u0308n wie die Wiese", kept)).toBe("right");
    expect(await verifyPassword("gr\u00fcn wie die Wiese", kept)).toBe("right");
    expect(await verifyPassword("grun wie die Wiese", kept)).toBe("wrong");
    expect(await hashPassword("gr\u00fcn wie die Wiese", randomBytes)).not.toBe(kept);
  });

  it("waits its turn among many, and is refused where too many wait", async () => {
    const ends = await Promise.allSettled(Array.from({ length: 80 }, () => verifyNobody("a")));
    const refused = ends.filter(({ status }) => status === "rejected");
    expect(refused.map((end) => end.status === "rejected" && end.reason)).toEqual(
      refused.map(() => expect.any(TooManyPasswords)),
    );
    expect(refused).toHaveLength(80 - 2 - 64);
    expect(await verifyNobody("a")).toBe("wrong");
  });

  it("is found to be outdated where it was kept at another cost", async () => {
    // argon2id of "correct horse", salt of sixteen "a", 8 KiB, one pass.
    const kept = "$argon2id$v=19$m=8,t=1,p=1$YWFhYWFhYWFhYWFhYWFhYQ$";
    const { argon2Sync } = await import("node:crypto");
    const hash = argon2Sync("argon2id", {
      message: "correct horse",
      nonce: "a".repeat(16),
      parallelism: 1,
      tagLength: 32,
      memory: 8,
      passes: 1,
    });
    expect(await verifyPassword("correct horse", kept + hash.toString("base64").replace(/=+$/, ""))).toBe(
      "outdated",
    );
  });

  it.each([
    "",
    "$argon2i$v=19$m=8,t=1,p=1$YWFhYWFhYWFhYWFhYWFhYQ$YWFh",
    "$argon2id$v=19$m=9999999,t=1,p=1$YWFhYWFhYWFhYWFhYWFhYQ$YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE",
    "$argon2id$v=19$m=8,t=999,p=1$YWFhYWFhYWFhYWFhYWFhYQ$YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE",
  ])("is wrong for what is no hash of ours, or costs too much: %j", async (kept) => {
    expect(await verifyPassword("x", kept)).toBe("wrong");
  });

  it("takes about as long for nobody as for somebody", async () => {
    const kept = await hashPassword("correct horse battery", randomBytes);
    const time = async (act: () => Promise<unknown>) => {
      let least = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 3; round++) {
        const from = performance.now();
        await act();
        least = Math.min(least, performance.now() - from);
      }
      return least;
    };
    const somebody = await time(() => verifyPassword("wrong horse", kept));
    const nobody = await time(() => verifyNobody("wrong horse"));
    expect(nobody).toBeGreaterThan(somebody / 5);
  });
});

describe("temporaryPassword", () => {
  it("has letters that are told apart, in groups, from all of its octets", () => {
    let octet = 0;
    const random = (count: number) => Uint8Array.from({ length: count }, () => octet++ % 256);
    const first = temporaryPassword(random);
    expect(first).toBe("abcd-efgh-ijkm-npqr-stuv");
    expect(temporaryPassword(random)).toBe("wxyz-2345-6789-abcd-efgh");
    expect(readPassword(first, "olga").ok).toBe(true);
  });
});
