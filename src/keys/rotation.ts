/**
 * From one key to the next without a gap: what to do, from what the name servers show and what was stored before.
 *
 * Nothing is taken to be published because somebody was told to publish it: a key moves on by what was seen. So a
 * restart at any point, a change that was lost on its way, and a record edited by hand are no special cases.
 */
import { byAge, type DkimKey, inState, type KeyState } from "./key.ts";
import { type KeyName, sameKeyName } from "./key-name.ts";
import type { KeyChange } from "./key-store.ts";
import { type KeyLook, type LookSummary, type ServerSight, sightText, summarize } from "./sighting.ts";

const HOUR_MILLISECONDS = 3_600_000;
const DAY_MILLISECONDS = 24 * HOUR_MILLISECONDS;
/** As long as mail may be under way, and read late (RFC 5321 §4.5.4.1 has senders try for four or five days). */
export const RETIRING_DAYS = 7;
export const REVOKED_DAYS = 30;
/** RFC 2308 §5: what resolvers do where nobody says. */
const DEFAULT_NEGATIVE_TTL_SECONDS = 10_800;
/** A DNS that has not shown a record everywhere by then will not do so by itself. */
const PATIENCE_HOURS = 24;

export type Action = "publish" | "wait" | "sign-with" | "revoke" | "remove" | "done" | "trouble";

export interface Step {
  readonly action: Action;
  /** Absent where there is no key at all. */
  readonly key?: DkimKey;
  /** When it goes on by itself, where that can be said. */
  readonly until?: Date;
  /** One sentence. */
  readonly reason: string;
}

export interface Turn {
  /** What is to be done first. */
  readonly step: Step;
  /** What else is to be done, or waited for. */
  readonly others: readonly Step[];
  /**
   * To be stored all together before anything is done. They also say who signs: the key in the state `signing`, and
   * no mail is signed where there is none.
   */
  readonly changes: readonly KeyChange[];
}

/** The one key to sign with; undefined: sign nothing. */
export function signingKey(keys: readonly DkimKey[]): DkimKey | undefined {
  return keys
    .filter(({ state, barred }) => state === "signing" && barred === undefined)
    .toSorted(bySwitch)
    .at(-1);
}

const bySwitch = (one: DkimKey, other: DkimKey): number =>
  (one.times.signing?.getTime() ?? 0) - (other.times.signing?.getTime() ?? 0) || byAge(one, other);

/** A person's word that a key never signs again; `revoked` also takes it out of DNS at once. */
export function barKey(key: DkimKey, how: "retired" | "revoked", now: Date): DkimKey {
  if (key.state === "removed") return key;
  const barred = key.barred === "revoked" ? "revoked" : how;
  if (key.state === "revoked" || key.state === "retiring") return { ...key, barred };
  return { ...stopped(key, "retiring", now), barred };
}

/** `keys`: of one domain and one algorithm. A key without a look counts as one that nobody could be asked about. */
export function nextStep(keys: readonly DkimKey[], looks: readonly KeyLook[], now: Date): Turn {
  const lane = keys.filter(({ state }) => state !== "removed").toSorted(byAge);
  const seen = new Map(lane.map((key) => [key.dkimSelector, summarize(lookAt(looks, key)?.perServer ?? [])]));
  const sight = (key: KeyName) => seen.get(key.dkimSelector)!;
  const noticed = lane.map((key) =>
    notice(key, sight(key), lookAt(looks, key)?.negativeTtlSeconds ?? DEFAULT_NEGATIVE_TTL_SECONDS, now),
  );
  const { after, signer, isNew } = chooseSigner(noticed, now);
  const steps = [
    ...(signer !== undefined && isNew ? [signStep(signer, lane)] : []),
    ...after.flatMap((key) =>
      stepOf(key, sight(key), { signer, before: find(lane, key), sight, after, now }),
    ),
  ].toSorted((one, other) => ORDER.indexOf(one.action) - ORDER.indexOf(other.action));
  const [step = doneStep(signer), ...others] = steps;
  return { step, others, changes: changesBetween(lane, after) };
}

