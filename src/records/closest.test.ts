import { expect, it } from "vitest";
import { closest } from "./closest.ts";

const WORDS = ["domain", "receives", "sends", "mx", "spf", "dkim", "dmarc"];

it.each<[word: string, near: string | undefined, reason: string]>([
  ["recieves", "receives", "two letters changed places"],
  ["dmrac", undefined, "that is half of so short a word"],
  ["dmarcs", "dmarc", "one letter too many"],
  ["DKIM", "dkim", "case does not count"],
  ["mz", "mx", "one letter may always differ"],
  ["elsewhere", undefined, "nothing is near"],
  ["", undefined, "nothing is nothing's neighbour"],
])("%s → %s: %s", (word, near) => {
  expect(closest(word, WORDS)).toBe(near);
});
