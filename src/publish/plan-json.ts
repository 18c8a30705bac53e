/** Plans and what came of them, as JSON: the same for the command line and the API. */
import { createHash } from "node:crypto";
import { formatRdata } from "../standards/dns/rdata-text.ts";
import type { ApplyResult } from "./apply.ts";
import type { Plan } from "./planned.ts";

export function planJson({ zone, values, steps, guards, leftOut, notes }: Plan) {
  return {
    zone,
    values,
    steps: steps.map(({ changes, waitSeconds, waitReason }) => ({
      changes: changes.map(({ name, type, before, after }) => ({
        name,
        type,
        before: before?.data.map((data) => formatRdata(data)) ?? null,
        after: after?.data.map((data) => formatRdata(data)) ?? null,
        ttlSeconds: after?.ttlSeconds ?? null,
      })),
      waitSeconds,
      waitReason: waitSeconds > 0 ? (waitReason ?? null) : null,
    })),
    guards,
    leftOut: leftOut.map(({ record, because }) => ({
      name: record.record.name,
      type: record.record.data.type,
      because,
    })),
    notes,
  };
}

/** What an approval names: another plan, be it by one value or one guard, has another digest. */
export function planDigest(plan: Plan): string {
  return createHash("sha256")
    .update(JSON.stringify(planJson(plan)))
    .digest("hex");
}

export function resultJson(result: ApplyResult): object {
  if (result.status !== "done") return result;
  return {
    ...result,
    unseen: result.unseen.map(({ change, server, data }) => ({
      server,
      name: change.name,
      type: change.type,
      answers: data?.map((one) => formatRdata(one)) ?? null,
    })),
  };
}
