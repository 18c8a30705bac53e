/** An open screen is not its owner: for what would outlive the session, the password is shown again. */
import { isOwner } from "../../access/account.ts";
import { countCode, takeBackCode } from "../../access/attempt.ts";
import type { ServerParts } from "./parts.ts";
import { Refusal, waitFor } from "./problem.ts";
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
  const { user, session } = asked.session!.open;
  if (user.passwordHash === undefined) {
    if (parts.now().getTime() - session.createdAt.getTime() <= FRESH_MILLISECONDS) return;
    throw new Refusal(
      "refused",
      "the login was too long ago for this, and the account has no password to ask for",
      "log out and in again, then do it within ten minutes",
    );
  }
  const counted = `password ${user.id}`;
  const granted = await countCode(parts.access, counted, parts.now());
  if (!granted.granted) throw waitFor(granted.waitSeconds);
  if (!(await isOwner(user, typed)))
    throw new Refusal("refused", "that is not the password", "type the password that you log in with", {
      where,
    });
  await takeBackCode(parts.access, counted, parts.now());
}
