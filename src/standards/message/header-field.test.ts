import { expect, it } from "vitest";
import { headerField, unfolded } from "./header-field.ts";

it.each([
  [" a\r\n b\r\n\tc ", "a b\tc", "folds go, their blanks stay"],
  [" a\n b", "a b", "in files too"],
  [" a\r\nb", "a\r\nb", "what is no fold stays"],
  [" \r\n \t", "", "nothing but blanks"],
  [
    Buffer.from(" voilà").toString("latin1"),
    Buffer.from("voilà").toString("latin1"),
    "0xA0 is part of a letter",
  ],
])("unfolded(%j) is %j: %s", (value, expected) => {
  expect(unfolded(value)).toBe(expected);
});

it("takes time in proportion to the value", () => {
  const started = performance.now();
  for (const piece of [" ", "\r\n ", "\r\n", " a"]) unfolded(`a${piece.repeat(2 ** 20)}a`);
  expect(performance.now() - started).toBeLessThan(4_500);
});

it("names are compared without case and blanks", () => {
  expect(headerField("FROM \t", " x")).toEqual({ name: "FROM \t", value: " x", key: "from" });
});
