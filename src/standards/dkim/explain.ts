/** A DKIM key record in plain words. */
import type { ExplainedTerm, Explanation } from "../dns/remark.ts";
import { splitTags, type Tag } from "../dns/tag-list.ts";
import { type DkimKeyReading, parseDkimKey, shortened } from "./key-record.ts";
import { describeDkimKey, shortDkimFingerprint } from "./public-key.ts";
import { remarksOnDkimKey } from "./remarks.ts";

export function explainDkimKey(text: string): Explanation {
  const reading = parseDkimKey(text);
  const terms = splitTags(text).tags.map(
    (tag): ExplainedTerm => ({ text: tag.text, meaning: meaningOf(tag, reading) }),
  );
  return { title: "DKIM key record (RFC 6376)", terms, remarks: remarksOnDkimKey(text) };
}

function meaningOf({ name, value = "" }: Tag, reading: DkimKeyReading): string {
  switch (name) {
    case "v":
      return value === "DKIM1" ? "This TXT record is a DKIM key." : "Not the version DKIM1.";
    case "h":
      return `Signatures may use these hashes: ${list(value)}.`;
    case "k":
      return `The key is for ${value}.`;
    case "n":
      return "A note for people; programs do not read it.";
    case "p":
      return keyMeaning(reading);
    case "s":
      return value === "*"
        ? "The key is for every service."
        : `The key is for these services: ${list(value)}.`;
    case "t":
      return value
        .split(":")
        .map((flag) => flagMeaning(flag.trim()))
        .join(" ");
    default:
      return `Verifiers ignore the tag "${shortened(name)}".`;
  }
}

const list = (value: string): string =>
  value
    .split(":")
    .map((part) => part.trim())
    .join(", ");

function flagMeaning(flag: string): string {
  switch (flag) {
    case "y":
      return "DKIM is being tested: a failing signature counts like none.";
    case "s":
      return "The identity of a signature (i=) must be in the signing domain itself, not below it.";
    default:
      return `Verifiers ignore the flag "${shortened(flag)}".`;
  }
}

function keyMeaning(reading: DkimKeyReading): string {
  switch (reading.status) {
    case "valid": {
      const { key } = reading.record;
      return `The public key: ${describeDkimKey(key)}, fingerprint ${shortDkimFingerprint(key)}.`;
    }
    case "revoked":
      return "Empty: the key is revoked.";
    case "invalid":
      return `Not usable: ${reading.problem}.`;
    default:
      return reading satisfies never;
  }
}
