/** What is remembered of checks: the state of each domain, its history, and what was told to whom. */
import type { Finding } from "../check/finding.ts";
import type { Past } from "../check/over-time.ts";
import type { Severity } from "../check/severity.ts";
import type { Action } from "../keys/rotation.ts";
import type { DomainName } from "../standards/dns/name.ts";

/** What looks at a domain remember beside findings: plain JSON. */
export interface DomainPast extends Past {
  readonly publishTroubles?: readonly PublishTrouble[];
}

/** Why this server could not take a step of one key, when it last tried. */
export interface PublishTrouble {
  readonly action: Action;
  readonly dkimSelector: string;
  readonly detail: string;
  /** Since when it could not, in milliseconds since 1970. */
  readonly since: number;
}

/** One finding as it was last seen; `key` tells it from others of the domain: its code, owner name and subject. */
export interface KnownFinding {
  readonly key: string;
  readonly finding: Finding;
  /** Since when it has been seen without a break. */
  readonly since: Date;
  /** Seen at a second check, so that it may be told. */
  readonly confirmed: boolean;
  /** What people have heard its severity to be, where no second check has seen the new one. */
  readonly told?: Severity;
  /** The last check has not seen it any more; once a second one has not either, it is gone. */
  readonly missed?: true;
  /** A person knows of it and wants to hear no more, until it changes. */
  readonly acknowledgedBy?: string;
}

/** A finding that is there, and whether somebody knows. */
export interface Standing {
  readonly key: string;
  /** As two checks have seen it; the finding is as the last one saw it. */
  readonly severity: Severity;
  readonly finding: Finding;
  /** Seen by a second check as well. */
  readonly isConfirmed: boolean;
  readonly isAcknowledged: boolean;
}

export interface DomainState {
  readonly domain: DomainName;
  readonly ownerId: string | undefined;
  readonly checkedAt: Date | undefined;
  readonly nextCheckAt: Date;
  /** The worst of its findings; undefined before the first check. */
  readonly worst: Severity | undefined;
  readonly counts: Readonly<Partial<Record<Severity, number>>>;
  /** Counts the changes: a result is written on the state that it was compared with. */
  readonly revision: number;
}

/** One line of history. */
export interface FindingEvent {
  readonly domain: DomainName;
  readonly at: Date;
  readonly kind: "appeared" | "changed" | "gone" | "acknowledged";
  readonly code: string;
  readonly owner: string;
  readonly severity: Severity;
  readonly observed: string;
}

/** As it is kept: `id` tells events of one moment apart. */
export interface KnownEvent extends FindingEvent {
  readonly id: number;
}

export interface CheckResult {
  /** The new state, with the revision of the one that it was compared with; its owner is not changed. */
  readonly state: DomainState;
  /** "as-before": those that are kept are right. Most checks see what the last one saw, and need not write it again. */
  readonly findings: readonly KnownFinding[] | "as-before";
  readonly events: readonly FindingEvent[];
}

export interface StateFilter {
  readonly ownerId?: string;
  readonly search?: string;
  readonly worst?: Severity;
}

/** Every method is durable when it resolves, and has changed all or nothing. */
export interface WatchStore {
  /** The domain is to be checked from `at` on, or as before where it is due earlier; and it is this owner's from now on. */
  schedule(domain: DomainName, ownerId: string | undefined, at: Date): Promise<void>;
  /**
   * As `schedule` for some hundred new ones in one step. Resolves to those that are watched from now on; of what was
   * watched already nothing changes.
   */
  scheduleNew(
    domains: readonly Pick<DomainState, "domain" | "ownerId">[],
    at: Date,
  ): Promise<readonly DomainName[]>;
  /**
   * Domains that are due, the longest first; each is leased to the caller until then, so that no other node takes it.
   */
  takeDue(now: Date, limit: number, leasedUntil: Date): Promise<readonly DomainState[]>;
  state(domain: DomainName): Promise<DomainState | undefined>;
  findings(domain: DomainName): Promise<readonly KnownFinding[]>;
  /** Of some hundred domains at once; nothing of those that have no findings. */
  standing(domains: readonly DomainName[]): Promise<ReadonlyMap<DomainName, readonly Standing[]>>;
  /** `stale`: another has checked the domain meanwhile, or it is gone; nothing was changed. */
  record(result: CheckResult): Promise<"recorded" | "stale">;
  /** Worst first, then by name; at the end what was never checked. `after` is the last one of the page before. */
  states(
    filter: StateFilter,
    page: { readonly after?: Pick<DomainState, "domain" | "worst">; readonly limit: number },
  ): Promise<readonly DomainState[]>;
  /** Domains by their worst severity; "unchecked" before the first check. */
  overview(
    filter: Pick<StateFilter, "ownerId">,
  ): Promise<Readonly<Partial<Record<Severity | "unchecked", number>>>>;
  /** What looks remember beside findings. */
  past(domain: DomainName): Promise<DomainPast | undefined>;
  /**
   * What they remember from now on, by what they did until then, one after the other: checks and rotations each have a
   * part. `change` answers undefined where all stays; nothing is kept where the domain is not watched (any more).
   */
  changePast(
    domain: DomainName,
    change: (before: DomainPast | undefined) => DomainPast | undefined,
  ): Promise<void>;
  /** Domains in the order of their names, behind `after`. */
  names(page: { readonly after?: DomainName; readonly limit: number }): Promise<readonly DomainName[]>;
  /** As `schedule` for each, in one step; what is not watched stays so, and owners stay. */
  scheduleSooner(times: readonly { readonly domain: DomainName; readonly at: Date }[]): Promise<void>;
  /** Newest first. `before` is the last one of the page before. */
  history(
    filter: { readonly domain?: DomainName; readonly ownerId?: string },
    page: { readonly before?: Pick<KnownEvent, "at" | "id">; readonly limit: number },
  ): Promise<readonly KnownEvent[]>;
  /**
   * Changes the revision: a check that is under way is `stale`, and so does not undo it. `by` undefined takes it back,
   * without a line in the history.
   */
  acknowledge(
    domain: DomainName,
    key: string,
    by: string | undefined,
    at: Date,
  ): Promise<"acknowledged" | "unknown">;
  /**
   * Descriptions and what is known of domains are written one after the other: where something broke in between, what
   * is described is watched from `at` on, by its owner alone, and what is not described is forgotten. How many differed.
   * Each domain is whole where the signal ends it. `piece`: so many names are read at once.
   */
  agreeWithDescriptions(at: Date, signal?: AbortSignal, piece?: number): Promise<number>;
  /** State, findings, history and past. */
  forget(domain: DomainName): Promise<void>;
  /** History from before that moment goes. */
  sweep(before: Date): Promise<void>;
}
