/** A message that lies in a file, read as SMTP would transmit it. */
import type { HeaderField } from "../standards/message/header-field.ts";
import { MessageReader, type MessageSummary } from "../standards/message/message-reader.ts";

export interface SavedMessage {
  readonly fields: readonly HeaderField[];
  /** Lines end with CRLF. */
  readonly body: Buffer;
  /** `header.exceeded`: where it names a limit, fields are missing. */
  readonly summary: MessageSummary;
}

/** LF or CRLF; the "From " line of an mbox file is passed over. The body is a copy. */
export function readSavedMessage(octets: Uint8Array): SavedMessage {
  const fields: HeaderField[] = [];
  const chunks: Uint8Array[] = [];
  const reader = new MessageReader(
    { field: (field) => fields.push(field), endOfHeaders() {}, body: (chunk) => chunks.push(chunk) },
    { lineEnds: "crlf" },
  );
  reader.write(octets);
  const summary = reader.end();
  return { fields, body: Buffer.concat(chunks), summary };
}
