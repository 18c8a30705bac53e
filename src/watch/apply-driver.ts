/** Plans that somebody approved, carried out later, and only where they are still what was approved. */
import { createHash } from "node:crypto";
import { type ApplyTools, applyPlan, recover } from "../publish/apply.ts";
import type { GuardId, Plan } from "../publish/planned.ts";
import { valueKey } from "../publish/rrset.ts";
import type { DomainName } from "../standards/dns/name.ts";
import type { JobHandlers, JobQueue } from "./job-queue.ts";
import { cachesClear } from "./schedule.ts";

/** What the plan would change, and what stands there now: two plans are one where this is the same. */
export function planDigest({ zone, steps, guards }: Plan): string {
  const side = (rrset: Plan["steps"][number]["changes"][number]["before"]) =>
    rrset && [rrset.ttlSeconds, rrset.data.map(valueKey).sort()];
  const text = JSON.stringify([
    zone,
    steps.map(({ changes, waitSeconds }) => [
      waitSeconds,
      changes.map(({ name, type, before, after }) => [name, type, side(before), side(after)]),
    ]),
    guards.map(({ id }) => id).sort(),
  ]);
  return createHash("sha256").update(text).digest("hex");
}

export interface ApplyDriverTools {
  readonly queue: Pick<JobQueue, "add">;
  /** The zone as it is held now, its plan made anew; `detail` where it cannot be had, and it is tried again. */
  readonly open: (
    zone: DomainName,
  ) => Promise<
    | { readonly plan: Plan; readonly tools: ApplyTools; readonly domains: readonly DomainName[] }
    | { readonly detail: string }
  >;
  readonly now: () => Date;
  /** For the person who approved it: it was not done, and why. */
  readonly onEnd: (
    zone: DomainName,
    approvedBy: string,
    end: { readonly status: "done" | "not-done"; readonly detail: string },
  ) => Promise<void>;
}

const LOOK_SECONDS = 60;

export function applyHandlers(driver: ApplyDriverTools): Required<Pick<JobHandlers, "apply-plan">> {
  return {
    "apply-plan": async ({ zone, digest, allow, approvedBy }, { isLast }) => {
      const end = (status: "done" | "not-done", detail: string) =>
        driver.onEnd(zone, approvedBy, { status, detail });
      const tryAgain = async (detail: string): Promise<void> => {
        if (isLast) await end("not-done", detail);
        throw new Error(detail);
      };
      let opened = await driver.open(zone);
      if ("detail" in opened) return tryAgain(opened.detail);
      // What an earlier attempt left half done is found out first.
      const recovery = await recover(zone, opened.tools);
      if (recovery.status === "failed") return tryAgain(recovery.failure.detail);
      opened = await driver.open(zone);
      if ("detail" in opened) return tryAgain(opened.detail);
      const { plan, tools, domains } = opened;
      if (plan.steps.length === 0) return end("done", "the zone is as it should be already");
      if (planDigest(plan) !== digest)
        return end(
          "not-done",
          "the zone or the description has changed since: look at the new plan, and approve that",
        );
      const result = await applyPlan(
        plan,
        { allow: allow as readonly GuardId[], lookSeconds: LOOK_SECONDS },
        tools,
      );
      switch (result.status) {
        case "done": {
          const ttls = plan.steps.flatMap(({ changes }) =>
            changes.map(({ before }) => before?.ttlSeconds ?? 0),
          );
          const runAt = cachesClear(driver.now(), Math.max(0, ...ttls));
          await driver.queue.add("wait-for-caches", { domains }, { key: `wait-for-caches ${zone}`, runAt });
          return end("done", `${plan.steps.length} steps`);
        }
        case "nothing-to-do":
          return end("done", "the zone is as it should be already");
        case "blocked":
          return end("not-done", result.guards.map(({ id }) => id).join(", "));
        case "busy":
          return tryAgain("another apply to this zone is under way");
        case "stale":
          return end("not-done", result.detail);
        case "stopped":
          return tryAgain(result.failure.detail);
        default:
          return result satisfies never;
      }
    },
  };
}
