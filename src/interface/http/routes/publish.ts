/** Plans, approved by their digest, carried out as jobs, and taken back. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { keyOwner } from "../../../keys/key-record-shapes.ts";
import { type ApplyResult, applyPlan, applyUndo, planUndo, recover } from "../../../publish/apply.ts";
import { planDigest, planJson, resultJson } from "../../../publish/plan-json.ts";
import { GUARD_IDS, type Plan } from "../../../publish/planned.ts";
import type { ProviderFailure } from "../../../publish/provider.ts";
import { zoneOf } from "../../../records/derive.ts";
import { formatRdata } from "../../../standards/dns/rdata-text.ts";
import { planZone, zonesOf } from "../../../watch/zone-plan.ts";
import { type Described, describeDomain, describeZone } from "../described.ts";
import { ofDomain } from "../domain-schema.ts";
import type { Jobs } from "../job.ts";
import type { ServerParts } from "../parts.ts";
import { Refusal } from "../problem.ts";
import { type Asked, type Route, route } from "../route.ts";
import { type OpenZone, openZone } from "../zone.ts";
import { jobRef } from "./job.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const LOOK_SECONDS = 60;

const planSchema = z.object({
  zone: z.string(),
  values: z.array(
    z.object({
      action: z.enum(["create", "delete", "keep"]),
      name: z.string(),
      type: z.string(),
      value: z.string(),
      ttlSeconds: z.int(),
      isOurs: z.boolean(),
      reason: z.string().optional(),
      purpose: z.string().optional(),
    }),
  ),
  steps: z.array(
    z.object({
      changes: z.array(
        z.object({
          name: z.string(),
          type: z.string(),
          before: z.array(z.string()).nullable(),
          after: z.array(z.string()).nullable(),
          ttlSeconds: z.int().nullable(),
        }),
      ),
      waitSeconds: z.number(),
      waitReason: z.string().nullable(),
    }),
  ),
  guards: z.array(z.object({ id: z.enum(GUARD_IDS), message: z.string(), canBeOverridden: z.boolean() })),
  leftOut: z.array(z.object({ name: z.string(), type: z.string(), because: z.string() })),
  notes: z.array(z.string()),
});

export function publishRoutes(parts: ServerParts, jobs: Jobs): readonly Route[] {
  const { descriptions, publish } = parts;

  const open = async (asked: Asked): Promise<OpenZone & { readonly described: Described }> => {
    const own = await describeDomain(asked.domain, descriptions);
    const opened = await openZone(zoneOf(asked.domain.domain, own.description), asked.actor, parts);
    return { ...opened, described: await describeZone(opened.zone, descriptions) };
  };
  const makePlan = async ({
    zone,
    provider,
    described: { description, derived },
  }: Awaited<ReturnType<typeof open>>) => {
    const inUse = (await parts.keys.list()).filter(
      ({ state }) => state === "signing" || state === "retiring",
    );
    const plan = await planZone({
      zone,
      zones: [...new Set([zone, ...zonesOf(description)])],
      provider,
      store: publish,
      world: parts.world(),
      derived,
      signingKeys: new Set(inUse.map(keyOwner)),
    });
    if ("status" in plan) throw notRead(plan);
    return plan;
  };
  const undoOf = async ({ zone, provider }: OpenZone) => {
    const outcome = await provider.readZone(zone);
    if (outcome.status !== "read") throw notRead(outcome);
    const undo = planUndo(await publish.appliesTo(zone), outcome.content);
    if (undo.status === "nothing-to-undo")
      throw new Refusal("refused", "there is nothing to take back", "look at the applies of the zone");
    const steps = undo.steps.map((changes) =>
      changes.map(({ name, type, before, after }) => ({
        name,
        type,
        before: before?.data.map((data) => formatRdata(data)) ?? null,
        after: after?.data.map((data) => formatRdata(data)) ?? null,
      })),
    );
    const text = JSON.stringify([undo.undoes.id, steps]);
    return { undo, steps, digest: createHash("sha256").update(text).digest("hex") };
  };
  const run = (
    kind: string,
    asked: Asked,
    opened: OpenZone,
    work: (tools: ReturnType<OpenZone["applyTools"]>) => Promise<ApplyResult>,
  ) =>
    jobs.start({ kind, domain: opened.zone, ownerId: asked.domain.ownerId }, async (progress) => {
      const tools = opened.applyTools((event) =>
        progress(event.kind === "step" ? { kind: "step", at: event.at, of: event.of } : event),
      );
      const result = await work(tools);
      await asked.audit(`zone.${kind}.${result.status}`, opened.zone);
      return resultJson(result);
    });

  return [
    route({
      method: "GET",
      path: "/api/domains/:domain/plan",
      gate: "own.publish",
      summary:
        "What publishing would change in the domain's zone, with what speaks against it, and its digest.",
      params: ofDomain,
      answer: z.object({ digest, provider: z.string(), plan: planSchema }),
      act: async (_, asked) => {
        const opened = await open(asked);
        const plan = await makePlan(opened);
        const read = planSchema.parse(planJson(plan));
        return { digest: planDigest(plan), provider: opened.provider.title, plan: read };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/apply",
      gate: "own.publish",
      summary: "Carries out the plan of this digest; where the plan has changed since, nothing happens.",
      params: ofDomain,
      body: z.strictObject({ digest, allow: z.array(z.enum(GUARD_IDS)).max(GUARD_IDS.length).default([]) }),
      status: 202,
      answer: jobRef,
      act: async ({ body }, asked) => {
        const opened = await open(asked);
        const recovery = await recover(opened.zone, { provider: opened.provider, store: publish });
        if (recovery.status === "failed") throw notRead(recovery.failure);
        const plan: Plan = await makePlan(opened);
        requireDigest(planDigest(plan), body.digest);
        await asked.audit("zone.apply", opened.zone, { digest: body.digest, allow: body.allow });
        const options = { allow: body.allow, lookSeconds: LOOK_SECONDS };
        return { job: run("apply", asked, opened, (tools) => applyPlan(plan, options, tools)).id };
      },
    }),
    route({
      method: "GET",
      path: "/api/domains/:domain/undo",
      gate: "own.publish",
      summary: "What taking the last apply back would change, and its digest.",
      params: ofDomain,
      answer: z.object({
        digest,
        undoes: z.string(),
        steps: z.array(z.array(z.looseObject({ name: z.string() }))),
      }),
      act: async (_, asked) => {
        const { undo, steps, digest: own } = await undoOf(await open(asked));
        return { digest: own, undoes: undo.undoes.id, steps };
      },
    }),
    route({
      method: "POST",
      path: "/api/domains/:domain/undo",
      gate: "own.publish",
      summary: "Takes the last apply back, where it is still the one of this digest.",
      params: ofDomain,
      body: z.strictObject({ digest }),
      status: 202,
      answer: jobRef,
      act: async ({ body }, asked) => {
        const opened = await open(asked);
        const { undo, digest: own } = await undoOf(opened);
        requireDigest(own, body.digest);
        await asked.audit("zone.undo", opened.zone, { digest: body.digest });
        const work = (tools: ReturnType<OpenZone["applyTools"]>) =>
          applyUndo(undo, { lookSeconds: LOOK_SECONDS }, tools);
        return { job: run("undo", asked, opened, work).id };
      },
    }),
  ];
}

function requireDigest(own: string, given: string): void {
  if (own === given) return;
  throw new Refusal(
    "stale",
    "this is not the plan that was looked at",
    "look at the plan as it is now, and approve that",
  );
}

function notRead({ cause, detail }: ProviderFailure): Refusal {
  return new Refusal(
    "no-answer",
    `the zone could not be read (${cause}): ${detail.slice(0, 300)}`,
    "try again later",
  );
}
