/**
 * The answer to a whole message as packets: its changes, in an order that gives the same header in every MTA, and then
 * what becomes of it.
 *
 * - Removals go first, for each name from its last field to its first. Postfix counts the fields that are still there,
 *   Sendmail those that it sent; from the last to the first both mean the same field. Behind an insertion Postfix
 *   would count the inserted field too, and from then on its own Received field.
 * - Insertions go from the greatest index to the smallest, and from the last to the first at one index: none moves the
 *   place of another.
 * - MTAs write headers with LF alone between the lines of a field.
 */
import type { OctetText } from "../standards/message/header-field.ts";
import type { HeaderChange, MailAction, MailOutcome } from "./mail-handler.ts";
import {
  ACCEPT,
  ACTION,
  DISCARD,
  encodeChangeHeader,
  encodeInsertHeader,
  encodeQuarantine,
  encodeReplyCode,
  type Negotiation,
  STEP,
} from "./protocol.ts";

/** RFC 5321 §4.5.3.1.5: a reply line has 512 octets with its line end. */
const MAX_REPLY_OCTETS = 510;
const MAX_REASON_OCTETS = 1000;
const MAX_INDEX = 0x7fff_fffe;

/** Throws where the outcome cannot be carried out: nothing of it has been said then. */
export function encodeOutcome({ action, changes }: MailOutcome, agreed: Negotiation): readonly Uint8Array[] {
  switch (action.kind) {
    case "accept":
      return changes.length === 0 ? [ACCEPT] : [...encodeChanges(changes, agreed), ACCEPT];
    case "quarantine": {
      demand(ACTION.quarantine, "to put mail on hold", agreed);
      const reason = plainText(action.reason).slice(0, MAX_REASON_OCTETS);
      return [...encodeChanges(changes, agreed), encodeQuarantine(reason), ACCEPT];
    }
    case "discard":
      return [DISCARD];
    case "reply":
      return [encodeReply(action)];
    default:
      return action satisfies never;
  }
}

function encodeChanges(changes: readonly HeaderChange[], agreed: Negotiation): Uint8Array[] {
  const removals = changes.filter((change) => change.kind === "remove");
  const inserts = changes.filter((change) => change.kind === "insert");
  if (removals.length > 0) demand(ACTION.changeHeaders, "to remove header fields", agreed);
  if (inserts.length > 0) demand(ACTION.addHeaders, "to add header fields", agreed);
  return [
    ...removals
      .sort((a, b) => b.occurrence - a.occurrence)
      .map(({ name, occurrence }) => encodeChangeHeader(checkedNumber(occurrence, 1), checkedName(name), "")),
    ...inserts
      .reverse()
      .sort((a, b) => b.index - a.index)
      .map(({ index, name, value }) =>
        encodeInsertHeader(checkedNumber(index, 0), checkedName(name), valueOnWire(name, value, agreed)),
      ),
  ];
}

function encodeReply({ code, status, text }: MailAction & { kind: "reply" }): Uint8Array {
  const line = `${code} ${status}`;
  if (!/^(?:4\d\d 4|5\d\d 5)\.\d{1,3}\.\d{1,3}$/.test(line)) {
    throw new Error(`"${line}" is no reply: code and status are such as 451 4.7.1 or 550 5.7.1`);
  }
  return encodeReplyCode(`${line} ${plainText(text)}`.slice(0, MAX_REPLY_OCTETS).trimEnd());
}

/** What of SMTP a reply may have in it; the rest is not worth an error. */
function plainText(text: string): OctetText {
  return text.replace(/[^\t\x20-\x7e]/g, "?");
}

function valueOnWire(name: OctetText, value: OctetText, { steps }: Negotiation): OctetText {
  const withLf = value.includes("\n") ? value.replace(/\r?\n/g, "\n") : value;
  if (/[\0\r\u0100-\uffff]|\n(?![ \t])/.test(withLf)) {
    throw new Error(
      `the value of ${name} has a line end that folds nothing, or what is no octet of a header`,
    );
  }
  // Without the step, the MTA writes one space behind the colon.
  return (steps & STEP.headerLeadingSpace) === 0 && withLf.startsWith(" ") ? withLf.slice(1) : withLf;
}

/** RFC 5322 §2.2: printable US-ASCII without the colon. */
function checkedName(name: OctetText): OctetText {
  if (!/^[!-9;-~]+$/.test(name)) throw new Error(`"${name}" is no name of a header field`);
  return name;
}

function checkedNumber(value: number, least: number): number {
  if (!Number.isInteger(value) || value < least || value > MAX_INDEX) {
    throw new Error(`${value} is no place of a header field`);
  }
  return value;
}

function demand(action: number, what: string, { actions }: Negotiation): void {
  if ((actions & action) === 0) throw new Error(`the MTA does not let this milter do what is needed ${what}`);
}
