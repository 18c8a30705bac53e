/** Sealing: one more ARC set on a message (RFC 8617 §5.1). */
import type { BodyHasher, PendingBodyHash } from "../dkim/body-hash.ts";
import { foldTags } from "../dkim/fold-tags.ts";
import { appendSignatureData, fieldsToSign, type SignData, type SigningKey, signNow } from "../dkim/sign.ts";
import { DKIM_SIGNATURE } from "../dkim/signature.ts";
import { type FieldIndex, headerData, pickFields } from "../dkim/signed-fields.ts";
import { type HeaderField, headerField, type OctetText } from "../message/header-field.ts";
import { type ArcSets, type ChainStatus, MAX_ARC_SETS } from "./arc-set.ts";

export interface SealOptions {
  readonly key: SigningKey;
  /** For t= of signature and seal. */
  readonly now: Date;
}

export interface SealInput {
  /** All fields that go out, signatures of ours among them; the sets that are there already as well. */
  readonly index: FieldIndex;
  /** The chain as it came in, and what validating it came to. */
  readonly before: ArcSets;
  readonly chainStatus: ChainStatus;
  /** An Authentication-Results value: authserv-id and results, folded. */
  readonly authenticationResults: OctetText;
}

/** To be made before the body begins; `finish` when `hasher` is finished. */
export class ArcSealer {
  readonly #bodyHash: PendingBodyHash;
  readonly #options: SealOptions;

  constructor(hasher: BodyHasher, options: SealOptions) {
    this.#options = options;
    this.#bodyHash = hasher.want("relaxed", undefined, Number.POSITIVE_INFINITY)!;
  }

  /**
   * Seal, message signature and results, as they belong on top of the header. Undefined where nothing is to be added:
   * the chain has ended with cv=fail before, or is as long as chains may be.
   */
  async finish(
    { index, before, chainStatus, authenticationResults }: SealInput,
    signData: SignData = signNow,
  ): Promise<readonly HeaderField[] | undefined> {
    const instance = nextInstance(before);
    if (instance === undefined) return undefined;
    const { key, now } = this.#options;
    const tags = [
      ["i", String(instance)],
      ["a", `${key.keyType}-sha256`],
    ] as const;
    const signer = [
      ["d", key.signingDomain],
      ["s", key.dkimSelector],
      ["t", String(Math.floor(now.getTime() / 1_000))],
    ] as const;

    const results = headerField(
      "ARC-Authentication-Results",
      ` i=${instance}; ${authenticationResults.trim()}`,
    );
    const names = [...fieldsToSign(index), ...(index.get(DKIM_SIGNATURE) ?? []).map(() => DKIM_SIGNATURE)];
    const signature = await signed(
      "ARC-Message-Signature",
      [
        ...tags,
        ["c", "relaxed/relaxed"],
        ...signer,
        ["h", names],
        ["bh", this.#bodyHash.result().digest.toString("base64")],
      ],
      pickFields(index, names),
    );
    // A chain that failed cannot be hashed by everyone in the same way, so the seal covers its own set alone (§5.1.2).
    const earlier =
      chainStatus === "fail" || before.status !== "chain"
        ? []
        : before.sets.flatMap(({ results, messageSignature, sealField }) => [
            results,
            messageSignature,
            sealField,
          ]);
    const seal = await signed(
      "ARC-Seal",
      [...tags, ["cv", chainStatus], ...signer],
      [...earlier, results, signature],
    );
    return [seal, signature, results];

    async function signed(
      name: string,
      ofField: Parameters<typeof foldTags>[1],
      fields: readonly HeaderField[],
    ): Promise<HeaderField> {
      const unsigned = foldTags(name, ofField);
      const data = headerData(fields, headerField(name, unsigned), "relaxed");
      const octets = Buffer.from(await signData(key, data));
      return headerField(name, appendSignatureData(unsigned, octets.toString("base64")));
    }
  }
}

function nextInstance(before: ArcSets): number | undefined {
  if (before.status === "none") return 1;
  if (before.status === "broken" && before.isClosed) return undefined;
  const last = before.status === "chain" ? before.sets.length : before.highestInstance;
  return last < MAX_ARC_SETS ? last + 1 : undefined;
}
