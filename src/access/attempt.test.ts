import { createSecretKey, randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { memoryAccessStore } from "../../test/support/memory-access-store.ts";
import type { User } from "./access-store.ts";
import { clearLogin, countLogin, countPlace } from "./attempt.ts";
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
    recoveries: 0,
  };
  await store.addUser(ann);
  const give = async (minute: number, code: (step: number) => string) => {
    time = START + minute * MINUTE;
    const user = (await store.user({ id: ID }))!;
    const caller = { address: "192.0.2.7", userAgent: "test" };
    const secret = (await beginSession(user, caller, false, undefined, tools))!;
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

const at = (minute: number) => new Date(START + minute * MINUTE);

/** Tries at a password, and the keys that they were counted under. */
function triesOf() {
  const store = memoryAccessStore();
  const counted: string[] = [];
  const watched = {
    ...store,
    countAttempt: (key: string, now: Date, until: Date) => {
      counted.push(key);
      return store.countAttempt(key, now, until);
    },
  };
  const trySome = async (
    count: number,
    name: (at: number) => string,
    from: (at: number) => string,
    now: Date,
  ) =>
    (
      await Promise.all(
        Array.from({ length: count }, (_, each) => countLogin(watched, name(each), from(each), now)),
      )
    ).filter(({ granted }) => granted).length;
  return { counted, trySome, store: watched };
}

it("who hammers a name from one address keeps nobody out who comes from another", async () => {
  const { trySome } = triesOf();
  for (let minute = 0; minute < 300; minute++)
    await trySome(
      40,
      () => "ann",
      () => "192.0.2.66",
      at(minute),
    );
  expect(
    await trySome(
      1,
      () => "ann",
      () => "198.51.100.1",
      at(300),
    ),
  ).toBe(1);
});

it("who hammers a name from one IPv6 network keeps nobody out who comes from another", async () => {
  const { trySome } = triesOf();
  await trySome(
    400,
    () => "ann",
    (each) => `2001:db8:1:${each.toString(16)}::1`,
    at(0),
  );
  expect(
    await trySome(
      1,
      () => "ann",
      () => "2001:db8:2::1",
      at(1),
    ),
  ).toBe(1);
});

it("a place that is refused leaves no rows", async () => {
  const { trySome, counted } = triesOf();
  expect(
    await trySome(
      41,
      (each) => `name ${each}`,
      () => "192.0.2.66",
      at(0),
    ),
  ).toBe(40);
  const before = new Set(counted).size;
  expect(
    await trySome(
      1000,
      (each) => `other ${each}`,
      () => "192.0.2.66",
      at(1),
    ),
  ).toBe(0);
  expect(new Set(counted).size).toBe(before);
});

it.each<[network: string, from: (at: number) => string, granted: number]>([
  ["/64", (each) => `2001:db8::${each.toString(16)}`, 40],
  ["/56", (each) => `2001:db8:0:${(each % 256).toString(16)}::${each.toString(16)}`, 200],
  ["/48", (each) => `2001:db8:0:${each.toString(16)}::1`, 400],
])("one IPv6 %s leaves the logins of all others open", async (_, from, granted) => {
  const { trySome, store } = triesOf();
  expect(await trySome(3000, (each) => `name ${each}`, from, at(0))).toBe(granted);
  expect(
    await trySome(
      1,
      () => "ann",
      () => "2001:db8:1::1",
      at(0),
    ),
  ).toBe(1);
  const setups = await Promise.all(
    Array.from({ length: 3000 }, (_each, each) => countPlace(store, "setup", from(each), at(0))),
  );
  expect(setups.filter((setup) => setup.granted)).toHaveLength(granted);
});

it("a network that is refused keeps nothing for a day", async () => {
  const { trySome, counted } = triesOf();
  const inDays = () => new Set(counted.filter((key) => key.endsWith(`:${24 * 60 * 60}`))).size;
  await trySome(
    3000,
    (each) => `name ${each}`,
    (each) => `2001:db8:0:${each.toString(16)}::1`,
    at(0),
  );
  const before = inDays();
  await trySome(
    400,
    (each) => `late ${each}`,
    (each) => `2001:db8:0:f${each.toString(16)}::1`,
    at(1),
  );
  expect(inDays()).toBe(before);
});

it("right passwords keep nobody out, however many they are in an hour", async () => {
  const { store } = triesOf();
  for (let time = 0; time < 120; time++) {
    const now = at(time / 2);
    expect(await countLogin(store, "ann", "2001:db8::1", now), `login ${time}`).toEqual({ granted: true });
    await clearLogin(store, "ann", "2001:db8::1", now);
  }
});

it("many behind one address come in, however many they are in a day", async () => {
  const { store } = triesOf();
  for (let person = 0; person < 600; person++) {
    const [name, now] = [`person ${person}`, at(Math.floor(person / 100))];
    expect(await countLogin(store, name, "192.0.2.1", now), name).toEqual({ granted: true });
    await clearLogin(store, name, "192.0.2.1", now);
  }
});

it("a right login in between gives its neighbour no more guesses", async () => {
  const { store, trySome } = triesOf();
  let granted = 0;
  for (let guess = 0; guess < 60; guess++) {
    granted += await trySome(
      1,
      () => `other ${guess}`,
      () => "192.0.2.1",
      at(0),
    );
    if ((await countLogin(store, "ann", "192.0.2.1", at(0))).granted)
      await clearLogin(store, "ann", "192.0.2.1", at(0));
  }
  expect(granted).toBe(40);
});

it("who has to wait is told for how long it is still", async () => {
  const { store } = triesOf();
  const guess = (second: number) =>
    countLogin(store, "ann", "192.0.2.1", new Date(START + second * 1000 + 1));
  for (let second = 0; second < 5; second++) await guess(second);
  expect(await guess(20)).toEqual({ granted: false, waitSeconds: 40 });
  expect(await guess(59)).toEqual({ granted: false, waitSeconds: 1 });
  expect(await guess(60)).toEqual({ granted: true });
});
