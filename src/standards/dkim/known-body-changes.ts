/** Changes that programs make to bodies on the way, each undone: what the body may have been before. */
import type { HeaderField } from "../message/header-field.ts";
import { type MimePart, mimeStructureOf, type TransferEncoding } from "../message/mime.ts";
import { decodeTransfer } from "../message/transfer-decoding.ts";
import { type DiagnosisCause, quoted } from "./diagnosis.ts";

export interface BodyChange {
  readonly cause: DiagnosisCause;
  /** What was done, as one or two sentences. */
  readonly was: string;
  /** The body without it. */
  readonly undone: Buffer;
}

interface TextChange {
  readonly cause: DiagnosisCause;
  readonly was: string;
  readonly undo: (text: string) => string;
}

const TEXT_CHANGES: readonly TextChange[] = [
  {
    cause: "body-line-ends",
    was: "The message was signed with line ends of LF alone, and SMTP made CRLF of them; sign what is transmitted.",
    undo: (text) => text.replaceAll("\r\n", "\n"),
  },
  {
    cause: "body-line-ends",
    was: "A carriage return that stood alone was signed as part of a line end, and is alone again.",
    undo: (text) => text.replace(/\r(?!\n)/g, "\r\n"),
  },
  {
    cause: "body-line-ends",
    was: "Carriage returns that belong to no line end were put in after signing.",
    undo: (text) => text.replace(/\r(?!\n)/g, ""),
  },
  {
    cause: "body-line-ends",
    was: "Every line end was doubled after signing.",
    undo: (text) => text.replace(/\r\n\r\n/g, "\r\n"),
  },
  {
    cause: "body-empty-lines",
    was: "An empty line at the top of the body was taken away after signing.",
    undo: (text) => `\r\n${text}`,
  },
  {
    cause: "body-empty-lines",
    was: "An empty line was put at the top of the body after signing.",
    undo: (text) => text.replace(/^\r\n/, ""),
  },
  {
    cause: "body-empty-lines",
    was: "Empty lines in the body were doubled after signing.",
    undo: (text) => text.replace(/(?:\r\n){3,}/g, "\r\n\r\n"),
  },
  {
    cause: "body-dots",
    was: "Dots at the start of lines are doubled: what protects them on the way (RFC 5321 §4.5.2) was not taken off again.",
    undo: (text) => text.replace(/(^|\r\n)\.\./g, "$1."),
  },
  {
    cause: "body-dots",
    was: "A dot is missing at the start of lines: what protects them on the way (RFC 5321 §4.5.2) was taken off twice, or never put there.",
    undo: (text) => text.replace(/(^|\r\n)\./g, "$1.."),
  },
  {
    cause: "body-from-lines",
    was: 'Lines that began with "From " have a ">" before it, as programs do that keep mail in mbox files.',
    undo: (text) => text.replace(/(^|\r\n)>(>*From )/g, "$1$2"),
  },
  {
    cause: "body-from-lines",
    was: 'Lines that began with ">From " have lost the ">", as programs do that read mbox files.',
    undo: (text) => text.replace(/(^|\r\n)(>*From )/g, "$1>$2"),
  },
  {
    cause: "body-blanks",
    was: "Blanks were put at the ends of lines after signing.",
    undo: (text) => eachLine(text, withoutBlanksAtEnd),
  },
  {
    cause: "body-blanks",
    was: "Blanks were put at the ends of lines after signing.",
    undo: (text) => eachLine(text, (line) => (line === "-- " ? line : withoutBlanksAtEnd(line))),
  },
  {
    cause: "body-blanks",
    was: 'The line before the sender\'s own footer ("-- ") has lost its blank.',
    undo: (text) => text.replace(/(^|\r\n)--(?=\r\n)/g, "$1-- "),
  },
  {
    cause: "body-blanks",
    was: "Tabs were made eight blanks after signing.",
    undo: (text) => text.replace(/ {8}/g, "\t"),
  },
  {
    cause: "body-blanks",
    was: "Tabs were made four blanks after signing.",
    undo: (text) => text.replace(/ {4}/g, "\t"),
  },
  {
    cause: "body-blanks",
    was: "Tabs were made single blanks at the start of lines after signing.",
    undo: (text) => text.replace(/(^|\r\n) (?! )/g, "$1\t"),
  },
  {
    cause: "body-blanks",
    was: "Blanks were put before lines that begin with one, as programs for flowed text do.",
    undo: (text) => text.replace(/(^|\r\n) (?=[ >]|From )/g, "$1"),
  },
];

const eachLine = (text: string, edit: (line: string) => string): string =>
  text.split("\r\n").map(edit).join("\r\n");