const ORDER: readonly Action[] = ["trouble", "sign-with", "publish", "revoke", "remove", "wait", "done"];

const find = <T extends KeyName>(all: readonly T[], name: KeyName): T | undefined =>
  all.find((each) => sameKeyName(each, name));
const lookAt = (looks: readonly KeyLook[], key: DkimKey) => find(looks, key);

/** The key after a look: what is remembered of it, and the state that follows from that alone. */
function notice(key: DkimKey, look: LookSummary, negativeTtlSeconds: number, now: Date): DkimKey {
  const noted = { ...key, sighting: sightingAfter(key, look, negativeTtlSeconds, now) };
  switch (key.state) {
    case "prepared":
    case "published":
    case "proven":
      return becomes(noted, waitingState(noted, look, now), now);
    case "signing":
      // What nobody could be asked about is not gone.
      return look.denying.length > 0
        ? stopped(noted, look.isSomewhere ? "published" : "prepared", now)
        : noted;
    case "retiring":
      if (look.isRevoked) return becomes(noted, "revoked", now);
      return look.isGone && (key.times.published === undefined || isDue(key, now))
        ? becomes(noted, "removed", now)
        : noted;
    case "revoked":
      return look.isGone ? becomes(noted, "removed", now) : noted;
    case "removed":
      return key;
    default:
      return key.state satisfies never;
  }
}

function sightingAfter(key: DkimKey, look: LookSummary, negativeTtlSeconds: number, now: Date) {
  const { sighting } = key;
  const otherTtlSeconds = Math.max(look.otherTtlSeconds, sighting.otherTtlSeconds ?? 0);
  const other = otherTtlSeconds > 0 ? { otherTtlSeconds } : {};
  if (!look.isEverywhere) return other;
  if (sighting.everywhereSince !== undefined) return sighting;
  // A cache may have asked just before the last server had the key.
  const cachedMilliseconds = 1000 * Math.max(negativeTtlSeconds, otherTtlSeconds);
  return { ...other, everywhereSince: now, cachesClearAt: new Date(now.getTime() + cachedMilliseconds) };
}

function waitingState(key: DkimKey, look: LookSummary, now: Date): KeyState {
  if (isProven(key, now)) return "proven";
  if (look.isSomewhere) return "published";
  const isUnclear = look.silent.length > 0 || look.denying.length === 0;
  return key.state !== "prepared" && isUnclear ? "published" : "prepared";
}

/** At this very look every name server shows it, and no cache can hold anything else. */
const isProven = ({ sighting }: DkimKey, now: Date): boolean =>
  sighting.everywhereSince !== undefined &&
  sighting.cachesClearAt !== undefined &&
  sighting.cachesClearAt <= now;

const becomes = (key: DkimKey, state: KeyState, now: Date): DkimKey =>
  key.state === state ? key : inState(key, state, now);

/** It may have signed until this very moment. */
function stopped(key: DkimKey, state: KeyState, now: Date): DkimKey {
  const next = inState(key, state, now);
  return key.state === "signing" ? { ...next, lastSignedAt: now } : next;
}

/** Whether a retiring key may be taken back. */
function isDue(key: DkimKey, now: Date): boolean {
  return key.barred === "revoked" || retiringUntil(key) <= now;
}

/** As long a key stays published after its last signature. */
export function retiringUntil({ lastSignedAt, times }: Pick<DkimKey, "lastSignedAt" | "times">): Date {
  const last = Math.max(lastSignedAt?.getTime() ?? 0, times.retiring?.getTime() ?? 0);
  return new Date(last + RETIRING_DAYS * DAY_MILLISECONDS);
}

interface Choice {
  readonly after: readonly DkimKey[];
  readonly signer: DkimKey | undefined;
  /** It did not sign before. */
  readonly isNew: boolean;
}

