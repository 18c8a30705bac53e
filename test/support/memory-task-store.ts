/** Work that somebody follows, in memory, for tests. */
import type { Task, TaskStore } from "../../src/watch/task.ts";

export function memoryTaskStore(): TaskStore {
  const tasks = new Map<string, Task & { endedAt?: Date }>();
  const change = (id: string, attempt: number, values: Partial<Task & { endedAt: Date }>): boolean => {
    const task = tasks.get(id);
    if (task === undefined || task.attempt !== attempt || task.endedAt !== undefined) return false;
    tasks.set(id, { ...task, ...structuredClone(values) });
    return true;
  };
  const underWay = (about: Pick<Task, "kind" | "domain">) =>
    [...tasks.values()].find(
      ({ kind, domain, endedAt }) =>
        domain !== undefined && kind === about.kind && domain === about.domain && endedAt === undefined,
    );
  return {
    underWay: async (kind, domain) => underWay({ kind, domain }),
    async begin(task) {
      const same = underWay(task);
      if (same !== undefined) return same;
      const begun: Task = { ...task, state: "waiting", attempt: 0, progress: null, result: null };
      tasks.set(task.id, begun);
      return begun;
    },
    get: async (id) => tasks.get(id),
    async claim(id, attempt) {
      const task = tasks.get(id);
      if (task === undefined || task.endedAt !== undefined || task.attempt >= attempt) return undefined;
      tasks.set(id, { ...task, state: "running", attempt });
      return tasks.get(id);
    },
    note: async (id, attempt, progress) => change(id, attempt, { progress }),
    end: async (id, attempt, state, result, endedAt) => change(id, attempt, { state, result, endedAt }),
    async abandon(begunBefore, endedAt) {
      for (const task of tasks.values()) {
        if (task.endedAt !== undefined || task.startedAt >= begunBefore) continue;
        tasks.set(task.id, { ...task, state: "failed", endedAt });
      }
    },
    async unfinished() {
      return [...tasks.values()].flatMap(({ kind, ownerId, state }) =>
        state === "waiting" || state === "running" ? [{ kind, ownerId, state, count: 1 }] : [],
      );
    },
    async sweep(endedBefore) {
      for (const { id, endedAt } of tasks.values())
        if (endedAt !== undefined && endedAt < endedBefore) tasks.delete(id);
    },
  };
}
