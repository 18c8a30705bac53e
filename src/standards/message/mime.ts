/**
 * What a message is made of (RFC 2045, RFC 2046): a tree of parts with their places in the body. One pass over the
 * octets; damage is read as mail programs read it, and never refused.
 */

import type { Parsed } from "../dns/parsed.ts";
import {
  type HeaderField,
  headerField,
  type OctetText,
  unfolded,
  withoutOuterBlanks,
} from "./header-field.ts";
import { MIME_TOKEN_OCTETS, StructuredText } from "./structured-text.ts";

/** RFC 2045 §5.1. */
export interface ContentType {
  /** In lower case: "text/plain". */
  readonly mediaType: string;
  /** By name in lower case; of two of one name the first. Those in pieces (RFC 2231) are left in pieces. */
  readonly parameters: ReadonlyMap<string, OctetText>;
}

/** RFC 2045 §6. `unknown`: a word that is none of these; the octets mean nothing then. */
export type TransferEncoding = "7bit" | "8bit" | "binary" | "base64" | "quoted-printable" | "unknown";

export interface MimePart {
  readonly fields: readonly HeaderField[];
  readonly contentType: ContentType;
  /** In lower case; "us-ascii" for a text that does not say (RFC 2045 §5.2), undefined for others that do not. */
  readonly charset: OctetText | undefined;
  readonly transferEncoding: TransferEncoding;
  /** Where the part's own body is: of `octets.subarray(start, end)`, its header excluded. */
  readonly start: number;
  readonly end: number;
  /** Of a multipart its parts; of a message/rfc822 the one message; otherwise none. */
  readonly parts: readonly MimePart[];
}

/** What goes beyond is left together, as one part, and told by name. */
export interface MimeLimits {
  /** The message itself is at depth 1. */
  readonly depth: number;
  /** In all, the message itself and multiparts included. */
  readonly parts: number;
  /** RFC 2046 §5.1.1. */
  readonly boundaryOctets: number;
  /** Of one part. */
  readonly fields: number;
}

export type MimeLimit = keyof MimeLimits;

export const MIME_LIMITS: MimeLimits = { depth: 32, parts: 1_000, boundaryOctets: 70, fields: 1_000 };

export interface MimeStructure {
  readonly root: MimePart;
  readonly exceeded: readonly MimeLimit[];
}

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const HYPHEN = 0x2d;
const LINE_OF_HYPHENS = Buffer.from("\n--");
const MAX_PARAMETERS = 100;

/** `fields` are those of the message, `body` is all behind its header. */
export function mimeStructureOf(
  fields: readonly HeaderField[],
  body: Uint8Array,
  limits: Partial<MimeLimits> = {},
): MimeStructure {
  return new StructureReader(body, { ...MIME_LIMITS, ...limits }).read(fields);
}

interface OpenPart extends MimePart {
  end: number;
  readonly parts: OpenPart[];
  /** With its two hyphens in front; undefined for what has no parts, and behind the last of them. */
  delimiter: Buffer | undefined;
}

class StructureReader {
  readonly #octets: Buffer;
  readonly #limits: MimeLimits;
  readonly #exceeded = new Set<MimeLimit>();
  /** From the message itself to the part that is being read. */
  readonly #open: OpenPart[] = [];
  #parts = 0;

  constructor(body: Uint8Array, limits: MimeLimits) {
    this.#octets = Buffer.from(body.buffer, body.byteOffset, body.length);
    this.#limits = limits;
  }

