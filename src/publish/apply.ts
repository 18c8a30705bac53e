/**
 * Plans carried out. Each step is noted before and after, so that whoever comes next, after a crash or an
 * interruption, reads in the store what was meant and in the zone what has come of it: nothing is half-known.
 */
import type { DomainName } from "../standards/dns/name.ts";
import type { Rdata, RecordType } from "../standards/dns/record.ts";
import type { Guard, GuardId, Plan } from "./planned.ts";
import type { Provider, ProviderFailure, Rrset, RrsetChange, ZoneContent } from "./provider.ts";
import type { ApplyRecord, OwnedValue, PublishStore } from "./publish-store.ts";
import { rrsetKey, sameData, sameRrset, valueKey } from "./rrset.ts";

/** What one name server answers for an RRset. */
export interface SeenAt {
  /** "ns1.example.org (192.0.2.53)" */
  readonly server: string;
  /** Empty where there is none; undefined where it could not be told. */
  readonly data: readonly Rdata[] | undefined;
}

/** Processes that carry applies out. */
export interface Holders {
  /** This one. */
  readonly own: string;
  /** Whether the process is gone for certain; false where that cannot be told from here. */
  readonly isGone: (holder: string) => boolean;
}

export interface ApplyTools {
  readonly provider: Provider;
  readonly store: PublishStore;
  /** Asks every authoritative name server. */
  readonly see: (name: DomainName, type: RecordType) => Promise<readonly SeenAt[]>;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly now: () => Date;
  readonly holders: Holders;
  /** Unique, in the order of time. */
  readonly newId: () => string;
  readonly onProgress: (event: ApplyEvent) => void;
  /** Asked before each step: a wait is long enough for whoever approved it to lose the right. Absent: always. */
  readonly isStillApproved?: () => Promise<boolean>;
}

export type ApplyEvent =
  | { readonly kind: "wait"; readonly seconds: number; readonly reason: string }
  | {
      readonly kind: "step";
      readonly at: number;
      readonly of: number;
      readonly changes: readonly RrsetChange[];
    }
  | { readonly kind: "look"; readonly left: number };

export interface ApplyOptions {
  /** Guards that the user overrides. */
  readonly allow: readonly GuardId[];
  /** Skips the waits between steps. */
  readonly noWait?: boolean;
  /** The first step waits until then as well: what an interrupted apply has waited for. */
  readonly notBefore?: Date;
  /** How long to look for the changes at the name servers. */
  readonly lookSeconds: number;
}

/** A change that a name server does not show. */
export interface Unseen {
  readonly change: RrsetChange;
  readonly server: string;
  /** What it shows instead; undefined where it could not be told. */
  readonly data: readonly Rdata[] | undefined;
}

export type ApplyResult =
  | { readonly status: "nothing-to-do" }
  | { readonly status: "blocked"; readonly guards: readonly Guard[] }
  /** Another apply to this zone is under way, or was interrupted: `recover` first. */
  | { readonly status: "busy" }
  /** Nothing was changed in the step that found it. */
  | { readonly status: "stale"; readonly stepsDone: number; readonly detail: string }
  | { readonly status: "stopped"; readonly stepsDone: number; readonly failure: ProviderFailure }
  /** `unseen`: what some name server did not show in time. */
  | { readonly status: "done"; readonly id: string; readonly unseen: readonly Unseen[] };

export async function applyPlan(plan: Plan, options: ApplyOptions, tools: ApplyTools): Promise<ApplyResult> {
  const { store, now, newId, holders } = tools;
  const guards = plan.guards.filter(
    ({ id, canBeOverridden }) => !canBeOverridden || !options.allow.includes(id),
  );
  if (guards.length > 0) return { status: "blocked", guards };
  if (plan.steps.length === 0) {
    return (await adopt(plan, tools)) ? { status: "nothing-to-do" } : { status: "busy" };
  }
  const apply: ApplyRecord = {
    id: newId(),
    zone: plan.zone,
    startedAt: now(),
    state: "running",
    steps: plan.steps.map(({ changes }) => changes),
    stepsDone: 0,
    ownedBefore: plan.ownedBefore,
    ownedAfter: plan.ownedAfter,
    holder: holders.own,
    heldUntil: heldFrom(now()),
  };
  if (!(await store.begin(apply))) return { status: "busy" };
  return carryOut(apply, plan.steps, options, tools);
}

/** Values that stand there already, as they should, are ours from now on: nothing has to be written for that. */
async function adopt(plan: Plan, { store, now, newId, holders }: ApplyTools): Promise<boolean> {
  const text = (owned: readonly OwnedValue[]) =>
    owned
      .map((one) => `${rrsetKey(one)} ${one.value} ${one.spfTerms}`)
      .sort()
      .join("\n");
  if (text(plan.ownedBefore) === text(plan.ownedAfter)) return true;
  const { zone, ownedBefore, ownedAfter } = plan;
  const id = newId();
  const apply = {
    id,
    zone,
    startedAt: now(),
    state: "running",
    steps: [],
    stepsDone: 0,
    ownedBefore,
    ownedAfter,
    holder: holders.own,
    heldUntil: heldFrom(now()),
  } as const;
  if (!(await store.begin(apply))) return false;
  await store.finish(id, ownedAfter);
  return true;
}

