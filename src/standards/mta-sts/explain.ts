/** MTA-STS records and policies in plain words. */
import type { ExplainedTerm, Explanation } from "../dns/remark.ts";
import { splitTags, type Tag } from "../dns/tag-list.ts";
import { type PolicyLine, policyLines, remarksOnPolicy } from "./policy.ts";
import { remarksOnMtaStsRecord } from "./record.ts";

export function explainMtaStsRecord(text: string): Explanation {
  const terms = splitTags(text).tags.map((tag) => ({ text: tag.text, meaning: fieldMeaning(tag) }));
  return { title: "MTA-STS record (RFC 8461)", terms, remarks: remarksOnMtaStsRecord(text) };
}

function fieldMeaning({ name, value }: Tag): string {
  switch (name) {
    case "v":
      return value === "STSv1"
        ? "This TXT record says that the domain has an MTA-STS policy."
        : "Not the version STSv1.";
    case "id":
      return "The mark of the present policy; senders fetch the policy again when it changes.";
    default:
      return "Senders ignore this field.";
  }
}

export function explainPolicy(text: string): Explanation {
  const terms = policyLines(text).map(
    (line): ExplainedTerm => ({ text: line.text.trimEnd(), meaning: lineMeaning(line) }),
  );
  return { title: "MTA-STS policy (RFC 8461)", terms, remarks: remarksOnPolicy(text) };
}

function lineMeaning({ key, value }: PolicyLine): string {
  switch (key) {
    case "version":
      return "The version of the format.";
    case "mode":
      return modeMeaning(value);
    case "mx":
      return value.startsWith("*.")
        ? `Mail may go to hosts with exactly one label in front of ${value.slice(2)}.`
        : `Mail may go to ${value}.`;
    case "max_age":
      return `Senders keep the policy for ${durationOf(Number(value))}.`;
    default:
      return "Senders ignore this key.";
  }
}

function modeMeaning(mode: string): string {
  switch (mode) {
    case "enforce":
      return "Senders deliver only over TLS, to the hosts named here, with a valid certificate.";
    case "testing":
      return "Senders deliver in any case, and report what would have failed.";
    case "none":
      return "The domain has no policy any more; senders forget an earlier one.";
    default:
      return "No known mode.";
  }
}

function durationOf(seconds: number): string {
  if (!Number.isFinite(seconds)) return "no valid time";
  const days = seconds / 86_400;
  if (days >= 1) return `${Number(days.toFixed(1))} ${days === 1 ? "day" : "days"}`;
  return `${seconds} ${seconds === 1 ? "second" : "seconds"}`;
}
