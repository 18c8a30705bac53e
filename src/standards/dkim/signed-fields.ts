/** The fields of a header that a signature covers (RFC 6376 §5.4.2), and the text that is hashed of them (§3.7). */
import type { HeaderField, OctetText } from "../message/header-field.ts";
import { type Canonicalization, canonicalField } from "./canonical.ts";

/** Fields by their key, each list from the top of the header to the bottom. */
export type FieldIndex = ReadonlyMap<string, readonly HeaderField[]>;

export function indexFields(fields: readonly HeaderField[]): FieldIndex {
  const index = new Map<string, HeaderField[]>();
  for (const field of fields) {
    const before = index.get(field.key);
    if (before === undefined) index.set(field.key, [field]);
    else before.push(field);
  }
  return index;
}

/** A name that stands several times takes the lowest field first, then those above it; more than there are take none. */
export function pickFields(index: FieldIndex, names: readonly string[]): HeaderField[] {
  const picked: HeaderField[] = [];
  const taken = new Map<string, number>();
  for (const name of names) {
    const fields = index.get(name);
    if (fields === undefined) continue;
    const before = taken.get(name) ?? 0;
    const field = fields[fields.length - 1 - before];
    if (field === undefined) continue;
    taken.set(name, before + 1);
    picked.push(field);
  }
  return picked;
}

/** Canonical fields with a CRLF behind each but the last, which is the signature itself without its data. */
export function headerData(
  fields: readonly HeaderField[],
  signature: HeaderField,
  canonicalization: Canonicalization,
): Buffer {
  let text: OctetText = "";
  for (const field of fields) text += `${canonicalField(field, canonicalization)}\r\n`;
  return Buffer.from(text + canonicalField(signature, canonicalization), "latin1");
}
