/** Who is told of news, whether it arrives, and what could not be brought there. */
import { z } from "zod";
import type { AlertChannel } from "../../../watch/alert.ts";
import type { ServerParts } from "../parts.ts";
import { notFound } from "../problem.ts";
import { type Route, route } from "../route.ts";

const channelSchema = z.object({
  id: z.string(),
  kind: z.enum(["email", "webhook", "ntfy", "slack"]),
  /** A mail address, or the host alone: the rest of an address may be a secret. */
  receiver: z.string(),
  minimumSeverity: z.string(),
  quietHours: z.object({ from: z.string(), until: z.string(), timeZone: z.string() }).nullable(),
  domains: z.array(z.string()).nullable(),
  weeklyDigest: z.boolean(),
});

const channelJson = ({ id, target, minimumSeverity, quietHours, domains, weeklyDigest }: AlertChannel) => ({
  id,
  kind: target.kind,
  receiver: target.kind === "email" ? target.to : new URL(target.url).host,
  minimumSeverity,
  quietHours: quietHours === undefined ? null : { ...quietHours },
  domains: domains === undefined ? null : [...domains],
  weeklyDigest: weeklyDigest ?? false,
});

const MAX_GIVEN_UP = 50;

const MAX_TOLD = 50;

export function alertRoutes({ access, alerts, queue }: ServerParts): readonly Route[] {
  return [
    route({
      method: "GET",
      path: "/api/alerts",
      gate: "servers.read",
      summary:
        "Who is told of news, by the server's settings; what was told, and what was given up, the newest first.",
      answer: z.object({
        channels: z.array(channelSchema),
        told: z.array(
          z.object({
            id: z.string(),
            at: z.string(),
            channel: z.string(),
            title: z.string(),
            severity: z.string(),
          }),
        ),
        givenUp: z.array(
          z.object({ kind: z.string(), at: z.string(), attempts: z.int(), error: z.string() }),
        ),
      }),
      act: async () => ({
        channels: alerts.channels.map(channelJson),
        told: (await access.auditLog({ action: "alert.told", limit: MAX_TOLD })).map(
          ({ id, at, target, details: { title, severity } }) => ({
            id,
            at: at.toISOString(),
            channel: target,
            title: String(title ?? ""),
            severity: String(severity ?? ""),
          }),
        ),
        givenUp: (await queue.givenUp(MAX_GIVEN_UP)).map(({ kind, at, attempts, error }) => ({
          kind,
          at: at.toISOString(),
          attempts,
          error,
        })),
      }),
    }),
    route({
      method: "POST",
      path: "/api/alerts/:channel/test",
      gate: "settings.edit",
      summary: "Sends a test to a channel, and says what its receiver answered.",
      params: z.object({ channel: z.string().max(100) }),
      answer: z.object({ status: z.enum(["accepted", "refused", "failed"]), detail: z.string() }),
      act: async ({ params }, asked) => {
        const channel = alerts.channels.find(({ id }) => id === params.channel);
        if (channel === undefined) throw notFound();
        await asked.audit("alert.test", channel.id);
        const outcome = await alerts.tryOut(channel);
        return { status: outcome.status, detail: outcome.status === "accepted" ? "" : outcome.detail };
      },
    }),
  ];
}
