/** What a header field may have been before lists, gateways and relays got hold of it. */
import { type HeaderField, type OctetText, unfolded } from "../message/header-field.ts";
import type { Canonicalization } from "./canonical.ts";
import type { FieldIndex } from "./signed-fields.ts";

export interface EarlierValue {
  readonly value: HeaderField;
  /** What was done to it since, as the end of a sentence. */
  readonly how: string;
}

/** Fields that are longer are not looked into. */
const MAX_VALUE_OCTETS = 4_096;
const MAX_ADDRESSES_TO_ORDER = 5;

/** Each another than the field is now, the likeliest first. */
export function earlierValues(
  field: HeaderField,
  index: FieldIndex,
  canonicalization: Canonicalization,
): readonly EarlierValue[] {
  if (field.value.length > MAX_VALUE_OCTETS) return [];
  const seen = new Set([comparable(field, canonicalization)]);
  const found: EarlierValue[] = [];
  const note = (value: HeaderField, how: string) => {
    const text = comparable(value, canonicalization);
    if (seen.has(text)) return;
    seen.add(text);
    const isLayout = plain(value.value) === plain(field.value) && value.name === field.name;
    found.push({ value, how: isLayout ? LAYOUT_CHANGED : how });
  };
  const put = (value: OctetText, how: string) => note({ ...field, value: ` ${value}` }, how);
  const now = unfolded(field.value);
  switch (field.key) {
    case "subject":
      for (const [value, how] of subjectsBefore(now)) put(value, how);
      break;
    case "from":
    case "sender":
    case "reply-to":
      for (const value of authorsBefore(now, index)) put(value, "the address was rewritten, as lists do");
      break;
    case "to":
    case "cc":
      for (const value of ordersOf(now)) put(value, "its addresses were put into another order");
      break;
    case "date":
      put(now.replace(/ *\([^()]*\)$/, ""), "a comment with the name of the zone was added");
      put(`${now} (UTC)`, "the comment with the name of the zone was taken away");
      put(now.replace(/(?<=, )0(?=\d )/, ""), "the day got a zero before it");
      put(now.replace(/(?<=, )(?=\d )/, "0"), "the zero before the day was taken away");
      put(now.replace(/\+0000\b/, "GMT"), "the zone GMT became +0000");
      put(now.replace(/\bGMT\b|\bUTC\b/, "+0000"), "the zone +0000 became a name");
      break;
    case "content-transfer-encoding":
      for (const word of ["7bit", "8bit", "quoted-printable", "base64", "binary", "7BIT", "8BIT"])
        put(word, `the text was turned from ${word} into ${now}`);
      break;
    case "content-type":
      for (const [value, how] of contentTypesBefore(now)) put(value, how);
      break;
    case "mime-version":
      put(now.replace(/ *\([^()]*\)/g, ""), "a comment was added");
      break;
    case "message-id":
      put(`<${now}>`, "its angle brackets were taken away");
      put(now.replace(/^<|>$/g, ""), "angle brackets were put around it");
      break;
    default:
      break;
  }
  if (isAddressField(field.key)) {
    for (const [value, how] of addressesBefore(now)) put(value, how);
  }
  for (const [value, how] of wordsBefore(now)) put(value, how);
  for (const [value, how] of layoutsBefore(field.value)) note({ ...field, value }, how);
  for (const name of namesBefore(field)) note({ ...field, name }, "the name was written in another way");
  return found;
}

/** Values that a field which is not there any more may well have had. */
export function lostValues(key: string, index: FieldIndex): readonly OctetText[] {
  const from = unfolded(index.get("from")?.[0]?.value ?? "");
  switch (key) {
    case "mime-version":
      return ["1.0"];
    case "content-transfer-encoding":
      return ["7bit", "8bit", "quoted-printable", "base64", "binary", "7BIT", "8BIT"];
    case "content-type":
      return CONTENT_TYPES;
    case "reply-to":
    case "sender":
      return from === "" ? [] : [from, bareAddress(from), `<${bareAddress(from)}>`];
    case "precedence":
      return ["bulk", "list"];
    default:
      return [];
  }
}

const CONTENT_TYPES = ["text/plain", "text/html"].flatMap((type) => [
  type,
  ...["utf-8", '"utf-8"', "UTF-8", '"UTF-8"', "us-ascii", "US-ASCII", "iso-8859-1"].flatMap((charset) => [
    `${type}; charset=${charset}`,
    `${type}; charset=${charset}; format=flowed`,
  ]),
]);

