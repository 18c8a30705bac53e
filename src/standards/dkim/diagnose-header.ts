/** What was done to a header that a signature no longer fits: usual changes are undone, and the rest tried again. */
import { type HeaderField, headerField, type OctetText } from "../message/header-field.ts";
import { type Canonicalization, canonicalField } from "./canonical.ts";
import { type DkimDiagnosis, quoted } from "./diagnosis.ts";
import { earlierValues, lostValues } from "./earlier-values.ts";
import { type DkimSignature, decodeQuotedPrintable, withoutSignatureData } from "./signature.ts";
import type { FieldIndex } from "./signed-fields.ts";

export interface SignedHeader {
  readonly index: FieldIndex;
  readonly field: HeaderField;
  readonly signature: DkimSignature;
  /** Whether these octets are what was signed. */
  readonly matches: (data: Buffer) => boolean;
  /** Whether asking costs no more than a hash. */
  readonly isCheap: boolean;
}

const MAX_ATTEMPTS = 5_000;
/** Where each costs a whole verification. */
const MAX_DEAR_ATTEMPTS = 1_000;
const MAX_WORK_OCTETS = 64 * 1_048_576;
/** To look a name of h= up is work too. */
const WORK_OF_A_NAME = 32;
/** Of the fields of one name, so many are looked into. */
const MAX_OCCURRENCES = 8;
/** Of one field, as many as are tried together with those of another. */
const MAX_OF_A_PAIR = 24;

/** A way the fields of one name may have been: what stood in the place of each of its occurrences in h=. */
interface Alternative {
  readonly key: string;
  /** In the order in which h= takes them: from the bottom of the header up. */
  readonly fields: readonly HeaderField[];
  readonly diagnosis: Omit<DkimDiagnosis, "part" | "certainty">;
}

/** `intact`: it is what was signed. Undefined: nothing was found out. */
export function diagnoseHeader(signed: SignedHeader): DkimDiagnosis | "intact" | undefined {
  const search = new HeaderSearch(signed);
  if (search.matches([])) return "intact";
  const found = search.otherRules() ?? search.alternatives();
  return found === undefined ? copiedDifference(signed) : { part: "header", certainty: "proven", ...found };
}

class HeaderSearch {
  readonly #signed: SignedHeader;
  #attempts = 0;
  #work = 0;

  constructor(signed: SignedHeader) {
    this.#signed = signed;
  }

  /** The header with these alternatives in the place of what is there. */
  matches(
    alternatives: readonly Pick<Alternative, "key" | "fields">[],
    {
      canonicalization = this.#signed.signature.headerCanonicalization,
      field = this.#signed.field,
      fromTop = false,
    }: {
      readonly canonicalization?: Canonicalization;
      readonly field?: HeaderField;
      readonly fromTop?: boolean;
    } = {},
  ): boolean {
    const { index, signature } = this.#signed;
    this.#attempts += 1;
    if (this.isExhausted) return false;
    this.#work += WORK_OF_A_NAME * signature.signedFields.length;
    const taken = new Map<string, number>();
    let text: OctetText = "";
    for (const name of signature.signedFields) {
      const other = alternatives.find(({ key }) => key === name)?.fields;
      const there = index.get(name) ?? [];
      const before = taken.get(name) ?? 0;
      const one =
        other?.[before] ?? (other ? undefined : there[fromTop ? before : there.length - 1 - before]);
      if (one === undefined) continue;
      taken.set(name, before + 1);
      text += `${canonicalField(one, canonicalization)}\r\n`;
    }
    text += canonicalField({ ...field, value: withoutSignatureData(field.value) }, canonicalization);
    this.#work += text.length;
    return this.#signed.matches(Buffer.from(text, "latin1"));
  }

  get isExhausted(): boolean {
    const attempts = this.#signed.isCheap ? MAX_ATTEMPTS : MAX_DEAR_ATTEMPTS;
    return this.#attempts > attempts || this.#work > MAX_WORK_OCTETS;
  }

