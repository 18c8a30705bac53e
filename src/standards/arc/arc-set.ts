/** The ARC sets of a message (RFC 8617 §4): their fields gathered by instance, and read. */
import {
  type BodySignature,
  parseBodyTags,
  parseSignatureCore,
  readSignatureTags,
  type SignatureCore,
} from "../dkim/signature.ts";
import type { FieldIndex } from "../dkim/signed-fields.ts";
import type { HeaderField, OctetText } from "../message/header-field.ts";

export const ARC_AUTHENTICATION_RESULTS = "arc-authentication-results";
export const ARC_MESSAGE_SIGNATURE = "arc-message-signature";
export const ARC_SEAL = "arc-seal";

/** RFC 8617 §4.2.1. */
export const MAX_ARC_SETS = 50;

export type ChainStatus = "none" | "pass" | "fail";

export interface ArcSet {
  readonly instance: number;
  readonly results: HeaderField;
  /** What stands behind "i=1;" in the ARC-Authentication-Results. */
  readonly resultsText: OctetText;
  readonly messageSignature: HeaderField;
  readonly message: BodySignature;
  readonly sealField: HeaderField;
  readonly seal: SignatureCore & { readonly chainStatus: ChainStatus };
}

export type ArcSets =
  | { readonly status: "none" }
  /** From instance 1 up, without gaps. */
  | { readonly status: "chain"; readonly sets: readonly ArcSet[] }
  | {
      readonly status: "broken";
      readonly problem: string;
      /** Of all that can be read; 0 where nothing can. */
      readonly highestInstance: number;
      /** The newest seal says cv=fail already: nothing more is to be added (§5.1 step 2). */
      readonly isClosed: boolean;
    };

/** Steps 1 to 3 of §5.2. */
export function readArcSets(index: FieldIndex): ArcSets {
  const results = index.get(ARC_AUTHENTICATION_RESULTS) ?? [];
  const signatures = index.get(ARC_MESSAGE_SIGNATURE) ?? [];
  const seals = index.get(ARC_SEAL) ?? [];
  const count = Math.max(results.length, signatures.length, seals.length);
  if (count === 0) return { status: "none" };
  const broken = (problem: string): ArcSets => ({
    status: "broken",
    problem,
    ...endOfBrokenChain(seals, signatures, results),
  });
  if (count > MAX_ARC_SETS) return broken(`there are ${count} ARC sets; ${MAX_ARC_SETS} are allowed`);
  const resultsOf = gather(results, readResults);
  if (!resultsOf.ok) return broken(resultsOf.problem);
  const signatureOf = gather(signatures, readMessageSignature);
  if (!signatureOf.ok) return broken(signatureOf.problem);
  const sealOf = gather(seals, readSeal);
  if (!sealOf.ok) return broken(sealOf.problem);
  const sets: ArcSet[] = [];
  for (let instance = 1; instance <= count; instance += 1) {
    const result = resultsOf.value.get(instance);
    const signature = signatureOf.value.get(instance);
    const seal = sealOf.value.get(instance);
    if (result === undefined || signature === undefined || seal === undefined)
      return broken(`the set i=${instance} is not complete`);
    sets.push({
      instance,
      results: result.field,
      resultsText: result.read,
      messageSignature: signature.field,
      message: signature.read,
      sealField: seal.field,
      seal: seal.read,
    });
  }
  const wrong = sets.find(({ instance, seal }) => seal.chainStatus !== (instance === 1 ? "none" : "pass"));
  if (wrong !== undefined) return broken(`the seal i=${wrong.instance} says cv=${wrong.seal.chainStatus}`);
  return { status: "chain", sets };
}

