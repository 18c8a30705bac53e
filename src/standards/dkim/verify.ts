/** Verifying the DKIM signatures of one message (RFC 6376 §6.1) while it streams past. */
import { createHash, type KeyObject, verify } from "node:crypto";
import type { Resolver } from "../dns/resolver.ts";
import type { HeaderField } from "../message/header-field.ts";
import type { BodyHasher, PendingBodyHash } from "./body-hash.ts";
import type { DkimKeyRing, KeyFault, KeyLookup, UsableKey } from "./key-lookup.ts";
import type { DkimPublicKey } from "./public-key.ts";
import type { DkimResult } from "./result.ts";
import {
  agentDomain,
  DKIM_SIGNATURE,
  type DkimSignature,
  parseDkimSignature,
  type SignatureFault,
  withoutSignatureData,
} from "./signature.ts";
import { type FieldIndex, headerData, pickFields } from "./signed-fields.ts";

/** Why a signature did not pass. The words are for programs and logs, and stay as they are. */
export type DkimCause =
  | SignatureFault
  | KeyFault
  | "algorithm-historic"
  | "expired"
  | "too-many-body-hashes"
  | "key-mismatch"
  | "key-hash"
  | "key-service"
  | "key-identity"
  /** What was signed of the body is not what came. */
  | "body-changed"
  /** l= counts more octets than came. */
  | "body-shorter"
  | "header-changed"
  /** All that was signed is right, but l= leaves a part of the body unsigned, in which anyone may have written. */
  | "unsigned-text";

export interface DkimVerification {
  /** Never `none`: that is the result of a message without signatures. */
  readonly result: DkimResult;
  readonly field: HeaderField;
  /** Undefined where it could not be read. */
  readonly signature: DkimSignature | undefined;
  /** Undefined where no key was found. */
  readonly key: DkimPublicKey | undefined;
  /** The key says t=y: a failure means no more than that there is no signature (RFC 6376 §3.6.1). */
  readonly isTesting: boolean;
  /** Undefined for `pass`. */
  readonly cause: DkimCause | undefined;
  /** In words; undefined for `pass`. */
  readonly problem: string | undefined;
}

export interface DkimLimits {
  /** Signatures looked at, from the top of the header. */
  readonly signatures: number;
  /** Different ways to hash the body; a signature that wants one more is not verified. */
  readonly bodyHashes: number;
}

export const DKIM_LIMITS: DkimLimits = { signatures: 8, bodyHashes: 3 };

export interface DkimMeans {
  readonly resolver: Resolver;
  readonly keys: DkimKeyRing;
  readonly now: Date;
  readonly limits?: Partial<DkimLimits>;
}

interface Pending {
  readonly field: HeaderField;
  readonly signature: DkimSignature;
  readonly bodyHash: PendingBodyHash;
  readonly key: Promise<KeyLookup>;
}

/**
 * To be made when the header is complete; it tells `hasher` what it needs of the body, and asks for keys at once.
 * `finish` is to be called when `hasher` is finished.
 */
export class DkimVerifier {
  readonly #index: FieldIndex;
  readonly #entries: (Pending | DkimVerification)[];
  /** Signatures beyond the limit. */
  readonly skippedSignatures: number;