const NOT_APPROVED: ProviderFailure = {
  status: "failed",
  cause: "refused",
  detail: "who approved this may not publish into the zone any more; what was done until then stays",
};

async function carryOut(
  apply: ApplyRecord,
  steps: Plan["steps"],
  options: ApplyOptions,
  tools: ApplyTools,
): Promise<ApplyResult> {
  const { provider, store, onProgress, now, isStillApproved } = tools;
  const unseen: Unseen[] = [];
  for (const [at, { changes, waitSeconds: planned, waitReason = "" }] of steps.entries()) {
    const owed = at === 0 && options.notBefore ? options.notBefore.getTime() - now().getTime() : 0;
    const waitSeconds = Math.max(planned, Math.ceil(owed / 1000));
    if (waitSeconds > 0 && !options.noWait) {
      onProgress({ kind: "wait", seconds: waitSeconds, reason: waitReason });
      if (!(await waitHolding(apply, waitSeconds, tools))) return { status: "busy" };
    }
    if (!(await hold(apply, tools))) return { status: "busy" };
    if ((await isStillApproved?.()) === false) {
      await settle(apply, tools);
      return { status: "stopped", stepsDone: at, failure: NOT_APPROVED };
    }
    onProgress({ kind: "step", at, of: steps.length, changes });
    const outcome = await provider.apply(apply.zone, changes);
    if (outcome.status === "stale") {
      await settle(apply, tools);
      return { status: "stale", stepsDone: at, detail: outcome.detail };
    }
    if (outcome.status !== "applied") {
      await settle(apply, tools);
      const failure = outcome.status === "interrupted" ? outcome.failure : outcome;
      return { status: "stopped", stepsDone: at, failure };
    }
    await store.stepDone(apply.id, at + 1);
    unseen.push(...(await lookFor(apply, changes, options.lookSeconds, tools)));
  }
  await store.finish(apply.id, apply.ownedAfter, apply.undoes);
  return { status: "done", id: apply.id, unseen };
}

/** More than the longest call of a provider takes. */
const HOLD_MILLISECONDS = 120_000;
const SLICE_MILLISECONDS = 30_000;

const heldFrom = (now: Date): Date => new Date(now.getTime() + HOLD_MILLISECONDS);

const hold = ({ id }: ApplyRecord, { store, now }: ApplyTools, waitsUntil?: Date): Promise<boolean> =>
  store.hold(id, heldFrom(now()), waitsUntil);

/** Says again and again that it is at it. False where somebody else has ended the apply meanwhile. */
async function waitHolding(apply: ApplyRecord, seconds: number, tools: ApplyTools): Promise<boolean> {
  const until = new Date(tools.now().getTime() + 1000 * seconds);
  for (let left = 1000 * seconds; left > 0; left -= SLICE_MILLISECONDS) {
    if (!(await hold(apply, tools, until))) return false;
    await tools.sleep(Math.min(left, SLICE_MILLISECONDS));
  }
  return true;
}

/** First soon, then ever later. */
const LOOK_MILLISECONDS = [0, 250, 500, 1000, 2000, 4000, 8000];

async function lookFor(
  apply: ApplyRecord,
  changes: readonly RrsetChange[],
  seconds: number,
  tools: ApplyTools,
): Promise<Unseen[]> {
  let left: readonly RrsetChange[] = changes;
  let unseen: Unseen[] = [];
  let spent = 0;
  for (let round = 0; ; round++) {
    const wait = LOOK_MILLISECONDS[Math.min(round, LOOK_MILLISECONDS.length - 1)]!;
    if (spent + wait > seconds * 1000 && round > 0) return unseen;
    await hold(apply, tools);
    await tools.sleep(wait);
    spent += wait;
    tools.onProgress({ kind: "look", left: left.length });
    unseen = (await Promise.all(left.map((change) => unseenOf(change, tools)))).flat();
    left = [...new Set(unseen.map(({ change }) => change))];
    if (left.length === 0) return [];
  }
}

async function unseenOf(change: RrsetChange, { see }: ApplyTools): Promise<Unseen[]> {
  const servers = await see(change.name, change.type);
  if (servers.length === 0) return [{ change, server: "no name server", data: undefined }];
  return servers.flatMap(({ server, data }) =>
    data !== undefined && sameData(data, change.after?.data ?? []) ? [] : [{ change, server, data }],
  );
}

/**
 * After an apply that did not come to its end: what of it stands in the zone is ours, whatever the provider said. False
 * where the zone cannot be read: then the apply stays as it is, for the next time.
 */
async function settle(apply: ApplyRecord, { provider, store }: ApplyTools): Promise<boolean> {
  const outcome = await provider.readZone(apply.zone);
  if (outcome.status !== "read") return false;
  await store.finish(apply.id, ownedIn(outcome.content, [...apply.ownedBefore, ...apply.ownedAfter]));
  return true;
}

