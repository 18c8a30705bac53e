/** What the message itself shows once it has arrived: its trace, its header, and whether it was changed on the way. */
import {
  contains,
  type IpAddress,
  type IpNetwork,
  parseAddress,
  specialPurpose,
} from "../standards/dns/address.ts";
import { type HeaderField, unfolded } from "../standards/message/header-field.ts";
import { MessageReader } from "../standards/message/message-reader.ts";
import type { OutgoingMail, ReceivedMail } from "./mail-exchange.ts";
import type { ProofLine } from "./proof-line.ts";

interface Content {
  readonly fields: readonly HeaderField[];
  readonly body: Uint8Array;
}

function readContent(octets: Uint8Array): Content {
  const fields: HeaderField[] = [];
  const body: Uint8Array[] = [];
  const reader = new MessageReader({
    field: (field) => fields.push(field),
    endOfHeaders: () => {},
    body: (chunk) => body.push(chunk),
  });
  reader.write(octets);
  reader.end();
  return { fields, body: Buffer.concat(body) };
}

const receivedContent = ({ octets }: ReceivedMail): Content => readContent(octets);
const sentContent = ({ message }: OutgoingMail): Content => readContent(Buffer.from(message, "latin1"));

/** RFC 5321 §7.6: what the trace tells of those who send. */
export function receivedLine(
  mail: ReceivedMail,
  known: { readonly assumePublic: readonly IpNetwork[]; readonly own: readonly IpAddress[] },
): ProofLine {
  const { fields } = receivedContent(mail);
  const hops = fields.filter(({ key }) => key === "received").map(({ value }) => unfolded(value));
  const line = {
    subject: "received",
    result: hops.length === 1 ? "1 hop" : `${hops.length} hops`,
    reference: "RFC 5321 §7.6",
  } as const;
  const leaks = [
    ...hops.flatMap((hop) => leaksOf(hop, known)),
    ...fields.flatMap(({ name, key }) =>
      LEAKING_FIELDS.has(key) ? [`the field ${name.trim()} tells where the message was written`] : [],
    ),
  ];
  if (hops.length > MAX_USUAL_HOPS) {
    return {
      ...line,
      severity: "warning",
      reason:
        "The message went through more hands than any usual one; servers take that for a loop sooner or later.",
      advice: "See in the Received fields (--save) which of your servers hand it to each other.",
    };
  }
  const skew = clockSkew(hops[0], mail.receivedAt);
  if (skew !== undefined && Math.abs(skew) > MAX_SKEW_SECONDS) {
    return {
      ...line,
      severity: "warning",
      reason: `Your server's clock is ${Math.round(Math.abs(skew) / 60)} minutes ${skew > 0 ? "ahead" : "behind"} of this one's.`,
      advice: "Let both take the time from NTP.",
    };
  }
  if (leaks.length === 0) {
    return {
      ...line,
      severity: "ok",
      reason:
        hops.length === 0
          ? "No Received field tells of the way."
          : "The Received fields tell nothing that is private.",
      advice: null,
    };
  }
  return {
    ...line,
    severity: "notice",
    reason: `Every receiver can read this: ${[...new Set(leaks)].slice(0, 5).join("; ")}.`,
    advice:
      "Where that should not be known: in Postfix, a cleanup service of its own for submission whose header_checks drop that Received field (/^Received:/ IGNORE).",
  };
}

const MAX_USUAL_HOPS = 15;
const MAX_SKEW_SECONDS = 300;
const LEAKING_FIELDS = new Set([
  "x-originating-ip",
  "x-php-originating-script",
  "x-php-script",
  "x-client-ip",
]);

function leaksOf(
  hop: string,
  { assumePublic, own }: { readonly assumePublic: readonly IpNetwork[]; readonly own: readonly IpAddress[] },
): readonly string[] {
  const texts = [...hop.slice(0, 2_000).matchAll(/\[(?:IPv6:)?([0-9a-f.:]{2,45})\]/gi)].map(
    ([, text = ""]) => text,
  );
  const addresses = texts.flatMap((text) => {
    const parsed = parseAddress(text);
    return parsed.ok ? [parsed.value] : [];
  });
  const leaks = addresses.flatMap((address) => {
    const isOwn = own.some(({ text }) => text === address.text);
    const kind = specialPurpose(address)?.kind;
    const isAssumed = assumePublic.some((network) => contains(network, address));
    if (isOwn || kind === "loopback" || kind === "unspecified") return [];
    if (!isAssumed && (kind === "private" || kind === "link-local")) {
      return [`the address ${address.text} inside your network`];
    }
    return [`the address ${address.text} of whoever handed the message in`];
  });
  const user = /\(Authenticated sender: ([^)\s]{1,100})/.exec(hop)?.[1];
  return user === undefined ? leaks : [...leaks, `the log-in name ${user}`];
}