  /** The same fields, put together by other rules than those of the signature. */
  otherRules(): Omit<DkimDiagnosis, "part" | "certainty"> | undefined {
    const { signature, field } = this.#signed;
    const now = signature.headerCanonicalization;
    const other = now === "simple" ? "relaxed" : "simple";
    if (this.matches([], { canonicalization: other })) {
      const explanation = `The header is unchanged, but the signer hashed it as "${other}" and wrote "${now}" into c=.`;
      return { cause: "header-canonicalization", explanation, evidence: [] };
    }
    if (this.matches([], { fromTop: true })) {
      const explanation =
        "The signer took fields that stand several times from the top; they are to be taken from the bottom (RFC 6376 §5.4.2).";
      return { cause: "header-order", explanation, evidence: [] };
    }
    for (const value of layouts(field.value)) {
      if (!this.matches([], { field: { ...field, value } })) continue;
      const explanation =
        "The lines of the DKIM-Signature field itself were broken in other places on the way.";
      return { cause: "header-field-altered", explanation, evidence: [quoted(field.value)] };
    }
    return undefined;
  }

  alternatives(): Omit<DkimDiagnosis, "part" | "certainty"> | undefined {
    const { index, signature } = this.#signed;
    const all = new Map<string, readonly Alternative[]>();
    const copied = copiedFields(signature.copiedFields);
    for (const key of new Set(signature.signedFields)) {
      if (this.isExhausted) return undefined;
      const own = alternativesOf(key, index, signature.headerCanonicalization, copied);
      all.set(key, own);
      const found = own.find((one) => this.matches([one]));
      if (found !== undefined) return found.diagnosis;
    }
    const copies = [...all.values()].flatMap(([first]) =>
      first !== undefined && copied.has(first.key) ? [first] : [],
    );
    if (copies.length > 1 && this.matches(copies)) return together(copies);
    const keys = [...all.keys()].toSorted((one, other) => usualness(one) - usualness(other));
    for (const [at, key] of keys.entries()) {
      for (const otherKey of keys.slice(at + 1)) {
        if (this.isExhausted) return undefined;
        for (const one of all.get(key)!.slice(0, MAX_OF_A_PAIR)) {
          for (const other of all.get(otherKey)!.slice(0, MAX_OF_A_PAIR)) {
            if (this.matches([one, other])) return together([one, other]);
          }
        }
      }
    }
    return undefined;
  }
}

/** Which fields lists and gateways like to change, the most liked first. */
const USUAL = [
  "subject",
  "from",
  "reply-to",
  "content-type",
  "content-transfer-encoding",
  "to",
  "cc",
  "sender",
];

const usualness = (key: string): number => {
  const at = USUAL.indexOf(key);
  return at < 0 ? USUAL.length : at;
};

function together(alternatives: readonly Alternative[]): Alternative["diagnosis"] {
  return {
    cause: alternatives[0]!.diagnosis.cause,
    explanation: alternatives.map(({ diagnosis }) => diagnosis.explanation).join(" "),
    evidence: alternatives.flatMap(({ diagnosis }) => diagnosis.evidence),
  };
}

