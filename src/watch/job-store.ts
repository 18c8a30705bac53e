/** Where jobs are kept, as an interface: for databases that have no queue of their own. */
import type { JobKind } from "./job-kind.ts";

export interface NewJob {
  readonly id: string;
  readonly kind: JobKind;
  readonly key: string | undefined;
  /** Plain JSON. */
  readonly payload: unknown;
  readonly runAt: Date;
  readonly maxAttempts: number;
  /** Where one of the same key waits already, that one stays, and this one is not needed. */
  readonly keepsOlder?: boolean;
}

export interface StoredJob extends Omit<NewJob, "keepsOlder"> {
  /** From 1: how often it was leased. Only who holds the latest lease may end it. */
  readonly attempt: number;
}

/** A job that has used up its attempts: for people to look at. */
export interface FailedJob extends StoredJob {
  /** Its process ended in the midst of the last attempt; `error` is of the one before. */
  readonly isCutOff: boolean;
  readonly error: string;
}

/**
 * Every method is durable when it resolves, and has changed all or nothing. A job is due when `runAt` has come, its
 * lease, if there is one, is over, and it has attempts left.
 */
export interface JobStore {
  /**
   * A job of the same key that was never leased, or was given back, goes: this one takes its place. One that is leased
   * loses the key, and goes on.
   */
  add(job: NewJob): Promise<void>;
  /** Due jobs, the longest first; each counts one attempt more. */
  lease(
    kinds: readonly JobKind[],
    now: Date,
    limit: number,
    leasedUntil: Date,
  ): Promise<readonly StoredJob[]>;
  /** False where the lease is another's now, or the job is gone; so below. */
  extend(id: string, attempt: number, leasedUntil: Date): Promise<boolean>;
  /** The job goes. */
  complete(id: string, attempt: number): Promise<boolean>;
  /** The lease ends, and the job is due at `retryAt` if it has attempts left. */
  fail(id: string, attempt: number, retryAt: Date, error: string): Promise<boolean>;
  /** Newest first. */
  failed(limit: number, now: Date): Promise<readonly FailedJob[]>;
  /** What was given up, and would have been due before that moment, goes. */
  sweep(before: Date): Promise<void>;
}
