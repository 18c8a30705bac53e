/** Under which seal key a state lies, as an interface: one that does not open it is refused before it seals anything. */
import type { KeyChange } from "./key-store.ts";

/** A small secret of somebody, sealed under the old key and under the new one. */
export interface SecretChange {
  readonly of: "user" | "provider";
  readonly id: string;
  readonly before: string;
  readonly after: string;
}

export interface SealStore {
  /** `MasterKey.id` of the key that all is sealed under; undefined where nothing was sealed yet. */
  known(): Promise<string | undefined>;
  /**
   * Resolves to the one that is known from now on: of several who come first at once, one's. Where it is this one, this
   * process seals under it: what it writes once all was sealed anew is refused.
   */
  remember(id: string): Promise<string>;
  /** All of it or nothing. `stale`: something is no longer as `before`, or more is sealed than is named. */
  reseal(
    to: string,
    keys: readonly KeyChange[],
    secrets: readonly SecretChange[],
  ): Promise<"changed" | "stale">;
}