function alternativesOf(
  key: string,
  index: FieldIndex,
  canonicalization: Canonicalization,
  copied: ReadonlyMap<string, readonly OctetText[]>,
): readonly Alternative[] {
  const there = (index.get(key) ?? []).toReversed();
  const alternatives: Alternative[] = [];
  const copies = copied.get(key);
  if (copies !== undefined) {
    const now = there.map(({ value }) => value);
    if (plain(copies.join("\n")) !== plain(now.join("\n"))) {
      const name = there[0]?.name.trim() ?? titled(key);
      alternatives.push({
        key,
        fields: copies.map((value) => headerField(there[0]?.name ?? titled(key), value)),
        diagnosis: {
          cause: now.length === 0 ? "header-field-removed" : "header-field-altered",
          explanation: `${name} is not what the signer saw, which stands in z=.`,
          evidence: [
            ...copies.map((value) => `was ${quoted(value)}`),
            ...now.map((value) => `is ${quoted(value)}`),
          ],
        },
      });
    }
  }
  for (const [at, field] of there.slice(0, MAX_OCCURRENCES).entries()) {
    const name = field.name.trim();
    alternatives.push({
      key,
      fields: there.toSpliced(at, 1),
      diagnosis: {
        cause: "header-field-added",
        explanation:
          there.length > 1
            ? `One of the ${there.length} fields ${name} was added after signing.`
            : `The field ${name} was added after signing, and h= says that there was none.`,
        evidence: [`${name}: ${quoted(field.value)}`],
      },
    });
    for (const { value, how } of earlierValues(field, index, canonicalization)) {
      alternatives.push({
        key,
        fields: there.with(at, value),
        diagnosis: {
          cause: "header-field-altered",
          explanation: `${name} was changed after signing: ${how}.`,
          evidence: [`was ${quoted(value.value)}`, `is ${quoted(field.value)}`],
        },
      });
    }
  }
  for (const value of there.length === 0 ? lostValues(key, index) : []) {
    const field = headerField(titled(key), ` ${value}`);
    alternatives.push({
      key,
      fields: [field],
      diagnosis: {
        cause: "header-field-removed",
        explanation: `The field ${field.name} was taken away after signing.`,
        evidence: [`was ${quoted(field.value)}`],
      },
    });
  }
  if (there.length > 1) {
    alternatives.push({
      key,
      fields: there.toReversed(),
      diagnosis: {
        cause: "header-order",
        explanation: `The ${there.length} fields ${there[0]!.name.trim()} were put into another order after signing.`,
        evidence: there.map(({ value }) => quoted(value)),
      },
    });
  }
  return alternatives;
}

const titled = (key: string): string =>
  key === "message-id"
    ? "Message-ID"
    : key === "mime-version"
      ? "MIME-Version"
      : key.replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase());

const plain = (value: OctetText): string => value.replace(/[ \t\r\n]+/g, " ").trim();

/** Other places for the line breaks of a value. */
function layouts(value: OctetText): readonly OctetText[] {
  return [
    value.replace(/\r\n(?=[ \t])/g, ""),
    value.replace(/\r\n[ \t]+/g, "\r\n\t"),
    value.replace(/\r\n[ \t]+/g, "\r\n "),
    value.replace(/\r\n[ \t]+/g, " "),
    value.replace(/\r\n[ \t]+/g, ""),
    value.startsWith(" ") ? value.slice(1) : ` ${value}`,
  ].filter((other) => other !== value);
}

/** z= (RFC 6376 §3.5), by lower-case name; values from the bottom of the header up, as far as the signer wrote so. */
function copiedFields(text: string | undefined): ReadonlyMap<string, readonly OctetText[]> {
  const copies = new Map<string, OctetText[]>();
  for (const part of (text ?? "").split("|").slice(0, 200)) {
    const colon = part.indexOf(":");
    if (colon <= 0) continue;
    const key = part
      .slice(0, colon)
      .replace(/[ \t\r\n]/g, "")
      .toLowerCase();
    const value = decodeQuotedPrintable(part.slice(colon + 1));
    const before = copies.get(key);
    if (before === undefined) copies.set(key, [value]);
    else before.push(value);
  }
  return copies;
}

/** Nothing fits, but z= tells of a difference. */
function copiedDifference({ index, signature }: SignedHeader): DkimDiagnosis | undefined {
  const copied = copiedFields(signature.copiedFields);
  for (const [key, values] of copied) {
    const now = (index.get(key) ?? []).map(({ value }) => value);
    const gone = values.find((value) => !now.some((other) => plain(other) === plain(value)));
    if (gone === undefined) continue;
    return {
      part: "header",
      cause: now.length === 0 ? "header-field-removed" : "header-field-altered",
      certainty: "likely",
      explanation: `${titled(key)} is not what the signer saw, which stands in z=; other things were changed too.`,
      evidence: [`was ${quoted(gone)}`, ...now.slice(0, 2).map((value) => `is ${quoted(value)}`)],
    };
  }
  return undefined;
}
