/** Messages as nobody should write them and somebody does, for comparing what is made of them. */
import { type HeaderField, headerField, type OctetText } from "../../src/standards/message/header-field.ts";
import { type Chance, chance, pick } from "./chance.ts";
import type { MailText } from "./mail-text.ts";

export interface AwkwardMail extends MailText {
  /** To be had again: `awkwardMail(seed, number)`. */
  readonly seed: number;
  readonly number: number;
}

export const AUTHOR_DOMAIN = "example.org";

/** Every message has one From field of a user at example.org. */
export function awkwardMail(seed: number, number: number): AwkwardMail {
  const below = chance(seed * 1_000_003 + number);
  const from = field(below, "From", `${pick(below, AUTHORS)} <user@${AUTHOR_DOMAIN}>`);
  const others = [
    ...subset(below, SINGLE_FIELDS, 2),
    ...subset(below, SINGLE_FIELDS, 6),
    ...subset(below, ODD_FIELDS, 4),
  ].map(([name, value]) => field(below, name, value));
  if (below(25) === 0)
    for (let each = 0; each < 300; each++) others.push(headerField(`X-Many-${each % 7}`, ` ${each}`));
  const fields = shuffled(below, [from, ...others]);
  return { seed, number, fields, body: Buffer.from(bodyText(below), "latin1") };
}

/** As it goes over the wire. */
export function wireOctets({ fields, body }: MailText): Buffer {
  const header = fields.map(({ name, value }) => `${name}:${value}\r\n`).join("");
  return Buffer.concat([Buffer.from(`${header}\r\n`, "latin1"), body]);
}

const utf8 = (text: string): OctetText => Buffer.from(text, "utf8").toString("latin1");

const AUTHORS = [
  "Alice",
  '"Alice  of the \t tabs"',
  utf8('"Zoë Müller"'),
  "=?utf-8?q?Zo=C3=AB?=",
  '"semi;colon, comma: colon"',
  "Very Long Name ".repeat(20).trim(),
] as const;

type FieldText = readonly [name: string, value: OctetText];

const SINGLE_FIELDS: readonly FieldText[] = [
  ["To", "bob@example.net, carol@example.net"],
  ["To", Array.from({ length: 60 }, (_, each) => `user${each}@example.net`).join(", ")],
  ["Cc", "undisclosed-recipients:;"],
  ["Subject", "plain words"],
  ["Subject", utf8("Grüße aus Köln  — 日本語 ☂")],
  ["Subject", "octets \xa0\xff\x80 of no charset \xe0"],
  ["Subject", "x".repeat(900)],
  ["Subject", "x".repeat(2_500)],
  ["Date", "Sat, 21 Nov 2026 12:00:00 +0000"],
  ["Reply-To", "list@example.net"],
  ["Message-ID", "<1.2@example.org>"],
  ["MIME-Version", "1.0"],
  ["MIME-Version", "1.0 (a comment (in another))"],
  ["Content-Type", 'multipart/mixed; boundary="=_frontier"'],
  ["Content-Type", "text/plain; charset=utf-8; format=flowed"],
  ["Content-Transfer-Encoding", "8bit"],
];

const ODD_FIELDS: readonly FieldText[] = [
  [
    "Received",
    "from a.example.net (a.example.net [192.0.2.1]) by mx.example.org; Sat, 21 Nov 2026 12:00:00 +0000",
  ],
  ["Received", "by localhost; Sat, 21 Nov 2026 12:00:00 +0000"],
  ["References", Array.from({ length: 40 }, (_, each) => `<${each}@example.net>`).join(" ")],
  ["In-Reply-To", "<1@example.net>"],
  ["List-Unsubscribe", "<https://example.org/u?a=b;c=d>, <mailto:u@example.org>"],
  ["List-Unsubscribe-Post", "List-Unsubscribe=One-Click"],
  ["List-Id", ""],
  ["X-Empty", ""],
  ["Comments", ""],
  ["X-Colons", ":: a:b :"],
  ["X_under.score!#$%&'*+-/=?^`{|}~", "every octet that names may have"],
  ["Resent-From", "carol@example.net"],
  ["Sender", "list@example.net"],
  ["Autocrypt", `addr=user@example.org; keydata=${"mQGiBD".repeat(60)}`],
  // Of others: a name that begins like ours, and a signature whose key nobody can have.
  ["DKIM-Signature-Old", "v=1; d=example.org; b=AAAA"],
  [
    "DKIM-Signature",
    "v=1; a=rsa-sha256; c=relaxed/simple; d=gone.example.net; s=old; h=from:to; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA",
  ],
];

