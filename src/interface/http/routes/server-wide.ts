/** What is of no single domain: the overview, the servers that all domains share, the audit log. */
import { z } from "zod";
import { ownerFilter } from "../../../access/permission.ts";
import { SEVERITIES } from "../../../check/severity.ts";
import { askForAll } from "../../../watch/look-again.ts";
import type { Tasks } from "../../../watch/task.ts";
import { MACHINE_PARTS, requirePieces } from "../described.ts";
import { eventJson, eventPlace, eventSchema, readEventPlace } from "../domain-schema.ts";
import type { ServerParts } from "../parts.ts";
import { byFile, Refusal, stale } from "../problem.ts";
import { limit, type Route, route } from "../route.ts";

const content = z.record(z.string().max(100), z.unknown());
const commonSchema = z.object({
  content,
  revision: z.int(),
  changedAt: z.string(),
  /** The file that says it, where it cannot be changed here. */
  file: z.string().nullable(),
});

export function serverRoutes(parts: ServerParts, tasks: Tasks): readonly Route[] {
  const { descriptions, watch, access, queue, now, descriptionFile } = parts;
  return [
    route({
      method: "GET",
      path: "/api/overview",
      gate: "own.read",
      summary:
        "How many domains there are, by the worst of what is known of them; and what has changed last.",
      answer: z.object({
        domains: z.int(),
        bySeverity: z.partialRecord(z.enum([...SEVERITIES, "unchecked"]), z.int()),
        events: z.array(eventSchema),
        jobsRunning: z.int(),
      }),
      act: async (_, { actor }) => {
        const filter = ownerFilter(actor);
        const [bySeverity, events] = await Promise.all([
          watch.overview(filter),
          watch.history(filter, { limit: 20 }),
        ]);
        return {
          // Whatever is described is watched: to count a hundred thousand twice is slow.
          domains: Object.values(bySeverity).reduce((sum, count) => sum + count, 0),
          bySeverity: { ...bySeverity },
          events: events.map(eventJson),
          jobsRunning: actor.user.role === "owner" ? 0 : (await tasks.counts()).running,
        };
      },
    }),
    route({
      method: "GET",
      path: "/api/history",
      gate: "own.read",
      summary: "What has changed, the newest first.",
      query: z.object({ before: eventPlace.optional(), limit }),
      answer: z.object({ events: z.array(eventSchema) }),
      act: async ({ query }, { actor }) => {
        const page = { limit: query.limit, ...(query.before && { before: readEventPlace(query.before) }) };
        return { events: (await watch.history(ownerFilter(actor), page)).map(eventJson) };
      },
    }),
    route({
      method: "GET",
      path: "/api/servers",
      gate: "servers.read",
      summary: "What all domains share: the description without its domains.",
      answer: commonSchema,
      act: async () => {
        const common = await descriptions.common();
        return {
          ...common,
          changedAt: common.changedAt.toISOString(),
          file: descriptionFile ?? null,
        };
      },
    }),
    route({
      method: "PUT",
      path: "/api/servers",
      gate: "servers.edit",
      summary: "Changes what all domains share. All are looked at again, one after the other.",
      body: z.strictObject({ content, revision: z.int().min(0) }),
      answer: z.object({ revision: z.int() }),
      act: async ({ body }, asked) => {
        if (descriptionFile !== undefined) throw byFile(descriptionFile);
        const parts = [...MACHINE_PARTS, "domains"].filter((part) => part in body.content);
        if (parts.length > 0)
          throw new Refusal(
            "refused",
            `${parts.join(", ")} cannot be set here`,
            "domains have routes of their own; publish and milter are set on the machine, since they name files and commands",
            { where: `body.content.${parts[0]}` },
          );
        requirePieces(body.content, []);
        if ((await descriptions.putCommon(body.content, body.revision, now())) === "stale") throw stale();
        await askForAll(queue);
        await asked.audit("servers.change", "servers", { revision: body.revision + 1 });
        return { revision: body.revision + 1 };
      },
    }),
    route({
      method: "GET",
      path: "/api/audit",
      gate: "audit.read",
      summary: "Who did what, the newest first.",
      query: z.object({
        before: z.string().max(100).optional(),
        target: z.string().max(300).optional(),
        actor: z.string().max(100).optional(),
        action: z.string().max(100).optional(),
        limit,
      }),
      answer: z.object({
        entries: z.array(
          z.object({
            id: z.string(),
            at: z.string(),
            actor: z.string(),
            address: z.string().nullable(),
            action: z.string(),
            target: z.string(),
            details: z.record(z.string(), z.unknown()),
          }),
        ),
      }),
      act: async ({ query }) => {
        const { before, target, actor, action } = query;
        const entries = await access.auditLog({
          limit: query.limit,
          ...(before && { before }),
          ...(target && { target }),
          ...(actor && { actor }),
          ...(action && { action }),
        });
        return {
          entries: entries.map(({ at, address, details, ...entry }) => ({
            ...entry,
            at: at.toISOString(),
            address: address ?? null,
            details: { ...details },
          })),
        };
      },
    }),
  ];
}