/** Seconds that the server's clock is ahead; undefined where its field has no readable date. */
function clockSkew(hop: string | undefined, receivedAt: Date): number | undefined {
  const text = hop
    ?.slice(hop.lastIndexOf(";") + 1)
    .replace(/\([^()]*\)/g, "")
    .trim();
  if (
    text === undefined ||
    !/^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} [\d:]+ [+-]\d{4}$/.test(text)
  ) {
    return undefined;
  }
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : (time - receivedAt.getTime()) / 1000;
}

/** RFC 5322 §3.6: how often these may stand. */
const AT_MOST_ONE = [
  "date",
  "from",
  "sender",
  "reply-to",
  "to",
  "cc",
  "bcc",
  "message-id",
  "in-reply-to",
  "references",
  "subject",
];
/** What a server has no reason to rewrite. */
const KEPT = ["from", "to", "subject", "date", "message-id"];
/** RFC 5322 §2.1.1 */
const MAX_LINE_CHARACTERS = 998;

export function headerLine(sent: OutgoingMail, mail: ReceivedMail): ProofLine {
  const message = Buffer.from(mail.octets).toString("latin1");
  const { fields } = receivedContent(mail);
  const before = sentContent(sent).fields;
  const of = (key: string, all: readonly HeaderField[] = fields) => all.filter((field) => field.key === key);
  const title = (key: string) =>
    key.replace(/(^|-)([a-z])/g, (letters) => letters.toUpperCase()).replace(/Id$/, "ID");
  const errors = [
    ...["date", "from"].filter((key) => of(key).length === 0).map((key) => `${title(key)} is missing`),
    ...AT_MOST_ONE.filter((key) => of(key).length > 1).map(
      (key) => `${title(key)} stands ${of(key).length} times`,
    ),
    ...(/\r(?!\n)|(?<!\r)\n/.test(message) ? ["there is a line that does not end with CRLF"] : []),
  ];
  const warnings = [
    ...(of("message-id").length === 0 ? ["Message-ID is missing"] : []),
    ...(of("bcc").length > 0 ? ["Bcc is still there, and tells who should not be told of"] : []),
    // RFC 5321 §4.4
    ...(of("return-path").length > 0
      ? ["Return-Path is there already, which only the last server adds"]
      : []),
    ...(message.split("\r\n").some(({ length }) => length > MAX_LINE_CHARACTERS)
      ? [`a line is longer than ${MAX_LINE_CHARACTERS} characters`]
      : []),
    ...KEPT.flatMap((key) => {
      const [was] = of(key, before);
      const [is] = of(key);
      if (was === undefined || is === undefined || unfolded(was.value) === unfolded(is.value)) return [];
      return [`${title(key)} was ${unfolded(was.value)}, and arrived as ${unfolded(is.value).slice(0, 200)}`];
    }),
  ];
  const line = { subject: "header", reference: "RFC 5322 §3.6" } as const;
  const problems = [...errors, ...warnings];
  if (problems.length === 0) {
    return {
      ...line,
      severity: "ok",
      result: "complete",
      reason: "What has to be there is there, once, and as it was sent.",
      advice: null,
    };
  }
  return {
    ...line,
    severity: errors.length > 0 ? "error" : "warning",
    result: errors.length > 0 ? "broken" : "changed",
    reason: `${problems.slice(0, 5).join("; ")}.`,
    advice:
      "See what does that on the way: in Postfix canonical_maps, masquerade_domains, header_checks, always_bcc, a content filter or a milter. What changes the message has to stand before the DKIM signer.",
  };
}

export function bodyLine(sent: OutgoingMail, mail: ReceivedMail): ProofLine {
  const line = { subject: "body", reference: "RFC 5321 §4.5.2" } as const;
  const was = Buffer.from(sentContent(sent).body).toString("latin1");
  const is = Buffer.from(receivedContent(mail).body).toString("latin1");
  if (was === is) {
    return {
      ...line,
      severity: "ok",
      result: "unchanged",
      reason: "It arrived octet by octet.",
      advice: null,
    };
  }
  const lines = was.split("\r\n");
  const at = is.split("\r\n").findIndex((text, index) => text !== lines[index]);
  return {
    ...line,
    severity: "notice",
    result: "changed",
    reason: `It was changed on the way, from line ${at < 0 ? lines.length : at + 1} of the body on.`,
    advice:
      "A footer or a content filter does that. It has to stand before the DKIM signer, or signatures will not hold.",
  };
}
