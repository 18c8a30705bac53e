/** Descriptions that are kept in pieces, so that a hundred thousand domains are never one text. */
import type { DomainName } from "../standards/dns/name.ts";

/**
 * Pieces are kept as what stands in zonepost.yaml (plain JSON), not as what was made of it: `readDescription` makes a
 * description of them each time they are needed. The common piece is the file without its `domains`.
 */
export interface StoredPiece {
  readonly content: Readonly<Record<string, unknown>>;
  /** Counts the changes; a change names the revision that it was made on. */
  readonly revision: number;
  readonly changedAt: Date;
}

export interface StoredDomain extends StoredPiece {
  readonly domain: DomainName;
  /** Who owns it, as an id of access/; undefined: nobody but administrators. */
  readonly ownerId: string | undefined;
}

export interface DomainFilter {
  readonly ownerId?: string;
  /** Part of the name. */
  readonly search?: string;
}

/** Every method is durable when it resolves, and has changed all or nothing. */
export interface DescriptionStore {
  /** Revision 0 and an empty content where nothing was ever written. */
  common(): Promise<StoredPiece>;
  putCommon(content: StoredPiece["content"], revision: number, at: Date): Promise<"put" | "stale">;
  domain(domain: DomainName): Promise<StoredDomain | undefined>;
  /** In the order of names, behind `after`. */
  domains(
    filter: DomainFilter,
    page: { readonly after?: DomainName; readonly limit: number },
  ): Promise<readonly StoredDomain[]>;
  countDomains(filter: DomainFilter): Promise<number>;
  /** `revision` 0 is for a new one. `stale`: it is not as it was, is there already, or is gone. */
  putDomain(
    domain: Pick<StoredDomain, "domain" | "content" | "ownerId">,
    revision: number,
    at: Date,
  ): Promise<"put" | "stale">;
  /** New ones, some hundred in one step. Resolves to those that are put; of what was there already nothing changes. */
  addDomains(
    domains: readonly Pick<StoredDomain, "domain" | "content" | "ownerId">[],
    at: Date,
  ): Promise<readonly DomainName[]>;
  removeDomain(domain: DomainName, revision: number): Promise<"removed" | "stale">;
}
