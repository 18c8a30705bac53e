/** One header field of a message (RFC 5322 §2.2), kept exactly as it came. */

/**
 * Octets as text: one character for each octet, U+0000 to U+00FF. Header fields are handled in this form, so that
 * nothing is decoded or repaired on the way, and `Buffer.from(text, "latin1")` gives back what was there.
 */
export type OctetText = string;

export interface HeaderField {
  /** As written, case and any blanks before the colon kept. */
  readonly name: OctetText;
  /**
   * All behind the colon: leading blanks, folds with their line ends, any octet above 127. Without the line end that
   * closes the field.
   */
  readonly value: OctetText;
  /** The name in lower case and without blanks, to compare with. */
  readonly key: string;
}

export function headerField(name: OctetText, value: OctetText): HeaderField {
  return { name, value, key: withoutOuterBlanks(name).toLowerCase() };
}

/** RFC 5322 §2.2.3: the value as one line, blanks around it removed. */
export function unfolded(value: OctetText): OctetText {
  return withoutOuterBlanks(value.includes("\n") ? value.replace(/\r?\n(?=[ \t])/g, "") : value);
}

/** Not `trim`: to that, the last octet of "à" in UTF-8 (0xA0) is a blank. */
export function withoutOuterBlanks(text: OctetText): OctetText {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

const isBlank = (octet: number) => octet === 0x20 || octet === 0x09 || octet === 0x0d || octet === 0x0a;
