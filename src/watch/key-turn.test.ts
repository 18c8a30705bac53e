import { expect, it } from "vitest";
import { fixedKey } from "../../test/support/dkim-keys.ts";
import { inState, type KeyState } from "../keys/key.ts";
import { lanesToBegin } from "./key-turn.ts";

const AT = new Date("2026-11-22T12:00:00Z");
const key = (algorithm: "rsa" | "ed25519", selector: string, state: KeyState) => {
  const { key: fresh } = fixedKey(algorithm, selector);
  return state === "prepared" ? fresh : inState(fresh, state, AT);
};
const rsa = key("rsa", "rsa", "signing");
const ed25519 = key("ed25519", "ed", "signing");

it.each([
  ["both sign", [rsa, ed25519], ["rsa", "ed25519"], undefined],
  ["one was begun", [rsa, key("rsa", "next", "prepared"), ed25519], ["ed25519"], undefined],
  ["one is far", [key("rsa", "next", "proven"), ed25519], ["ed25519"], undefined],
  ["both were begun", [rsa, key("rsa", "next", "published"), key("ed25519", "n2", "proven")], [], "next"],
  ["what is out of DNS counts for nothing", [key("rsa", "old", "removed"), ed25519], ["ed25519"], undefined],
  ["there is none", [], [], undefined],
])("a rotation begins for each algorithm that has none on its way: %s", (_, keys, algorithms, waiting) => {
  const found = lanesToBegin(keys);
  expect([found.algorithms, found.waiting?.dkimSelector]).toEqual([algorithms, waiting]);
});
