/** A message that a person names: a file, or standard input. */

import { readSavedMessage, type SavedMessage } from "../../milter/saved-message.ts";
import { MAX_LINE_OCTETS } from "../../standards/message/message-reader.ts";
import { UsageError } from "./exit-code.ts";
import type { Tools } from "./tools.ts";

/** Larger than any mail that servers take. */
const MAX_MESSAGE_OCTETS = 128 * 1_048_576;

export async function readMailFile(path: string, tools: Tools): Promise<SavedMessage> {
  const octets = path === "-" ? await tools.readStdinOctets(MAX_MESSAGE_OCTETS) : readFile(path, tools);
  const name = path === "-" ? "standard input" : path;
  if (octets === undefined || octets.length > MAX_MESSAGE_OCTETS) {
    throw new UsageError(`${name} is larger than any mail (${MAX_MESSAGE_OCTETS / 1_048_576} MiB)`);
  }
  const message = readSavedMessage(octets);
  if (message.fields.length === 0) {
    throw new UsageError(
      `${name} is no mail: it does not begin with header fields; save the message as it came ("show original", "save as .eml")`,
    );
  }
  return message;
}

function readFile(path: string, tools: Tools): Uint8Array {
  try {
    return tools.readOctets(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(`cannot read ${path}: ${code === "ENOENT" ? "there is no such file" : message}`);
  }
}

/** What will be changed on the way, or was not read; each a sentence. */
export function troubleIn({ summary }: SavedMessage): readonly string[] {
  const { bareCarriageReturns, longestLineOctets, header } = summary;
  const limits = {
    headerOctets: "the header is too long",
    fields: "there are too many fields",
    fieldOctets: "a field is too long",
  };
  return [
    ...header.exceeded.map((limit) => `Not all of the header was read: ${limits[limit]}.`),
    ...(header.end === "not-a-field"
      ? ["The header ends with a line that is no field; all from there on was taken for the body."]
      : []),
    ...(bareCarriageReturns > 0
      ? [
          `There are ${bareCarriageReturns} carriage returns that end no line; servers change or refuse them, and no signature survives that.`,
        ]
      : []),
    ...(longestLineOctets > MAX_LINE_OCTETS
      ? [
          `A line has ${longestLineOctets} octets; SMTP servers break lines beyond ${MAX_LINE_OCTETS}, and no signature survives that. Have the text encoded (quoted-printable or base64).`,
        ]
      : []),
  ];
}