  constructor(index: FieldIndex, hasher: BodyHasher, means: DkimMeans) {
    const limits = { ...DKIM_LIMITS, ...means.limits };
    const fields = index.get(DKIM_SIGNATURE) ?? [];
    this.#index = index;
    this.skippedSignatures = Math.max(fields.length - limits.signatures, 0);
    this.#entries = fields.slice(0, limits.signatures).map((field) => {
      const parsed = parseDkimSignature(field.value);
      if (!parsed.ok) {
        const result =
          parsed.cause === "signature-missing-tag" || parsed.cause === "from-not-signed"
            ? "permerror"
            : "neutral";
        return refusal(field, undefined, result, parsed.cause, parsed.problem);
      }
      const signature = parsed.value;
      const { keyType, hash, expiresAt, bodyCanonicalization, bodyLength } = signature;
      if (hash === "sha1")
        return refusal(
          field,
          signature,
          "permerror",
          "algorithm-historic",
          `${keyType}-sha1 proves nothing any more`,
        );
      if (expiresAt !== undefined && expiresAt.getTime() < means.now.getTime())
        return refusal(
          field,
          signature,
          "policy",
          "expired",
          `the signature was good until ${expiresAt.toISOString()}`,
        );
      const bodyHash = hasher.want(bodyCanonicalization, bodyLength, limits.bodyHashes);
      if (bodyHash === undefined) {
        const problem = `the signatures before it want ${limits.bodyHashes} different hashes of the body; no more are made`;
        return refusal(field, signature, "policy", "too-many-body-hashes", problem);
      }
      const { dkimSelector, signingDomain } = signature;
      return {
        field,
        signature,
        bodyHash,
        key: means.keys.lookup(dkimSelector, signingDomain, means.resolver),
      };
    });
  }

  /** In the order of the header. Rejects only where the resolver does. */
  async finish(): Promise<readonly DkimVerification[]> {
    const done: DkimVerification[] = [];
    for (const entry of this.#entries)
      done.push("result" in entry ? entry : this.#judge(entry, await entry.key));
    return done;
  }

  #judge({ field, signature, bodyHash }: Pending, found: KeyLookup): DkimVerification {
    if (found.status === "unusable") {
      const result = found.cause === "key-unavailable" ? "temperror" : "permerror";
      return refusal(field, signature, result, found.cause, found.problem);
    }
    const { digest, canonicalLength } = bodyHash.result();
    const { bodyLength = canonicalLength } = signature;
    let last: DkimVerification | undefined;
    for (const key of found.keys) {
      const misfit = keyMisfit(key, signature.keyType) ?? identityMisfit(key, signature);
      const about = { field, signature, key: key.record.key, isTesting: key.record.testing };
      if (misfit !== undefined) {
        last ??= { ...about, result: "permerror", ...misfit };
        continue;
      }
      if (bodyLength > canonicalLength) {
        const problem = `l= counts ${bodyLength} octets of the body, and ${canonicalLength} came`;
        return { ...about, result: "fail", cause: "body-shorter", problem };
      }
      if (!digest.equals(signature.bodyHash)) {
        const problem = "the body is not the one that was signed (its hash is not that of bh=)";
        return { ...about, result: "fail", cause: "body-changed", problem };
      }
      if (isSignedBy(key.publicKey, signature, this.#headerData(signature, field))) {
        if (bodyLength === canonicalLength)
          return { ...about, result: "pass", cause: undefined, problem: undefined };
        const problem = `${canonicalLength - bodyLength} octets at the end of the body are not signed (l=${bodyLength})`;
        return { ...about, result: "policy", cause: "unsigned-text", problem };
      }
      const problem = "the header is not the one that was signed, or it was signed with another key";
      last = { ...about, result: "fail", cause: "header-changed", problem };
    }
    return last!;
  }

  #headerData(signature: DkimSignature, field: HeaderField): Buffer {
    const bare = { ...field, value: withoutSignatureData(field.value) };
    return headerData(
      pickFields(this.#index, signature.signedFields),
      bare,
      signature.headerCanonicalization,
    );
  }
}

function refusal(
  field: HeaderField,
  signature: DkimSignature | undefined,
  result: DkimResult,
  cause: DkimCause,
  problem: string,
): DkimVerification {
  return { result, field, signature, key: undefined, isTesting: false, cause, problem };
}

/** What the key's record forbids (RFC 6376 §6.1.2 steps 6 and 8, §3.6.1). */
export function keyMisfit(
  { record }: UsableKey,
  keyType: DkimPublicKey["keyType"],
): { readonly cause: DkimCause; readonly problem: string } | undefined {
  if (record.keyType !== keyType)
    return {
      cause: "key-mismatch",
      problem: `the key is for ${record.keyType}, the signature says ${keyType}`,
    };
  if (record.hashes !== undefined && !record.hashes.includes("sha256"))
    return { cause: "key-hash", problem: "the key's record does not allow sha256 (h=)" };
  if (!record.services.includes("*") && !record.services.includes("email"))
    return {
      cause: "key-service",
      problem: `the key is for ${record.services.join(", ")}, not for mail (s=)`,
    };
  return undefined;
}

function identityMisfit(
  { record }: UsableKey,
  { agentId, signingDomain }: DkimSignature,
): ReturnType<typeof keyMisfit> {
  return record.strictIdentity && agentDomain(agentId) !== signingDomain
    ? { cause: "key-identity", problem: "the key is for d= itself, and i= names a sub-domain (t=s)" }
    : undefined;
}

export interface SignedWith {
  readonly keyType: DkimPublicKey["keyType"];
  readonly signature: Uint8Array;
}

/** RFC 6376 §3.3.2; Ed25519 signs the hash of the data (RFC 8463 §3). */
export function isSignedBy(publicKey: KeyObject, { keyType, signature }: SignedWith, data: Buffer): boolean {
  try {
    return keyType === "rsa"
      ? verify("sha256", data, publicKey, signature)
      : verify(null, createHash("sha256").update(data).digest(), publicKey, signature);
  } catch {
    return false;
  }
}
