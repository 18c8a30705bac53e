/** Jobs: how far they are, as an answer or as events while it happens. */
import { Readable } from "node:stream";
import { z } from "zod";
import { sees } from "../../../access/permission.ts";
import type { Job, Jobs } from "../job.ts";
import type { ServerParts } from "../parts.ts";
import { notFound, Refusal } from "../problem.ts";
import { type Asked, type Route, route } from "../route.ts";

export const jobRef = z.object({ job: z.string() });

const params = z.object({ job: z.string().max(100) });
const MAX_STREAMS = 200;
const MAX_STREAMS_OF_ONE = 10;
const MAX_STREAM_MILLISECONDS = 15 * 60_000;
const HEARTBEAT_MILLISECONDS = 15_000;
/** Who reads no faster than this is let go; the events are there to be asked for again. */
const MAX_UNREAD_OCTETS = 256 * 1024;

export function jobRoutes({ every, now }: ServerParts, jobs: Jobs): readonly Route[] {
  const streams = new Map<string, number>();
  const seen = (id: string, { actor }: Asked): Job => {
    const job = jobs.get(id);
    if (job === undefined || !sees(actor, job)) throw notFound();
    return job;
  };
  return [
    route({
      method: "GET",
      path: "/api/jobs/:job",
      gate: "own.read",
      summary: "How far a job is, and what has come of it.",
      params,
      answer: z.object({
        id: z.string(),
        kind: z.string(),
        domain: z.string().nullable(),
        state: z.enum(["waiting", "running", "done", "failed"]),
        startedAt: z.string(),
        progress: z.unknown(),
        result: z.unknown(),
      }),
      act: async ({ params: { job: id } }, asked) => {
        const { kind, domain, state, startedAt, events, result } = seen(id, asked);
        const progress = events.findLast(({ name }) => name === "progress")?.data ?? null;
        return {
          id,
          kind,
          domain: domain ?? null,
          state,
          startedAt: startedAt.toISOString(),
          progress,
          result: result ?? null,
        };
      },
    }),
    route({
      method: "GET",
      path: "/api/jobs/:job/events",
      gate: "own.read",
      summary: "A job's events as they happen (text/event-stream): progress, then done or failed.",
      params,
      isRaw: true,
      act: async ({ params: { job: id } }, asked) => {
        const job = seen(id, asked);
        const who = asked.actor.user.id;
        const all = [...streams.values()].reduce((sum, count) => sum + count, 0);
        if (all >= MAX_STREAMS || (streams.get(who) ?? 0) >= MAX_STREAMS_OF_ONE)
          throw new Refusal(
            "too-many",
            "too many streams are open",
            "close some, or ask GET /api/jobs/:job",
            {
              retryAfterSeconds: 30,
            },
          );
        streams.set(who, (streams.get(who) ?? 0) + 1);
        const stream = new Readable({ read: () => {} });
        const until = now().getTime() + MAX_STREAM_MILLISECONDS;
        const stopBeating = every(HEARTBEAT_MILLISECONDS, () => {
          if (now().getTime() >= until || stream.readableLength > MAX_UNREAD_OCTETS) stream.destroy();
          else stream.push(": still there\n\n");
        });
        let isOver = false;
        const stopFollowing = jobs.follow(job.id, ({ name, data }) => {
          if (isOver) return;
          stream.push(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
          if (name === "progress") return;
          isOver = true;
          stream.push(null);
        });
        stream.once("close", () => {
          stopBeating();
          stopFollowing();
          const left = (streams.get(who) ?? 1) - 1;
          if (left > 0) streams.set(who, left);
          else streams.delete(who);
        });
        asked.reply.type("text/event-stream").header("x-accel-buffering", "no").send(stream);
      },
    }),
  ];
}
