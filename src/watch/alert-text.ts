/** Messages in words: plain text for mail and ntfy, blocks of it for chats. */
import type { Change } from "../check/finding.ts";
import { type AlertGroup, type AlertMessage, type FurtherGroup, inShort } from "./alert.ts";

const MAX_TEXT_CHARACTERS = 60_000;
/** What a line of names needs at least: a long code, and one name of usual length. */
const LEAST_LINE_CHARACTERS = 80;
/** For the line that counts what is left out. */
const LAST_LINE_CHARACTERS = 80;
const MAX_VALUE_CHARACTERS = 4_000;
const MAX_CHANGES = 20;

/** What names and records of others may hold: nothing of it steers a terminal or breaks a line. */
export const plain = (text: string, most = 600): string => {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim();
  return clean.length <= most ? clean : `${clean.slice(0, most)}...`;
};

const VERBS = { appeared: "New", changed: "Worse", eased: "Better, now", gone: "Solved" } as const;

/** "New error: dmarc-missing" */
export const headOf = ({ kind, finding: { severity, code } }: AlertGroup): string =>
  shortHeadOf({ kind, severity, code });

const shortHeadOf = ({ kind, severity, code }: Pick<FurtherGroup, "kind" | "severity" | "code">): string =>
  kind === "gone" ? `Solved: ${code}` : `${VERBS[kind]} ${severity}: ${code}`;

/** As many names as fit, at least one, and how many there are beside them. */
function namesText(
  { domains, domainCount }: Pick<FurtherGroup, "domains" | "domainCount">,
  most: number,
): string {
  let text: string = domains[0] ?? "";
  let named = Math.min(1, domains.length);
  for (const name of domains.slice(1)) {
    if (text.length + 2 + name.length > most) break;
    text += `, ${name}`;
    named += 1;
  }
  return domainCount > named ? `${text} and ${domainCount - named} more` : text;
}

/** The whole group, with the exact fix. */
function groupText(group: AlertGroup, mostNames: number): string {
  const { kind, finding, domains, domainCount, since } = group;
  const lines = [headOf(group)];
  lines.push(`${domainCount === 1 ? "Domain" : `${domainCount} domains`}: ${namesText(group, mostNames)}`);
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

/** Of what there is no room for in full, a line for each kind of finding names the domains. */
export function messageText(message: AlertMessage, most = MAX_TEXT_CHARACTERS): string {
  const { groups, omittedGroups, further = [], text } = message;
  const full = groups.map((group) => groupText(group, most / 3));
  const whole = full.reduce((length, part) => length + part.length + 2, text?.length ?? 0);
  const room = further.length === 0 && whole <= most ? most : (most * 2) / 3;
  const parts = text === undefined ? [] : [text];
  let length = text?.length ?? 0;
  const unsaid: AlertGroup[] = [];
  for (const [at, part] of full.entries()) {
    if (length + part.length + 2 > room) {
      unsaid.push(groups[at]!);
      continue;
    }
    length += part.length + 2;
    parts.push(part);
  }
  const short = [...inShort(unsaid), ...further];
  const lines: string[] = [];
  for (const [at, one] of short.entries()) {
    const left = most - LAST_LINE_CHARACTERS - length;
    const share = left / (short.length - at);
    const head = shortHeadOf(one);
    // Names may be long: what has no room at all is counted.
    if (left < LEAST_LINE_CHARACTERS) break;
    const line = `${head}: ${namesText(one, share - head.length - 20)}`;
    length += line.length + 1;
    lines.push(line);
  }
  if (lines.length > 0) parts.push(lines.join("\n"));
  // Messages of before do not say what they leave out.
  const left = short.length - lines.length + (message.further === undefined ? omittedGroups : 0);
  if (left > 0) parts.push(`And ${left} more: zonepost check shows all of a domain.`);
  return `${parts.join("\n\n")}\n`;
}
