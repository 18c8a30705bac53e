/** Messages as text, for tests: taken apart at the first empty line, nothing forgiven. */
import { type HeaderField, headerField } from "../../src/standards/message/header-field.ts";

export interface MailText {
  readonly fields: readonly HeaderField[];
  readonly body: Buffer;
}

/** LF or CRLF, octets above 127 as UTF-8; what comes out has CRLF. */
export function mailText(text: string): MailText {
  const octets = Buffer.from(text.replace(/\r?\n/g, "\r\n"), "utf8").toString("latin1");
  const end = octets.startsWith("\r\n") ? 0 : octets.indexOf("\r\n\r\n");
  const header = end < 0 ? octets.replace(/\r\n$/, "") : octets.slice(0, end);
  const body = end < 0 ? "" : octets.slice(end === 0 ? 2 : end + 4);
  const lines = header === "" ? [] : header.split(/\r\n(?![ \t])/);
  const fields = lines.map((line) => {
    const colon = line.indexOf(":");
    return headerField(line.slice(0, colon), line.slice(colon + 1));
  });
  return { fields, body: Buffer.from(body, "latin1") };
}