/** For comparing: what canonicalisation makes equal is the same. */
const comparable = ({ name, key, value }: HeaderField, canonicalization: Canonicalization): string =>
  canonicalization === "simple" ? `${name}:${value}` : `${key}:${value.replace(/[ \t\r\n]+/g, " ").trim()}`;

const plain = (value: OctetText): string => value.replace(/[ \t\r\n]+/g, "");
const LAYOUT_CHANGED = "its blanks or line breaks were changed";

const isAddressField = (key: string): boolean =>
  ["from", "to", "cc", "bcc", "sender", "reply-to", "resent-from", "resent-to"].includes(key);

/** "[list] ", "***SPAM*** ", "EXTERNAL: " and their like. */
const TAG =
  /^(?:\[[^[\]]{1,60}\]:?|[*_{(<!]{1,6}[^*_{}()<>!]{1,40}[*_})>!]{1,6}|(?:EXTERNAL|EXT|SPAM|JUNK|CAUTION|SUSPECTED|PHISHING|WARNING)(?: ?[A-Z]*)?:?|(?:External|Spam)(?: Sender)?:)[ \t]*/;
const REPLY = /^((?:(?:re|fwd?|aw|wg|antw|sv|vs)(?:\[\d+\])?:[ \t]*)+)(.*)$/is;

function* subjectsBefore(now: OctetText): Generator<readonly [OctetText, string]> {
  for (const [reply, rest] of [["", now] as const, splitReply(now)]) {
    let short = rest;
    for (let tags = 0; tags < 3; tags += 1) {
      const tag = TAG.exec(short)?.[0];
      if (tag === undefined || tag.length === short.length) break;
      short = short.slice(tag.length);
      yield [reply + short, `"${tag.trim()}" was put before it`];
      // A tag inside of an encoded word is behind the "=?utf-8?q?".
    }
  }
  yield [now.replace(/^(?:re|fwd?|aw|wg): */i, ""), "it was marked as an answer"];
  yield [now.replace(/ *\((?:fwd|was:[^()]*)\)$/i, ""), "words were put behind it"];
  yield [now.replace(/ *\[[^[\]]{1,60}\]$/, ""), "a tag was put behind it"];
  const text = decodedWords(now);
  if (text === undefined && !/[^\0-\x7f]/.test(now)) return;
  const plain = text ?? Buffer.from(now, "latin1").toString("utf8");
  const tag = TAG.exec(plain)?.[0] ?? "";
  const short = plain.slice(tag.length);
  for (const value of encodings(short))
    yield [value, tag === "" ? ENCODED_ANEW : `"${tag.trim()}" was put before it`];
}

const ENCODED_ANEW = "it was encoded in another way";

function splitReply(subject: OctetText): readonly [string, OctetText] {
  const [, reply = "", rest = subject] = REPLY.exec(subject) ?? [];
  return [reply, rest];
}