/** No regular expression: it would take a line of blanks apart again and again. */
function withoutBlanksAtEnd(line: string): string {
  let to = line.length;
  while (to > 0 && (line[to - 1] === " " || line[to - 1] === "\t")) to -= 1;
  return line.slice(0, to);
}

/** Those that would change anything, one at a time: each is a copy of the body. */
export function* knownBodyChanges(fields: readonly HeaderField[], body: Buffer): Generator<BodyChange> {
  const text = body.toString("latin1");
  for (const { cause, was, undone } of changesOfText(text, body)) {
    if (undone !== text) yield { cause, was, undone: Buffer.from(undone, "latin1") };
  }
  if (body.length <= MAX_RECODED_OCTETS) yield* otherEncodings(fields, body);
}

/** Longer texts are not encoded anew, nor searched for links. */
const MAX_RECODED_OCTETS = 1_048_576;

function* changesOfText(
  text: string,
  body: Buffer,
): Generator<Omit<BodyChange, "undone"> & { readonly undone: string }> {
  for (const { cause, was, undo } of TEXT_CHANGES) yield { cause, was, undone: undo(text) };
  for (const [was, undone] of joinedLines(text)) yield { cause: "body-long-lines", was, undone };
  for (const [was, undone] of otherCharsets(body)) yield { cause: "body-charset", was, undone };
  const links = withOwnLinks(text);
  if (links !== undefined) {
    const was = `Links in the body were rewritten to lead through a filter (${quoted(links.first)}).`;
    yield { cause: "body-links-rewritten", was, undone: links.undone };
  }
}

/** Lines that were too long are broken at one and the same place (RFC 5321 §4.5.3.1.6 allows 998 octets). */
function* joinedLines(text: string): Generator<readonly [string, string]> {
  const lines = text.split("\r\n");
  const longest = lines.reduce((length, line) => Math.max(length, line.length), 0);
  if (longest < MIN_BROKEN_OCTETS || longest > MAX_BROKEN_OCTETS) return;
  for (const width of [longest, longest - 1]) {
    const was = `Lines that were longer than ${width} octets were broken there after signing; SMTP allows 998. Let the sender encode such text (quoted-printable or base64).`;
    for (const [end, start] of [
      [/$/, /^/],
      [/$/, /^[ \t]/],
      [/!$/, /^/],
      [/!$/, /^[ \t]/],
    ] as const) {
      let joined = "";
      let isBehindBreak = false;
      for (const [at, line] of lines.entries()) {
        const own: string = isBehindBreak ? line.replace(start, "") : line;
        isBehindBreak = own.length === width && at < lines.length - 1;
        joined += isBehindBreak ? own.replace(end, "") : at < lines.length - 1 ? `${own}\r\n` : own;
      }
      yield [was, joined];
    }
  }
}

/** Nobody breaks lines that are shorter, or keeps lines that are longer than Postfix' own limit. */
const MIN_BROKEN_OCTETS = 500;
const MAX_BROKEN_OCTETS = 8_192;

function* otherCharsets(body: Buffer): Generator<readonly [string, string]> {
  const text = body.toString("latin1");
  if (!/[^\0-\x7f]/.test(text)) return;
  const decoded = body.toString("utf8");
  if (!decoded.includes("\ufffd") && !/[^\0-\xff]/.test(decoded)) {
    yield ["The text was turned from ISO-8859-1 into UTF-8 after signing.", decoded];
  }
  yield [
    "The text was turned from UTF-8 into ISO-8859-1 after signing.",
    Buffer.from(text, "utf8").toString("latin1"),
  ];
}

