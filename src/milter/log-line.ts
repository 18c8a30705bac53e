/** One line for each message, as key=value: what came, what was found, what was done. */
import type { MessageRecord } from "./mail-milter.ts";

/** Longer values are cut: a client chooses HELO, sender and domains. */
const MAX_VALUE_CHARACTERS = 200;

export function formatLogLine(record: MessageRecord): string {
  const { direction, envelope, authentication, decision, signing, action } = record;
  const parts: (readonly [string, string | undefined])[] = [
    ["id", record.queueId],
    ["direction", direction.isOutgoing ? "out" : "in"],
    ["by", direction.by],
    ["client", direction.clientIp?.text],
    ["login", direction.login],
    ["helo", envelope.helo],
    ["mail-from", `<${envelope.mailFrom}>`],
    ["from", record.authorDomain],
  ];
  if (signing !== undefined) {
    const keys = signing.keys.map(
      ({ signingDomain, dkimSelector }) => `${dkimSelector}._domainkey.${signingDomain}`,
    );
    parts.push(["signed", keys.length > 0 ? keys.join(",") : "no"], ["because", signing.unsignedBecause]);
  }
  if (authentication !== undefined) {
    const { spf, dkim, arc, iprev, dmarc } = authentication;
    const signatures = dkim.map(({ result, signature, cause }) =>
      [result, signature?.signingDomain, cause].filter((word) => word !== undefined).join(":"),
    );
    parts.push(
      ["spf", spf.result],
      ["dkim", signatures.join(",") || "none"],
      ["arc", arc.result],
      ["iprev", iprev.result],
      ["dmarc", dmarc.status === "evaluated" ? dmarc.outcome.result : "permerror"],
      ["because", decision?.because],
      ["vouched-by", decision?.vouchedBy],
    );
  }
  if (record.forgedResults > 0) parts.push(["forged-results", String(record.forgedResults)]);
  if (record.headerTooLarge) parts.push(["header", "too-large"]);
  parts.push(["action", action.kind === "reply" ? `${action.code}/${action.status}` : action.kind]);
  parts.push(["ms", String(record.milliseconds)]);
  return parts
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${logValue(value)}`]))
    .join(" ");
}

/** What a client wrote can neither end the line nor look like another key. */
function logValue(value: string): string {
  const cut = value.length > MAX_VALUE_CHARACTERS ? `${value.slice(0, MAX_VALUE_CHARACTERS)}…` : value;
  return /^[!#-<>-~]+$/.test(cut) ? cut : JSON.stringify(cut).replace(/[\x7f-\u{10ffff}]/gu, escaped);
}

const escaped = (character: string): string =>
  [...character].map((one) => `\\u${one.codePointAt(0)!.toString(16).padStart(4, "0")}`).join("");
