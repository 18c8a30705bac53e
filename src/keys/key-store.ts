/** Where keys are kept, as an interface: store/ keeps them on disk, tests in memory. */
import type { DomainName } from "../standards/dns/name.ts";
import type { DkimKey } from "./key.ts";
import type { KeyName } from "./key-name.ts";

/** From one state of a key to the next. Both have the same name, and the same public key. */
export interface KeyChange {
  readonly before: DkimKey;
  readonly after: DkimKey;
}

/** Every call is on disk when it resolves, or has changed nothing. */
export interface KeyStore {
  /** Oldest first; all domains where none is named. */
  list(signingDomain?: DomainName): Promise<readonly DkimKey[]>;
  get(name: KeyName): Promise<DkimKey | undefined>;
  /** A new key. `taken`: there is one of this name, be it removed from DNS or not; nothing was changed. */
  put(key: DkimKey): Promise<"put" | "taken">;
  /** All changes or none. `stale`: a key is no longer as `before`, or is gone; nothing was changed. */
  change(changes: readonly KeyChange[]): Promise<"changed" | "stale">;
  /** Whether somebody has said that the records of the domain's keys may be changed by themselves. */
  publishes(signingDomain: DomainName): Promise<boolean>;
  setPublishes(signingDomain: DomainName, publishes: boolean): Promise<void>;
  /** Forgets a key for good, private half and all. `stale` as above. */
  remove(key: DkimKey): Promise<"removed" | "stale">;
}
