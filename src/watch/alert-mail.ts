/** A message as a mail of one text part (RFC 5322). */
import type { AlertMessage } from "./alert.ts";
import { messageText } from "./alert-text.ts";

export interface AlertMail {
  readonly mailFrom: string;
  readonly rcptTo: string;
  /** One character for each octet; lines end with CRLF. */
  readonly message: string;
}

export function alertMail(
  { from, to }: { readonly from: string; readonly to: string },
  message: AlertMessage,
): AlertMail {
  for (const address of [from, to]) {
    if (!/^[^\s<>"(),:;\\[\]@\p{Cc}]+@[^\s<>@\p{Cc}]+$/u.test(address))
      throw new TypeError(`${JSON.stringify(address)} is no mail address that alerts can use`);
  }
  const host = from.slice(from.indexOf("@") + 1);
  const header = [
    `From: Zonepost <${from}>`,
    `To: <${to}>`,
    `Subject: ${encodedSubject(`[zonepost] ${message.title}`)}`,
    // Sent at the time of the message, so that each copy is the same.
    `Date: ${mailDate(new Date(message.createdAt))}`,
    // A second copy has the same one, and mail programs show it once.
    `Message-ID: <${message.id}@${host}>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    // RFC 3834 §5: nobody is to answer this by machine.
    "Auto-Submitted: auto-generated",
  ];
  const body =
    Buffer.from(messageText(message))
      .toString("base64")
      .match(/.{1,76}/g) ?? [];
  return { mailFrom: from, rcptTo: to, message: `${[...header, "", ...body].join("\r\n")}\r\n` };
}

/** RFC 5322 §3.3 */
const mailDate = (at: Date): string => at.toUTCString().replace("GMT", "+0000");

/** RFC 2047 §2: at most 75 characters each. */
function encodedSubject(text: string): string {
  const short = text.slice(0, 200);
  if (/^[\x20-\x7e]*$/.test(short) && short.length <= 66) return short;
  const words: string[] = [];
  let word = "";
  for (const character of short.replace(/\p{Cc}/gu, " ")) {
    if (Buffer.byteLength(word + character) > 42) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  return [...words, word].map((each) => `=?utf-8?B?${Buffer.from(each).toString("base64")}?=`).join("\r\n ");
}
