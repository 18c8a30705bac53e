/** Signing (RFC 6376 §5): the DKIM-Signature fields of one message, made while it streams past. */
import { createHash, type KeyObject, sign } from "node:crypto";
import type { DomainName } from "../dns/name.ts";
import { type HeaderField, headerField } from "../message/header-field.ts";
import type { BodyHasher, PendingBodyHash } from "./body-hash.ts";
import type { Canonicalization } from "./canonical.ts";
import { foldTags } from "./fold-tags.ts";
import type { DkimPublicKey } from "./public-key.ts";
import type { DkimSelector } from "./selector.ts";
import { type FieldIndex, headerData, pickFields } from "./signed-fields.ts";

export interface SigningKey {
  readonly signingDomain: DomainName;
  readonly dkimSelector: DkimSelector;
  readonly keyType: DkimPublicKey["keyType"];
  readonly privateKey: KeyObject;
}

export interface SigningOptions {
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  /** For x=; none where undefined. */
  readonly expiresAfterSeconds?: number;
  /** For t=. */
  readonly now: Date;
}

/** What people see, or what decides how they see it: one more of these, added later, breaks the signature (§5.4). */
const OVERSIGNED = [
  "from",
  "to",
  "cc",
  "subject",
  "date",
  "reply-to",
  "message-id",
  "mime-version",
  "content-type",
  "content-transfer-encoding",
] as const;

/** Signed where they are. Lists and resenders add some of them, and may. */
const SIGNED = [
  "sender",
  "in-reply-to",
  "references",
  "resent-date",
  "resent-from",
  "resent-sender",
  "resent-to",
  "resent-cc",
  "resent-message-id",
  "list-id",
  "list-help",
  "list-unsubscribe",
  "list-unsubscribe-post",
  "list-subscribe",
  "list-post",
  "list-owner",
  "list-archive",
  "content-id",
  "content-description",
  "content-disposition",
  "content-language",
  "feedback-id",
  "autocrypt",
  "openpgp",
] as const;

/** The names for h=: every field of the lists above, each as often as it stands there. */
export function fieldsToSign(index: FieldIndex): string[] {
  const names: string[] = [];
  const add = (name: string, count: number) => {
    for (let times = 0; times < count; times += 1) names.push(name);
  };
  for (const name of OVERSIGNED) add(name, (index.get(name)?.length ?? 0) + 1);
  for (const name of SIGNED) add(name, index.get(name)?.length ?? 0);
  return names;
}

/** The octets of a signature over `data`. A promise where the work is done elsewhere. */
export type SignData = (key: SigningKey, data: Buffer) => Uint8Array | Promise<Uint8Array>;

/** To be made when the header is complete; `finish` when `hasher` is finished. */
export class DkimSigner {
  readonly #index: FieldIndex;
  readonly #bodyHash: PendingBodyHash;
  readonly #options: SigningOptions;

  constructor(index: FieldIndex, hasher: BodyHasher, options: SigningOptions) {
    this.#index = index;
    this.#options = options;
    this.#bodyHash = hasher.want(options.bodyCanonicalization, undefined, Number.POSITIVE_INFINITY)!;
  }

  /** One field for each key, in their order. */
  async finish(keys: readonly SigningKey[], signData: SignData = signNow): Promise<readonly HeaderField[]> {
    const names = fieldsToSign(this.#index);
    const fields = pickFields(this.#index, names);
    const { headerCanonicalization, bodyCanonicalization, expiresAfterSeconds, now } = this.#options;
    const bodyHash = this.#bodyHash.result().digest.toString("base64");
    const seconds = Math.floor(now.getTime() / 1_000);
    return await Promise.all(
      keys.map(async (key) => {
        const unsigned = foldTags(FIELD_NAME, [
          ["v", "1"],
          ["a", `${key.keyType}-sha256`],
          ["c", `${headerCanonicalization}/${bodyCanonicalization}`],
          ["d", key.signingDomain],
          ["s", key.dkimSelector],
          ["t", String(seconds)],
          ...(expiresAfterSeconds === undefined
            ? []
            : [["x", String(seconds + expiresAfterSeconds)] as const]),
          ["h", names],
          ["bh", bodyHash],
        ]);
        const data = headerData(fields, headerField(FIELD_NAME, unsigned), headerCanonicalization);
        const signature = Buffer.from(await signData(key, data)).toString("base64");
        return headerField(FIELD_NAME, appendSignatureData(unsigned, signature));
      }),
    );
  }
}

const FIELD_NAME = "DKIM-Signature";

/** Behind a value that ends with "b=". */
export const appendSignatureData = (unsigned: string, base64: string): string =>
  unsigned + base64.slice(0, 70) + base64.slice(70).replace(/.{1,72}/g, "\r\n\t$&");

export const signNow: SignData = ({ keyType, privateKey }, data) =>
  keyType === "rsa"
    ? sign("sha256", data, privateKey)
    : sign(null, createHash("sha256").update(data).digest(), privateKey);