  read(fields: readonly HeaderField[]): MimeStructure {
    const root = this.#begin(fields, 0, "text/plain");
    let at = this.#innerHeaders(0);
    for (;;) {
      at = this.#nextHyphens(at);
      if (at < 0) break;
      const found = this.#delimiterAt(at);
      at = found === undefined ? at + 2 : this.#passDelimiter(at, found);
    }
    this.#closeDownTo(0, this.#octets.length);
    return { root, exceeded: [...this.#exceeded] };
  }

  /** The next line that begins with two hyphens, from a line's start on; -1 where there is none. */
  #nextHyphens(at: number): number {
    const isLineStart = at === 0 || this.#octets[at - 1] === LF;
    if (isLineStart && this.#octets[at] === HYPHEN && this.#octets[at + 1] === HYPHEN) return at;
    const before = this.#octets.indexOf(LINE_OF_HYPHENS, at);
    return before < 0 ? -1 : before + 1;
  }

  /**
   * Which open multipart the line delimits: that with the longest delimiter that the line begins with (RFC 2046
   * §5.1.1 asks for no more than the beginning), the innermost where two are the same.
   */
  #delimiterAt(at: number): number | undefined {
    let found: number | undefined;
    let longest = 0;
    for (let level = this.#open.length - 1; level >= 0; level--) {
      const delimiter = this.#open[level]!.delimiter;
      if (delimiter === undefined || delimiter.length <= longest) continue;
      if (!standsAt(this.#octets, at, delimiter)) continue;
      longest = delimiter.length;
      found = level;
    }
    return found;
  }

  /** Ends what is open below the multipart, and begins its next part unless it was the last; the place behind. */
  #passDelimiter(at: number, level: number): number {
    const multipart = this.#open[level]!;
    const behind = at + multipart.delimiter!.length;
    this.#closeDownTo(level + 1, this.#beforeLineEnd(at));
    const lf = this.#octets.indexOf(LF, behind);
    const next = lf < 0 ? this.#octets.length : lf + 1;
    if (this.#octets[behind] === HYPHEN && this.#octets[behind + 1] === HYPHEN) {
      multipart.delimiter = undefined;
      return next;
    }
    return this.#readPart(
      next,
      multipart.contentType.mediaType === "multipart/digest" ? "message/rfc822" : "text/plain",
    );
  }

  /** RFC 2046 §5.1.1: the line end before a delimiter is part of it. */
  #beforeLineEnd(at: number): number {
    if (this.#octets[at - 1] !== LF) return at;
    return this.#octets[at - 2] === CR ? at - 2 : at - 1;
  }

  #closeDownTo(level: number, end: number): void {
    for (const part of this.#open.splice(level).reverse())
      part.end = Math.max(part.start, part.parts.at(-1)?.end ?? 0, end);
  }

  /** A header and what is to be known of its body; the place where to look for delimiters from then on. */
  #readPart(at: number, defaultType: string): number {
    if (this.#parts >= this.#limits.parts) {
      this.#exceeded.add("parts");
      return at;
    }
    const { fields, bodyStart } = this.#readFields(at);
    this.#begin(fields, bodyStart, defaultType);
    return this.#innerHeaders(bodyStart);
  }

  /** A message within a message begins at once with its own header. */
  #innerHeaders(at: number): number {
    const part = this.#open.at(-1)!;
    const { mediaType } = part.contentType;
    if (mediaType !== "message/rfc822" && mediaType !== "message/global") return at;
    if (part.transferEncoding === "base64" || part.transferEncoding === "quoted-printable") return at;
    if (this.#open.length >= this.#limits.depth) {
      this.#exceeded.add("depth");
      return at;
    }
    return this.#readPart(at, "text/plain");
  }

  #begin(fields: readonly HeaderField[], start: number, defaultType: string): OpenPart {
    const contentType = contentTypeOf(fields, defaultType);
    const part: OpenPart = {
      fields,
      contentType,
      charset: charsetOf(contentType),
      transferEncoding: transferEncodingOf(fields),
      start,
      end: start,
      parts: [],
      delimiter: this.#delimiterOf(contentType),
    };
    this.#parts++;
    this.#open.at(-1)?.parts.push(part);
    this.#open.push(part);
    return part;
  }

  #delimiterOf({ mediaType, parameters }: ContentType): Buffer | undefined {
    const boundary = mediaType.startsWith("multipart/") ? parameters.get("boundary") : undefined;
    if (boundary === undefined || boundary === "") return undefined;
    if (boundary.length > this.#limits.boundaryOctets) {
      this.#exceeded.add("boundaryOctets");
      return undefined;
    }
    if (this.#open.length + 1 >= this.#limits.depth) {
      this.#exceeded.add("depth");
      return undefined;
    }
    return Buffer.from(`--${boundary}`, "latin1");
  }

  /** Up to the empty line, or a line that is no field, or a delimiter; the body is empty then. */
  #readFields(from: number): { fields: HeaderField[]; bodyStart: number } {
    const octets = this.#octets;
    const fields: HeaderField[] = [];
    let at = from;
    let fieldStart = from;
    const endField = () => {
      if (at === fieldStart) return;
      if (fields.length >= this.#limits.fields) {
        this.#exceeded.add("fields");
        return;
      }
      const text = octets.toString("latin1", fieldStart, this.#beforeLineEnd(at));
      const colon = text.indexOf(":");
      fields.push(headerField(text.slice(0, colon), text.slice(colon + 1)));
    };
    while (at < octets.length) {
      const lf = octets.indexOf(LF, at);
      const next = lf < 0 ? octets.length : lf + 1;
      const first = octets[at];
      if (first === LF || (first === CR && octets[at + 1] === LF)) {
        endField();
        return { fields, bodyStart: next };
      }
      const isFold = (first === SPACE || first === TAB) && at > fieldStart;
      if (!isFold) {
        if (first === HYPHEN && octets[at + 1] === HYPHEN && this.#delimiterAt(at) !== undefined) break;
        if (!isFieldStart(octets, at, next)) break;
        endField();
        fieldStart = at;
      }
      at = next;
    }
    endField();
    return { fields, bodyStart: at };
  }
}

