import { expect, it } from "vitest";
import { fixedKey, testKey } from "../../test/support/dkim-keys.ts";
import { BARE, DOMAIN } from "../../test/support/healthy-world.ts";
import { tableWorld } from "../../test/support/table-world.ts";
import { Context } from "../check/context.ts";
import { type DkimKey, inState, type KeyState } from "../keys/key.ts";
import { oldKeyFindings } from "./key-age.ts";

const SINCE = new Date("2025-01-02T00:00:00Z");
const world = { ...tableWorld({ zone: "" }), now: new Date("2026-11-21T12:00:00Z") };
const key = (selector: string, createdAt: string, state: KeyState = "signing"): DkimKey =>
  inState(testKey(selector, createdAt), state, SINCE);
const rsa = (createdAt: string): DkimKey => {
  const made = fixedKey("rsa", "rsa").key;
  return { ...inState(made, "signing", SINCE), createdAt: new Date(createdAt) };
};

it.each<[why: string, keys: readonly DkimKey[], old: readonly string[]]>([
  ["no key of ours", [], []],
  ["it signs for nearly two years", [key("a", "2025-01-01T00:00:00Z")], ["a"]],
  ["eleven months are no age", [key("a", "2025-12-24T00:00:00Z")], []],
  ["one that signs no more is on its way out", [key("a", "2025-01-01T00:00:00Z", "retiring")], []],
  [
    "the new one has taken over",
    [key("a", "2024-01-01T00:00:00Z", "retiring"), key("b", "2026-11-01T00:00:00Z")],
    [],
  ],
  [
    "a person has said that it signs no more",
    [{ ...key("a", "2024-01-01T00:00:00Z"), barred: "retired" as const }],
    [],
  ],
  ["each algorithm has its own", [key("a", "2026-11-01T00:00:00Z"), rsa("2025-01-01T00:00:00Z")], ["rsa"]],
])("%s", (_, keys, old) => {
  const found = oldKeyFindings(keys, new Context(DOMAIN, world, BARE));
  expect(found.map(({ owner }) => owner)).toEqual(old.map((each) => `${each}._domainkey.example.org`));
  for (const { code, severity } of found) expect([code, severity]).toEqual(["dkim-key-old", "notice"]);
});