/** The newest proven key signs; where there is none, the old key goes on, or comes back. */
function chooseSigner(keys: readonly DkimKey[], now: Date): Choice {
  const current = signingKey(keys);
  const ready = (state: KeyState) =>
    keys.findLast((key) => key.state === state && key.barred === undefined && isProven(key, now));
  const proven = ready("proven");
  const next = current
    ? proven && byAge(current, proven) < 0
      ? proven
      : undefined
    : (proven ?? ready("retiring"));
  const signer = next ?? current;
  if (signer === undefined) return { after: keys, signer, isNew: false };
  const after = keys.map((key) => {
    if (sameKeyName(key, signer)) return becomes(key, "signing", now);
    const isOutdated = byAge(key, signer) < 0 && !["retiring", "revoked", "removed"].includes(key.state);
    return key.state === "signing" || isOutdated ? stopped(key, "retiring", now) : key;
  });
  return { after, signer: find(after, signer), isNew: next !== undefined };
}

interface Surroundings {
  readonly signer: DkimKey | undefined;
  readonly before: DkimKey | undefined;
  readonly sight: (key: KeyName) => LookSummary;
  readonly after: readonly DkimKey[];
  readonly now: Date;
}

function stepOf(key: DkimKey, look: LookSummary, around: Surroundings): Step[] {
  switch (key.state) {
    case "prepared":
    case "published":
    case "proven":
      if (around.before?.state === "signing") return [lostStep(key, look, around.signer)];
      return isCandidate(key, around.after) ? [candidateStep(key, look, around.now)] : [];
    case "signing":
      return silentStep(key, look);
    case "retiring":
      return [retiringStep(key, look, around)];
    case "revoked":
      return [revokedStep(key, look, around.now)];
    case "removed":
      return [];
    default:
      return key.state satisfies never;
  }
}

/** The newest of those that have not signed; the others wait behind it. */
function isCandidate(key: DkimKey, keys: readonly DkimKey[]): boolean {
  const waiting = keys.filter(({ state }) => ["prepared", "published", "proven"].includes(state));
  return waiting.at(-1) === key;
}

const serversText = (servers: readonly ServerSight[]): string => {
  const shown = servers.slice(0, 4).map(({ server, sight }) => `${server} ${sightText(sight)}`);
  const more = servers.length > 4 ? [`and ${servers.length - 4} more`] : [];
  return [...shown, ...more].join("; ");
};

function signStep(signer: DkimKey, before: readonly DkimKey[]): Step {
  const isBack = find(before, signer)?.state === "retiring";
  const reason = isBack
    ? "the newer key is gone from DNS, and this one is still at every name server: sign with it again"
    : "every name server shows it, and no cache can hold anything else: sign with it from now on";
  return { action: "sign-with", key: signer, reason };
}

function lostStep(key: DkimKey, look: LookSummary, signer: DkimKey | undefined): Step {
  const instead =
    signer === undefined
      ? "no other key is published, so mail goes out unsigned until it is back"
      : `${signer.dkimSelector} signs instead`;
  const reason = `it signed, and is not published everywhere any more (${serversText(look.denying)}): it stops signing, and ${instead}; publish it again, or retire it`;
  return { action: "trouble", key, reason };
}

function candidateStep(key: DkimKey, look: LookSummary, now: Date): Step {
  const foreign = look.denying.filter(({ sight }) => sight.kind !== "absent");
  if (foreign.length > 0) {
    const reason = `something else stands in its place (${serversText(foreign)}): nothing is overwritten; take that record away, or make a key with another selector`;
    return { action: "trouble", key, reason };
  }
  if (look.denying.length === 0 && look.silent.length === 0 && !look.isEverywhere) {
    return {
      action: "wait",
      key,
      reason: "no name server of the domain could be found; asked again next time",
    };
  }
  if (look.isEverywhere) {
    const until = key.sighting.cachesClearAt;
    const reason = "every name server shows it; caches may still hold that it does not exist";
    return { action: "wait", key, reason, ...(until && { until }) };
  }
  if (!look.isSomewhere && look.denying.length > 0) {
    const wasThere = key.times.published !== undefined;
    const reason = wasThere
      ? "it was published, and is gone from every name server that answers: publish it again, or retire it"
      : "no name server has it yet: publish it";
    return { action: "publish", key, reason };
  }
  const open = [...look.denying, ...look.silent];
  const since = (key.times.published ?? key.createdAt).getTime();
  const isLate = now.getTime() - since > PATIENCE_HOURS * HOUR_MILLISECONDS;
  const reason = `not at every name server yet (${serversText(open)})`;
  if (!isLate) return { action: "wait", key, reason };
  const advice = `after more than ${PATIENCE_HOURS} hours: see whether that server gets the zone, or take it out of the NS records`;
  return { action: "trouble", key, reason: `${reason}, ${advice}` };
}