function endOfBrokenChain(
  seals: readonly HeaderField[],
  signatures: readonly HeaderField[],
  results: readonly HeaderField[],
): { readonly highestInstance: number; readonly isClosed: boolean } {
  let highestInstance = 0;
  let isClosed = false;
  for (const { value } of seals.slice(0, MAX_ARC_SETS)) {
    const seal = readSeal(value);
    if (!seal.ok || seal.instance <= highestInstance) continue;
    highestInstance = seal.instance;
    isClosed = seal.value.chainStatus === "fail";
  }
  const others = [
    ...signatures.slice(0, MAX_ARC_SETS).map(({ value }) => readMessageSignature(value)),
    ...results.slice(0, MAX_ARC_SETS).map(({ value }) => readResults(value)),
  ];
  for (const other of others) if (other.ok) highestInstance = Math.max(highestInstance, other.instance);
  return { highestInstance, isClosed };
}

type Gathered<T> = ReadonlyMap<number, { readonly field: HeaderField; readonly read: T }>;
type Refusal = { readonly ok: false; readonly problem: string };
type Read<T> = { readonly ok: true; readonly instance: number; readonly value: T } | Refusal;

function gather<T>(
  fields: readonly HeaderField[],
  read: (value: OctetText) => Read<T>,
): { readonly ok: true; readonly value: Gathered<T> } | Refusal {
  const gathered = new Map<number, { field: HeaderField; read: T }>();
  for (const field of fields) {
    const one = read(field.value);
    if (!one.ok) return { ok: false, problem: `${field.name.trim()}: ${one.problem}` };
    if (gathered.has(one.instance))
      return { ok: false, problem: `${field.name.trim()} i=${one.instance} stands twice` };
    gathered.set(one.instance, { field, read: one.value });
  }
  return { ok: true, value: gathered };
}

/** "i=1; …", with comments where the grammar has them (§4.1.1). */
const AAR = /^(?:[ \t\r\n]|\([^()]*\))*i[ \t\r\n]*=[ \t\r\n]*(\d{1,2})(?:[ \t\r\n]|\([^()]*\))*;/;

function readResults(value: OctetText): Read<OctetText> {
  const found = AAR.exec(value);
  if (found === null) return { ok: false, problem: 'it does not begin with "i=" and a number' };
  const instance = readInstance(found[1]);
  if (instance === undefined) return { ok: false, problem: `i=${found[1]} is no instance` };
  return { ok: true, instance, value: value.slice(found[0].length).trim() };
}

function readInstance(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,2}$/.test(text)) return undefined;
  const instance = Number(text);
  return instance >= 1 && instance <= MAX_ARC_SETS ? instance : undefined;
}

/**
 * The tags of DKIM, with i= as the instance, and without v= (§4.1.2). The results that are not to be named in h= stand
 * there in many a chain, and do no harm to who reads it.
 */
function readMessageSignature(value: OctetText): Read<BodySignature> {
  const tags = readSignatureTags(value);
  if (!tags.ok) return tags;
  const instance = readInstance(tags.value.get("i"));
  if (instance === undefined) return { ok: false, problem: "i= is no instance" };
  const body = parseBodyTags(tags.value);
  if (!body.ok) return body;
  if (!body.value.signedFields.includes("from")) return { ok: false, problem: "h= leaves out From" };
  if (body.value.signedFields.includes(ARC_SEAL))
    return { ok: false, problem: "h= names the seal, which is made later" };
  return { ok: true, instance, value: body.value };
}

function readSeal(value: OctetText): Read<ArcSet["seal"]> {
  const tags = readSignatureTags(value);
  if (!tags.ok) return tags;
  const instance = readInstance(tags.value.get("i"));
  if (instance === undefined) return { ok: false, problem: "i= is no instance" };
  if (tags.value.has("h")) return { ok: false, problem: "it has an h=, which no seal may have" };
  const chainStatus = tags.value.get("cv");
  if (chainStatus !== "none" && chainStatus !== "pass" && chainStatus !== "fail")
    return { ok: false, problem: "cv= is none of none, pass, fail" };
  const core = parseSignatureCore(tags.value);
  if (!core.ok) return core;
  return { ok: true, instance, value: { ...core.value, chainStatus } };
}
