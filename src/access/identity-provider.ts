/** Login by an identity provider (OpenID Connect): the way out and back. The protocol is behind an interface. */
import type { AccessStore, User } from "./access-store.ts";
import { takeOnce } from "./attempt.ts";
import type { RandomOctets } from "./password.ts";
import type { SecretBox } from "./secret-box.ts";

/** What the answer is held against. */
export interface IdentityChecks {
  readonly state: string;
  readonly nonce: string;
  /** PKCE. */
  readonly codeVerifier: string;
}

export interface IdentityProvider {
  /** What people know it by. */
  readonly title: string;
  /** With `again`, whoever is logged in there is to prove it anew, and the answer is to say when they did. */
  authorizationUrl(checks: IdentityChecks, again: boolean): Promise<string>;
  /** Who has logged in there; undefined where the answer proves nothing. */
  identity(callbackUrl: string, checks: IdentityChecks): Promise<Identity | undefined>;
}

export interface Identity {
  /** "issuer subject" */
  readonly subject: string;
  /** When they proved it, which may be long ago; undefined where the provider does not say. */
  readonly provenAt: Date | undefined;
}

const SECONDS = 600;
const BINDING = "identity provider";

export interface IdentityTools {
  readonly store: AccessStore;
  readonly provider: IdentityProvider;
  readonly box: SecretBox;
  readonly random: RandomOctets;
  readonly now: () => Date;
}

/**
 * `kept` waits in the browser's cookie: an answer that another browser asked for is worth nothing. `to` is where the
 * browser goes after it has come back, a path of this server.
 */
export async function leaveFor(
  { provider, box, random, now }: IdentityTools,
  { to = "/", again = false }: { readonly to?: string | undefined; readonly again?: boolean } = {},
) {
  const text = () => Buffer.from(random(32)).toString("base64url");
  const checks: IdentityChecks = { state: text(), nonce: text(), codeVerifier: text() };
  const until = now().getTime() + SECONDS * 1000;
  const kept = box.seal(Buffer.from(JSON.stringify({ ...checks, to, until })), BINDING);
  return { url: await provider.authorizationUrl(checks, again), kept };
}

/** Who came back; undefined where it is nobody who may come in. */
export async function returnFrom(
  kept: string,
  callbackUrl: string,
  { store, provider, box, now }: IdentityTools,
): Promise<(Pick<Identity, "provenAt"> & { readonly user: User; readonly to: string }) | undefined> {
  const opened = box.open(kept, BINDING);
  if (opened === undefined) return undefined;
  const { until, to, ...checks } = JSON.parse(Buffer.from(opened).toString()) as IdentityChecks & {
    readonly until: number;
    readonly to: string;
  };
  if (now().getTime() >= until) return undefined;
  if (!(await takeOnce(store, `identity:${checks.state}`, now(), new Date(until)))) return undefined;
  const identity = await provider.identity(callbackUrl, checks);
  const user = identity === undefined ? undefined : await store.user({ oidcSubject: identity.subject });
  if (identity === undefined || user === undefined || user.disabledAt !== undefined) return undefined;
  const { provenAt } = identity;
  // Its clock may be ahead.
  return { user, to, provenAt: provenAt !== undefined && provenAt > now() ? now() : provenAt };
}
