/** The next step of a domain's keys, by what name servers show now. */
import type { AuthoritativeView } from "../check/view.ts";
import type { DkimKey } from "../keys/key.ts";
import type { KeyStore } from "../keys/key-store.ts";
import { nextStep, type Step } from "../keys/rotation.ts";
import type { DkimPublicKey } from "../standards/dkim/public-key.ts";
import type { DomainName } from "../standards/dns/name.ts";
import { lookAtKeys, type SeenKey } from "./key-look.ts";

/** The keys of one algorithm, which follow one another. */
export interface LaneResult {
  readonly domain: DomainName;
  readonly algorithm: DkimPublicKey["keyType"];
  readonly steps: readonly Step[];
  /** What was seen, with the keys as they are after it. */
  readonly seen: readonly SeenKey[];
  /** No name server could be asked about any of its keys. */
  readonly isBlind: boolean;
}

export const lanesOf = (keys: readonly DkimKey[]) => [
  ...Map.groupBy(
    keys.filter(({ state }) => state !== "removed"),
    ({ publicKey }) => publicKey.keyType,
  ),
];

/** Which algorithms get a successor: those that have none on its way. `waiting` is one that is, where there are no others. */
export function lanesToBegin(keys: readonly DkimKey[]): {
  readonly algorithms: readonly LaneResult["algorithm"][];
  readonly waiting: DkimKey | undefined;
} {
  const lanes = lanesOf(keys).map(([algorithm, lane]) => ({
    algorithm,
    waiting: lane.find(({ state }) => ["prepared", "published", "proven"].includes(state)),
  }));
  const algorithms = lanes.flatMap(({ algorithm, waiting }) => (waiting === undefined ? [algorithm] : []));
  const waiting = algorithms.length > 0 ? undefined : lanes.at(0)?.waiting;
  return { algorithms, waiting };
}

/** Looks that others make at the same time may store theirs first: then it is looked at what they stored. */
const MAX_TRIES = 3;

/** Undefined where others kept changing the keys meanwhile; nothing was changed. */
export async function turnKeys(
  domain: DomainName,
  view: AuthoritativeView,
  store: KeyStore,
  now: () => Date,
): Promise<readonly LaneResult[] | undefined> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const lanes = lanesOf(await store.list(domain));
    const seen = await lookAtKeys(
      lanes.flatMap(([, keys]) => keys),
      view,
    );
    const looks = seen.map(({ look }) => look);
    const at = now();
    const turns = lanes.map(([algorithm, keys]) => ({ algorithm, keys, turn: nextStep(keys, looks, at) }));
    if ((await store.change(turns.flatMap(({ turn }) => turn.changes))) === "stale") continue;
    return turns.map(({ algorithm, keys, turn }) => {
      const own = seen.filter(({ key }) => keys.includes(key));
      return {
        domain,
        algorithm,
        steps: [turn.step, ...turn.others],
        seen: own.map(({ key, look }) => ({
          key: turn.changes.find(({ before }) => before === key)?.after ?? key,
          look,
        })),
        isBlind: own.every(({ look }) => look.perServer.every(({ sight }) => sight.kind === "unknown")),
      };
    });
  }
  return undefined;
}
