/** By what a key is known: its domain and its selector. */
import type { DkimSelector } from "../standards/dkim/selector.ts";
import type { DomainName } from "../standards/dns/name.ts";

/** Two keys of one domain never share a selector, not even one after the other. */
export interface KeyName {
  readonly signingDomain: DomainName;
  readonly dkimSelector: DkimSelector;
}

export const sameKeyName = (one: KeyName, other: KeyName): boolean =>
  one.signingDomain === other.signingDomain && one.dkimSelector === other.dkimSelector;
