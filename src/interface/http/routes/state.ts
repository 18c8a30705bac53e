/** What the server runs with, and its state carried away. */
import { z } from "zod";
import type { ServerParts } from "../parts.ts";
import { requirePassword } from "../password-again.ts";
import { Refusal } from "../problem.ts";
import { type Route, route } from "../route.ts";

const BACKUP = { action: "backup.create", target: "state" } as const;

export function stateRoutes(parts: ServerParts): readonly Route[] {
  const { access, about, saveState, now } = parts;
  let isSaving = false;
  return [
    route({
      method: "GET",
      path: "/api/settings",
      gate: "settings.edit",
      summary: "What the server runs with; of secrets, where they lie.",
      answer: z.object({
        version: z.string(),
        runtime: z.string(),
        stateDirectory: z.string().nullable(),
        settingsFile: z.string().nullable(),
        descriptionFile: z.string().nullable(),
        settings: z.array(
          z.object({
            name: z.string(),
            value: z.string(),
            kind: z.enum(["said", "usual", "secret"]),
            variable: z.string().nullable(),
          }),
        ),
      }),
      act: async () => {
        const { settings, settingsFile, stateDirectory, version, runtime } = about();
        return {
          version,
          runtime,
          stateDirectory: stateDirectory ?? null,
          settingsFile: settingsFile ?? null,
          descriptionFile: parts.descriptionFile ?? null,
          settings: settings.map(({ variable, ...shown }) => ({ ...shown, variable: variable ?? null })),
        };
      },
    }),
    route({
      method: "GET",
      path: "/api/backup",
      gate: "backup",
      summary: "How the state is saved, and when it was saved by this server last.",
      answer: z.object({
        isByDatabase: z.boolean(),
        last: z.object({ at: z.string(), by: z.string() }).nullable(),
      }),
      act: async () => {
        const [last] = await access.auditLog({ ...BACKUP, limit: 1 });
        return {
          isByDatabase: saveState === undefined,
          last: last === undefined ? null : { at: last.at.toISOString(), by: last.actor },
        };
      },
    }),
    route({
      method: "POST",
      path: "/api/backup",
      gate: "backup",
      summary:
        "The state as of now, as a file (application/vnd.sqlite3). The seal key is not in it. For sessions alone.",
      body: z.strictObject({ password: z.string().max(1024).optional() }),
      isRaw: true,
      act: async ({ body }, asked) => {
        if (saveState === undefined)
          throw new Refusal(
            "refused",
            "the state lies in PostgreSQL, which is saved with its own tools",
            "run pg_dump where the database is, and keep its file with a copy of the seal key",
          );
        await requirePassword(body.password, asked, parts);
        if (isSaving)
          throw new Refusal("busy", "the state is being saved already", "try again in a minute", {
            retryAfterSeconds: 60,
          });
        isSaving = true;
        const { octets, content } = await saveState().catch((error: Error) => {
          isSaving = false;
          // The store's own sentences say what, and what to do.
          throw new Refusal("failed", error.message, "mend what is named, and try again");
        });
        // Until then its file takes room.
        content.once("close", () => {
          isSaving = false;
        });
        await asked.audit(BACKUP.action, BACKUP.target, { octets }).catch((error) => {
          content.destroy();
          throw error;
        });
        const name = `zonepost-${now().toISOString().slice(0, 16).replaceAll(":", "")}.db`;
        asked.reply
          .type("application/vnd.sqlite3")
          .header("content-length", octets)
          .header("content-disposition", `attachment; filename="${name}"`)
          .send(content);
      },
    }),
  ];
}