/** The name in some case, the value with blanks and folds between its words. */
function field(below: Chance, name: string, text: OctetText): HeaderField {
  const cased = pick(below, [name, name, name, name.toUpperCase(), name.toLowerCase(), mixedCase(name)]);
  const colon = below(40) === 0 ? pick(below, [" ", "\t", "  "]) : "";
  const words = text === "" ? [] : text.split(" ");
  const isFolded = below(3) > 0;
  let value =
    text === "" && below(2) === 0
      ? ""
      : pick(below, [" ", " ", "", "  ", "\t", " \t ", "\r\n ", "\r\n\t", " \r\n \r\n\t"]);
  for (const [at, word] of words.entries()) {
    if (at > 0) value += isFolded && below(4) === 0 ? pick(below, GAPS) : " ";
    value += word;
  }
  value += pick(below, ["", "", "", "", " ", "\t", "  \t", "\r\n ", " \r\n\t \r\n "]);
  return headerField(cased + colon, value);
}

const GAPS = [
  "  ",
  "\t",
  " \t ",
  "\r\n ",
  "\r\n\t",
  " \r\n ",
  "\t\r\n\t\t",
  "\r\n        ",
  "   \r\n \r\n ",
  `${" ".repeat(100)}`,
];

const mixedCase = (name: string): string =>
  [...name].map((letter, at) => (at % 2 === 0 ? letter.toLowerCase() : letter.toUpperCase())).join("");

const LINES: readonly OctetText[] = [
  "plain text",
  "  leading and trailing  ",
  "trailing tab\t",
  "a  b\tc \t d",
  " ",
  "\t",
  "",
  "",
  ".",
  "..",
  ". dot",
  "From the start of a line",
  utf8("Grüße, 日本語 ☂"),
  "\x80\xa0\xff\xfe of no charset",
  "=20=3D soft=",
  "--=_frontier",
  "--=_frontier--",
  "Content-Type: text/plain",
  "x".repeat(998),
  "x".repeat(997).concat(" "),
  "blank ".repeat(166),
];

const LONG_LINES: readonly OctetText[] = [
  "y".repeat(999),
  "y".repeat(5_000),
  "z \t".repeat(3_000),
  " ".repeat(3_000),
];

function bodyText(below: Chance): OctetText {
  const kind = below(20);
  switch (kind) {
    case 0:
      return "";
    case 1:
      return pick(below, ["\r\n", "\r\n\r\n\r\n", "\r\n".repeat(3_000)]);
    case 2:
      return pick(below, [" ", "\t", " \r\n", " \r\n\t\r\n", "\r\n \r\n\r\n"]);
    case 3:
      return pick(below, ["no line end", "one\r\nno line end", "one\r\nends in a blank ", "."]);
    case 4:
      return base64Lines(below, 2_000);
    case 5:
      return `--=_frontier\r\n\r\n--=_frontier\r\nContent-Type: text/html\r\n\r\n--=_frontier\r\n\r\n\r\n--=_frontier--\r\n`;
    case 6:
      return lines(below, 10) + pick(below, LONG_LINES) + pick(below, ["", "\r\n"]);
    case 7:
      return lines(below, 5) + pick(below, LONE) + lines(below, 3);
    default:
      return lines(below, pick(below, [2, 20, 60])) + pick(below, TAILS);
  }
}

const LONE = [
  "a\rb\r\n",
  "a\r\rb\r\n",
  "a\nb\r\n",
  "a \n b\r\n",
  "a\r",
  "\r\r\n",
  "a\n",
  "\n\n\r\n",
  "a \r b\r\n",
];

const TAILS = ["", "", "end", "end ", "\r\n\r\n", " \r\n\t\r\n", "\r\n".repeat(500), "end\r\n \r\n\r\n \t"];

function lines(below: Chance, count: number): OctetText {
  return Array.from({ length: below(count) + 1 }, () => `${pick(below, LINES)}\r\n`).join("");
}

function base64Lines(below: Chance, count: number): OctetText {
  const octets = Buffer.from(Array.from({ length: 57 }, () => below(256))).toString("base64");
  return `${octets}\r\n`.repeat(count);
}

function subset<T>(below: Chance, from: readonly T[], count: number): T[] {
  return Array.from({ length: below(count + 1) }, () => pick(below, from));
}

function shuffled<T>(below: Chance, list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, place: below(1_000_000) }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item);
}
