/** Who holds zones, as somebody has entered it: the settings to read, the secrets sealed. */
export interface KnownProvider {
  readonly id: string;
  /** An entry of `publish` without what is secret in it, as plain JSON. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Opens with the server's key alone. */
  readonly sealed: string;
  readonly enteredAt: Date;
  readonly enteredBy: string;
  /** 1 for a new one. */
  readonly revision: number;
  /** Taken away, and not yet forgotten. */
  readonly removedAt: Date | undefined;
}

/** What its secrets are bound to where they are sealed. */
export const providerBinding = (id: string): string => `provider ${id}`;

export interface ProviderStore {
  /** All, the oldest first; those that were taken away too. */
  list(): Promise<readonly KnownProvider[]>;
  add(provider: KnownProvider): Promise<void>;
  /** `after` has the next revision; "stale" where it is no longer `before`. */
  change(before: KnownProvider, after: KnownProvider): Promise<"changed" | "stale">;
  /** Forgets what was taken away before. */
  sweep(removedBefore: Date): Promise<void>;
}
