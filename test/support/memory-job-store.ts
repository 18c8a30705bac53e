/** Jobs in memory, as a database would keep them: what comes out is not what went in, but equal to it. */
import type { JobStore, NewJob } from "../../src/watch/job-store.ts";

interface Row extends NewJob {
  key: string | undefined;
  runAt: Date;
  attempt: number;
  leasedUntil: Date | undefined;
  error: string;
}

export function memoryJobStore(): JobStore {
  const rows = new Map<string, Row>();
  const held = (id: string, attempt: number): Row | undefined => {
    const row = rows.get(id);
    return row?.attempt === attempt && row.leasedUntil !== undefined ? row : undefined;
  };
  const isGivenUp = (row: Row, now: Date) =>
    row.attempt >= row.maxAttempts && (row.leasedUntil === undefined || row.leasedUntil <= now);
  const out = ({ leasedUntil: _, error, ...job }: Row) => ({ ...structuredClone(job), error });
  return {
    async add(job) {
      const isWaiting = [...rows.values()].some(
        (row) => job.key !== undefined && row.key === job.key && row.leasedUntil === undefined,
      );
      if (job.keepsOlder && isWaiting) return;
      for (const row of rows.values()) {
        if (job.key === undefined || row.key !== job.key) continue;
        if (row.leasedUntil === undefined) rows.delete(row.id);
        else row.key = undefined;
      }
      rows.set(job.id, {
        ...job,
        payload: JSON.parse(JSON.stringify(job.payload)),
        attempt: 0,
        leasedUntil: undefined,
        error: "",
      });
    },
    async lease(kinds, now, limit, leasedUntil) {
      return [...rows.values()]
        .filter(
          (row) =>
            kinds.includes(row.kind) &&
            row.runAt <= now &&
            row.attempt < row.maxAttempts &&
            (row.leasedUntil === undefined || row.leasedUntil <= now),
        )
        .sort((one, other) => one.runAt.getTime() - other.runAt.getTime())
        .slice(0, limit)
        .map((row) => {
          row.attempt += 1;
          row.leasedUntil = leasedUntil;
          return out(row);
        });
    },
    async extend(id, attempt, leasedUntil) {
      const row = held(id, attempt);
      if (row !== undefined) row.leasedUntil = leasedUntil;
      return row !== undefined;
    },
    async complete(id, attempt) {
      return held(id, attempt) !== undefined && rows.delete(id);
    },
    async fail(id, attempt, retryAt, error) {
      const row = held(id, attempt);
      if (row === undefined) return false;
      Object.assign(row, { leasedUntil: undefined, runAt: retryAt, error });
      return true;
    },
    async failed(limit, now) {
      return [...rows.values()]
        .filter((row) => isGivenUp(row, now))
        .slice(-limit)
        .reverse()
        .map((row) => ({ ...out(row), isCutOff: row.leasedUntil !== undefined }));
    },
    async sweep(before) {
      for (const row of rows.values()) if (isGivenUp(row, before) && row.runAt < before) rows.delete(row.id);
    },
  };
}
