/** A DKIM key of ours through all its life: what it is, where it is published, and when it was what. */

import type { DkimPublicKey } from "../standards/dkim/public-key.ts";
import type { KeyName } from "./key-name.ts";
import type { SealedKey } from "./sealing.ts";

/**
 * `prepared` the pair exists, and no name server has been seen with it · `published` at least one shows it ·
 * `proven` every name server shows it, and no cache can hold anything else · `signing` · `retiring` does not sign any
 * more, and stays published for the mail that is under way · `revoked` published with an empty p= · `removed` gone
 * from DNS.
 */
export const KEY_STATES = [
  "prepared",
  "published",
  "proven",
  "signing",
  "retiring",
  "revoked",
  "removed",
] as const;
export type KeyState = (typeof KEY_STATES)[number];

export interface DkimKey extends KeyName {
  readonly publicKey: DkimPublicKey;
  readonly sealed: SealedKey;
  readonly state: KeyState;
  readonly createdAt: Date;
  /** When the key last came into each state that it has been in. */
  readonly times: KeyTimes;
  readonly sighting: Sighting;
  readonly lastSignedAt?: Date;
  /**
   * Said by a person: this key never signs again. `retired` keeps it published for the mail that is under way;
   * `revoked` takes it back at once, as where others may have the private half.
   */
  readonly barred?: "retired" | "revoked";
}

export type KeyTimes = Readonly<Partial<Record<KeyState, Date>>>;

/** What is remembered of the looks at the name servers. */
export interface Sighting {
  /** The first of the looks, up to the last one, at which every name server showed the key. */
  readonly everywhereSince?: Date;
  /** From then on no cache holds anything else than the key. */
  readonly cachesClearAt?: Date;
  /** The longest TTL of what else was seen in the key's place before. */
  readonly otherTtlSeconds?: number;
}

/** A key as it comes into the world, made or imported. */
export function newKey(name: KeyName, publicKey: DkimPublicKey, sealed: SealedKey, createdAt: Date): DkimKey {
  const { signingDomain, dkimSelector } = name;
  return {
    signingDomain,
    dkimSelector,
    publicKey,
    sealed,
    state: "prepared",
    createdAt,
    times: { prepared: createdAt },
    sighting: {},
  };
}

/** The key in another state, since `at`. */
export function inState(key: DkimKey, state: KeyState, at: Date): DkimKey {
  return { ...key, state, times: { ...key.times, [state]: at } };
}

/** It signs, or has signed mail that is still under way. */
export const isInUse = ({ state }: DkimKey): boolean => state === "signing" || state === "retiring";

/** Others may have the private half: its record is to be empty, or is. */
export const isTakenBack = ({ state, barred }: DkimKey): boolean =>
  state === "revoked" || barred === "revoked";

/** Oldest first; of one moment, by selector. */
export function byAge(one: DkimKey, other: DkimKey): number {
  return (
    one.createdAt.getTime() - other.createdAt.getTime() || (one.dkimSelector < other.dkimSelector ? -1 : 1)
  );
}