/** The ways in which a text of one encoded word (RFC 2047 §2) is written. */
function* encodings(text: string): Generator<OctetText> {
  const octets = Buffer.from(text, "utf8");
  yield octets.toString("latin1");
  if (octets.length > 2_000) return;
  const charsets = ["utf-8", "UTF-8", ...(/[^\0-\xff]/.test(text) ? [] : ["iso-8859-1", "ISO-8859-1"])];
  for (const charset of charsets) {
    const own = charset.toLowerCase() === "utf-8" ? octets : Buffer.from(text, "latin1");
    const codes = (isPlain: RegExp) =>
      [...own.toString("latin1")]
        .map((octet) =>
          octet === " "
            ? "_"
            : isPlain.test(octet)
              ? octet
              : `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
        )
        .join("");
    for (const letter of ["B", "b"]) yield `=?${charset}?${letter}?${own.toString("base64")}?=`;
    for (const letter of ["Q", "q"]) {
      yield `=?${charset}?${letter}?${codes(/[!-<>@-^`-~]/)}?=`;
      yield `=?${charset}?${letter}?${codes(/[A-Za-z0-9!*+/-]/)}?=`;
    }
  }
}

const ENCODED_WORD = /=\?(utf-8|iso-8859-1|us-ascii)(?:\*[\w-]+)?\?([bq])\?([^?\s]*)\?=/gi;

/** The text of a value with encoded words; undefined where there are none that can be read. */
function decodedWords(value: OctetText): string | undefined {
  let found = false;
  const text = value
    .replace(/(\?=)[ \t]+(?==\?)/g, "$1")
    .replace(ENCODED_WORD, (_, charset: string, letter: string, data: string) => {
      found = true;
      const octets =
        letter.toLowerCase() === "b"
          ? Buffer.from(data, "base64")
          : Buffer.from(
              data
                .replaceAll("_", " ")
                .replace(/=([0-9a-f]{2})/gi, (_code, hex: string) =>
                  String.fromCharCode(Number.parseInt(hex, 16)),
                ),
              "latin1",
            );
      return octets.toString(charset.toLowerCase() === "utf-8" ? "utf8" : "latin1");
    });
  return found ? text : undefined;
}

/** Encoded words within other fields: the case of "B" and "Q", and of the charset. */
function* wordsBefore(now: OctetText): Generator<readonly [OctetText, string]> {
  if (!now.includes("=?")) return;
  const change = (charset: (text: string) => string, letter: (text: string) => string) =>
    now.replace(
      ENCODED_WORD,
      (_, set: string, kind: string, data: string) => `=?${charset(set)}?${letter(kind)}?${data}?=`,
    );
  const same = (text: string) => text;
  const lower = (text: string) => text.toLowerCase();
  const upper = (text: string) => text.toUpperCase();
  for (const charset of [same, lower, upper])
    for (const letter of [same, lower, upper]) yield [change(charset, letter), ENCODED_ANEW];
  yield [now.replace(/(\?=)[ \t]+(?==\?)/g, "$1"), ENCODED_ANEW];
}

/** Who wrote it, from the fields in which lists keep that. */
function* authorsBefore(now: OctetText, index: FieldIndex): Generator<OctetText> {
  const kept = [
    "reply-to",
    "x-original-from",
    "original-from",
    "x-original-sender",
    "x-google-original-from",
    "from",
    "sender",
    "cc",
  ];
  for (const key of kept) {
    const value = unfolded(index.get(key)?.at(-1)?.value ?? "");
    if (value === "" || value.length > 1_000) continue;
    yield value;
    const address = bareAddress(value);
    const name = nameOf(now)
      .replace(/ +(?:via|\(via|per|on behalf of) .*$/i, "")
      .replace(/^['"]+|['"]+$/g, "");
    for (const each of new Set([name, nameOf(value)])) {
      if (each === "") continue;
      yield `${each} <${address}>`;
      yield `"${each}" <${address}>`;
    }
    yield address;
    yield `<${address}>`;
  }
}

const nameOf = (mailbox: OctetText): OctetText =>
  mailbox
    .replace(/<[^<>]*>[^<>]*$/, "")
    .trim()
    .replace(/^"|"$/g, "");

const bareAddress = (mailbox: OctetText): OctetText => (/<([^<>]*)>/.exec(mailbox)?.[1] ?? mailbox).trim();

function* addressesBefore(now: OctetText): Generator<readonly [OctetText, string]> {
  const how = "its addresses were written in another way";
  yield [now.replace(/, */g, ", "), how];
  yield [now.replace(/, +/g, ","), how];
  yield [now.replace(/"([^"\\]*)"(?= *<)/g, "$1"), "quotes were put around names"];
  yield [now.replace(/(^|, *)([^",<>]+?)(?= *<)/g, '$1"$2"'), "the quotes around names were taken away"];
  yield [now.replace(/^<([^<>]+)>$/, "$1"), "angle brackets were put around the address"];
  yield [
    now.replace(/^([^<>\s,]+@[^<>\s,]+)$/, "<$1>"),
    "the angle brackets around the address were taken away",
  ];
  yield [
    now.replace(/(?:^|, *)(?:[^,<>]*)<([^<>]+)>/g, (all, address: string) =>
      all.startsWith(",") ? `, ${address}` : address,
    ),
    "names were put before its addresses",
  ];
  yield [
    now.replace(/@[^\s<>,;]+/g, (domain) => domain.toLowerCase()),
    "letters of its domains were made capitals",
  ];
  yield [now.replace(/ *\([^()]*\)/g, ""), "a comment was added"];
  yield ["undisclosed-recipients:;", "its addresses were rewritten"];
  yield ["undisclosed-recipients: ;", "its addresses were rewritten"];
}

/** Commas within quotes are left to chance: nothing matches then. */
function* ordersOf(now: OctetText): Generator<OctetText> {
  const addresses = now.split(/, */);
  if (addresses.length < 2) return;
  if (addresses.length > MAX_ADDRESSES_TO_ORDER) {
    yield addresses.toReversed().join(", ");
    yield addresses.toSorted().join(", ");
    return;
  }
  for (const order of permutations(addresses)) yield order.join(", ");
}

function* permutations<T>(all: readonly T[]): Generator<readonly T[]> {
  if (all.length <= 1) yield all;
  for (const [at, one] of all.entries()) {
    if (all.length > 1) for (const rest of permutations(all.toSpliced(at, 1))) yield [one, ...rest];
  }
}

function* contentTypesBefore(now: OctetText): Generator<readonly [OctetText, string]> {
  const how = "its parameters were written in another way";
  yield [now.replace(/=([^\s";]+)/g, '="$1"'), how];
  yield [now.replace(/="([^"\s;]*)"/g, "=$1"), how];
  yield [now.replace(/; */g, "; "), how];
  yield [now.replace(/; +/g, ";"), how];
  yield [now.toLowerCase(), how];
  yield [now.replace(/charset="?[\w-]+"?/i, (text) => text.toUpperCase().replace("CHARSET", "charset")), how];
  yield [now.replace(/charset="?[\w-]+"?/i, (text) => text.toLowerCase()), how];
  yield [now.replace(/; *charset="?[\w-]+"?/i, ""), "a charset was added"];
  yield [now.replace(/; *format="?flowed"?/i, ""), "format=flowed was added"];
  yield [`${now}; format=flowed`, "format=flowed was taken away"];
  yield [now.replace(/; *$/, ""), "a semicolon was put behind it"];
  yield [`${now};`, "the semicolon behind it was taken away"];
  for (const charset of [
    "utf-8",
    "UTF-8",
    "us-ascii",
    "US-ASCII",
    "iso-8859-1",
    "ISO-8859-1",
    "windows-1252",
  ]) {
    yield [now.replace(/(charset="?)[\w-]+/i, `$1${charset}`), `its charset was ${charset}`];
    yield [`${now}; charset=${charset}`, "its charset was taken away"];
    yield [`${now}; charset="${charset}"`, "its charset was taken away"];
  }
  for (const type of CONTENT_TYPES) yield [type, "the text was put into another structure"];
}

/** Blanks and line breaks, which count where canonicalisation is simple, and some that count in any case. */
function* layoutsBefore(value: OctetText): Generator<readonly [OctetText, string]> {
  const how = LAYOUT_CHANGED;
  yield [value.replace(/[ \t]+(?=\r\n|$)/g, ""), how];
  yield [value.replace(/\r\n(?=[ \t])/g, ""), how];
  yield [value.replace(/\r\n[ \t]+/g, " "), how];
  yield [value.replace(/\r\n[ \t]+/g, ""), how];
  yield [value.replace(/\r\n[ \t]+/g, "\r\n\t"), how];
  yield [value.replace(/\r\n[ \t]+/g, "\r\n "), how];
  yield [value.replace(/\r\n[ \t]+/g, "\r\n        "), how];
  yield [value.replace(/\t/g, " "), how];
  yield [value.replace(/^[ \t]+/, ""), how];
  yield [value.replace(/^[ \t]*/, " "), how];
  yield [value.replace(/^[ \t]*/, "  "), how];
  yield [value.replace(/(?<=\S) {2,}/g, " "), how];
  yield [`${value} `, how];
  yield [value.replace(/,[ \t]*(?:\r\n)?[ \t]*/g, ",\r\n "), how];
  yield [value.replace(/,[ \t]*(?:\r\n)?[ \t]*/g, ",\r\n\t"), how];
  yield [value.replace(/;[ \t]*(?:\r\n)?[ \t]*/g, ";\r\n "), how];
  yield [value.replace(/;[ \t]*(?:\r\n)?[ \t]*/g, ";\r\n\t"), how];
}

function namesBefore({ name, key }: HeaderField): readonly OctetText[] {
  const titled = key.replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase());
  return [titled, titled.replace(/Id$/, "ID").replace(/^Mime/, "MIME"), key, key.toUpperCase(), name.trim()];
}
