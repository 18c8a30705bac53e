/** What a key has been through, and what is ahead of it: the road that `nextStep` leads it along, with its times. */
import { byAge, type DkimKey, type KeyState } from "./key.ts";
import { REVOKED_DAYS, retiringUntil, signingKey } from "./rotation.ts";

const DAY_MILLISECONDS = 86_400_000;

/**
 * What has to come about before: `record` its record shows in DNS · `caches` every name server shows it, and caches have
 * let go of what was there before · `newest` it is the newest of those proven · `successor` a newer key signs ·
 * `mail` the mail that it signed has arrived or failed · `emptied` its record has an empty p= · `taken-away` its record
 * is gone.
 */
export type Condition = "record" | "caches" | "newest" | "successor" | "mail" | "emptied" | "taken-away";

export interface Ahead {
  readonly state: KeyState;
  readonly condition: Condition;
  /** Not before that; undefined where nobody can say yet. */
  readonly earliest?: Date;
}

export interface Outlook {
  readonly key: DkimKey;
  /** In the order of time; the last is how it is now. */
  readonly past: readonly { readonly state: KeyState; readonly at: Date }[];
  readonly ahead: readonly Ahead[];
}

/** `keys`: of one domain and one algorithm. Nothing is asked: it is what is known from the looks so far. */
export function outlooksOf(keys: readonly DkimKey[]): readonly Outlook[] {
  const lane = keys.toSorted(byAge);
  const signer = signingKey(lane);
  const candidate = lane.findLast(
    (key) => isWaiting(key) && (signer === undefined || byAge(signer, key) < 0),
  );
  return lane.map((key) => ({ key, past: pastOf(key), ahead: aheadOf(key, candidate) }));
}

const isWaiting = ({ state }: DkimKey): boolean => ["prepared", "published", "proven"].includes(state);

/** A key that came back into a former state was in the later ones for nothing: they are left out. */
function pastOf({ times, state }: DkimKey): Outlook["past"] {
  const entries = (Object.entries(times) as [KeyState, Date][]).map(([name, at]) => ({ state: name, at }));
  const ordered = entries.toSorted((one, other) => one.at.getTime() - other.at.getTime());
  return [...ordered.filter((one) => one.state !== state), ...ordered.filter((one) => one.state === state)];
}

function aheadOf(key: DkimKey, candidate: DkimKey | undefined): Ahead[] {
  switch (key.state) {
    case "prepared":
      return [step("published", "record"), ...toSigning(key, candidate)];
    case "published":
    case "proven":
      return toSigning(key, candidate);
    case "signing":
      return toRetiring(candidate);
    case "retiring": {
      if (key.times.published === undefined) return [step("removed", "taken-away")];
      const due = key.barred === "revoked" ? undefined : retiringUntil(key);
      return toRemoved("revoked" === key.barred ? "emptied" : "mail", due);
    }
    case "revoked":
      return [step("removed", "taken-away", daysAfter(key.times.revoked, REVOKED_DAYS))];
    case "removed":
      return [];
    default:
      return key.state satisfies never;
  }
}

function toSigning(key: DkimKey, candidate: DkimKey | undefined): Ahead[] {
  // Only the newest comes to sign; the others are retired once it does.
  if (candidate !== undefined && key !== candidate) return toRetiring(candidate);
  const clear = key.sighting.cachesClearAt;
  const proven = key.state === "proven" ? [] : [step("proven", "caches", clear)];
  return [...proven, step("signing", "newest", clear), ...toRetiring(undefined)];
}

function toRetiring(candidate: DkimKey | undefined): Ahead[] {
  const at = candidate?.sighting.cachesClearAt;
  const until = at && retiringUntil({ times: {}, lastSignedAt: at });
  return [step("retiring", "successor", at), ...toRemoved("mail", until)];
}

const toRemoved = (condition: Condition, at: Date | undefined): Ahead[] => [
  step("revoked", condition, at),
  step("removed", "taken-away", daysAfter(at, REVOKED_DAYS)),
];

const step = (state: KeyState, condition: Condition, earliest?: Date): Ahead => ({
  state,
  condition,
  ...(earliest && { earliest }),
});

const daysAfter = (at: Date | undefined, days: number): Date | undefined =>
  at && new Date(at.getTime() + days * DAY_MILLISECONDS);
