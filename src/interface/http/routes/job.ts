/** Jobs: how far they are, as an answer or as events while it happens. */
import { Readable } from "node:stream";
import { z } from "zod";
import { type Actor, may, sees } from "../../../access/permission.ts";
import type { DomainName } from "../../../standards/dns/name.ts";
import type { NotBegun, Task, Tasks } from "../../../watch/task.ts";
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

/** What a task became, or that nothing more fits in. */
export function jobOf(begun: Task | NotBegun): { readonly job: string } {
  if (typeof begun !== "string") return { job: begun.id };
  if (begun === "enough")
    throw new Refusal(
      "busy",
      "there is too much under way already for the same owner",
      "wait until some of it has ended, then try again",
      { retryAfterSeconds: 60 },
    );
  throw new Refusal("busy", "there is too much to do already", "try again in a minute", {
    retryAfterSeconds: 60,
  });
}

export function jobRoutes(
  { descriptions, every, now }: ServerParts,
  tasks: Tasks,
  ending: AbortSignal,
): readonly Route[] {
  const streams = new Map<string, number>();
  /** Of a domain, it is whose the domain is now; else whose it was begun for. */
  const isSeen = async (task: Task, actor: Actor): Promise<boolean> => {
    if (task.domain === undefined) return sees(actor, task);
    const stored = await descriptions.domain(task.domain as DomainName);
    return sees(actor, { ownerId: stored?.ownerId });
  };
  const seen = async (id: string, { actor }: Asked): Promise<Task> => {
    const task = await tasks.get(id);
    if (task === undefined || !(await isSeen(task, actor))) throw notFound();
    return task;
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
        const { kind, domain, state, startedAt, progress, result } = await seen(id, asked);
        return {
          id,
          kind,
          domain: domain ?? null,
          state,
          startedAt: startedAt.toISOString(),
          progress,
          result,
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
        const task = await seen(id, asked);
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
        let isOver = false;
        const until = now().getTime() + MAX_STREAM_MILLISECONDS;
        const stopBeating = every(HEARTBEAT_MILLISECONDS, () => {
          if (now().getTime() >= until || stream.readableLength > MAX_UNREAD_OCTETS) stream.destroy();
          else beat().catch(() => stream.destroy());
        });
        /** Rights that are taken away end what was opened with them. */
        const beat = async () => {
          const actor = await asked.actorNow();
          if (actor === undefined || !may(actor, "own.read") || !(await isSeen(task, actor)))
            stream.destroy();
          else if (!isOver && !stream.destroyed) stream.push(": still there\n\n");
        };
        const gone = new AbortController();
        const push = (name: string, data: unknown) =>
          stream.push(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
        const follow = async () => {
          for await (const { state, progress, result } of tasks.follow(id, gone.signal)) {
            if (progress !== null) push("progress", progress);
            if (state === "done" || state === "failed") push(state, result);
          }
          isOver = true;
          stream.push(null);
        };
        follow().catch(() => stream.destroy());
        const end = () => stream.destroy();
        ending.addEventListener("abort", end, { once: true });
        stream.once("close", () => {
          ending.removeEventListener("abort", end);
          stopBeating();
          gone.abort();
          const left = (streams.get(who) ?? 1) - 1;
          if (left > 0) streams.set(who, left);
          else streams.delete(who);
        });
        asked.reply.type("text/event-stream").header("x-accel-buffering", "no").send(stream);
      },
    }),
  ];
}
