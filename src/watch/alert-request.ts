/** Messages as requests to webhooks, ntfy and chats. Pure: net/alert-post.ts sends them. */
import { createHmac } from "node:crypto";
import { type AlertMessage, type AlertTarget, inShort } from "./alert.ts";
import { headOf, messageText } from "./alert-text.ts";

export interface AlertRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type WebTarget = Exclude<AlertTarget, { kind: "email" }>;

/** ntfy cuts what is longer into a file; chats refuse it. */
const MAX_NTFY_OCTETS = 3_800;
const MAX_SLACK_CHARACTERS = 2_800;
/** Somewhat less than what is sent at most. */
const MAX_WEBHOOK_OCTETS = 1_000_000;

export function alertRequest(target: WebTarget, message: AlertMessage, now: Date): AlertRequest {
  switch (target.kind) {
    case "webhook": {
      const body = webhookBody(message);
      const timestamp = String(Math.floor(now.getTime() / 1000));
      const headers = {
        "content-type": "application/json",
        "x-zonepost-id": message.id,
        "x-zonepost-timestamp": timestamp,
        "x-zonepost-signature": signature(target.secret.reveal(), timestamp, message.id, body),
      };
      return { url: target.url, headers, body };
    }
    case "ntfy": {
      // The topic is the last part of the path; JSON goes to the server's root.
      const url = new URL(target.url);
      const path = url.pathname.replace(/\/+$/, "");
      const topic = decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
      url.pathname = path.slice(0, path.lastIndexOf("/") + 1);
      const body = JSON.stringify({
        topic,
        title: message.title,
        message: cutOctets(messageText(message, MAX_NTFY_OCTETS), MAX_NTFY_OCTETS),
        priority: { error: 5, warning: 4, unknown: 3, notice: 3, ok: 2 }[message.severity],
        tags: ["zonepost", message.severity],
        sequence_id: message.id,
      });
      const headers = {
        "content-type": "application/json",
        ...(target.token && { authorization: `Bearer ${target.token.reveal()}` }),
      };
      return { url: url.href, headers, body };
    }
    case "slack": {
      const text = escapeChat(messageText(message, MAX_SLACK_CHARACTERS));
      const cut = text.length > MAX_SLACK_CHARACTERS ? `${text.slice(0, MAX_SLACK_CHARACTERS)}...` : text;
      const body = JSON.stringify({
        text: escapeChat(message.title),
        blocks: [
          { type: "header", text: { type: "plain_text", text: message.title.slice(0, 150), emoji: false } },
          { type: "section", text: { type: "plain_text", text: cut, emoji: false } },
          {
            type: "context",
            elements: [
              {
                type: "plain_text",
                text: `${message.groups.slice(0, 3).map(headOf).join("; ")} (${message.id})`.slice(0, 1000),
              },
            ],
          },
        ],
      });
      return { url: target.url, headers: { "content-type": "application/json" }, body };
    }
    default:
      return target satisfies never;
  }
}

/** With all groups in full, or as many as there is room for; the others are named. */
function webhookBody(message: AlertMessage): string {
  for (let kept = message.groups.length; ; kept = Math.floor(kept / 2)) {
    const left = message.groups.slice(kept);
    const cut =
      left.length === 0
        ? message
        : {
            ...message,
            groups: message.groups.slice(0, kept),
            omittedGroups: message.omittedGroups + left.length,
            further: [...inShort(left), ...(message.further ?? [])],
          };
    const body = JSON.stringify({ version: 1, ...cut });
    if (kept === 0 || Buffer.byteLength(body) <= MAX_WEBHOOK_OCTETS) return body;
  }
}

/** "v1=" and HMAC-SHA256 in hex over "timestamp.id.body": what is old, or another's, can be told. */
export const signature = (secret: string, timestamp: string, id: string, body: string): string =>
  `v1=${createHmac("sha256", secret).update(`${timestamp}.${id}.${body}`).digest("hex")}`;

const escapeChat = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function cutOctets(text: string, most: number): string {
  const octets = Buffer.from(text);
  // No half of a character at the end.
  return octets.length <= most
    ? text
    : `${octets
        .subarray(0, most)
        .toString()
        .replace(/\uFFFD$/, "")}...`;
}
