/** API tokens: for programs, with scopes, shown once. */
import type { AccessStore, ApiToken, Scope, Standing } from "./access-store.ts";
import { newId } from "./audit.ts";
import { bearerHash, newBearerSecret } from "./bearer-secret.ts";
import type { RandomOctets } from "./password.ts";
import type { Actor } from "./permission.ts";

export const MAX_TOKENS = 50;
/** So often at most is it noted that a token is in use. */
const TOUCH_MILLISECONDS = 60_000;

export interface MadeToken {
  readonly token: ApiToken;
  /** Nobody can show it again. */
  readonly secret: string;
}

/** Undefined where the user was thrown out meanwhile. */
export async function makeToken(
  user: Standing,
  wanted: { readonly label: string; readonly scopes: readonly Scope[]; readonly expiresAt?: Date },
  now: Date,
  random: RandomOctets,
  store: AccessStore,
): Promise<MadeToken | undefined> {
  const secret = newBearerSecret("token", random);
  const token: ApiToken = {
    id: newId(random),
    secretHash: bearerHash("token", secret)!,
    userId: user.id,
    label: wanted.label,
    scopes: [...new Set(wanted.scopes)],
    createdAt: now,
    expiresAt: wanted.expiresAt,
    lastUsedAt: undefined,
  };
  return (await store.addToken(token, user)) ? { token, secret } : undefined;
}

/** Who asks with it; undefined where it is none, is over, or its user may not come in any more. */
export async function readToken(secret: string, now: Date, store: AccessStore): Promise<Actor | undefined> {
  const secretHash = bearerHash("token", secret);
  const token = secretHash === undefined ? undefined : await store.token(secretHash);
  if (token === undefined || (token.expiresAt !== undefined && token.expiresAt <= now)) return undefined;
  const user = await store.user({ id: token.userId });
  if (user === undefined || user.disabledAt !== undefined) return undefined;
  if (now.getTime() - (token.lastUsedAt?.getTime() ?? 0) >= TOUCH_MILLISECONDS)
    await store.touchToken(token.id, now);
  return { user, scopes: token.scopes, tokenId: token.id };
}

/** What the token may still do; undefined where it was taken back, or is over. */
export async function scopesLeft(
  userId: string,
  tokenId: string,
  now: Date,
  store: AccessStore,
): Promise<readonly Scope[] | undefined> {
  const token = (await store.tokens(userId)).find(({ id }) => id === tokenId);
  return token?.expiresAt !== undefined && token.expiresAt <= now ? undefined : token?.scopes;
}
