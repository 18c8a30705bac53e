import { createSecretKey, randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { memoryAccessStore } from "../../test/support/memory-access-store.ts";
import type { User } from "./access-store.ts";
import { bearerHash } from "./bearer-secret.ts";
import { giveCode, totpBinding } from "./login.ts";
import { createSecretBox } from "./secret-box.ts";
import { beginSession } from "./session.ts";
import { totpCode } from "./totp.ts";

const START = Date.parse("2026-11-21T00:00:00Z");
const MINUTE = 60_000;
const SECRET = Buffer.from("12345678901234567890");
const ID = "id-of-ann";

/** One who comes in by codes, at the minutes of a day. */
async function codesOf() {
  const store = memoryAccessStore();
  const random = (count: number) => randomBytes(count);
  const box = createSecretBox(createSecretKey(Buffer.alloc(32, 7)), random);
  let time = START;
  const times = { idleSeconds: 3_600, totalSeconds: 36_000 };
  const tools = { store, box, random, times, now: () => new Date(time) };
  const ann: User = {
    id: ID,
    name: "ann",
    role: "administrator",
    passwordHash: undefined,
    sealedTotpSecret: box.seal(SECRET, totpBinding(ID)),
    totpStep: undefined,
    oidcSubject: undefined,
    createdAt: tools.now(),
    disabledAt: undefined,
    revision: 1,
  };
  await store.addUser(ann);
  const give = async (minute: number, code: (step: number) => string) => {
    time = START + minute * MINUTE;
    const user = (await store.user({ id: ID }))!;
    const caller = { address: "192.0.2.7", userAgent: "test" };
    const secret = await beginSession(user, caller, false, undefined, tools);
    const session = (await store.session(bearerHash("session", secret)!))!;
    return (await giveCode(code(Math.floor(time / 30_000)), { session, user }, secret, tools)).status;
  };
  return {
    right: (minute: number) => give(minute, (step) => totpCode(SECRET, step)),
    wrong: (minute: number) => give(minute, () => "12345"),
  };
}

it("right codes keep nobody out, however many they are in a day", async () => {
  const { right } = await codesOf();
  for (let times = 0; times < 60; times++) expect(await right(20 * times), `code ${times}`).toBe("in");
  for (let times = 0; times < 10; times++)
    expect(await right(1_300 + times), `in a row: ${times}`).toBe("in");
});

it("right codes in between give no more guesses", async () => {
  const { right, wrong } = await codesOf();
  const statuses: string[] = [];
  for (let guess = 0; guess < 40; guess++) {
    statuses.push(await wrong(20 * guess));
    await right(20 * guess + 1);
  }
  expect(statuses).toEqual([...Array(25).fill("wrong"), ...Array(15).fill("wait")]);
});

it("a right code does not clear what was guessed in the same minutes", async () => {
  const { right, wrong } = await codesOf();
  for (let guess = 0; guess < 4; guess++) expect(await wrong(0)).toBe("wrong");
  expect(await right(1)).toBe("in");
  expect(await wrong(2)).toBe("wrong");
  expect(await wrong(2)).toBe("wait");
});
