/** A BIMI record in plain words. */
import type { Explanation } from "../dns/remark.ts";
import { splitTags, type Tag } from "../dns/tag-list.ts";
import { remarksOnBimi } from "./record.ts";

export function explainBimi(text: string): Explanation {
  const terms = splitTags(text).tags.map((tag) => ({ text: tag.text, meaning: meaningOf(tag) }));
  return { title: "BIMI record (Internet-Draft)", terms, remarks: remarksOnBimi(text) };
}

function meaningOf({ name, value = "" }: Tag): string {
  switch (name) {
    case "v":
      return value === "BIMI1" ? "This TXT record is about the domain's logo." : "Not the version BIMI1.";
    case "l":
      return value === "" ? "There is no logo." : `The logo is at ${value}.`;
    case "a":
      return value === ""
        ? "There is no evidence for the logo."
        : `The certificate that proves the right to the logo is at ${value}.`;
    case "avp":
      return value === "personal"
        ? "A sender's own picture goes before the logo."
        : "The logo goes before a sender's own picture.";
    case "lps":
      return "Senders may have logos of their own, by the local part of their address.";
    default:
      return "Receivers ignore this tag.";
  }
}
