/** Whole messages signed and verified in one call, for tests; the body goes through in chunks of any size. */
import { readArcSets } from "../../src/standards/arc/arc-set.ts";
import { ArcSealer } from "../../src/standards/arc/seal.ts";
import { BodyHasher } from "../../src/standards/dkim/body-hash.ts";
import { DkimKeyRing } from "../../src/standards/dkim/key-lookup.ts";
import { DkimSigner, type SigningKey, type SigningOptions } from "../../src/standards/dkim/sign.ts";
import { indexFields } from "../../src/standards/dkim/signed-fields.ts";
import { type DkimLimits, type DkimVerification, DkimVerifier } from "../../src/standards/dkim/verify.ts";
import type { Resolver } from "../../src/standards/dns/resolver.ts";
import type { HeaderField } from "../../src/standards/message/header-field.ts";
import type { MailText } from "./mail-text.ts";

export const SIGNED_AT = new Date("2026-11-21T12:00:00Z");

export async function verifyMail(
  { fields, body }: MailText,
  resolver: Resolver,
  options: { readonly now?: Date; readonly limits?: Partial<DkimLimits>; readonly chunkOctets?: number } = {},
): Promise<readonly DkimVerification[]> {
  const hasher = new BodyHasher();
  const verifier = new DkimVerifier(indexFields(fields), hasher, {
    resolver,
    keys: new DkimKeyRing(),
    now: options.now ?? SIGNED_AT,
    ...(options.limits && { limits: options.limits }),
  });
  pour(body, hasher, options.chunkOctets);
  return await verifier.finish();
}

/** The message with its signatures on top. */
export async function signMail(
  { fields, body }: MailText,
  keys: readonly SigningKey[],
  options: Partial<SigningOptions> & { readonly chunkOctets?: number } = {},
): Promise<{ readonly fields: readonly HeaderField[]; readonly body: Buffer }> {
  const hasher = new BodyHasher();
  const signer = new DkimSigner(indexFields(fields), hasher, {
    headerCanonicalization: "relaxed",
    bodyCanonicalization: "relaxed",
    now: SIGNED_AT,
    ...options,
  });
  pour(body, hasher, options.chunkOctets);
  return { fields: [...(await signer.finish(keys)), ...fields], body };
}

function pour(body: Buffer, hasher: BodyHasher, chunkOctets = body.length || 1): void {
  for (let at = 0; at < body.length; at += chunkOctets) hasher.update(body.subarray(at, at + chunkOctets));
  hasher.finish();
}

/** The message as text on the wire. */
export const mailOctets = ({ fields, body }: MailText): string =>
  `${fields.map(({ name, value }) => `${name}:${value}\r\n`).join("")}\r\n${body.toString("latin1")}`;

/** The message with the first set of a chain, whose results say what a test wants them to. */
export async function sealMail(
  { fields, body }: MailText,
  key: SigningKey,
  authenticationResults: string,
  now = SIGNED_AT,
): Promise<MailText> {
  const hasher = new BodyHasher();
  const index = indexFields(fields);
  const sealer = new ArcSealer(hasher, { key, now });
  pour(body, hasher);
  const set = await sealer.finish({
    index,
    before: readArcSets(index),
    chainStatus: "none",
    authenticationResults,
  });
  return { fields: [...(set ?? []), ...fields], body };
}
