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
  authorizationUrl(checks: IdentityChecks): Promise<string>;
  /** "issuer subject" of who has logged in there; undefined where the answer proves nothing. */
  subject(callbackUrl: string, checks: IdentityChecks): Promise<string | undefined>;
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
export async function leaveFor({ provider, box, random, now }: IdentityTools, to = "/") {
  const text = () => Buffer.from(random(32)).toString("base64url");
  const checks: IdentityChecks = { state: text(), nonce: text(), codeVerifier: text() };
  const until = now().getTime() + SECONDS * 1000;
  const kept = box.seal(Buffer.from(JSON.stringify({ ...checks, to, until })), BINDING);
  return { url: await provider.authorizationUrl(checks), kept };
}

/** Who came back; undefined where it is nobody who may come in. */
export async function returnFrom(
  kept: string,
  callbackUrl: string,
  { store, provider, box, now }: IdentityTools,
): Promise<{ readonly user: User; readonly to: string } | undefined> {
  const opened = box.open(kept, BINDING);
  if (opened === undefined) return undefined;
  const { until, to, ...checks } = JSON.parse(Buffer.from(opened).toString()) as IdentityChecks & {
    readonly until: number;
    readonly to: string;
  };
  if (now().getTime() >= until) return undefined;
  if (!(await takeOnce(store, `identity:${checks.state}`, now(), new Date(until)))) return undefined;
  const subject = await provider.subject(callbackUrl, checks);
  const user = subject === undefined ? undefined : await store.user({ oidcSubject: subject });
  return user === undefined || user.disabledAt !== undefined ? undefined : { user, to };
}
