/** Coming in by password, and by a second factor where there is one. Nobody learns who is there and who is not. */
import type { User } from "./access-store.ts";
import { clearLogin, countCode, countLogin, takeBackCode } from "./attempt.ts";
import { bearerHash } from "./bearer-secret.ts";
import { hashPassword, verifyNobody, verifyPassword } from "./password.ts";
import type { SecretBox } from "./secret-box.ts";
import { beginSession, type Caller, endSession, type OpenSession, type SessionTools } from "./session.ts";
import { verifyTotp } from "./totp.ts";

export interface LoginTools extends SessionTools {
  readonly box: SecretBox;
}

export type LoginResult =
  | { readonly status: "in"; readonly secret: string; readonly user: User }
  /** The secret opens the way to the second factor, and to nothing else. */
  | { readonly status: "second-factor"; readonly secret: string; readonly user: User }
  | { readonly status: "wrong" }
  | { readonly status: "wait"; readonly waitSeconds: number };

/** Names are compared in this form. */
export const loginName = (text: string): string => text.normalize("NFC").trim().toLowerCase();

/** `former` is the secret of the session that the browser has had so far. */
export async function logIn(
  given: { readonly name: string; readonly password: string },
  caller: Caller,
  former: string | undefined,
  tools: LoginTools,
): Promise<LoginResult> {
  const { store, now, random } = tools;
  const name = loginName(given.name);
  const granted = await countLogin(store, name, caller.address, now());
  if (!granted.granted) return { status: "wait", waitSeconds: granted.waitSeconds };
  const user = await store.user({ name });
  const kept = user?.disabledAt === undefined ? user?.passwordHash : undefined;
  const verdict =
    kept === undefined ? await verifyNobody(given.password) : await verifyPassword(given.password, kept);
  if (user === undefined || verdict === "wrong") return { status: "wrong" };
  await clearLogin(store, name, caller.address, now());
  const needsCode = user.sealedTotpSecret !== undefined;
  const secret = await beginSession(user, caller, !needsCode, former, tools);
  // What was right is so no more.
  if (secret === undefined) return { status: "wrong" };
  if (needsCode) return { status: "second-factor", secret, user };
  if (verdict === "outdated") {
    const passwordHash = await hashPassword(given.password.normalize("NFC"), random);
    const after = { ...user, passwordHash, revision: user.revision + 1 };
    await store.changeUser(user, after, { keepSession: bearerHash("session", secret)! });
  }
  return { status: "in", secret, user };
}

export const totpBinding = (userId: string): string => `totp\0${userId}`;

/** The second step. A wrong code leaves the half-open session as it is, until there were too many. */
export async function giveCode(
  code: string,
  { session, user }: OpenSession,
  former: string,
  tools: LoginTools,
): Promise<LoginResult> {
  const { store, now, box } = tools;
  const granted = await countCode(store, user.id, now());
  if (!granted.granted) {
    await endSession(former, store);
    return { status: "wait", waitSeconds: granted.waitSeconds };
  }
  const secretOctets =
    user.sealedTotpSecret === undefined ? undefined : box.open(user.sealedTotpSecret, totpBinding(user.id));
  const step = secretOctets === undefined ? undefined : verifyTotp(secretOctets, code, now(), user.totpStep);
  if (step === undefined) return { status: "wrong" };
  // By its revision: of two who show the same code at once, one comes in.
  const changed = await store.changeUser(user, { ...user, totpStep: step, revision: user.revision + 1 });
  if (changed === "stale") return { status: "wrong" };
  await takeBackCode(store, user.id, now());
  const caller: Caller = { address: session.address, userAgent: session.userAgent };
  const secret = await beginSession(user, caller, true, former, tools);
  return secret === undefined ? { status: "wrong" } : { status: "in", secret, user };
}