function ownedIn({ rrsets }: ZoneContent, candidates: readonly OwnedValue[]): OwnedValue[] {
  const standing = new Set(
    rrsets.flatMap((rrset) => rrset.data.map((data) => `${rrsetKey(rrset)} ${valueKey(data)}`)),
  );
  const unique = new Map(candidates.map((one) => [`${rrsetKey(one)} ${one.value}`, one]));
  return [...unique].filter(([key]) => standing.has(key)).map(([, one]) => one);
}

export type Recovery =
  /** No apply was under way. */
  | { readonly status: "clean" }
  | { readonly status: "recovered"; readonly apply: ApplyRecord; readonly done: number; readonly of: number }
  /** Somebody is at it; where that process is gone after all, the zone is free from `until` on. */
  | { readonly status: "busy"; readonly until: Date }
  | { readonly status: "failed"; readonly failure: ProviderFailure };

/** What an interrupted apply has left, read from the zone; from then on a new plan goes on where it stopped. */
export async function recover(
  zone: DomainName,
  tools: Pick<ApplyTools, "provider" | "store" | "now" | "holders">,
): Promise<Recovery> {
  const last = await tools.store.running(zone);
  if (last === undefined) return { status: "clean" };
  if (last.heldUntil > tools.now() && !tools.holders.isGone(last.holder))
    return { status: "busy", until: last.heldUntil };
  const outcome = await tools.provider.readZone(zone);
  if (outcome.status !== "read") return { status: "failed", failure: outcome };
  const standing = new Map(outcome.content.rrsets.map((rrset) => [rrsetKey(rrset), rrset]));
  const changes = last.steps.flat();
  const done = changes.filter((change) => sameRrset(standing.get(rrsetKey(change)), change.after)).length;
  await tools.store.finish(last.id, ownedIn(outcome.content, [...last.ownedBefore, ...last.ownedAfter]));
  return { status: "recovered", apply: last, done, of: changes.length };
}

export type UndoPlan =
  | { readonly status: "nothing-to-undo" }
  | {
      readonly status: "planned";
      readonly undoes: ApplyRecord;
      readonly steps: readonly (readonly RrsetChange[])[];
    };

/**
 * Takes back what the last apply did, value by value: what others have changed since stays as they left it. `last`: as
 * `PublishStore.latestToUndo`.
 */
export function planUndo(last: ApplyRecord | undefined, { rrsets }: ZoneContent): UndoPlan {
  if (last === undefined) return { status: "nothing-to-undo" };
  const standing = new Map(rrsets.map((rrset) => [rrsetKey(rrset), rrset]));
  const steps = last.steps
    .toReversed()
    .map((changes) => changes.toReversed().flatMap((change) => takenBack(change, standing)))
    .filter((changes) => changes.length > 0);
  return { status: "planned", undoes: last, steps };
}

function takenBack(change: RrsetChange, standing: ReadonlyMap<string, Rrset>): RrsetChange[] {
  const { name, type, before, after } = change;
  const current = standing.get(rrsetKey(change));
  const had = new Set((before?.data ?? []).map(valueKey));
  const made = new Set((after?.data ?? []).map(valueKey));
  const kept = (current?.data ?? []).filter((data) => !made.has(valueKey(data)) || had.has(valueKey(data)));
  const present = new Set(kept.map(valueKey));
  const back = (before?.data ?? []).filter(
    (data) => !made.has(valueKey(data)) && !present.has(valueKey(data)),
  );
  const data = [...kept, ...back];
  const isOurs = current !== undefined && sameData(current.data, after?.data ?? []);
  const ttlSeconds =
    (isOurs ? before?.ttlSeconds : current?.ttlSeconds) ?? before?.ttlSeconds ?? current?.ttlSeconds ?? 0;
  const target = data.length === 0 ? undefined : { name, type, ttlSeconds, data };
  return sameRrset(current, target) ? [] : [{ name, type, before: current, after: target }];
}

export async function applyUndo(
  { undoes, steps }: Extract<UndoPlan, { status: "planned" }>,
  options: Pick<ApplyOptions, "lookSeconds">,
  tools: ApplyTools,
): Promise<ApplyResult> {
  const { store, now, newId, holders } = tools;
  const apply: ApplyRecord = {
    id: newId(),
    zone: undoes.zone,
    startedAt: now(),
    state: "running",
    steps,
    stepsDone: 0,
    ownedBefore: await store.ownedIn(undoes.zone),
    ownedAfter: undoes.ownedBefore,
    undoes: undoes.id,
    holder: holders.own,
    heldUntil: heldFrom(now()),
  };
  if (!(await store.begin(apply))) return { status: "busy" };
  const planned = steps.map((changes) => ({ changes, waitSeconds: 0 }));
  return carryOut(apply, planned, { ...options, allow: [], noWait: true }, tools);
}
