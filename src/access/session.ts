/** Sessions: begun with a new secret at every step, ended by time, by leaving, or by who manages users. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { AccessStore, Session, Standing, User } from "./access-store.ts";
import { keepPlace } from "./attempt.ts";
import { bearerHash, newBearerSecret } from "./bearer-secret.ts";
import type { RandomOctets } from "./password.ts";

export interface SessionTimes {
  /** Unused for so long, it ends. */
  readonly idleSeconds: number;
  /** However much it is used, it ends. */
  readonly totalSeconds: number;
}

/** Between the password and the second factor. */
const HALF_SECONDS = 300;
/** So often at most is it noted that a session is in use. */
const TOUCH_SECONDS = 60;
const MAX_USER_AGENT = 200;

export interface SessionTools {
  readonly store: AccessStore;
  readonly now: () => Date;
  readonly random: RandomOctets;
  readonly times: SessionTimes;
}

/** Where somebody comes from. */
export interface Caller {
  readonly address: string;
  readonly userAgent: string;
}

const later = (date: Date, seconds: number): Date => new Date(date.getTime() + seconds * 1000);
const earlier = (one: Date, other: Date): Date => (one < other ? one : other);

/**
 * The secret for the cookie; undefined where the user was thrown out meanwhile. `former` is the secret that was shown
 * until now; it opens nothing any more.
 */
export async function beginSession(
  user: Standing,
  { address, userAgent }: Caller,
  isComplete: boolean,
  former: string | undefined,
  { store, now, random, times }: SessionTools,
  proof: Pick<Session, "provenAt"> = { provenAt: now() },
): Promise<string | undefined> {
  if (former !== undefined) await endSession(former, store);
  const secret = newBearerSecret("session", random);
  const at = now();
  const seconds = isComplete ? Math.min(times.idleSeconds, times.totalSeconds) : HALF_SECONDS;
  const session: Session = {
    secretHash: bearerHash("session", secret)!,
    userId: user.id,
    createdAt: at,
    lastSeenAt: at,
    expiresAt: later(at, seconds),
    address,
    userAgent: userAgent.slice(0, MAX_USER_AGENT),
    isComplete,
    provenAt: proof.provenAt,
  };
  if (!(await store.addSession(session, user))) return undefined;
  if (isComplete) await keepPlace(store, user.id, address, at);
  return secret;
}

export interface OpenSession {
  readonly session: Session;
  readonly user: User;
}

/** Whose session it is; undefined where it is none, is over, or its user may not come in any more. */
export async function readSession(
  secret: string,
  { store, now, times }: Pick<SessionTools, "store" | "now" | "times">,
): Promise<OpenSession | undefined> {
  const secretHash = bearerHash("session", secret);
  const session = secretHash === undefined ? undefined : await store.session(secretHash);
  if (secretHash === undefined || session === undefined) return undefined;
  const at = now();
  const end = earlier(session.expiresAt, later(session.createdAt, times.totalSeconds));
  if (at >= end) {
    await store.removeSession(secretHash);
    return undefined;
  }
  const user = await store.user({ id: session.userId });
  if (user === undefined || user.disabledAt !== undefined) return undefined;
  if (session.isComplete && at >= later(session.lastSeenAt, TOUCH_SECONDS)) {
    const expiresAt = earlier(later(at, times.idleSeconds), later(session.createdAt, times.totalSeconds));
    await store.touchSession(secretHash, at, expiresAt);
  }
  return { session, user };
}

export async function endSession(secret: string, store: AccessStore): Promise<void> {
  const secretHash = bearerHash("session", secret);
  if (secretHash !== undefined) await store.removeSession(secretHash);
}

/** What a page of ours knows and another's does not: it follows from the secret, which no script can read. */
export const csrfToken = (secret: string): string =>
  createHash("sha256").update(`zonepost: csrf\0${secret}`).digest("base64url");

export function isCsrfToken(given: string, secret: string): boolean {
  const expected = Buffer.from(csrfToken(secret));
  const octets = Buffer.from(given);
  return octets.length === expected.length && timingSafeEqual(octets, expected);
}