function standsAt(octets: Uint8Array, at: number, delimiter: Uint8Array): boolean {
  let same = 0;
  while (same < delimiter.length && octets[at + same] === delimiter[same]) same++;
  return same === delimiter.length;
}

function isFieldStart(octets: Buffer, from: number, to: number): boolean {
  let at = from;
  while (at < to && octets[at]! > SPACE && octets[at]! < 0x7f && octets[at] !== 0x3a) at++;
  if (at === from) return false;
  while (at < to && (octets[at] === SPACE || octets[at] === TAB)) at++;
  return at < to && octets[at] === 0x3a;
}

/** RFC 2045 §5.2: what cannot be read is as if it were not there. */
function contentTypeOf(fields: readonly HeaderField[], defaultType: string): ContentType {
  const field = fields.find(({ key }) => key === "content-type");
  const parsed = field === undefined ? undefined : parseContentType(field.value);
  return parsed?.ok ? parsed.value : { mediaType: defaultType, parameters: new Map() };
}

function charsetOf({ mediaType, parameters }: ContentType): OctetText | undefined {
  return (
    (parameters.get("charset") || undefined)?.toLowerCase() ??
    (mediaType.startsWith("text/") ? "us-ascii" : undefined)
  );
}

function transferEncodingOf(fields: readonly HeaderField[]): TransferEncoding {
  const field = fields.find(({ key }) => key === "content-transfer-encoding");
  if (field === undefined) return "7bit";
  const text = new StructuredText(unfolded(field.value));
  if (text.skipBlanks() !== undefined) return "unknown";
  const word = text.run(MIME_TOKEN_OCTETS).toLowerCase();
  switch (word) {
    case "7bit":
    case "8bit":
    case "binary":
    case "base64":
    case "quoted-printable":
      return word;
    default:
      return "unknown";
  }
}

/** The type has to be readable; a parameter that is not is passed over up to the next semicolon. */
export function parseContentType(value: OctetText): Parsed<ContentType> {
  const text = new StructuredText(value);
  const token = () => {
    const refused = text.skipBlanks();
    return refused ?? text.run(MIME_TOKEN_OCTETS).toLowerCase();
  };
  const type = token();
  if (typeof type !== "string") return type;
  const slash = text.skipBlanks();
  if (slash !== undefined) return slash;
  if (type === "" || !text.take("/"))
    return text.refuse("a content type is two words with a slash between them");
  const subtype = token();
  if (typeof subtype !== "string") return subtype;
  if (subtype === "") return text.refuse("a content type has no word behind its slash");

  const parameters = new Map<string, OctetText>();
  while (parameters.size < MAX_PARAMETERS && passSemicolon(text)) {
    const parameter = parseParameter(text);
    if (parameter !== undefined && !parameters.has(parameter.name))
      parameters.set(parameter.name, parameter.value);
  }
  return { ok: true, value: { mediaType: `${type}/${subtype}`, parameters } };
}

/** Passes whatever stands before the next semicolon outside of quotes and comments. */
function passSemicolon(text: StructuredText): boolean {
  while (!text.isAtEnd) {
    if (text.skipBlanks() !== undefined) return false;
    if (text.take(";")) return true;
    if (text.text[text.at] === '"') text.quotedString();
    else text.at++;
  }
  return false;
}

function parseParameter(text: StructuredText): { name: string; value: OctetText } | undefined {
  if (text.skipBlanks() !== undefined) return undefined;
  const name = text.run(MIME_TOKEN_OCTETS).toLowerCase();
  if (name === "" || text.skipBlanks() !== undefined || !text.take("=")) return undefined;
  if (text.skipBlanks() !== undefined) return undefined;
  if (text.text[text.at] === '"') {
    const quoted = text.quotedString();
    return quoted.ok ? { name, value: quoted.value } : undefined;
  }
  // Boundaries in use have "=", "?" and others without the quotes that RFC 2045 wants.
  const from = text.at;
  while (!text.isAtEnd && !" \t\r\n;(".includes(text.text[text.at]!)) text.at++;
  const value = withoutOuterBlanks(text.text.slice(from, text.at));
  return value === "" ? undefined : { name, value };
}
