import { describe, expect, it } from "vitest";
import { nextDigest } from "./quiet-hours.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

describe("the next digest", () => {
  it.each([
    ["2026-11-23T08:00Z", "2026-11-30T08:00Z", "08:00", "UTC", "the full hour"],
    ["2026-11-23T07:30Z", "2026-11-30T07:30Z", "07:30", "UTC", "a half hour"],
    ["2026-11-23T23:30Z", "2026-11-30T23:30Z", "23:30", "UTC", "the last half hour of the day"],
    ["2026-11-23T23:59Z", "2026-11-30T23:59Z", "23:59", "UTC", "the last minute of the day"],
    ["2026-11-23T00:00Z", "2026-11-30T00:00Z", "00:00", "UTC", "the first minute of the day"],
    ["2026-11-23T02:30Z", "2026-11-30T02:30Z", "08:00", "Asia/Kolkata", "five hours and a half ahead"],
    ["2026-11-23T02:15Z", "2026-11-30T02:15Z", "08:00", "Asia/Kathmandu", "five and three quarters ahead"],
    [
      "2026-11-22T18:20Z",
      "2026-11-29T18:20Z",
      "00:05",
      "Asia/Kathmandu",
      "there Monday begins on our Sunday",
    ],
    ["2026-03-23T06:30Z", "2026-03-30T05:30Z", "07:30", "Europe/Berlin", "an hour is lost on Sunday"],
    ["2026-10-19T05:30Z", "2026-10-26T06:30Z", "07:30", "Europe/Berlin", "an hour comes twice on Sunday"],
  ])("%s, then %s: %s in %s, %s", (first, second, time, timeZone) => {
    const next = (at: number) => nextDigest(new Date(at), time, timeZone).toISOString();
    const [one, other] = [new Date(first), new Date(second)];
    for (const before of [SECOND, 20 * MINUTE, 5 * 60 * MINUTE, 3 * 1440 * MINUTE])
      expect(next(one.getTime() - before), `${before} ms before`).toBe(one.toISOString());
    for (const after of [0, 3 * SECOND, MINUTE, 31 * MINUTE, 5 * 60 * MINUTE, 3 * 1440 * MINUTE])
      expect(next(one.getTime() + after), `${after} ms after`).toBe(other.toISOString());
  });
});
