/** An open screen is not its owner: for what would outlive the session, the password is shown again. */
import { isOwner } from "../../access/account.ts";
import { countInSession, takeBackInSession } from "../../access/attempt.ts";
import { endSession } from "../../access/session.ts";
import { notLoggedIn } from "./door.ts";
import type { ServerParts } from "./parts.ts";
import { Refusal } from "./problem.ts";
import type { Asked } from "./route.ts";

/** Who has no password proves it anew where they come in: a session older than this is an open screen. */
const FRESH_MILLISECONDS = 10 * 60_000;

/** Of a session alone. `where`: the field that the password came in. */
export async function requirePassword(
  typed: string | undefined,
  asked: Asked,
  parts: ServerParts,
  where = "body.password",
): Promise<void> {
  const { secret, open } = asked.session!;
  const { user, session } = open;
  if (user.passwordHash === undefined) {
    if (parts.now().getTime() - session.createdAt.getTime() <= FRESH_MILLISECONDS) return;
    throw new Refusal(
      "refused",
      "the login was too long ago for this, and the account has no password to ask for",
      "log out and in again, then do it within ten minutes",
    );
  }
  const refused = (what: string) =>
    new Refusal("refused", what, "type the password that you log in with", { where });
  if (typed === undefined) throw refused("the password is asked for once more");
  const counted = [parts.access, "password", session.secretHash, parts.now()] as const;
  if (!(await countInSession(...counted)).granted) {
    await endSession(secret, parts.access);
    throw notLoggedIn("the password was wrong too often, and the session has ended");
  }
  if (!(await isOwner(user, typed))) throw refused("that is not the password");
  await takeBackInSession(...counted);
}
