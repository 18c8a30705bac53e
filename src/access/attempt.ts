/** How often somebody may try: by name, by address, by both; the more tries, the longer the wait. */
import { parseAddress, unmapped } from "../standards/dns/address.ts";
import type { AccessStore, User } from "./access-store.ts";

interface Limit {
  readonly tries: number;
  readonly seconds: number;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/**
 * One name from one place: first a minute, then a quarter of an hour, then a day. A name from everywhere has a wider
 * limit, which does not count where its owner has come in lately: many places together do not keep them out there.
 */
const OF_NAME_AND_PLACE: readonly Limit[] = [
  { tries: 5, seconds: MINUTE },
  { tries: 15, seconds: 15 * MINUTE },
  { tries: 40, seconds: DAY },
];
const OF_NAME: readonly Limit[] = [{ tries: 100, seconds: HOUR }];
const OF_PLACE: Limit = { tries: 40, seconds: 15 * MINUTE };
const OF_PLACE_IN_A_DAY: Limit = { tries: 400, seconds: DAY };
/** Providers hand out IPv6 networks of these sizes: who has one has many places in it. */
const OF_NETWORK: Readonly<Record<number, Limit>> = {
  56: { tries: 200, seconds: 15 * MINUTE },
  48: { tries: 400, seconds: 15 * MINUTE },
};
/** Less than a name has from everywhere: no network spends all of those. */
const OF_NAME_AND_NETWORK: Limit = { tries: 50, seconds: HOUR };
/** A place that somebody has come in from is theirs for so long. */
const KNOWN_SECONDS = 30 * DAY;
const MAX_PLACES = 20;
/** Six digits are guessed in a million tries at most; so many are never granted. */
const OF_CODE: readonly Limit[] = [
  { tries: 5, seconds: 5 * MINUTE },
  { tries: 25, seconds: DAY },
];

/** An IPv6 network is one place: whoever has one address of it has them all. */
export const placeOf = (address: string): string => networksOf(address)[0]!.network;

/** The place, and for IPv6 the networks around it: the narrowest first. */
function networksOf(address: string): readonly { readonly network: string; readonly bits: number }[] {
  const parsed = parseAddress(address);
  if (!parsed.ok) return [{ network: "nowhere", bits: 0 }];
  const { family, octets, text } = unmapped(parsed.value);
  if (family === 4) return [{ network: text, bits: 32 }];
  return [64, 56, 48].map((bits) => ({
    network: `${Buffer.from(octets.subarray(0, bits / 8)).toString("hex")}/${bits}`,
    bits,
  }));
}

export type Granted = { readonly granted: true } | { readonly granted: false; readonly waitSeconds: number };

/** One more try of `key`, where so many are granted. */
type Counted = readonly [key: string, limit: Limit];

const each = (key: string, limits: readonly Limit[]): readonly Counted[] =>
  limits.map((limit) => [key, limit]);

/** What is kept for a day comes last: of what is refused before, nothing is left after a quarter of an hour. */
function ofPlace(what: string, address: string): readonly Counted[] {
  const [place, ...around] = networksOf(address);
  const key = `${what}-place:${place!.network}`;
  return [
    [key, OF_PLACE],
    ...around.map(({ network, bits }): Counted => [`${what}-place:${network}`, OF_NETWORK[bits]!]),
    [key, OF_PLACE_IN_A_DAY],
  ];
}

/**
 * Counts a try at a password; before it is looked at, so that many at once count as well. A place spends of a name's
 * tries at most those that it was granted itself.
 */
export async function countLogin(
  store: AccessStore,
  name: string,
  address: string,
  now: Date,
): Promise<Granted> {
  const fromThere = [...ofPlace("login", address), ...each(ofNameAndPlace(name, address), OF_NAME_AND_PLACE)];
  const granted = await count(store, fromThere, now);
  if (!granted.granted || (await store.knowsPlace(name, placeOf(address), now))) return granted;
  return count(store, ofName(name, address), now);
}

/** They have come in: what others try elsewhere does not keep them out here for a while. */
export const keepPlace = (store: AccessStore, userId: string, address: string, now: Date): Promise<void> =>
  store.keepPlace(userId, placeOf(address), new Date(now.getTime() + KNOWN_SECONDS * 1000), MAX_PLACES);

const ofNameAndPlace = (name: string, address: string): string => `login:${name}:${placeOf(address)}`;

function ofName(name: string, address: string): readonly Counted[] {
  const widest = networksOf(address).at(-1)!;
  return [
    ...(widest.bits === 48 ? each(`login:${name}:${widest.network}`, [OF_NAME_AND_NETWORK]) : []),
    ...each(`login:${name}:everywhere`, OF_NAME),
  ];
}

/** After it was right: no guess at the name, and none from the place, where many may be behind one address. */
export async function clearLogin(
  store: AccessStore,
  name: string,
  address: string,
  now: Date,
): Promise<void> {
  for (const { seconds } of OF_NAME_AND_PLACE)
    await store.clearAttempts(`${ofNameAndPlace(name, address)}:${seconds}`);
  if (!(await store.knowsPlace(name, placeOf(address), now)))
    for (const [key, { seconds }] of ofName(name, address))
      await store.takeBackAttempt(`${key}:${seconds}`, now);
  await takeBackPlace(store, "login", address, now);
}

/** Counts a try at a second factor. */
export const countCode = (store: AccessStore, userId: string, now: Date): Promise<Granted> =>
  count(store, each(`code:${userId}`, OF_CODE), now);

/** After it was right: its own count goes, and what was guessed before stays counted. */
export async function takeBackCode(store: AccessStore, userId: string, now: Date): Promise<void> {
  for (const { seconds } of OF_CODE) await store.takeBackAttempt(`code:${userId}:${seconds}`, now);
}

/**
 * Counts a try at the password in a session that is open already. Who sits there has so many and no more: they are told
 * to come in anew, and keep the owner out of nothing.
 */
export const countInSession = (
  store: AccessStore,
  what: "password" | "code",
  secretHash: string,
  now: Date,
): Promise<Granted> => count(store, each(`${what}-in-session:${secretHash}`, OF_CODE), now);

/** After it was right. */
export async function takeBackInSession(
  store: AccessStore,
  what: "password" | "code",
  secretHash: string,
  now: Date,
): Promise<void> {
  for (const { seconds } of OF_CODE)
    await store.takeBackAttempt(`${what}-in-session:${secretHash}:${seconds}`, now);
}

/** Of who gets a new way in: what others have tried stands in its way no more. */
export async function forgetTries(
  store: AccessStore,
  { id, name }: Pick<User, "id" | "name">,
): Promise<void> {
  await store.clearAttemptsBelow(`login:${name}`);
  await store.clearAttemptsBelow(`code:${id}`);
}

/** Counts a try from a place at what is neither: setup links, passkeys, an identity provider's answers. */
export const countPlace = (store: AccessStore, what: string, address: string, now: Date): Promise<Granted> =>
  count(store, ofPlace(what, address), now);

/** After it was right: its own count goes, and what others have tried from there stays counted. */
export async function takeBackPlace(
  store: AccessStore,
  what: string,
  address: string,
  now: Date,
): Promise<void> {
  for (const [key, { seconds }] of ofPlace(what, address))
    await store.takeBackAttempt(`${key}:${seconds}`, now);
}

/** True for the first who shows it: what may be used once, on any node, until then. */
export async function takeOnce(store: AccessStore, key: string, now: Date, until: Date): Promise<boolean> {
  return (await store.countAttempt(`once:${key}`, now, until)).count === 1;
}

/** The first that is used up refuses, and nothing behind it is counted. */
async function count(store: AccessStore, counted: readonly Counted[], now: Date): Promise<Granted> {
  for (const [key, { tries, seconds }] of counted) {
    const end = new Date(now.getTime() + seconds * 1000);
    const { count: all, until } = await store.countAttempt(`${key}:${seconds}`, now, end);
    if (all > tries)
      return { granted: false, waitSeconds: Math.ceil((until.getTime() - now.getTime()) / 1000) };
  }
  return { granted: true };
}
