/** Messages in words: plain text for mail and ntfy, blocks of it for chats. */
import type { Change } from "../check/finding.ts";
import type { AlertGroup, AlertMessage } from "./alert.ts";

const MAX_TEXT_CHARACTERS = 60_000;
const MAX_VALUE_CHARACTERS = 4_000;
const MAX_CHANGES = 20;

/** What names and records of others may hold: nothing of it steers a terminal or breaks a line. */
const plain = (text: string, most = 600): string => {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return clean.length <= most ? clean : `${clean.slice(0, most)}...`;
};

const VERBS = { appeared: "New", changed: "Worse", eased: "Better, now", gone: "Solved" } as const;

/** "New error: dmarc-missing" */
export const headOf = ({ kind, finding }: AlertGroup): string =>
  kind === "gone" ? `Solved: ${finding.code}` : `${VERBS[kind]} ${finding.severity}: ${finding.code}`;

/** The whole group, with the exact fix. */
export function groupText(group: AlertGroup): string {
  const { kind, finding, domains, domainCount, since } = group;
  const lines = [headOf(group)];
  const more = domainCount > domains.length ? ` and ${domainCount - domains.length} more` : "";
  lines.push(`${domainCount === 1 ? "Domain" : `${domainCount} domains`}: ${domains.join(", ")}${more}`);
  if (domainCount > 1) lines.push(`Shown for ${domains[0]}:`);
  lines.push(`At: ${plain(finding.owner)}, since ${since.slice(0, 16)}Z`);
  if (kind === "gone") {
    lines.push(`It was: ${plain(finding.observed)}`);
    return lines.join("\n");
  }
  lines.push(plain(finding.why));
  if (finding.observed !== "") lines.push(`Seen: ${plain(finding.observed)}`);
  if (finding.expected !== "") lines.push(`Expected: ${plain(finding.expected)}`);
  if (finding.fix !== null) {
    lines.push(`Fix: ${plain(finding.fix.summary)}`);
    for (const change of finding.fix.changes.slice(0, MAX_CHANGES)) lines.push(`  ${changeText(change)}`);
    const left = finding.fix.changes.length - MAX_CHANGES;
    if (left > 0) lines.push(`  and ${left} more records`);
    if (finding.fix.request !== undefined) {
      lines.push("To send to who can change it:");
      lines.push(...finding.fix.request.split("\n").map((line) => `  | ${plain(line, 1000)}`));
    }
  }
  if (finding.verify !== "") lines.push(`See it yourself: ${plain(finding.verify)}`);
  if (finding.reference !== "") lines.push(`Rule: ${plain(finding.reference)}`);
  return lines.join("\n");
}

const changeText = ({ action, zoneText }: Change): string =>
  `${action === "create" ? "add   " : "remove"} ${plain(zoneText, MAX_VALUE_CHARACTERS)}`;

export function messageText(message: AlertMessage): string {
  const { groups, omittedGroups, text } = message;
  const parts = text === undefined ? [] : [text];
  let length = text?.length ?? 0;
  let left = omittedGroups;
  for (const group of groups) {
    const part = groupText(group);
    if (length + part.length > MAX_TEXT_CHARACTERS) {
      left += 1;
      continue;
    }
    length += part.length;
    parts.push(part);
  }
  if (left > 0) parts.push(`And ${left} more: zonepost check shows all of a domain.`);
  return `${parts.join("\n\n")}\n`;
}
