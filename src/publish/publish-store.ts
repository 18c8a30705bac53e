/** What publishing has to remember, as an interface: which values are ours, and how far each apply has come. */
import type { DomainName } from "../standards/dns/name.ts";
import type { RecordType } from "../standards/dns/record.ts";
import type { RrsetChange } from "./provider.ts";

/** One value that we put into a zone. Ownership is by value: what else stands at the name is not ours. */
export interface OwnedValue {
  readonly name: DomainName;
  readonly type: RecordType;
  /** What tells it from others at the name: `valueKey` of its data. */
  readonly value: string;
  /** Of an SPF record: the terms that are ours; others stood there before and stay. */
  readonly spfTerms?: string;
}

export interface ApplyRecord {
  /** Unique, in the order of time. */
  readonly id: string;
  readonly zone: DomainName;
  readonly startedAt: Date;
  /** `running`: begun, and perhaps interrupted · `done` · `undone`: taken back by a later one. */
  readonly state: "running" | "done" | "undone";
  /** What was to be done, in order; steps are carried out one after the other. */
  readonly steps: readonly (readonly RrsetChange[])[];
  /** Steps that the provider has confirmed. */
  readonly stepsDone: number;
  readonly ownedBefore: readonly OwnedValue[];
  /** Once all steps are done. */
  readonly ownedAfter: readonly OwnedValue[];
  /** The apply that this one takes back. */
  readonly undoes?: string;
  /** The process that carries it out. */
  readonly holder: string;
  /** While this is ahead, the holder is at it, unless it is known to be gone. */
  readonly heldUntil: Date;
  /** What waits before the next step has to wait until then, whoever goes on with it. */
  readonly waitsUntil?: Date;
}

/** Every method is durable when it resolves: after a crash the next run reads what the last one knew. */
export interface PublishStore {
  ownedIn(zone: DomainName): Promise<readonly OwnedValue[]>;
  /** The one that has not ended, whatever the clocks of those who began it and others said. */
  running(zone: DomainName): Promise<ApplyRecord | undefined>;
  latest(zone: DomainName): Promise<ApplyRecord | undefined>;
  /** The latest that is done, has changed something, and takes nothing back. */
  latestToUndo(zone: DomainName): Promise<ApplyRecord | undefined>;
  /** Refused (false) while another apply to the zone is running. It counts as later than all before it. */
  begin(apply: ApplyRecord): Promise<boolean>;
  /** The holder is at it still. False where somebody else has ended it. */
  hold(id: string, heldUntil: Date, waitsUntil: Date | undefined): Promise<boolean>;
  stepDone(id: string, stepsDone: number): Promise<void>;
  /**
   * Ends an apply and says what is ours from now on, in one. `undone` marks the one that was taken back. Of each zone
   * the last fifty are kept.
   */
  finish(id: string, owned: readonly OwnedValue[], undone?: string): Promise<void>;
}
