/** Tag lists of our own as field values, folded between tags and inside lists (RFC 6376 §3.2). */

/** A list is written with colons between its members. */
export type TagToFold = readonly [name: string, value: string | readonly string[]];

/** RFC 5322 §2.1.1 asks for lines of at most 78 characters; a tab counts for more on a screen. */
const MAX_COLUMNS = 74;

/** "v=1; …; b=": all tags, with an empty b= at the end, in front of which there is always a fold. */
export function foldTags(fieldName: string, tags: readonly TagToFold[]): string {
  let text = "";
  let columns = fieldName.length + 1;
  const put = (piece: string, blank: " " | "") => {
    if (columns + blank.length + piece.length > MAX_COLUMNS) {
      text += `\r\n\t${piece}`;
      columns = 8 + piece.length;
    } else {
      text += blank + piece;
      columns += blank.length + piece.length;
    }
  };
  for (const [name, value] of tags) {
    if (typeof value === "string") {
      put(`${name}=${value};`, " ");
      continue;
    }
    for (const [at, member] of value.entries()) {
      const end = at === value.length - 1 ? ";" : ":";
      put(at === 0 ? `${name}=${member}${end}` : member + end, at === 0 ? " " : "");
    }
  }
  return `${text}\r\n\tb=`;
}
