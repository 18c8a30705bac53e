/** Hashes of a body, made while it streams past (RFC 6376 §3.7). */
import { createHash, type Hash } from "node:crypto";
import { BodyCanonicalizer, type Canonicalization } from "./canonical.ts";

export interface BodyHash {
  readonly digest: Buffer;
  /** How many octets the canonical body has, whatever part of it was hashed. */
  readonly canonicalLength: number;
}

/** One wish for a hash; ask it for the result after `finish`. */
export class PendingBodyHash {
  readonly canonicalization: Canonicalization;
  /** How many octets are hashed at most: l=. */
  readonly limit: number;
  #left: number;
  #length = 0;
  readonly #hash: Hash = createHash("sha256");
  #result: BodyHash | undefined;

  constructor(canonicalization: Canonicalization, limit: number) {
    this.canonicalization = canonicalization;
    this.limit = limit;
    this.#left = limit;
  }

  update(octets: Uint8Array): void {
    this.#length += octets.length;
    if (octets.length <= this.#left) {
      this.#left -= octets.length;
      this.#hash.update(octets);
    } else if (this.#left > 0) {
      this.#hash.update(octets.subarray(0, this.#left));
      this.#left = 0;
    }
  }

  /** SHA-256, the one hash that signatures may still have (RFC 8301 §3.1). */
  result(): BodyHash {
    this.#result ??= { digest: this.#hash.digest(), canonicalLength: this.#length };
    return this.#result;
  }
}

/** The distinct hashes that the signatures of one message ask for: the body is made canonical once for each way. */
export class BodyHasher {
  readonly #pending: PendingBodyHash[] = [];
  readonly #canonicalizers: BodyCanonicalizer[] = [];

  /** To be called before the body begins. Undefined where it would be more than `maxHashes` different ones. */
  want(
    canonicalization: Canonicalization,
    limit: number | undefined,
    maxHashes: number,
  ): PendingBodyHash | undefined {
    const octets = limit ?? Number.POSITIVE_INFINITY;
    const same = this.#pending.find(
      (wish) => wish.canonicalization === canonicalization && wish.limit === octets,
    );
    if (same !== undefined) return same;
    if (this.#pending.length >= maxHashes) return undefined;
    const wish = new PendingBodyHash(canonicalization, octets);
    const others = this.#pending.filter((other) => other.canonicalization === canonicalization);
    this.#pending.push(wish);
    if (others.length === 0) {
      this.#canonicalizers.push(
        new BodyCanonicalizer(canonicalization, (octets) => {
          for (const pending of this.#pending)
            if (pending.canonicalization === canonicalization) pending.update(octets);
        }),
      );
    }
    return wish;
  }

  /** Whether nothing of the body is needed. */
  get isIdle(): boolean {
    return this.#pending.length === 0;
  }

  update(chunk: Uint8Array): void {
    for (const canonicalizer of this.#canonicalizers) canonicalizer.update(chunk);
  }

  finish(): void {
    for (const canonicalizer of this.#canonicalizers) canonicalizer.finish();
  }
}
