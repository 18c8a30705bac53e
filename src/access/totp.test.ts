import { describe, expect, it } from "vitest";
import { base32, totpCode, totpUri, verifyTotp } from "./totp.ts";

/** RFC 6238 Appendix B, the last six of its eight digits. */
const SECRET = Buffer.from("12345678901234567890");
const at = (seconds: number) => new Date(seconds * 1_000);

describe("one-time passwords", () => {
  it.each([
    [59, "287082"],
    [1_111_111_109, "081804"],
    [1_111_111_111, "050471"],
    [1_234_567_890, "005924"],
    [2_000_000_000, "279037"],
  ])("at %i s it is %s (RFC 6238 Appendix B)", (seconds, code) => {
    expect(totpCode(SECRET, Math.floor(seconds / 30))).toBe(code);
    expect(verifyTotp(SECRET, code, at(seconds), undefined)).toBe(Math.floor(seconds / 30));
  });

  it.each<[string, string, number, number | undefined, number | undefined]>([
    ["as apps show it", "050 471", 1_111_111_111, undefined, 37_037_037],
    ["one step late", "050471", 1_111_111_141, undefined, 37_037_037],
    ["two steps late", "050471", 1_111_111_171, undefined, undefined],
    ["a second time", "050471", 1_111_111_111, 37_037_037, undefined],
    ["of an older step than the last", "050471", 1_111_111_111, 37_037_038, undefined],
    ["wrong", "050472", 1_111_111_111, undefined, undefined],
    ["too short", "05047", 1_111_111_111, undefined, undefined],
    ["of other digits", "٠٥٠٤٧١", 1_111_111_111, undefined, undefined],
  ])("a code %s", (_what, code, seconds, lastStep, expected) => {
    expect(verifyTotp(SECRET, code, at(seconds), lastStep)).toBe(expected);
  });

  it.each([
    ["", ""],
    ["f", "MY"],
    ["fo", "MZXQ"],
    ["foobar", "MZXW6YTBOI"],
  ])("base32 of %j is %s (RFC 4648 §10)", (text, expected) => {
    expect(base32(Buffer.from(text))).toBe(expected);
  });

  it("are set up by a link, in which nothing breaks out", () => {
    expect(totpUri(SECRET, "a&b@x", "Zone post")).toMatch(
      /^otpauth:\/\/totp\/Zone%20post:a%26b%40x\?secret=GEZDGNBV/,
    );
  });
});
