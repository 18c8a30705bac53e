/** A TLS reporting record in plain words. */
import type { Explanation } from "../dns/remark.ts";
import { splitTags, type Tag } from "../dns/tag-list.ts";
import { type Destination, destinationsOf, remarksOnTlsRpt } from "./record.ts";

export function explainTlsRpt(text: string): Explanation {
  const terms = splitTags(text).tags.map((tag) => ({ text: tag.text, meaning: meaningOf(tag) }));
  return { title: "TLS reporting record (RFC 8460)", terms, remarks: remarksOnTlsRpt(text) };
}

function meaningOf(tag: Tag): string {
  switch (tag.name) {
    case "v":
      return tag.value === "TLSRPTv1"
        ? "This TXT record asks senders for daily reports on TLS."
        : "Not the version TLSRPTv1.";
    case "rua":
      return destinationsOf(tag).map(destinationMeaning).join(" ");
    default:
      return "Senders ignore this field.";
  }
}

function destinationMeaning({ uri, problem }: Destination): string {
  if (problem !== undefined) return `Not valid: ${problem}.`;
  const [, address] = /^mailto:([^?]*)/i.exec(uri) ?? [];
  return address === undefined ? `Reports are posted to ${uri}.` : `Reports are mailed to ${address}.`;
}
