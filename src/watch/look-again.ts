/** All domains are to be looked at again, because of something that they share. */
import type { DomainName } from "../standards/dns/name.ts";
import type { JobHandlers, JobQueue } from "./job-queue.ts";
import { firstCheck } from "./schedule.ts";
import type { WatchStore } from "./watch-store.ts";

type Store = Pick<WatchStore, "overview" | "names" | "scheduleSooner">;

/** Rows that one statement changes: others get their turn in between. */
const STEP = 500;
/** Several changes in a row wait as one. */
const KEY = "look-at-all";

/** Over as long as the checks take; none that is due earlier is put off. Resolves to how many there are. */
export async function lookAtAll(watch: Store, now: Date, perSecond: number): Promise<number> {
  const counts = Object.values(await watch.overview({}));
  const total = counts.reduce((sum, count) => sum + count, 0);
  let done = 0;
  for (let after: DomainName | undefined; ; ) {
    const names = await watch.names({ limit: STEP, ...(after && { after }) });
    await watch.scheduleSooner(
      names.map((domain) => ({ domain, at: firstCheck(domain, now, total, perSecond) })),
    );
    done += names.length;
    after = names.at(-1);
    if (names.length < STEP) return done;
  }
}

/** Durable when it resolves; the work itself is a job. */
export const askForAll = (queue: Pick<JobQueue, "add">): Promise<void> =>
  queue.add("look-at-all", {}, { key: KEY });

export function lookAgainHandlers(
  watch: Store,
  perSecond: number,
  now: () => Date,
): Required<Pick<JobHandlers, "look-at-all">> {
  return {
    "look-at-all": async () => {
      await lookAtAll(watch, now(), perSecond);
    },
  };
}
