/** Types only, for now. */
import type { DomainName } from "../dns/name.ts";

/** RFC 8601 §3: the client's address has a name, and that name has the address. */
export interface IprevOutcome {
  readonly result: "pass" | "fail" | "temperror" | "permerror";
  /** The names that the address has; those that lead back to it first. */
  readonly names: readonly DomainName[];
  /** In words; undefined for `pass`. */
  readonly problem: string | undefined;
}
