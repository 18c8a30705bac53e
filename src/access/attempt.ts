/** How often somebody may try: by name, by address, by both; the more tries, the longer the wait. */
import { parseAddress, unmapped } from "../standards/dns/address.ts";
import type { AccessStore } from "./access-store.ts";

interface Limit {
  readonly tries: number;
  readonly seconds: number;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/**
 * One name from one place: first a minute, then a quarter of an hour, then a day. A name from everywhere has a wider
 * limit: somebody far away should not be able to keep a person out for long.
 */
const OF_NAME_AND_PLACE: readonly Limit[] = [
  { tries: 5, seconds: MINUTE },
  { tries: 15, seconds: 15 * MINUTE },
  { tries: 40, seconds: DAY },
];
const OF_NAME: readonly Limit[] = [{ tries: 100, seconds: HOUR }];
const OF_PLACE: readonly Limit[] = [
  { tries: 40, seconds: 15 * MINUTE },
  { tries: 400, seconds: DAY },
];
/** Six digits are guessed in a million tries at most; so many are never granted. */
const OF_CODE: readonly Limit[] = [
  { tries: 5, seconds: 5 * MINUTE },
  { tries: 25, seconds: DAY },
];

/** An IPv6 network is one place: whoever has one address of it has them all. */
export function placeOf(address: string): string {
  const parsed = parseAddress(address);
  if (!parsed.ok) return "nowhere";
  const { family, octets, text } = unmapped(parsed.value);
  return family === 4 ? text : `${Buffer.from(octets.subarray(0, 8)).toString("hex")}/64`;
}

export type Granted = { readonly granted: true } | { readonly granted: false; readonly waitSeconds: number };

/** Counts a try at a password; before it is looked at, so that many at once count as well. */
export function countLogin(store: AccessStore, name: string, address: string, now: Date): Promise<Granted> {
  const place = placeOf(address);
  return count(
    store,
    [
      [`login:${place}:${name}`, OF_NAME_AND_PLACE],
      [`login-name:${name}`, OF_NAME],
      [`login-place:${place}`, OF_PLACE],
    ],
    now,
  );
}

/** After it was right. What was counted for the place stays. */
export async function clearLogin(store: AccessStore, name: string, address: string): Promise<void> {
  for (const { seconds } of OF_NAME_AND_PLACE)
    await store.clearAttempts(`login:${placeOf(address)}:${name}:${seconds}`);
}

/** Counts a try at a second factor. */
export const countCode = (store: AccessStore, userId: string, now: Date): Promise<Granted> =>
  count(store, [[`code:${userId}`, OF_CODE]], now);

/** After it was right: its own count goes, and what was guessed before stays counted. */
export async function takeBackCode(store: AccessStore, userId: string, now: Date): Promise<void> {
  for (const { seconds } of OF_CODE) await store.takeBackAttempt(`code:${userId}:${seconds}`, now);
}

/** Counts a try from a place at what is neither: setup links, passkeys, an identity provider's answers. */
export const countPlace = (store: AccessStore, what: string, address: string, now: Date): Promise<Granted> =>
  count(store, [[`${what}-place:${placeOf(address)}`, OF_PLACE]], now);

/** True for the first who shows it: what may be used once, on any node, until then. */
export async function takeOnce(store: AccessStore, key: string, now: Date, until: Date): Promise<boolean> {
  return (await store.countAttempt(`once:${key}`, now, until)) === 1;
}

async function count(
  store: AccessStore,
  counted: readonly (readonly [key: string, limits: readonly Limit[]])[],
  now: Date,
): Promise<Granted> {
  let waitSeconds = 0;
  for (const [key, limits] of counted) {
    for (const { tries, seconds } of limits) {
      const until = new Date(now.getTime() + seconds * 1000);
      const all = await store.countAttempt(`${key}:${seconds}`, now, until);
      if (all > tries) waitSeconds = Math.max(waitSeconds, seconds);
    }
  }
  return waitSeconds > 0 ? { granted: false, waitSeconds } : { granted: true };
}
