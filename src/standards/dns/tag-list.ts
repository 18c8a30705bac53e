/**
 * "tag=value; tag=value" texts: DKIM keys and signatures (RFC 6376 §3.2), DMARC (RFC 9989 §4.8), MTA-STS
 * (RFC 8461 §3.1), TLS-RPT (RFC 8460 §3), BIMI. This only takes the text apart and loses nothing; each
 * standard decides what it forgives.
 */
export interface Tag {
  /** As written, white space around it removed; case kept. Empty where the part has no name. */
  readonly name: string;
  /** As written, white space around it removed; undefined where the part has no "=". */
  readonly value: string | undefined;
  /** Where the name starts in the text, counted from 0. */
  readonly offset: number;
  /** Where the value starts; the end of the part where there is no value. */
  readonly valueOffset: number;
  /** The part between the separators, white space around it removed. */
  readonly text: string;
}

export interface TagList {
  readonly tags: readonly Tag[];
  /** Offsets of separators with nothing before them (";;"); one trailing separator is not counted. */
  readonly emptyAt: readonly number[];
}

export function splitTags(text: string): TagList {
  const tags: Tag[] = [];
  const emptyAt: number[] = [];
  const parts = text.split(";");
  let start = 0;
  for (const [at, part] of parts.entries()) {
    const trimmed = part.trim();
    if (trimmed === "") {
      if (at !== parts.length - 1) emptyAt.push(start + part.length);
    } else {
      tags.push(readTag(part, trimmed, start));
    }
    start += part.length + 1;
  }
  return { tags, emptyAt };
}

function readTag(part: string, trimmed: string, start: number): Tag {
  const offset = start + part.indexOf(trimmed);
  const equals = trimmed.indexOf("=");
  if (equals < 0) {
    return { name: trimmed, value: undefined, offset, valueOffset: offset + trimmed.length, text: trimmed };
  }
  const behind = trimmed.slice(equals + 1);
  const value = behind.trim();
  const valueOffset = offset + equals + 1 + (behind.length - behind.trimStart().length);
  return { name: trimmed.slice(0, equals).trim(), value, offset, valueOffset, text: trimmed };
}
