/** Validating the Authenticated Received Chain of one message (RFC 8617 §5.2) while it streams past. */
import type { BodyHasher, PendingBodyHash } from "../dkim/body-hash.ts";
import { canonicalField } from "../dkim/canonical.ts";
import type { DkimKeyRing } from "../dkim/key-lookup.ts";
import { type SignatureCore, withoutSignatureData } from "../dkim/signature.ts";
import { type FieldIndex, headerData, pickFields } from "../dkim/signed-fields.ts";
import { isSignedBy, keyMisfit } from "../dkim/verify.ts";
import type { DomainName } from "../dns/name.ts";
import type { Resolver } from "../dns/resolver.ts";
import type { HeaderField } from "../message/header-field.ts";
import { type ArcSet, type ArcSets, readArcSets } from "./arc-set.ts";

/** RFC 8617 §4.4. */
export type ArcResult = "none" | "pass" | "fail";

export interface ArcValidation {
  readonly result: ArcResult;
  /** DNS did not answer, so that a `fail` may be another time's `pass`. */
  readonly isTemporary: boolean;
  /** The sets from the newest (highest i=) to the oldest; empty where the chain has no readable structure. */
  readonly sets: readonly ArcSetSummary[];
  /**
   * The lowest instance whose message signature still verifies, with all above it; 0 where every one does (§5.2).
   * Undefined unless the chain passes.
   */
  readonly oldestPass: number | undefined;
  /** In words; undefined for `pass` and `none`. */
  readonly problem: string | undefined;
}

export interface ArcSetSummary {
  readonly instance: number;
  /** d= of the seal. */
  readonly signingDomain: DomainName;
  /** The text of the ARC-Authentication-Results, behind "i=…;". */
  readonly authenticationResults: string;
}

export interface ArcMeans {
  readonly resolver: Resolver;
  readonly keys: DkimKeyRing;
}

/** Hashes of the body for one message: those of the newest set, and what others of the same kind share with it. */
const MAX_BODY_HASHES = 4;

type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly isTemporary: boolean; readonly problem: string };
const GOOD: Verdict = { ok: true };

/** To be made when the header is complete, after the DKIM signatures; `finish` when `hasher` is finished. */
export class ArcValidator {
  readonly #index: FieldIndex;
  readonly #means: ArcMeans;
  readonly #found: ArcSets;
  readonly #bodyHashes = new Map<ArcSet, PendingBodyHash | undefined>();

  constructor(index: FieldIndex, hasher: BodyHasher, means: ArcMeans) {
    this.#index = index;
    this.#means = means;
    this.#found = readArcSets(index);
    if (this.#found.status !== "chain") return;
    for (const set of this.#found.sets.toReversed()) {
      const { bodyCanonicalization, bodyLength } = set.message;
      this.#bodyHashes.set(set, hasher.want(bodyCanonicalization, bodyLength, MAX_BODY_HASHES));
    }
    // The answer is waited for in the end, by which time it has come.
    const { seal, message } = this.#found.sets.at(-1)!;
    void this.#lookup(seal);
    void this.#lookup(message);
  }

  async finish(): Promise<ArcValidation> {
    const found = this.#found;
    if (found.status === "none") return { ...NOTHING, result: "none" };
    if (found.status === "broken") return { ...NOTHING, result: "fail", problem: found.problem };
    const sets = found.sets.toReversed();
    const summaries = sets.map(({ instance, seal, resultsText }) => ({
      instance,
      signingDomain: seal.signingDomain,
      authenticationResults: resultsText,
    }));
    const fail = ({ isTemporary, problem }: Verdict & { ok: false }): ArcValidation => ({
      result: "fail",
      isTemporary,
      sets: summaries,
      oldestPass: undefined,
      problem,
    });
    const [newest, ...older] = sets;
    const message = await this.#verifyMessage(newest!);
    if (!message.ok) return fail(message);
    const seals = await this.#verifySeals(found.sets);
    if (!seals.ok) return fail(seals);
    let oldestPass = 0;
    for (const set of older) {
      if ((await this.#verifyMessage(set)).ok) continue;
      oldestPass = set.instance + 1;
      break;
    }
    return { result: "pass", isTemporary: false, sets: summaries, oldestPass, problem: undefined };
  }

  /** The DKIM part of a set (§4.1.2). Text beyond l= is trusted here as little as there. */
  async #verifyMessage(set: ArcSet): Promise<Verdict> {
    const name = `the message signature i=${set.instance}`;
    const pending = this.#bodyHashes.get(set);
    if (pending === undefined) return bad(`${name} wants one more hash of the body than are made`);
    const { digest, canonicalLength } = pending.result();
    const { bodyLength = canonicalLength, bodyHash, signedFields, headerCanonicalization } = set.message;
    if (bodyLength !== canonicalLength)
      return bad(`${name} covers ${bodyLength} of ${canonicalLength} octets of the body`);
    if (!digest.equals(bodyHash)) return bad(`${name}: the body was changed`);
    const field = withoutData(set.messageSignature);
    const data = headerData(pickFields(this.#index, signedFields), field, headerCanonicalization);
    return await this.#verify(set.message, data, name);
  }

  /** Each seal covers its own set and all before it (§5.1.1). */
  async #verifySeals(sets: readonly ArcSet[]): Promise<Verdict> {
    let before = "";
    const verdicts: Promise<Verdict>[] = [];
    for (const { instance, results, messageSignature, sealField, seal } of sets) {
      const own = `${relaxed(results)}\r\n${relaxed(messageSignature)}\r\n`;
      const data = Buffer.from(before + own + relaxed(withoutData(sealField)), "latin1");
      verdicts.push(this.#verify(seal, data, `the seal i=${instance}`));
      before += `${own}${relaxed(sealField)}\r\n`;
    }
    const all = await Promise.all(verdicts);
    return all.findLast((verdict) => !verdict.ok) ?? GOOD;
  }

  async #verify(signature: SignatureCore, data: Buffer, name: string): Promise<Verdict> {
    if (signature.hash === "sha1") return bad(`${name} uses sha1, which proves nothing any more`);
    const found = await this.#lookup(signature);
    if (found.status === "unusable") {
      return {
        ok: false,
        isTemporary: found.cause === "key-unavailable",
        problem: `${name}: ${found.problem}`,
      };
    }
    for (const key of found.keys) {
      if (keyMisfit(key, signature.keyType) !== undefined) continue;
      if (isSignedBy(key.publicKey, signature, data)) return GOOD;
    }
    return bad(`${name} does not verify with the key of ${signature.signingDomain}`);
  }

  async #lookup({ dkimSelector, signingDomain }: SignatureCore) {
    return await this.#means.keys.lookup(dkimSelector, signingDomain, this.#means.resolver);
  }
}

const NOTHING = { isTemporary: false, sets: [], oldestPass: undefined, problem: undefined } as const;

const bad = (problem: string): Verdict => ({ ok: false, isTemporary: false, problem });
const relaxed = (field: HeaderField): string => canonicalField(field, "relaxed");
const withoutData = (field: HeaderField): HeaderField => ({
  ...field,
  value: withoutSignatureData(field.value),
});