/** Microsoft's and Proofpoint's rewritten links have the own one within. */
const REWRITTEN =
  /https:\/\/(?:[\w.-]+\.safelinks\.protection\.outlook\.com\/\?url=([^&\s"<>]{1,1000})(?:&(?:amp;)?[\w-]+=[^&\s"<>]*)*|urldefense\.com\/v3\/__([^\s"<>]{1,1000}?)__;[^\s"<>]*)/g;

export function withOwnLinks(text: string): { readonly undone: string; readonly first: string } | undefined {
  if (text.length > MAX_RECODED_OCTETS) return undefined;
  let first: string | undefined;
  const undone = text.replace(REWRITTEN, (whole, safe: string | undefined, proof: string | undefined) => {
    first ??= whole;
    if (proof !== undefined) return proof;
    try {
      return decodeURIComponent(safe ?? "");
    } catch {
      return whole;
    }
  });
  return first === undefined ? undefined : { undone, first };
}

const MAX_LEAVES = 50;

/** Parts that were decoded or encoded on the way, all of one kind, or one alone. */
function* otherEncodings(fields: readonly HeaderField[], body: Buffer): Generator<BodyChange> {
  const leaves = leavesOf(mimeStructureOf(fields, body).root).slice(0, MAX_LEAVES);
  for (const now of ["quoted-printable", "base64", "8bit", "7bit", "binary"] as const) {
    const such = leaves.filter(({ transferEncoding }) => transferEncoding === now);
    if (such.length === 0) continue;
    const choices = such.length === 1 || such.length > 8 ? [such] : [such, ...such.map((part) => [part])];
    for (const before of BEFORE[now]) {
      for (const parts of choices) {
        const undone = recoded(body, parts, before.encoding, before.width);
        const which =
          parts.length === leaves.length
            ? "The text"
            : parts.length === 1
              ? "A part of the message"
              : "Parts of the message";
        const were = parts.length > 1 && which !== "The text" ? "were" : "was";
        const was = `${which} ${were} turned from ${before.encoding} into ${now} after signing. Send mail as quoted-printable or base64 in the first place, or sign behind the program that does this.`;
        if (undone !== undefined) yield { cause: "body-encoding", was, undone };
      }
    }
  }
}

interface EarlierEncoding {
  readonly encoding: TransferEncoding;
  /** Programs break their lines of quoted-printable at different lengths. */
  readonly width: number;
}

const plainly = (encoding: TransferEncoding): EarlierEncoding => ({ encoding, width: 76 });
const ENCODED: readonly EarlierEncoding[] = [
  plainly("quoted-printable"),
  { encoding: "quoted-printable", width: 75 },
  { encoding: "quoted-printable", width: 74 },
  { encoding: "quoted-printable", width: 73 },
  plainly("base64"),
];

const BEFORE = {
  "quoted-printable": [plainly("8bit"), plainly("7bit"), plainly("base64")],
  base64: [plainly("8bit"), plainly("7bit"), ...ENCODED.slice(0, -1)],
  "8bit": ENCODED,
  "7bit": ENCODED,
  binary: ENCODED,
} as const satisfies Readonly<Partial<Record<TransferEncoding, readonly EarlierEncoding[]>>>;

const leavesOf = (part: MimePart): readonly MimePart[] =>
  part.parts.length === 0 ? [part] : part.parts.flatMap(leavesOf);

/** The body with these parts in another encoding, their header fields included. */
function recoded(
  body: Buffer,
  parts: readonly MimePart[],
  to: TransferEncoding,
  width: number,
): Buffer | undefined {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const part of parts) {
    const own = body.subarray(part.start, part.end);
    const plain = Buffer.from(decodeTransfer(own, part.transferEncoding, 4 * own.length + 64).octets);
    if (to === "7bit" && plain.some((octet) => octet > 127)) return undefined;
    // Behind a header of the part's own; the header of the message is no part of the body.
    const headerFrom = part.start === 0 ? 0 : Math.max(at, body.lastIndexOf("\r\n--", part.start - 1));
    const header = body
      .toString("latin1", headerFrom, part.start)
      .replace(/(\r\ncontent-transfer-encoding:[ \t]*)[^\s;]+/i, `$1${to}`);
    pieces.push(body.subarray(at, headerFrom), Buffer.from(header, "latin1"), encode(plain, to, width));
    at = part.end;
  }
  pieces.push(body.subarray(at));
  return Buffer.concat(pieces);
}

function encode(plain: Buffer, to: TransferEncoding, width: number): Buffer {
  if (to === "base64") {
    const text = plain.toString("base64").replace(/.{76}(?=.)/g, "$&\r\n");
    return Buffer.from(text, "latin1");
  }
  if (to === "quoted-printable")
    return Buffer.from(quotedPrintable(plain.toString("latin1"), width), "latin1");
  // Base64 may hold text with bare line feeds.
  return Buffer.from(plain.toString("latin1").replace(/(?<!\r)\n/g, "\r\n"), "latin1");
}

/** RFC 2045 §6.7, with as few codes as it allows. */
function quotedPrintable(text: string, width: number): string {
  return text
    .split("\r\n")
    .map((line) => {
      const words = [...line].map((character, at) => {
        const isBlankAtEnd = at === line.length - 1 && (character === " " || character === "\t");
        const isPlain = /[\t -<>-~]/.test(character) && !isBlankAtEnd;
        return isPlain
          ? character
          : `=${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
      });
      let folded = "";
      let column = 0;
      for (const [at, word] of words.entries()) {
        const room = at === words.length - 1 ? width : width - 1;
        if (column + word.length > room) {
          folded += "=\r\n";
          column = 0;
        }
        folded += word;
        column += word.length;
      }
      return folded;
    })
    .join("\r\n");
}
