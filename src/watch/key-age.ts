/** Keys that have signed for so long that it is time for another. */
import type { Context } from "../check/context.ts";
import type { Finding } from "../check/finding.ts";
import type { DkimKey } from "../keys/key.ts";
import { keyOwner } from "../keys/key-record-shapes.ts";
import { signingKey } from "../keys/rotation.ts";

const MONTHS = 12;
const DAY_MILLISECONDS = 86_400_000;

/** `keys`: of one domain. Of each algorithm one signs. */
export function oldKeyFindings(
  keys: readonly DkimKey[],
  context: Pick<Context, "finding" | "world">,
): Finding[] {
  const lanes = Map.groupBy(keys, ({ publicKey }) => publicKey.keyType);
  return [...lanes.values()].flatMap((lane) => {
    const key = signingKey(lane);
    if (key === undefined || context.world.now < old(key)) return [];
    return [
      context.finding("dkim-key-old", {
        owner: keyOwner(key),
        expected: `a key that is at most ${MONTHS} months old`,
        observed: `made on ${key.createdAt.toISOString().slice(0, 10)}, and it signs`,
        verify: "TXT",
        fix: { summary: "Begin a rotation: the next key takes over without a gap.", changes: [] },
      }),
    ];
  });
}

/** The longer of the months, so that no month's length makes a key old too early. */
const old = ({ createdAt }: DkimKey): Date => new Date(createdAt.getTime() + MONTHS * 31 * DAY_MILLISECONDS);
