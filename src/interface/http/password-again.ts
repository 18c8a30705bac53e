/** An open screen is not its owner: for what would outlive the session, the password is shown again. */
import { isOwner } from "../../access/account.ts";
import { countCode, takeBackCode } from "../../access/attempt.ts";
import type { ServerParts } from "./parts.ts";
import { Refusal, waitFor } from "./problem.ts";
import type { Asked } from "./route.ts";

/** Of a session alone. */
export async function requirePassword(
  typed: string | undefined,
  asked: Asked,
  parts: ServerParts,
): Promise<void> {
  const { user } = asked.session!.open;
  const counted = `password ${user.id}`;
  const granted = await countCode(parts.access, counted, parts.now());
  if (!granted.granted) throw waitFor(granted.waitSeconds);
  if (!(await isOwner(user, typed)))
    throw new Refusal("refused", "that is not the password", "type the password that you log in with", {
      where: "body.password",
    });
  await takeBackCode(parts.access, counted, parts.now());
}
