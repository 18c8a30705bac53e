/** The first administrator: made by who holds the link that the first start prints, and by nobody after that. */
import { timingSafeEqual } from "node:crypto";
import type { Parsed } from "../standards/dns/parsed.ts";
import type { AccessStore, User } from "./access-store.ts";
import { makeUser } from "./account.ts";
import { bearerHash, newBearerSecret } from "./bearer-secret.ts";
import type { RandomOctets } from "./password.ts";

/** A link in a log is no key for ever. */
const SETUP_SECONDS = 3600;

/** What a process remembers of the link that it has printed. */
export interface SetupLink {
  readonly secretHash: string;
  readonly expiresAt: Date;
}

/** Undefined where there are users already. */
export async function openSetup(
  store: AccessStore,
  now: Date,
  random: RandomOctets,
): Promise<{ readonly secret: string; readonly link: SetupLink } | undefined> {
  if ((await store.countUsers()) > 0) return undefined;
  const secret = newBearerSecret("setup", random);
  const expiresAt = new Date(now.getTime() + SETUP_SECONDS * 1000);
  return { secret, link: { secretHash: bearerHash("setup", secret)!, expiresAt } };
}

export type SetupResult =
  | { readonly status: "made"; readonly user: User }
  /** No such link, too late, or somebody was first. */
  | { readonly status: "closed" }
  | { readonly status: "refused"; readonly problem: string };

export async function setUp(
  given: { readonly secret: string; readonly name: string; readonly password: string },
  link: SetupLink | undefined,
  now: Date,
  random: RandomOctets,
  store: AccessStore,
): Promise<SetupResult> {
  const hash = bearerHash("setup", given.secret);
  const isLink =
    link !== undefined &&
    hash !== undefined &&
    timingSafeEqual(Buffer.from(hash), Buffer.from(link.secretHash)) &&
    now < link.expiresAt;
  if (!isLink || (await store.countUsers()) > 0) return { status: "closed" };
  const user: Parsed<User> = await makeUser(
    { name: given.name, password: given.password, role: "administrator", oidcSubject: undefined },
    now,
    random,
  );
  if (!user.ok) return { status: "refused", problem: user.problem };
  const added = await store.addUser(user.value, { onlyFirst: true });
  return added === "added" ? { status: "made", user: user.value } : { status: "closed" };
}
