/** Accounts: made, and changed by who they belong to. */
import type { Parsed, Refused } from "../standards/dns/parsed.ts";
import type { Role, User } from "./access-store.ts";
import { newId } from "./audit.ts";
import { loginName, totpBinding } from "./login.ts";
import {
  hashPassword,
  type RandomOctets,
  readPassword,
  temporaryPassword,
  verifyPassword,
} from "./password.ts";
import type { SecretBox } from "./secret-box.ts";
import { newTotpSecret, totpUri, verifyTotp } from "./totp.ts";

const refuse = (problem: string): Refused => ({ ok: false, problem });

/** Letters of any script, digits and what stands in mail addresses: nothing that steers a terminal or a page. */
const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}._@+-]{0,62}[\p{L}\p{M}\p{N}])?$/u;

export function readUserName(text: string): Parsed<string> {
  const name = loginName(text);
  return NAME.test(name)
    ? { ok: true, value: name }
    : refuse("a name has 1 to 64 letters, digits and . _ @ + -, and begins and ends with a letter or digit");
}

export interface WantedUser {
  readonly name: string;
  /** Undefined: the user comes in by an identity provider. */
  readonly password: string | undefined;
  readonly role: Role;
  readonly oidcSubject: string | undefined;
}

export async function makeUser(
  { name: text, password: typed, role, oidcSubject }: WantedUser,
  now: Date,
  random: RandomOctets,
): Promise<Parsed<User>> {
  const name = readUserName(text);
  if (!name.ok) return name;
  if (typed === undefined && oidcSubject === undefined)
    return refuse("give a password, or the user's subject at the identity provider");
  const password = typed === undefined ? undefined : readPassword(typed, name.value);
  if (password?.ok === false) return password;
  return {
    ok: true,
    value: {
      id: newId(random),
      name: name.value,
      role,
      passwordHash: password === undefined ? undefined : await hashPassword(password.value, random),
      sealedTotpSecret: undefined,
      totpStep: undefined,
      oidcSubject,
      createdAt: now,
      disabledAt: undefined,
      revision: 1,
      recoveries: 0,
    },
  };
}

/** Who has a password shows it again before something lasting changes: an open screen is not enough. */
export async function isOwner(
  { passwordHash }: Pick<User, "passwordHash">,
  password: string | undefined,
): Promise<boolean> {
  if (passwordHash === undefined || password === undefined) return false;
  return (await verifyPassword(password, passwordHash)) !== "wrong";
}

/** With a new password; all other sessions of the user end when it is stored. */
export async function withPassword(user: User, typed: string, random: RandomOctets): Promise<Parsed<User>> {
  const password = readPassword(typed, user.name);
  if (!password.ok) return password;
  const passwordHash = await hashPassword(password.value, random);
  return { ok: true, value: { ...user, passwordHash, revision: user.revision + 1 } };
}

const pendingBinding = (userId: string): string => `totp pending\0${userId}`;

/** A new secret for an app: `pending` comes back with the first code, and nothing is kept until then. */
export function offerTotp(user: User, box: SecretBox, random: RandomOctets) {
  const secret = newTotpSecret(random);
  return {
    uri: totpUri(secret, user.name, "Zonepost"),
    pending: box.seal(secret, pendingBinding(user.id)),
  };
}

/** Undefined where the code is wrong, or `pending` was not made for this user. */
export function withTotp(
  user: User,
  pending: string,
  code: string,
  now: Date,
  box: SecretBox,
): User | undefined {
  const secret = box.open(pending, pendingBinding(user.id));
  const step = secret === undefined ? undefined : verifyTotp(secret, code, now, undefined);
  if (secret === undefined || step === undefined) return undefined;
  const sealedTotpSecret = box.seal(secret, totpBinding(user.id));
  return { ...user, sealedTotpSecret, totpStep: step, revision: user.revision + 1 };
}

export const withoutTotp = (user: User): User => ({
  ...user,
  sealedTotpSecret: undefined,
  totpStep: undefined,
  revision: user.revision + 1,
});

/** For who has lost every way in: a password that was made, no codes, and allowed in again. */
export async function withNewWayIn(
  user: User,
  random: RandomOctets,
): Promise<{ readonly user: User; readonly password: string }> {
  const password = temporaryPassword(random);
  const passwordHash = await hashPassword(password, random);
  return { user: { ...withoutTotp(user), passwordHash, disabledAt: undefined }, password };
}
