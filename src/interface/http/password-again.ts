/** An open screen is not its owner: for what would outlive the session, the password is shown again. */
import { isOwner } from "../../access/account.ts";
import { countInSession, takeBackInSession } from "../../access/attempt.ts";
import { endSession } from "../../access/session.ts";
import { notLoggedIn } from "./door.ts";
import type { ServerParts } from "./parts.ts";
import { Refusal } from "./problem.ts";
import type { Asked } from "./route.ts";

/** Who has no password proves it anew where they come in: what is longer ago is an open screen. */
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
    const { provenAt } = session;
    if (provenAt !== undefined && parts.now().getTime() - provenAt.getTime() <= FRESH_MILLISECONDS) return;
    throw new Refusal(
      "log-in-again",
      provenAt === undefined
        ? "it is not known when you proved who you are, and the account has no password to ask for"
        : "the login was too long ago for this, and the account has no password to ask for",
      "log in again, then do it within ten minutes; where that does not help, an administrator gives you a password",
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
