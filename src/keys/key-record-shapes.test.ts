import { describe, expect, it } from "vitest";
import { testKey } from "../../test/support/dkim-keys.ts";
import { encodeDkimKey } from "../standards/dkim/public-key.ts";
import { inState } from "./key.ts";
import { keyRecordShapes, keyTextInDns } from "./key-record-shapes.ts";

const key = testKey("s1", "2026-11-21T12:00:00Z");

describe("the record of a key", () => {
  it.each([
    ["that signs", inState(key, "signing", key.createdAt), true],
    ["that was taken out of use", { ...inState(key, "retiring", key.createdAt), barred: "retired" }, true],
    [
      "that was taken back, and stands in DNS still",
      { ...inState(key, "signing", key.createdAt), barred: "revoked" },
      false,
    ],
    ["that is revoked", inState(key, "revoked", key.createdAt), false],
  ] as const)("%s has its public half in every shape: %s", (_, one, hasHalf) => {
    const half = encodeDkimKey(one.publicKey).slice(0, 40);
    const texts = [keyTextInDns(one), ...keyRecordShapes(one).map(({ text }) => text)];
    for (const text of texts) expect(text.includes(half), text).toBe(hasHalf);
    if (!hasHalf) for (const text of texts) expect(text).toMatch(/v=DKIM1;.*p=/);
  });
});