function silentStep(key: DkimKey, look: LookSummary): Step[] {
  if (look.isEverywhere) return [];
  const silent = look.silent.length > 0 ? serversText(look.silent) : "no name server could be found";
  return [{ action: "wait", key, reason: `it goes on signing, though not all could be asked: ${silent}` }];
}

function retiringStep(key: DkimKey, look: LookSummary, { signer, sight, now }: Surroundings): Step {
  const until = retiringUntil(key);
  if (!isDue(key, now)) {
    const reason = look.isGone
      ? "it is gone from DNS too early: mail that it signed, and that is still under way, fails; publish it again until then"
      : `kept published for ${RETIRING_DAYS} days after its last signature, for the mail that is under way`;
    return { action: "wait", key, until, reason };
  }
  if (key.barred === undefined && (signer === undefined || !sight(signer).isEverywhere)) {
    return { action: "wait", key, reason: "kept, for no newer key is at every name server" };
  }
  if (!look.isSomewhere && look.denying.length === 0) {
    return { action: "wait", key, reason: "no name server could be asked; it is taken back next time" };
  }
  const foreign = look.denying.filter(({ sight: { kind } }) => kind !== "absent" && kind !== "revoked");
  if (foreign.length > 0) {
    const reason = `something else stands in its place (${serversText(foreign)}): nothing is overwritten; take that record away`;
    return { action: "trouble", key, reason };
  }
  const reason =
    key.barred === "revoked"
      ? "it must not count any more: publish its record with an empty p="
      : "the last mail that it signed has arrived or failed: publish its record with an empty p=";
  return { action: "revoke", key, reason };
}

function revokedStep(key: DkimKey, look: LookSummary, now: Date): Step {
  if (look.isSomewhere) {
    return { action: "revoke", key, reason: "it was revoked, and is back in DNS: publish an empty p= again" };
  }
  const until = new Date((key.times.revoked ?? now).getTime() + REVOKED_DAYS * DAY_MILLISECONDS);
  if (now < until) {
    const reason = `its record says for ${REVOKED_DAYS} days that it is revoked`;
    return { action: "wait", key, until, reason };
  }
  const foreign = look.denying.filter(({ sight: { kind } }) => kind !== "absent" && kind !== "revoked");
  if (foreign.length > 0) {
    const reason = `something else stands in its place (${serversText(foreign)}): nothing is overwritten; take that record away`;
    return { action: "trouble", key, reason };
  }
  if (look.denying.length === 0) {
    return { action: "wait", key, reason: "no name server could be asked; it is removed next time" };
  }
  return { action: "remove", key, reason: `revoked for ${REVOKED_DAYS} days: take its record away` };
}

function doneStep(signer: DkimKey | undefined): Step {
  return signer === undefined
    ? { action: "done", reason: "there is no key that could sign: make one" }
    : {
        action: "done",
        key: signer,
        reason: "it signs, every name server shows it, and nothing else is under way",
      };
}

function changesBetween(before: readonly DkimKey[], after: readonly DkimKey[]): KeyChange[] {
  return before.flatMap((key, at) => {
    const next = after[at]!;
    return isUnchanged(key, next) ? [] : [{ before: key, after: next }];
  });
}

function isUnchanged(one: DkimKey, other: DkimKey): boolean {
  const [before, after] = [one.sighting, other.sighting];
  return (
    one.state === other.state &&
    one.barred === other.barred &&
    one.times === other.times &&
    one.lastSignedAt === other.lastSignedAt &&
    before.everywhereSince === after.everywhereSince &&
    before.cachesClearAt === after.cachesClearAt &&
    before.otherTtlSeconds === after.otherTtlSeconds
  );
}
