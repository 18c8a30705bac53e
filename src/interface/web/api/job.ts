/** Work of the server, followed while it happens. */
import { useEffect, useState } from "react";
import { answer, GET } from "./client.ts";
import { ConnectionLost, isProblem, LoggedOut } from "./problem.ts";

export interface JobView {
  /** `gone`: the server knows nothing of it any more, after a restart, say. */
  readonly state: "running" | "done" | "failed" | "gone";
  readonly progress: unknown;
  /** Of `done` what came of it, of `failed` { what }. */
  readonly result: unknown;
}

const BEGUN: JobView = { state: "running", progress: undefined, result: undefined };
const ASK_MILLISECONDS = 2000;

/** Undefined where there is no job. Events tell of it; where they cannot come, it is asked for. */
export function useJob(id: string | undefined): JobView | undefined {
  const [seen, setSeen] = useState<{ readonly id: string; readonly view: JobView }>();
  useEffect(() => {
    if (id === undefined) return;
    let timer: number | undefined;
    let isOver = false;
    const show = (change: Partial<JobView>) =>
      setSeen((before) => ({ id, view: { ...(before?.id === id ? before.view : BEGUN), ...change } }));
    const ask = async () => {
      try {
        const { state, progress, result } = await answer(
          GET("/api/jobs/{job}", { params: { path: { job: id } } }),
        );
        if (isOver) return;
        const isDone = state === "done" || state === "failed";
        show({ state: isDone ? state : "running", progress, result });
        if (!isDone) timer = window.setTimeout(ask, ASK_MILLISECONDS);
      } catch (error) {
        if (isOver) return;
        if (isProblem(error, "not-found")) show({ state: "gone" });
        else if (
          error instanceof ConnectionLost ||
          error instanceof LoggedOut ||
          isProblem(error, "too-many") ||
          isProblem(error, "not-ready")
        )
          timer = window.setTimeout(ask, ASK_MILLISECONDS);
        else show({ state: "failed", result: { what: (error as Error).message } });
      }
    };
    const source = new EventSource(`/api/jobs/${encodeURIComponent(id)}/events`);
    const read = (event: Event): unknown => JSON.parse((event as MessageEvent<string>).data);
    source.addEventListener("progress", (event) => show({ progress: read(event) }));
    for (const state of ["done", "failed"] as const)
      source.addEventListener(state, (event) => {
        source.close();
        show({ state, result: read(event) });
      });
    // What the browser opens anew by itself says nothing meanwhile; asking says where the server is away.
    source.addEventListener("error", () => {
      source.close();
      window.clearTimeout(timer);
      if (!isOver) void ask();
    });
    return () => {
      isOver = true;
      window.clearTimeout(timer);
      source.close();
    };
  }, [id]);
  if (id === undefined) return undefined;
  return seen?.id === id ? seen.view : BEGUN;
}

/** "done 3 of 10", as checks tell it. */
export function readSteps(progress: unknown): { readonly done: number; readonly of: number } | undefined {
  const { done, of } = (progress ?? {}) as { done?: unknown; of?: unknown };
  return typeof done === "number" && typeof of === "number" ? { done, of } : undefined;
}
