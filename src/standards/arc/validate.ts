/** Types only, for now. */
import type { DomainName } from "../dns/name.ts";

/** RFC 8617 §4.4. */
export type ArcResult = "none" | "pass" | "fail";

export interface ArcValidation {
  readonly result: ArcResult;
  /** DNS did not answer, so that a `fail` may be another time's `pass`. */
  readonly isTemporary: boolean;
  /** The seals from the newest (highest i=) to the oldest; empty where the chain has no readable structure. */
  readonly seals: readonly ArcSeal[];
  /** The lowest i= whose message signature still verifies (RFC 8617 §5.2): 0 where every one does. */
  readonly oldestPass: number | undefined;
  /** In words; undefined for `pass` and `none`. */
  readonly problem: string | undefined;
}

export interface ArcSeal {
  readonly instance: number;
  readonly signingDomain: DomainName;
  /** The text of the ARC-Authentication-Results, behind "i=…;". */
  readonly authenticationResults: string;
}
