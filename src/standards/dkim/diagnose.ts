/** Why a signature does not hold any more: what was most likely done to the message since it was signed. */
import type { HeaderField } from "../message/header-field.ts";
import { diagnoseBody } from "./diagnose-body.ts";
import { diagnoseHeader } from "./diagnose-header.ts";
import type { DkimDiagnosis } from "./diagnosis.ts";
import { recoverSignedDigest, type SignedDigest, signedHeaderTest } from "./signed-digest.ts";
import { indexFields } from "./signed-fields.ts";
import type { DkimVerification } from "./verify.ts";

export interface DiagnosableMessage {
  readonly fields: readonly HeaderField[];
  /** With CRLF, as it was verified. */
  readonly body: Buffer;
}

/**
 * For verifications that ended with `body-changed` or `header-changed`; none for others. What is `proven` comes
 * first. The work is bounded; it may take a second or two for large bodies.
 */
export function diagnoseDkim(
  { cause, field, signature, key }: Pick<DkimVerification, "cause" | "field" | "signature" | "key">,
  { fields, body }: DiagnosableMessage,
): readonly DkimDiagnosis[] {
  if ((cause !== "body-changed" && cause !== "header-changed") || !signature || !key) return [];
  const found: DkimDiagnosis[] = [];
  if (cause === "body-changed") {
    const { bodyCanonicalization: canonicalization, bodyLength: length, bodyHash: hash } = signature;
    found.push(...diagnoseBody(fields, body, { canonicalization, length, hash }));
    if (found.length === 0) found.push(notFound("body"));
  }
  const test = signedHeaderTest(key, signature.signature);
  if (test === undefined) {
    found.push(keyDiagnosis(recoverSignedDigest(key, signature.signature)));
  } else {
    const signed = { index: indexFields(fields), field, signature, ...test };
    const header = diagnoseHeader(signed);
    if (header === "intact") found.push(INTACT_HEADER);
    else found.push(header ?? notFound("header"));
  }
  return found.toSorted((one, other) => ORDER[one.certainty] - ORDER[other.certainty]);
}

const ORDER = { proven: 0, likely: 1, none: 2 } as const;

const INTACT_HEADER: DkimDiagnosis = {
  part: "header",
  cause: "header-intact",
  certainty: "proven",
  explanation: "The signed header fields are as they were, and the key is the right one.",
  evidence: [],
};

function notFound(part: "body" | "header"): DkimDiagnosis {
  const what = part === "body" ? "the body" : "the header";
  return {
    part,
    cause: "not-found",
    certainty: "none",
    explanation: `What was changed in ${what} was not found out: none of the usual changes, undone, gives what was signed.`,
    evidence: [],
  };
}

function keyDiagnosis(signed: SignedDigest): DkimDiagnosis {
  const of = { part: "key", certainty: "proven", evidence: [] } as const;
  switch (signed.status) {
    case "other-hash":
      return {
        ...of,
        cause: "other-hash",
        explanation: `The signature holds a hash of ${signed.name}, and a= says SHA-256: the signer does something else than it says.`,
      };
    case "not-this-key":
      return {
        ...of,
        cause: "other-key",
        explanation:
          "The signature was made with another key than the one that is published (the key was changed, or another signer uses the same selector), or its b= was damaged.",
      };
    case "wrong-length":
      return {
        ...of,
        cause: "signature-damaged",
        explanation: `The signature has ${signed.octets} octets, and the published key makes signatures of ${signed.expected}: it was made with another key, or b= was cut.`,
      };
    case "recovered":
    case "hidden":
      return notFound("header");
    default:
      return signed satisfies never;
  }
}
